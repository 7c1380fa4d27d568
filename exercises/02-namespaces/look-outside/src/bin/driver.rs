//! `driver open JAIL SECRET`: runs your attack in a jail without a pid room, with the host's /proc.
//! `driver walled JAIL SECRET`: runs it in the jail that you describe.
//!
//! Prints the pid of the process in the jail, and what the attack returned after the first line of standard input.
//! `driver victim DIRECTORY NAME TEXT`: a process of the host that alone has a file DIRECTORY/NAME.

use std::error::Error;
use std::io::{BufRead as _, Read as _};
use std::path::Path;

use mini_chroot::root;
use mini_namespaces::Kind;
use mini_sys::clone::{self, CloneFlags};
use mini_sys::mount::{self, MsFlags};
use mini_sys::{namespace, pidfd};

#[path = "../escape.rs"]
mod escape;

use escape::Wall;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["open", jail, secret] => imprison(jail, secret, &Wall { create: Vec::new(), own_proc: false }),
        ["walled", jail, secret] => imprison(jail, secret, &escape::wall()),
        ["victim", directory, name, text] => victim(Path::new(directory), name, text),
        _ => Err("usage: driver open|walled JAIL SECRET".into()),
    }
}

fn imprison(jail: &str, secret: &str, wall: &Wall) -> Result<(), Box<dyn Error>> {
    let kinds = wall.create.iter().copied().filter(|kind| *kind != Kind::Mount);
    let rooms: CloneFlags = kinds.map(Kind::flag).collect();
    let inside = clone::clone3(rooms | CloneFlags::CLONE_NEWNS, None, || {
        let mut line = String::new();
        // The pid is printed first.
        let _ = std::io::stdin().lock().read_line(&mut line);
        if let Err(error) = enter(Path::new(jail), wall.own_proc) {
            println!("no jail: {error}");
        } else {
            println!(
                "{}",
                escape::steal(Path::new(secret)).map_or("nothing".to_owned(), |text| format!("text {text}"))
            );
        }
        until_input_ends()
    })?;
    println!("{}", inside.pid);
    pidfd::wait(inside.pidfd)?;
    Ok(())
}

fn enter(jail: &Path, own_proc: bool) -> mini_sys::Result<()> {
    root::keep_mounts_private()?;
    let proc = jail.join("proc");
    if own_proc {
        mount::mount("proc", &proc, "proc", MsFlags::empty(), "")?;
    } else {
        mount::mount("/proc", &proc, "", MsFlags::MS_BIND | MsFlags::MS_REC, "")?;
    }
    root::enter(jail)
}

fn victim(directory: &Path, name: &str, text: &str) -> Result<(), Box<dyn Error>> {
    namespace::unshare(CloneFlags::CLONE_NEWNS)?;
    root::keep_mounts_private()?;
    mount::mount("vault", directory, "tmpfs", MsFlags::empty(), "")?;
    std::fs::write(directory.join(name), text)?;
    println!("{}", std::process::id());
    until_input_ends()
}

fn until_input_ends() -> ! {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    clone::leave(0)
}
