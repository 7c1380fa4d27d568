//! The door of a monitor: a socket in its container's directory, by which others come to it.
//!
//! Whoever has something to say to a monitor connects here and says it. A door that nobody opens any more is no
//! failure: its monitor is gone, and what there is to know stands in the record. unix(7); book ch. 7, 10.

use std::os::fd::OwnedFd;

use mini_runtime::wire::ToMonitor;
use mini_sys::{Errno, ipc};

use crate::home::Home;
use crate::record::Record;

/// The socket in a container's directory where its monitor hears.
const DOOR: &str = "monitor.sock";

/// A monitor that is there and cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("talk to the monitor of container {name}")]
pub struct DoorError {
    /// The container.
    pub name: String,
    /// Why.
    pub source: mini_sys::Error,
}

/// The door of the container `id`, open from now on.
///
/// # Errors
/// Those of bind(2) and listen(2).
pub(crate) fn open(home: &Home, id: &str) -> mini_sys::Result<OwnedFd> {
    ipc::listen(&home.container(id), DOOR)
}

/// Tells the monitor, if there is one, that the record has changed.
pub(crate) fn look_again(home: &Home, record: &Record) {
    // A monitor that is gone has nothing to look at.
    let _ = connect(home, record, &ToMonitor::LookAgain);
}

/// A connection on which `first` has been said; none when there is no monitor any more.
///
/// # Errors
/// Those of connect(2) and send(2).
pub(crate) fn connect(home: &Home, record: &Record, first: &ToMonitor) -> Result<Option<OwnedFd>, DoorError> {
    let failed = |source| DoorError { name: record.name.clone(), source };
    let nobody = |error: &mini_sys::Error| {
        matches!(error.errno(), Errno::ENOENT | Errno::ECONNREFUSED | Errno::EPIPE | Errno::ECONNRESET)
    };
    let socket = match ipc::connect(&home.container(&record.id), DOOR) {
        Err(error) if nobody(&error) => return Ok(None),
        other => other.map_err(failed)?,
    };
    match first.send(&socket) {
        Err(error) if nobody(&error) => Ok(None),
        other => other.map(|()| Some(socket)).map_err(failed),
    }
}
