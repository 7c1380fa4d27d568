//! `attach` and `wait`: those who come to a container that somebody else has started.
//!
//! Its monitor listens on a socket in the container's directory. Who says that it wants to look on gets what the program
//! writes from then on, and may send it input; who wants to know the end is told the end. docker-attach(1),
//! docker-wait(1), unix(7); book ch. 7, 10.

use std::os::fd::OwnedFd;

use mini_runtime::wire::{FromMonitor, ToMonitor};
use mini_sys::Errno;

use crate::home::Home;
use crate::monitor::DOOR;
use crate::record::{self, Record, RecordError, Status};

/// A container that cannot be attached to, or waited for.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Docker's words for one that does not run.
    #[error("You cannot attach to a stopped container, start it first")]
    Stopped,
    /// Docker's words for one that stands still.
    #[error("You cannot attach to a paused container, unpause it first")]
    Paused,
    /// Docker's words for one that waits to be started again.
    #[error("You cannot attach to a restarting container, wait until it is running")]
    Restarting,
    /// Its monitor cannot be spoken to.
    #[error("talk to the monitor of container {name}")]
    Monitor {
        /// The container.
        name: String,
        /// Why.
        source: mini_sys::Error,
    },
    /// Its record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A connection to the monitor of a container that runs; the first message on it tells the program's process.
///
/// # Errors
/// What [`AttachError`] lists.
pub fn attach(home: &Home, record: &Record) -> Result<OwnedFd, AttachError> {
    match record.state.status {
        Status::Running => {}
        Status::Paused => return Err(AttachError::Paused),
        Status::Restarting => return Err(AttachError::Restarting),
        Status::Created | Status::Exited => return Err(AttachError::Stopped),
    }
    connect(home, record, &ToMonitor::Attach)?.ok_or(AttachError::Stopped)
}

/// Waits until the container ends, or has ended; its exit status.
///
/// # Errors
/// What [`AttachError`] lists.
pub fn wait(home: &Home, record: &Record) -> Result<i32, AttachError> {
    let failed = |source| AttachError::Monitor { name: record.name.clone(), source };
    if record.state.status.is_active()
        && let Some(socket) = connect(home, record, &ToMonitor::Await)?
    {
        while let Some(message) = FromMonitor::receive(&socket).map_err(failed)? {
            if let FromMonitor::Exited(status) = message {
                return Ok(status);
            }
        }
    }
    // It has ended already, or its monitor has: what the record says then is what there is to know.
    let layout = mini_cgroups::Layout::detect().ok();
    loop {
        crate::repair::sweep(home, layout.as_ref());
        let Some(now) = Record::load(home, &record.id)? else { return Ok(record.state.exit_code) };
        if !crate::repair::is_broken(&now) {
            return Ok(now.state.exit_code);
        }
        // Another is mending it this very moment.
        drop(record::lock(home, &record.id)?);
    }
}

/// Tells the monitor, if there is one, that the record has changed.
pub(crate) fn look_again(home: &Home, record: &Record) {
    // A monitor that is gone has nothing to look at.
    let _ = connect(home, record, &ToMonitor::LookAgain);
}

/// A connection on which `first` has been said; none when there is no monitor any more.
fn connect(home: &Home, record: &Record, first: &ToMonitor) -> Result<Option<OwnedFd>, AttachError> {
    let failed = |source| AttachError::Monitor { name: record.name.clone(), source };
    let nobody = |error: &mini_sys::Error| {
        matches!(error.errno(), Errno::ENOENT | Errno::ECONNREFUSED | Errno::EPIPE | Errno::ECONNRESET)
    };
    let socket = match mini_sys::ipc::connect(&home.container(&record.id), DOOR) {
        Err(error) if nobody(&error) => return Ok(None),
        other => other.map_err(failed)?,
    };
    match first.send(&socket) {
        Err(error) if nobody(&error) => Ok(None),
        other => other.map(|()| Some(socket)).map_err(failed),
    }
}
