//! `attach` and `wait`: those who come to a container that somebody else has started.
//!
//! Its monitor listens on a socket in the container's directory. Who says that it wants to look on gets what the program
//! writes from then on, and may send it input; who wants to know the end is told the end. docker-attach(1),
//! docker-wait(1), unix(7); book ch. 7, 10.

use std::os::fd::OwnedFd;

use mini_runtime::wire::{FromMonitor, ToMonitor};

use crate::door::{DoorError, connect};
use crate::home::Home;
use crate::record::{self, Record, RecordError, Status};
use crate::{repair, stop};

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
    /// It has been removed before its end was told.
    #[error("No such container: {0}")]
    Gone(String),
    /// Its monitor cannot be spoken to.
    #[error(transparent)]
    Monitor(#[from] DoorError),
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
    let failed = |source| DoorError { name: record.name.clone(), source };
    if record.state.status.is_active()
        && let Some(socket) = connect(home, record, &ToMonitor::Await)?
    {
        while let Some(message) = FromMonitor::receive(&socket).map_err(failed)? {
            if let FromMonitor::Exited(status) = message {
                return Ok(status);
            }
        }
        // A monitor that was killed closes its sockets a moment before it is gone, and nothing is mended before that.
        stop::wait_gone(record);
    }
    // It has ended already, or its monitor has: what the record says then is what there is to know.
    let layout = mini_cgroups::Layout::detect().ok();
    loop {
        repair::sweep(home, layout.as_ref());
        let Some(now) = Record::load(home, &record.id)? else {
            // What is known of one that had ended is how; of one that ran nobody can tell any more.
            let gone = record.state.status.is_active();
            return if gone {
                Err(AttachError::Gone(record.name.clone()))
            } else {
                Ok(record.state.exit_code)
            };
        };
        if !repair::is_broken(&now) {
            return Ok(now.state.exit_code);
        }
        // Another is mending it this very moment.
        drop(record::lock(home, &record.id)?);
    }
}
