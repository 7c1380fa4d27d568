//! What pid 1 owes to the other processes of a pid namespace.
//!
//! Pid 1 is not like others. A process whose parent has ended becomes its child, and stays a zombie until it is
//! asked for; the kernel sends it no signal that it has no handler for, so a SIGTERM to it is lost; and when
//! it ends, everybody else is killed. Programs that were not written for the place do neither of these, so
//! `--init` puts this one before them: it starts the program, passes signals on, takes in orphans, and ends
//! as the program ends. It is one process with one loop, and does nothing else.
//!
//! pid_namespaces(7), signalfd(2), wait(2); book ch. 2.

use std::convert::Infallible;
use std::os::fd::AsFd as _;

use mini_sys::clone::{self, Child};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd::{self, Exit};
use mini_sys::signal::{self, Signal, SignalFd};
use mini_sys::{Errno, Error, process, tty};

/// Why pid 1 cannot do its duties.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Nothing was started yet.
    #[error("pid 1 cannot get ready")]
    Prepare(#[source] Error),
    /// The program's process could not be made.
    #[error("pid 1 cannot start the program")]
    Start(#[source] Error),
    /// The program runs, and we lost sight of it.
    #[error("pid 1 cannot wait for the program")]
    Wait(#[source] Error),
}

/// Runs `program` in a new process and serves it as pid 1 does, until it ends: how it ended. What is left of
/// the others is the kernel's to end, when the caller ends.
///
/// In the new process every signal has its default action. Where standard input is a terminal, that process
/// leads its own group in the terminal's foreground, so that a Ctrl-C goes to the program and its children and
/// does not arrive a second time by way of pid 1. Outside of a pid namespace's first process, this process
/// becomes the one that orphans below it fall to. No thread may exist. `started` is called here once the program
/// has its process, for what this process then no longer needs.
///
/// # Errors
/// When the kernel refuses a process or a descriptor.
pub fn run(program: impl FnOnce() -> Infallible, started: impl FnOnce()) -> Result<Exit, InitError> {
    if std::process::id() != 1 {
        process::set_child_subreaper().map_err(InitError::Prepare)?;
    }
    // Before the program starts: a signal that arrives in between waits at the descriptor.
    let mut wanted = forwarded();
    wanted.push(Signal::SIGCHLD as i32);
    let signals = signal::signalfd(&wanted).map_err(InitError::Prepare)?;
    let child = clone::fork(|| {
        if take_foreground().and_then(|()| signal::reset_all()).is_err() {
            clone::leave(clone::ABANDONED)
        }
        match program() {}
    });
    let child = child.map_err(InitError::Start)?;
    started();
    serve(&signals, &child).map_err(InitError::Wait)
}

/// The loop: pass on what arrives, take in what has ended.
fn serve(signals: &SignalFd, child: &Child) -> Result<Exit, Error> {
    todo!("pass on what arrives, take in what has ended")
}

fn pass_on(child: &Child, signal: i32) -> Result<(), Error> {
    match pidfd::pidfd_send_number(&child.pidfd, signal) {
        // It has ended, and its SIGCHLD is on the way.
        Err(error) if error.errno() == Errno::ESRCH => Ok(()),
        // A set-user-id program of another user; a lost signal is no reason to end.
        Err(error) if error.errno() == Errno::EPERM => Ok(()),
        other => other,
    }
}

fn reap() -> Result<Option<(mini_sys::Pid, Exit)>, Error> {
    match pidfd::reap_any() {
        Err(error) if error.errno() == Errno::ECHILD => Ok(None),
        other => other,
    }
}

/// Every signal that means something to a program when another process sends it.
fn forwarded() -> Vec<i32> {
    let kept = |signal: &Signal| match signal {
        // Nobody can catch these.
        Signal::SIGKILL | Signal::SIGSTOP => false,
        // Ours: a child has ended.
        Signal::SIGCHLD => false,
        // The kernel sends these to a process about its own doing: its faults, its use of the terminal.
        Signal::SIGFPE | Signal::SIGILL | Signal::SIGSEGV | Signal::SIGBUS | Signal::SIGABRT => false,
        Signal::SIGTRAP | Signal::SIGSYS | Signal::SIGTTIN | Signal::SIGTTOU => false,
        _ => true,
    };
    let named = Signal::iterator().filter(kept).map(|signal| signal as i32);
    named.chain(signal::real_time_numbers()).collect()
}

/// Gives this process a group of its own and, where standard input is the terminal of its session, the
/// foreground.
fn take_foreground() -> Result<(), Error> {
    process::lead_group()?;
    let input = std::io::stdin();
    if !tty::is_terminal(&input) {
        return Ok(());
    }
    // A group in the background that sets the foreground is stopped by SIGTTOU, unless it blocks the signal
    // for as long as that takes.
    let ttou = signal::signalfd(&[Signal::SIGTTOU as i32])?;
    let set = tty::take_foreground(&input);
    drop(ttou);
    match set {
        // A terminal, and another session's.
        Err(error) if matches!(error.errno(), Errno::ENOTTY | Errno::ENXIO) => Ok(()),
        other => other,
    }
}
