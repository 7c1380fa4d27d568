//! `pause` and `unpause`: a container's processes stand still, and go on as if nothing had been.
//!
//! The kernel's freezer stops a whole cgroup at once, new processes included, and no process can notice or refuse it.
//! What stands still is said to: the record says so before the freezer stops it, and until the freezer has let it go.
//! After a crash in between it is said to stand still and does not, and the next repair says so.
//! cgroups(7), docker-pause(1); book ch. 3, 10.

use std::fs::File;

use mini_cgroups::{Cgroup, Layout};

use crate::events::{self, Event};
use crate::home::Home;
use crate::places;
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
    let (_lock, mut record, cgroup) = look(home, record, |record| match record.state.status {
        Status::Running => Ok(()),
        Status::Paused => Err(PauseError::Already(record.id.clone())),
        Status::Restarting => Err(PauseError::Restarting(record.id.clone())),
        Status::Created | Status::Exited => Err(PauseError::NotRunning(record.id.clone())),
    })?;
    // ANCHOR: record-first
    record.state.status = Status::Paused;
    record.save(home)?;
    places::PAUSE_SAVED.pass();
    if let Err(source) = cgroup.freeze() {
        record.state.status = Status::Running;
        // The error that matters is the kernel's.
        let _ = record.save(home);
        return Err(PauseError::Cgroup { name: record.name, source });
    }
    // ANCHOR_END: record-first
    places::PAUSE_FROZEN.pass();
    events::emit(home, &Event::container(&record, "pause"));
    Ok(())
}

/// Lets every process of the container go on.
///
/// # Errors
/// What [`PauseError`] lists.
pub fn unpause(home: &Home, record: &Record) -> Result<(), PauseError> {
    let (_lock, mut record, cgroup) = look(home, record, |record| match record.state.status {
        Status::Paused => Ok(()),
        _ => Err(PauseError::NotPaused(record.id.clone())),
    })?;
    // ANCHOR: record-last
    cgroup.thaw().map_err(|source| PauseError::Cgroup { name: record.name.clone(), source })?;
    places::UNPAUSE_THAWED.pass();
    record.state.status = Status::Running;
    record.save(home)?;
    // ANCHOR_END: record-last
    places::UNPAUSE_SAVED.pass();
    events::emit(home, &Event::container(&record, "unpause"));
    Ok(())
}

/// The container as it is now, if that will do, and its cgroup; it stays as it is while the lock is held.
fn look(
    home: &Home,
    record: &Record,
    judge: impl Fn(&Record) -> Result<(), PauseError>,
) -> Result<(File, Record, Cgroup), PauseError> {
    let gone = || PauseError::Gone(record.name.clone());
    let lock = record::lock(home, &record.id)?.ok_or_else(gone)?;
    let record = Record::load(home, &record.id)?.ok_or_else(gone)?;
    judge(&record)?;
    let cgroup = cgroup(&record);
    let cgroup = cgroup.map_err(|source| PauseError::Cgroup { name: record.name.clone(), source })?;
    Ok((lock, record, cgroup))
}

/// The cgroup of the container.
pub(crate) fn cgroup(record: &Record) -> mini_sys::Result<Cgroup> {
    let cgroup = Cgroup::open(&Layout::detect()?, &Home::cgroup(&record.id));
    cgroup.map_err(|_| mini_sys::Error::new("open its cgroup", mini_sys::Errno::EINVAL))
}
