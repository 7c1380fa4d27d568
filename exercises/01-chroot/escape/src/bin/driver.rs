//! `driver chroot|pivot_root JAIL`: goes into JAIL in that way, tries your escape, and stays until standard input ends.

use std::error::Error;
use std::io::{self, Read as _};
use std::path::Path;

use mini_chroot::root;
use mini_sys::clone::CloneFlags;
use mini_sys::{Uid, namespace};

#[path = "../escape.rs"]
mod escape;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, jail] = &arguments[..] else {
        return Err("usage: driver chroot|pivot_root JAIL".into());
    };
    let user = if Uid::effective().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    namespace::unshare(user | CloneFlags::CLONE_NEWNS)?;
    match way.as_str() {
        "chroot" => root::chroot(Path::new(jail))?,
        "pivot_root" => root::enter(Path::new(jail))?,
        _ => return Err(format!("no way in is called `{way}`").into()),
    }
    // An attack that is stopped half-way is still looked at: what matters is where the process is.
    match escape::escape() {
        Ok(()) => println!("done"),
        Err(error) => {
            eprintln!("after {way}: {error}");
            println!("stopped");
        }
    }
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
