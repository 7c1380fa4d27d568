//! `stop` and `kill`: signals to a container's first process, and waiting for its end.
//!
//! A user who ends a container does not want it started again. That is written down before the signal is sent: its
//! monitor looks there when the program has ended. docker-stop(1), docker-kill(1); book ch. 10.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd;
use mini_sys::signal::{self, Signal};

use crate::config::Restart;
use crate::door;
use crate::events::{self, Event};
use crate::home::Home;
use crate::pause;
use crate::record::{ProcessId, Record, RecordError, Status};

/// Seconds that `stop` waits where nobody has said how long: Docker's number.
const PATIENCE: i64 = 10;

/// How long a program may take to end that was killed, and its monitor to write that down.
const AT_MOST: Duration = Duration::from_secs(10);

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
    /// Its record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Sends the signal of this number to the container's first process. One that ends it is a user's wish that it stay so.
///
/// # Errors
/// [`StopError::NotRunning`], or what the kernel says.
pub fn kill(home: &Home, record: &Record, number: i32) -> Result<(), StopError> {
    let ends = number == Signal::SIGKILL as i32 || Some(number) == stop_signal(record, None).ok();
    if ends {
        note_wish(home, record)?;
    }
    if record.state.status == Status::Restarting {
        // Nobody is there to be signalled. As with Docker that is no failure; a wish to end it comes true all the same.
        door::look_again(home, record);
        return Ok(());
    }
    let process = process(record)?;
    // Told first: whoever hears of the end, which the monitor tells, has heard of its cause.
    events::emit(home, &Event::container(record, "kill").with("signal", &number));
    send(&process, record, number)?;
    if ends && record.state.status == Status::Paused {
        // Who stands still hears no signal. With v2 a kill comes through all the same, and then there is nothing to do.
        let _ = pause::unpause(home, record);
    }
    Ok(())
}

/// Asks the container to end, by the signal it wants or `SIGTERM`, and kills it when `patience` (seconds; below zero: for
/// ever; none: what the container says, or ten) is at an end. One that does not run is stopped already; one that waits to
/// be started again waits no longer.
///
/// # Errors
/// A signal that is none, or what the kernel says.
pub fn stop(home: &Home, record: &Record, patience: Option<i64>, by: Option<&str>) -> Result<(), StopError> {
    let number = stop_signal(record, by)?;
    let seconds = patience.or(record.config.stop_timeout).unwrap_or(PATIENCE);
    let patience = u64::try_from(seconds).ok().map(Duration::from_secs);
    // ANCHOR: wish
    note_wish(home, record)?;
    // From one life to the next: it may end and be started again while it is looked at.
    let mut now = Some(record.clone());
    while let Some(record) = now.filter(|record| record.state.status.is_active()) {
        if !end(home, &record, number, patience)? {
            door::look_again(home, &record);
            wait_gone(&record);
        }
        // Who has been started by a user since is that user's.
        now = Record::load(home, &record.id)?
            .filter(|now| now.state.stopped_by_hand && now.state.process != record.state.process);
    }
    // ANCHOR_END: wish
    Ok(())
}

/// Ends its program; false when there is none.
fn end(home: &Home, record: &Record, number: i32, patience: Option<Duration>) -> Result<bool, StopError> {
    let Some(process) = record.state.process.as_ref().and_then(ProcessId::open) else { return Ok(false) };
    match kill(home, record, number) {
        Err(StopError::NotRunning(..)) => return Ok(false),
        other => other?,
    }
    if !wait(&process, patience) {
        match kill(home, record, Signal::SIGKILL as i32) {
            Err(StopError::NotRunning(..)) => {}
            other => other?,
        }
        if !wait(&process, Some(AT_MOST)) {
            return Err(StopError::Undead(record.name.clone()));
        }
    }
    wait_gone(record);
    events::emit(home, &Event::container(record, "stop"));
    Ok(true)
}

/// The number of the signal that ends the container.
fn stop_signal(record: &Record, by: Option<&str>) -> Result<i32, StopError> {
    let name = by.or(record.config.stop_signal.as_deref()).unwrap_or("SIGTERM");
    signal::parse(name).ok_or_else(|| StopError::Signal(name.to_owned()))
}

/// Writes down that a user wants it to end. Without a policy nobody asks.
fn note_wish(home: &Home, record: &Record) -> Result<(), StopError> {
    if record.host_config.restart_policy.name != Restart::No && record.state.status.is_active() {
        Record::change(home, &record.id, |record| record.state.stopped_by_hand = true)?;
    }
    Ok(())
}

/// The container's first process.
fn process(record: &Record) -> Result<OwnedFd, StopError> {
    let process = record.state.process.as_ref().filter(|_| record.state.status.is_up());
    process.and_then(ProcessId::open).ok_or_else(|| not_running(record))
}

fn send(process: &OwnedFd, record: &Record, number: i32) -> Result<(), StopError> {
    match pidfd::pidfd_send_number(process, number) {
        Err(error) if error.errno() == mini_sys::Errno::ESRCH => Err(not_running(record)),
        other => other.map_err(StopError::Send),
    }
}

fn not_running(record: &Record) -> StopError {
    StopError::NotRunning(record.name.clone(), record.id.clone())
}

/// Waits until the container's monitor has written down the end and cleaned up, ten seconds at most.
pub(crate) fn wait_gone(record: &Record) {
    if let Some(monitor) = record.state.monitor.as_ref().and_then(ProcessId::open) {
        wait(&monitor, Some(AT_MOST));
    }
}

/// Whether the process has ended within the time.
fn wait(process: &OwnedFd, limit: Option<Duration>) -> bool {
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    // What cannot be waited for is not there to wait for.
    ipc::poll(&mut fds, limit).is_ok_and(|ready| ready > 0)
}
