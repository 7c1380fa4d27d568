//! `driver ROOT PROGRAM [ARGUMENT…]`: enters ROOT and becomes PROGRAM. Says what execve(2) answered, if it answered.

use std::error::Error;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use mini_chroot::root;
use mini_sys::clone::CloneFlags;
use mini_sys::{Uid, namespace};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, program, rest @ ..] = &arguments[..] else {
        return Err("usage: driver ROOT PROGRAM [ARGUMENT…]".into());
    };
    let user = if Uid::effective().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    namespace::unshare(user | CloneFlags::CLONE_NEWNS)?;
    root::enter(Path::new(directory))?;
    let error = Command::new(program).args(rest).exec();
    println!("execve: {error}");
    Ok(())
}
