//! Breaks out of a chroot, and tries the same on a root that was pivoted:
//! `cargo run -p mini-chroot --example breakout`.
//!
//! chroot(2) moves a process's root and leaves its working directory where it is. So a process that may call
//! it can put its root *below* the directory it stands in, and then nothing stops it from walking up: `..`
//! stops at the root only for who comes past it. After pivot_root(2) the same walk ends at the root of the
//! mount tree, because there is nothing above. The host stays as it is, as in the example `jail`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::path::Path;

use mini_chroot::host::Host;
use mini_chroot::{assemble, root, tree};
use mini_sys::clone::{self, CloneFlags};
use mini_sys::file::{CWD, statat};
use mini_sys::{Uid, mount, pidfd, process};

type Enter = fn(&Path) -> mini_sys::Result<()>;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("breakout-{}", std::process::id()));
    let plan = assemble::plan(&["sh"], &[], &mut Host::new("/"))?;
    tree::perform(&plan.tree, &directory)?;
    std::fs::create_dir(directory.join("below"))?;
    let host = identity()?;
    let user = if Uid::effective().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    let ways: [(&str, Enter); 2] = [("chroot(2)", root::chroot), ("pivot_root(2)", root::enter)];
    for (name, enter) in ways {
        let child = clone::clone3(user | CloneFlags::CLONE_NEWNS, None, || {
            match enter(&directory).and_then(|()| break_out()).and_then(|()| identity()) {
                Ok(here) if here == host => println!("{name}: escaped, `/` is the host's: {}", names()),
                Ok(_) => println!("{name}: still inside, `/` is the jail's: {}", names()),
                Err(error) => println!("{name}: {error}"),
            }
            clone::leave(0)
        })?;
        pidfd::wait(&child.pidfd)?;
    }
    Ok(std::fs::remove_dir_all(&directory)?)
}

// ANCHOR: break-out
fn break_out() -> mini_sys::Result<()> {
    mount::chroot(Path::new("below"))?;
    (0..64).try_for_each(|_| process::chdir(Path::new("..")))?;
    mount::chroot(Path::new("."))
}
// ANCHOR_END: break-out

/// What tells one root directory from another: its device and inode.
fn identity() -> mini_sys::Result<(u64, u64)> {
    statat(CWD, Path::new("/")).map(|stat| (stat.st_dev, stat.st_ino))
}

fn names() -> String {
    let names = std::fs::read_dir("/").into_iter().flatten().flatten();
    let mut names: Vec<_> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.join(" ")
}
