//! `start`: a process is forked that stays with the container, and does everything from here on.
//!
//! There is no daemon. The monitor makes the container, so it is its parent and learns how it ends; it writes the
//! log and the record, serves those attached, and cleans up. The command that started it only talks to it over
//! a socket, and may go away at any time. fork(2), setsid(2); book ch. 7, 10.

use std::convert::Infallible;
use std::os::fd::OwnedFd;

use mini_runtime::explain::Format;
use mini_sys::clone::{self, Child};
use mini_sys::ipc;

use crate::home::Home;
use crate::monitor::{self, Monitor};
use crate::places;
use crate::record::{Record, RecordError, Status};
use crate::survey::{self, SurveyError};

/// A container whose start could not even be tried.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It runs already.
    #[error("container {0} is already running")]
    Running(String),
    /// Docker's words for one whose processes are frozen.
    #[error("cannot start a paused container, try unpause instead")]
    Paused(String),
    /// Something for it is missing.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// Its record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The monitor cannot be started.
    #[error("start the monitor")]
    Fork(#[source] mini_sys::Error),
}

/// A connection to a container's monitor.
#[derive(Debug)]
pub struct Attachment {
    /// Messages of [`mini_runtime::wire`].
    pub socket: OwnedFd,
    /// The monitor.
    pub monitor: Child,
}

/// Starts the container `record`; with `explain`, the monitor tells every step.
///
/// # Errors
/// What [`StartError`] lists. What goes wrong later the monitor tells.
pub fn start(home: &Home, record: Record, explain: Option<Format>) -> Result<Attachment, StartError> {
    if record.state.status == Status::Paused {
        return Err(StartError::Paused(record.name));
    }
    if record.state.status.is_active() {
        return Err(StartError::Running(record.name));
    }
    let (plan, layout) = survey::prepare(home, &record)?;
    places::START_BUNDLE.pass();
    // ANCHOR: fork
    let (ours, theirs) = ipc::socketpair().map_err(StartError::Fork)?;
    let monitor = Monitor { home: home.clone(), record, plan, layout, explain };
    let child = clone::fork_apart(theirs, move |socket| -> Infallible { monitor::main(monitor, socket) });
    let monitor = child.map_err(StartError::Fork)?;
    places::START_FORKED.pass();
    Ok(Attachment { socket: ours, monitor })
    // ANCHOR_END: fork
}
