//! `driver ORPHANS SIGNAL CODE`: a pid namespace whose pid 1 is your code.
//!
//! Its program leaves ORPHANS behind; each reads one byte of standard input and ends with the status CODE + 1. The program itself ends with CODE when SIGNAL arrives. Prints pid 1's number outside, then `ready`.

#![allow(clippy::exit, reason = "the status is the program's")]

use std::convert::Infallible;
use std::error::Error;
use std::os::fd::AsFd as _;

use ex_reap::init;
use mini_sys::clone::{self, ABANDONED, CloneFlags, leave};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd::{self, Exit};
use mini_sys::{Uid, signal};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Result<Vec<i32>, _> = std::env::args().skip(1).map(|word| word.parse()).collect();
    let [orphans, signal, code] = arguments?[..] else {
        return Err("usage: driver ORPHANS SIGNAL CODE".into());
    };
    let user = if Uid::effective().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    let (told, may_go) = ipc::pipe()?;
    let first = clone::clone3(user | CloneFlags::CLONE_NEWPID, None, || {
        // Outside our pid is printed first.
        let _ = ipc::read(&told, &mut [0]);
        let exit = init::run(|| program(orphans, signal, code).unwrap_or_else(|_| leave(ABANDONED)), || {});
        leave(exit.map_or(ABANDONED, Exit::shell_code))
    })?;
    println!("{}", first.pid);
    ipc::write(&may_go, b"g")?;
    std::process::exit(pidfd::wait(first.pidfd)?.shell_code())
}

fn program(orphans: i32, signal: i32, code: i32) -> mini_sys::Result<Infallible> {
    let signals = signal::signalfd(&[signal])?;
    let parent = clone::fork(|| {
        for _ in 0..orphans {
            let orphan = clone::fork(|| {
                let _ = ipc::read(std::io::stdin(), &mut [0]);
                leave(code + 1)
            });
            if orphan.is_err() {
                leave(ABANDONED);
            }
        }
        leave(0)
    })?;
    pidfd::wait(parent.pidfd)?;
    println!("ready");
    ipc::poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], None)?;
    leave(code)
}
