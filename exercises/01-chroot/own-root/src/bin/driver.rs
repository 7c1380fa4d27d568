//! `driver chroot|enter ROOT PROGRAM [ARGUMENT…]`: goes into ROOT with your code, in that way, and becomes PROGRAM.

use std::error::Error;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use ex_own_root::root;
use mini_sys::clone::CloneFlags;
use mini_sys::{Uid, namespace};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, directory, program, rest @ ..] = &arguments[..] else {
        return Err("usage: driver chroot|enter ROOT PROGRAM [ARGUMENT…]".into());
    };
    let user = if Uid::effective().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    namespace::unshare(user | CloneFlags::CLONE_NEWNS)?;
    match way.as_str() {
        "chroot" => root::chroot(Path::new(directory))?,
        "enter" => root::enter(Path::new(directory))?,
        _ => return Err(format!("no way in is called `{way}`").into()),
    }
    Err(Command::new(program).args(rest).exec().into())
}
