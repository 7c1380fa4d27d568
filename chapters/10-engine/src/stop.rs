//! `stop` and `kill`: signals to a container's first process, and waiting for its end. Book ch. 10.

use std::time::Duration;

use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd;
use mini_sys::signal;
use std::os::fd::{AsFd as _, OwnedFd};

use crate::record::{ProcessId, Record};

/// A container that cannot be signalled.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// Docker's words for one that does not run.
    #[error("cannot kill container: {0}: container {1} is not running")]
    NotRunning(String, String),
    /// A signal that is none.
    #[error("invalid signal: {0}")]
    Signal(String),
    /// The kernel refused.
    #[error("send a signal to the container")]
    Send(#[source] mini_sys::Error),
    /// It is still there, long after it was killed.
    #[error("container {0} does not end, although it was killed")]
    Undead(String),
}

/// Sends the signal of this number to the container's first process.
///
/// # Errors
/// [`StopError::NotRunning`], or what the kernel says.
pub fn kill(record: &Record, number: i32) -> Result<(), StopError> {
    let not_running = || StopError::NotRunning(record.name.clone(), record.id.clone());
    let process = record.state.process.as_ref().filter(|_| record.state.status.is_up());
    let fd = process.and_then(open).ok_or_else(not_running)?;
    match pidfd::pidfd_send_number(&fd, number) {
        Err(error) if error.errno() == mini_sys::Errno::ESRCH => Err(not_running()),
        other => other.map_err(StopError::Send),
    }
}

/// Asks the container to end, by the signal it wants or `SIGTERM`; after `patience` (none: for ever) kills it.
/// One that does not run is stopped already.
///
/// # Errors
/// A signal that is none, or what the kernel says.
pub fn stop(record: &Record, patience: Option<Duration>, by: Option<&str>) -> Result<(), StopError> {
    let name = by.or(record.config.stop_signal.as_deref()).unwrap_or("SIGTERM");
    let number = signal::parse(name).ok_or_else(|| StopError::Signal(name.to_owned()))?;
    let Some(process) = record.state.process.as_ref().and_then(open) else { return Ok(()) };
    match kill(record, number) {
        Err(StopError::NotRunning(..)) => return Ok(()),
        other => other?,
    }
    if !wait(&process, patience) {
        match kill(record, signal::Signal::SIGKILL as i32) {
            Err(StopError::NotRunning(..)) => {}
            other => other?,
        }
        if !wait(&process, Some(Duration::from_secs(10))) {
            return Err(StopError::Undead(record.name.clone()));
        }
    }
    wait_gone(record);
    Ok(())
}

/// Waits until the container's monitor has written down the end and cleaned up, ten seconds at most.
pub(crate) fn wait_gone(record: &Record) {
    if let Some(monitor) = record.state.monitor.as_ref().and_then(open) {
        wait(&monitor, Some(Duration::from_secs(10)));
    }
}

/// The very process, not another that has its number by now.
fn open(process: &ProcessId) -> Option<OwnedFd> {
    let fd = pidfd::pidfd_open(process.pid()).ok()?;
    // In this order: what the descriptor stands for cannot change any more when it is checked.
    process.is_alive().then_some(fd)
}

/// Whether the process has ended within the time.
fn wait(process: &OwnedFd, limit: Option<Duration>) -> bool {
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    // What cannot be waited for is not there to wait for.
    ipc::poll(&mut fds, limit).is_ok_and(|ready| ready > 0)
}
