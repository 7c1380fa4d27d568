//! Makes a directory the root, with chroot(2) alone, and runs a program there:
//! `cargo run -p mini-chroot --example enter -- DIRECTORY /bin/sh` (as root).
//!
//! Where the directory has a `proc`, procfs is mounted on it, in a mount namespace that ends with the
//! program. Some programs do not start without: the loader reads there what `$ORIGIN` is.

use std::error::Error;
use std::ffi::CString;
use std::path::Path;

use mini_chroot::{assemble, root};
use mini_sys::mount::{MsFlags, mount};
use mini_sys::namespace::{self, CloneFlags};
use mini_sys::process;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1).map(CString::new).collect::<Result<Vec<_>, _>>()?;
    let [directory, program, ..] = &arguments[..] else {
        return Err("usage: enter DIRECTORY PROGRAM [ARGUMENT…]".into());
    };
    let directory = Path::new(directory.to_str()?);
    namespace::unshare(CloneFlags::CLONE_NEWNS)?;
    root::keep_mounts_private()?;
    if directory.join("proc").is_dir() {
        mount("proc", &directory.join("proc"), "proc", MsFlags::empty(), "")?;
    }
    root::chroot(directory)?;
    let environment = [CString::new(format!("PATH={}", assemble::PATH.join(":")))?];
    process::execve(program, &arguments[1..], &environment)?;
    Ok(())
}
