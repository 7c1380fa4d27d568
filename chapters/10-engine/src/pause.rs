//! `pause` and `unpause`: a container's processes stand still, and go on as if nothing had been.
//!
//! The kernel's freezer stops a whole cgroup at once, new processes included, and no process can notice or refuse it.
//! The record says so first and the freezer follows, so that whoever comes after a crash between the two finds a
//! container that is said to stand still, and may let it go on. cgroups(7), docker-pause(1); book ch. 3, 10.

use mini_cgroups::{Cgroup, Layout};

use crate::events::{self, Event};
use crate::home::Home;
use crate::record::{self, Record, RecordError, Status};

/// A container that cannot be stopped or let go on.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    /// Docker's words for one that does not run.
    #[error("Container {0} is not running")]
    NotRunning(String),
    /// Docker's words for one that stands still already.
    #[error("Container {0} is already paused")]
    Already(String),
    /// Docker's words for one that waits to be started again.
    #[error("Container {0} is restarting, wait until the container is running")]
    Restarting(String),
    /// Docker's words for one that does not stand still.
    #[error("Container {0} is not paused")]
    NotPaused(String),
    /// It has been removed.
    #[error("No such container: {0}")]
    Gone(String),
    /// Its cgroup cannot be used.
    #[error("use the cgroup of container {name}: is there a freezer?")]
    Cgroup {
        /// The container.
        name: String,
        /// Why.
        source: mini_sys::Error,
    },
    /// Its record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Stops every process of the container.
///
/// # Errors
/// What [`PauseError`] lists; it runs on then.
pub fn pause(home: &Home, record: &Record) -> Result<(), PauseError> {
    change(home, record, "pause", |record| match record.state.status {
        Status::Running => Ok(Status::Paused),
        Status::Paused => Err(PauseError::Already(record.id.clone())),
        Status::Restarting => Err(PauseError::Restarting(record.id.clone())),
        Status::Created | Status::Exited => Err(PauseError::NotRunning(record.id.clone())),
    })
}

/// Lets every process of the container go on.
///
/// # Errors
/// What [`PauseError`] lists.
pub fn unpause(home: &Home, record: &Record) -> Result<(), PauseError> {
    change(home, record, "unpause", |record| match record.state.status {
        Status::Paused => Ok(Status::Running),
        _ => Err(PauseError::NotPaused(record.id.clone())),
    })
}

fn change(
    home: &Home,
    record: &Record,
    action: &str,
    decide: impl Fn(&Record) -> Result<Status, PauseError>,
) -> Result<(), PauseError> {
    let gone = || PauseError::Gone(record.name.clone());
    let _lock = record::lock(home, &record.id)?.ok_or_else(gone)?;
    let mut record = Record::load(home, &record.id)?.ok_or_else(gone)?;
    let status = decide(&record)?;
    let failed = |source| PauseError::Cgroup { name: record.name.clone(), source };
    let cgroup = cgroup(&record).map_err(failed)?;
    // ANCHOR: record-first
    let before = std::mem::replace(&mut record.state.status, status);
    record.save(home)?;
    let done = if status == Status::Paused { cgroup.freeze() } else { cgroup.thaw() };
    if let Err(source) = done {
        record.state.status = before;
        // The error that matters is the kernel's.
        let _ = record.save(home);
        return Err(PauseError::Cgroup { name: record.name, source });
    }
    // ANCHOR_END: record-first
    events::emit(home, &Event::container(&record, action));
    Ok(())
}

/// The cgroup of the container.
pub(crate) fn cgroup(record: &Record) -> mini_sys::Result<Cgroup> {
    let cgroup = Cgroup::open(&Layout::detect()?, &Home::cgroup(&record.id));
    cgroup.map_err(|_| mini_sys::Error::new("open its cgroup", mini_sys::Errno::EINVAL))
}
