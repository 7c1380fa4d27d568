//! `oci run`: create, start, wait, delete.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::Context as _;
use mini_runtime::Started;
use mini_runtime::oci::{self, Container, Delete, Store};
use mini_sys::clone::Child;
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::signal::{self, Signal};
use mini_sys::{Pid, pidfd};

use super::create_request;
use crate::cli::OciRun;
use crate::detach_keys::DetachKeys;
use crate::failure;
use crate::session::{End, Front};

pub(super) fn run(store: &Store, args: &OciRun) -> anyhow::Result<u8> {
    let attended = !args.detach && args.create.console_socket.is_none();
    let request = create_request(&args.create, attended)?;
    let created = oci::create(store, &args.create.id, &request)
        .map_err(|error| failure::with_status(&anyhow::Error::from(error), 1))?;
    let outcome = attend(&created.container, created.console, args.detach);
    match outcome {
        Ok(Some(status)) => {
            if !args.keep {
                oci::delete(store, &args.create.id, Delete::Forced)?;
            }
            Ok(status)
        }
        // It goes on.
        Ok(None) => Ok(0),
        Err(error) => {
            // What could not be started is of no use, and why is what is to be told.
            let _ = oci::delete(store, &args.create.id, Delete::Forced);
            Err(error)
        }
    }
}

/// Starts it and stays until its end; the status, if we did.
fn attend(container: &Container, console: Option<OwnedFd>, detach: bool) -> anyhow::Result<Option<u8>> {
    let Some(console) = console else {
        let process = container.process();
        oci::start(container)?;
        if detach {
            return Ok(None);
        }
        let process = process.context("the container has ended before it was started")?;
        return Ok(Some(pass_signals(&process)? as u8));
    };
    let pid = Pid::from_raw(container.saved.pid);
    let pidfd = container.process().context("the container has ended before it was started")?;
    let front = Front::take(true, DetachKeys::default())?;
    oci::start(container)?;
    let child = Child { pid, pidfd };
    let started = Started { child, console: Some(console), cgroup: None, mounts: None };
    match front.stay(started)? {
        End::Exited(status) => Ok(Some(status as u8)),
        End::Detached => Ok(None),
    }
}

/// Waits for the process, our child, and passes on to it what comes.
fn pass_signals(process: &OwnedFd) -> anyhow::Result<i32> {
    let kept = [
        Signal::SIGCHLD,
        Signal::SIGPIPE,
        Signal::SIGWINCH,
        Signal::SIGURG,
        Signal::SIGKILL,
        Signal::SIGSTOP,
    ];
    let faults =
        [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE, Signal::SIGABRT, Signal::SIGTRAP];
    let wanted: Vec<i32> = Signal::iterator()
        .filter(|signal| !kept.contains(signal) && !faults.contains(signal))
        .map(|signal| signal as i32)
        .collect();
    let signals = signal::signalfd(&wanted)?;
    loop {
        let mut fds = [
            PollFd::new(process.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        ipc::poll(&mut fds, None)?;
        while let Some(number) = signal::next(&signals)? {
            // A program that has just ended needs no signal.
            let _ = pidfd::pidfd_send_number(process, number);
        }
        if ipc::is_readable(process)? {
            return Ok(pidfd::wait(process)?.shell_code());
        }
    }
}
