//! Assembles a root of this machine's own programs and runs one of them inside:
//! `cargo run -p mini-chroot --example jail -- ls -l /`, or `-- sh` to look around.
//!
//! Works as root, and as an ordinary user where user namespaces are allowed. The host stays as it is: all
//! mounts are made in a mount namespace that ends with the program.
#![allow(clippy::print_stderr, clippy::exit, reason = "an example talks to its reader")]

use std::error::Error;
use std::ffi::CString;

use mini_chroot::host::Host;
use mini_chroot::{assemble, root, tree};
use mini_sys::clone::{self, CloneFlags};
use mini_sys::{Uid, pidfd, process};

fn main() -> Result<(), Box<dyn Error>> {
    let mut command: Vec<String> = std::env::args().skip(1).collect();
    if command.is_empty() {
        command = ["ls", "-l", "/"].map(String::from).to_vec();
    }
    let directory = std::env::temp_dir().join(format!("jail-{}", std::process::id()));
    let plan = assemble::plan(&["sh", "ls", &command[0]], &["cat", "id", "ps"], &mut Host::new("/"))?;
    tree::perform(&plan.tree, &directory)?;

    // Everything that can fail or allocate happens before the new process exists.
    let path = assemble::PATH.iter().map(|directory| format!("{directory}/{}", command[0]));
    let paths = path.map(CString::new).collect::<Result<Vec<_>, _>>()?;
    let arguments = command.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>()?;
    let environment = [CString::new(format!("PATH={}", assemble::PATH.join(":")))?];
    let mut namespaces = CloneFlags::CLONE_NEWNS;
    if !Uid::effective().is_root() {
        namespaces |= CloneFlags::CLONE_NEWUSER;
    }

    let child = clone::clone3(namespaces, None, || {
        if let Err(error) = root::enter(&directory) {
            eprintln!("jail: {error}");
            clone::leave(125)
        }
        for path in &paths {
            // Returns only when there is no such program.
            let _ = process::execve(path, &arguments, &environment);
        }
        eprintln!("jail: no program {:?}", arguments[0]);
        clone::leave(127)
    })?;
    let exit = pidfd::wait(&child.pidfd)?;
    std::fs::remove_dir_all(&directory)?;
    std::process::exit(exit.shell_code())
}
