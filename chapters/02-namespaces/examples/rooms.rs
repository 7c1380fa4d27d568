//! A process in new namespaces of every kind, and a visitor who joins it by pidfd.
//!
//! `cargo run -p mini-namespaces --example rooms` (as root)
//!
//! Prints a line a namespace: its kind, and the inodes that name it for this process, for the one in new rooms, and for
//! the visitor. Then what the clocks and the host name are in there.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a demo")]

use std::convert::Infallible;
use std::os::fd::AsFd;
use std::path::Path;

use mini_namespaces::{Kind, Namespaces, Offsets, Step, join};
use mini_sys::clone::{self, clone3};
use mini_sys::namespace::inode;
use mini_sys::{Result, ipc, pidfd};

fn main() -> Result<()> {
    let host = Kind::ALL.map(|kind| name("self", kind));
    let rooms = Namespaces {
        create: Kind::ALL.to_vec(),
        hostname: Some("room".to_owned()),
        time_offsets: Some(Offsets { monotonic: (1_000_000, 0), boottime: (2_000_000, 0) }),
        ..Namespaces::default()
    };
    rooms.before_clone().iter().try_for_each(Step::perform)?;
    let ((ready, is_ready), (go, end)) = (ipc::pipe()?, ipc::pipe()?);
    let resident = clone3(rooms.clone_flags(), None, || {
        let moved = rooms.inside().iter().try_for_each(Step::perform);
        let _ = moved.and_then(|()| ipc::write(&is_ready, b"r"));
        let _ = ipc::read(&go, &mut [0]);
        clone::leave(0)
    })?;
    ipc::read(ready, &mut [0])?;
    let theirs = Kind::ALL.map(|kind| name(&resident.pid.to_string(), kind));
    let visitor = clone::fork(|| visit(resident.pidfd.as_fd(), host, theirs))?;
    pidfd::wait(visitor.pidfd)?;
    ipc::write(end, b"x")?;
    pidfd::wait(resident.pidfd).map(drop)
}

/// The inode that names the room of this kind that a process is in.
fn name(who: &str, kind: Kind) -> u64 {
    inode(Path::new(&format!("/proc/{who}/ns/{kind}"))).unwrap_or(0)
}

/// Joins all rooms, and compares. A pid namespace takes effect for children, so a child looks.
fn visit(resident: impl AsFd, host: [u64; 8], theirs: [u64; 8]) -> Infallible {
    if let Err(error) = join(resident, &Kind::ALL) {
        eprintln!("{error}");
        clone::leave(1)
    }
    let look = || -> Infallible {
        for ((kind, host), resident) in Kind::ALL.into_iter().zip(host).zip(theirs) {
            println!("{kind:7} {host} {resident} {}", name("self", kind));
        }
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        println!("host name {}", read("/proc/sys/kernel/hostname").trim_end());
        println!("up {}", read("/proc/uptime").split('.').next().unwrap_or_default());
        clone::leave(0)
    };
    let _ = clone::fork(look).and_then(|child| pidfd::wait(child.pidfd));
    clone::leave(0)
}
