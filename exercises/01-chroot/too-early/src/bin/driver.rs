//! `driver ROOT PROGRAM [ARGUMENT…]`: enters ROOT with your code and becomes PROGRAM.

use std::error::Error;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use ex_too_early::root;
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
    Err(Command::new(program).args(rest).exec().into())
}
