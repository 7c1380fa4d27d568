//! How the binary is linked, where the linker is GNU's or LLVM's: at a fixed address, and with as few libraries to load
//! as can be.
//!
//! A program at an address of its choice has thousands of pointers to correct before `main`, and every page they
//! stand in is then its own. A library is a file to open and map, and one more place where each name is looked
//! up. For a command that runs for milliseconds and a monitor that waits for months, both are a good part of the
//! time and of the memory. What is left is libc.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|text| text == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        if env::var("HOST") == env::var("TARGET") && has_static_unwinder() {
            link_unwinder_statically();
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
}

/// Whether the C compiler brings the unwinder as an archive too; GCC does.
fn has_static_unwinder() -> bool {
    let answer = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    // A name without a directory means that there is none.
    answer.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute())
}

/// Rust's standard library asks for `-lgcc_s`, the shared unwinder. The linker takes a text in place of a library
/// as an instruction what to link instead. ld(1), "Implicit Linker Scripts".
fn link_unwinder_statically() {
    let directory = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    if fs::write(directory.join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n").is_ok() {
        println!("cargo:rustc-link-search=native={}", directory.display());
    }
}
