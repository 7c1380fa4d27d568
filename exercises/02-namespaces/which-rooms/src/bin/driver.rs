//! `driver PID PID`: asks your code which rooms the two processes share, and prints it.
//!
//! `driver resident KIND…`: makes a process in new rooms of these kinds, prints its pid, and keeps it until standard
//! input ends. `driver expectant`: becomes a process whose *children* will be in another pid room.

use std::convert::Infallible;
use std::error::Error;
use std::io::Read as _;

use mini_namespaces::Kind;
use mini_sys::clone::{self, CloneFlags};
use mini_sys::{namespace, pidfd};

#[path = "../rooms.rs"]
mod rooms;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["resident", ref kinds @ ..] => resident(kinds),
        ["expectant"] => {
            namespace::unshare(CloneFlags::CLONE_NEWPID)?;
            // The link of a room without a pid 1 is empty, so there has to be a child.
            let child = clone::fork(until_input_ends)?;
            println!("{}", std::process::id());
            pidfd::wait(child.pidfd)?;
            Ok(())
        }
        [one, other] => {
            match rooms::shared(one.parse()?, other.parse()?) {
                Ok(kinds) => println!("{}", kinds.join(" ")),
                Err(error) => println!("error: {error}"),
            }
            Ok(())
        }
        _ => Err("usage: driver PID PID".into()),
    }
}

fn resident(names: &[&str]) -> Result<(), Box<dyn Error>> {
    let kinds = Kind::ALL.into_iter().filter(|kind| names.contains(&kind.file_name()));
    let (later, at_once): (Vec<Kind>, Vec<Kind>) = kinds.partition(|kind| *kind == Kind::Time);
    if !later.is_empty() {
        namespace::unshare(Kind::Time.flag())?;
    }
    let flags: CloneFlags = at_once.into_iter().map(Kind::flag).collect();
    let child = clone::clone3(flags, None, until_input_ends)?;
    println!("{}", child.pid);
    pidfd::wait(child.pidfd)?;
    Ok(())
}

fn until_input_ends() -> Infallible {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    clone::leave(0)
}
