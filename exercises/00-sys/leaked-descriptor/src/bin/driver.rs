//! `driver leaky|shut JAIL STATE NUMBER NAME`: an engine that opens its directory STATE as descriptor NUMBER, forgets it,
//! and starts `/inside NAME` in JAIL, whose wall is chapter 1's. With `shut` it calls your code before execve(2).

use std::error::Error;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use mini_chroot::root;
use mini_sys::clone::CloneFlags;
use mini_sys::mount::{self, MsFlags};
use mini_sys::{Uid, namespace};
use nix::fcntl::{FcntlArg, fcntl};

#[path = "../escape.rs"]
mod escape;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [how, jail, state, number, name] = &words[..] else {
        return Err("usage: driver leaky|shut JAIL STATE NUMBER NAME".into());
    };
    leak(state, number.parse()?)?;
    let jail = Path::new(jail);
    let user = if Uid::effective().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    namespace::unshare(user | CloneFlags::CLONE_NEWNS)?;
    root::keep_mounts_private()?;
    mount::mount("/proc", &jail.join("proc"), "", MsFlags::MS_BIND | MsFlags::MS_REC, "")?;
    root::enter(jail)?;
    if how == "shut" {
        escape::shut()?;
    }
    Err(Command::new("/inside").arg(name).exec().into())
}

/// A descriptor for the directory, with this number if it is free, and without close-on-exec: nobody closes it.
fn leak(directory: &str, number: i32) -> Result<(), Box<dyn Error>> {
    // So that 3 is free when it is asked for.
    let placeholder = File::open("/dev/null")?;
    let directory = File::open(directory)?;
    drop(placeholder);
    fcntl(&directory, FcntlArg::F_DUPFD(number))?;
    Ok(())
}
