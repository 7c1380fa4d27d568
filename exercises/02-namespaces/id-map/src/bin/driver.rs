//! `driver ordinary UID GID`: as this user, makes a user namespace and gives it the maps of your plan.
//! `driver privileged UID GID COUNT`: the same as root, with COUNT ids from UID and from GID on.
//!
//! Prints the pid of a process in the namespace, which stays until standard input ends, and what each step came to.

use std::convert::Infallible;
use std::error::Error;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use ex_id_map::idmap::{self, Caller, IdMap, Maps};
use ex_id_map::subids::User;
use mini_sys::clone::{self, CloneFlags};
use mini_sys::{Gid, Uid, pidfd};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ordinary", uid, gid] => become_user(uid.parse()?, gid.parse()?),
        ["as-I-am"] => {
            let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
            let user = User { uid, gid, subuids: Vec::new(), subgids: Vec::new(), helpers: None };
            make(&Caller::Ordinary(user.clone()), &Maps::rootless(&user))
        }
        ["privileged", uid, gid, count] => {
            let count = count.parse()?;
            let map = |outside| vec![IdMap { inside: 0, outside, count }];
            make(&Caller::Privileged, &Maps { uids: map(uid.parse()?), gids: map(gid.parse()?) })
        }
        _ => Err("usage: driver ordinary UID GID | driver privileged UID GID COUNT".into()),
    }
}

/// Starts this program again as the user, from a place that every user can read.
fn become_user(uid: u32, gid: u32) -> Result<(), Box<dyn Error>> {
    let copy = format!("/tmp/driver-{uid}");
    std::fs::copy(std::env::current_exe()?, &copy)?;
    let status = Command::new(&copy).arg("as-I-am").uid(uid).gid(gid).status();
    std::fs::remove_file(&copy)?;
    match status? {
        status if status.success() => Ok(()),
        status => Err(status.to_string().into()),
    }
}

fn make(caller: &Caller, maps: &Maps) -> Result<(), Box<dyn Error>> {
    let child = clone::clone3(CloneFlags::CLONE_NEWUSER, None, until_input_ends)?;
    let mut said = Vec::new();
    for step in idmap::plan(caller, maps) {
        match step.perform(child.pid) {
            Ok(()) => said.push(format!("{}: done", step.call())),
            Err(error) => {
                let reason = error.source().map(ToString::to_string).unwrap_or_default();
                said.push(format!("{}: {reason}", step.call()));
                break;
            }
        }
    }
    println!("{}", child.pid);
    println!("{}", said.join("; "));
    pidfd::wait(child.pidfd)?;
    Ok(())
}

fn until_input_ends() -> Infallible {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    clone::leave(0)
}
