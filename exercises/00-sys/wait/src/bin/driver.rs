//! `driver COMMAND OTHER`: starts the shell command OTHER and lets it end, starts COMMAND, and then waits with your
//! code: first for COMMAND, then for OTHER. Prints both ends, and stays until its standard input ends.

use std::error::Error;
use std::ffi::CString;
use std::io::Read as _;
use std::os::fd::AsFd as _;

use ex_wait::clone::{self, Child};
use ex_wait::ipc::{self, PollFd, PollFlags};
use ex_wait::pidfd::{self, Exit};
use ex_wait::process;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [command, other] = &words[..] else { return Err("usage: driver COMMAND OTHER".into()) };
    let heard = SigAction::new(SigHandler::Handler(hear), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, which may be done at any moment.
    unsafe { sigaction(Signal::SIGUSR1, &heard) }?;

    let other = start(other)?;
    ipc::poll(&mut [PollFd::new(other.pidfd.as_fd(), PollFlags::POLLIN)], None)?;
    let child = start(command)?;
    println!("{} {}", child.pid, other.pid);
    println!("{}", tell(pidfd::wait(&child.pidfd)));
    println!("{}", tell(pidfd::wait(&other.pidfd)));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Without SA_RESTART, the call that waits when this has run returns EINTR.
extern "C" fn hear(_: i32) {}

fn start(command: &str) -> Result<Child, Box<dyn Error>> {
    let arguments = [c"sh".to_owned(), c"-c".to_owned(), CString::new(command)?];
    Ok(clone::fork(|| {
        let Err(error) = process::execve(c"/bin/sh", &arguments, &[c"PATH=/usr/bin:/bin".to_owned()]);
        eprintln!("driver: {error}");
        clone::leave(127)
    })?)
}

fn tell(end: ex_wait::Result<Exit>) -> String {
    match end {
        Ok(Exit::Code(code)) => format!("code {code}"),
        Ok(Exit::Signal(number)) => format!("signal {number}"),
        Err(error) => format!("error: {error}"),
    }
}
