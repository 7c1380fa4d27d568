//! How the binary is linked, where the linker is GNU's: at a fixed address.
//!
//! A program at an address of its choice has thousands of pointers to correct before `main`, and every page they
//! stand in is then its own. For a command that runs for milliseconds and a monitor that waits for months, that
//! is a good part of the time and of the memory.

fn main() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|text| text == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
