//! `rm`: a container goes away in two moves, one quick and one that takes its time.
//!
//! First its directory is renamed out of sight and its name is free: from then on there is no such container. Then
//! the files are deleted. A crash between the two leaves a directory that the next repair deletes.
//! rename(2); book ch. 10.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use mini_cgroups::{Cgroup, Layout};
use mini_sys::signal::Signal;

use crate::events::{self, Event};
use crate::home::Home;
use crate::names;
use crate::places;
use crate::record::{self, Record, RecordError, Status};
use crate::stop::{self, StopError};

/// How the names of directories begin that are being deleted; a container's id follows.
pub(crate) const TRASH: &str = ".trash-";

/// A container that cannot be removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// Docker's words for one that is active.
    #[error(
        "cannot remove container \"{0}\": container is {1}: stop the container before removing or force remove"
    )]
    Active(String, &'static str),
    /// Docker's words for one that stands still.
    #[error("cannot remove container \"{0}\": container is paused and must be unpaused first")]
    Paused(String),
    /// It could not be killed.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// Its record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Its files.
    #[error("delete {}", path.display())]
    Delete {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Removes the container; with `force` also one that runs.
///
/// # Errors
/// What [`RemoveError`] lists.
pub fn remove(home: &Home, record: &Record, force: bool) -> Result<(), RemoveError> {
    let mut ended = None;
    loop {
        let Some(lock) = record::lock(home, &record.id)? else { return Ok(()) };
        places::REMOVE_LOCKED.pass();
        // As it is now, and stays while the lock is held: somebody may have started it since it was looked at.
        let Some(now) = Record::load(home, &record.id)? else { return Ok(()) };
        if !now.state.status.is_active() || ended == Some(now.state.monitor.clone()) {
            let Some(trash) = hide_locked(home, &now)? else { return Ok(()) };
            drop(lock);
            delete(&trash)?;
            places::REMOVE_DELETED.pass();
            return Ok(());
        }
        if !force {
            return Err(refusal(&now));
        }
        // Its monitor wants the lock to write down the end.
        drop(lock);
        end(home, &now)?;
        places::REMOVE_KILLED.pass();
        // Its monitor has done that, unless somebody killed it meanwhile.
        remove_cgroup(Layout::detect().ok().as_ref(), &now.id);
        ended = Some(now.state.monitor);
    }
}

/// Docker's words for one that is active.
fn refusal(record: &Record) -> RemoveError {
    let name = record.name.clone();
    match record.state.status {
        Status::Paused => RemoveError::Paused(name),
        status => RemoveError::Active(name, status.word()),
    }
}

/// Ends all that is left in the cgroup of the container `id`, and removes it; whether it is gone.
pub(crate) fn remove_cgroup(layout: Option<&Layout>, id: &str) -> bool {
    let Some(layout) = layout else { return true };
    match Cgroup::open(layout, &Home::cgroup(id)) {
        Ok(cgroup) if cgroup.exists() => cgroup.kill_all().is_ok() && cgroup.remove().is_ok(),
        _ => true,
    }
}

/// Ends it now, and for good.
fn end(home: &Home, record: &Record) -> Result<(), RemoveError> {
    if record.state.status == Status::Restarting {
        return Ok(stop::stop(home, record, Some(0), Some("SIGKILL"))?);
    }
    match stop::kill(home, record, Signal::SIGKILL as i32) {
        // It has ended by itself since it was looked at.
        Err(StopError::NotRunning(..)) => {}
        other => other?,
    }
    stop::wait_gone(record);
    Ok(())
}

/// The quick move, under the container's lock: where the files are now; none when another was faster.
///
/// # Errors
/// Those of rename(2).
pub(crate) fn hide_locked(home: &Home, record: &Record) -> Result<Option<PathBuf>, RemoveError> {
    todo!("hide: the quick move; after it there is no such container")
}

/// The slow move.
///
/// # Errors
/// Those of unlink(2). Another who deletes the same files is no error.
pub(crate) fn delete(trash: &Path) -> Result<(), RemoveError> {
    let failed = |source| RemoveError::Delete { path: trash.to_owned(), source };
    match fs::remove_dir_all(trash) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(trash).map_err(failed)?;
            fs::remove_dir_all(trash).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(failed),
    }
}

/// Makes directories ours to change: overlayfs leaves one without any permission, and programs may too, which
/// only root does not notice.
fn open_up(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a container whose record cannot be read from sight. Its processes cannot be known from it; the next
/// repair ends what is in its cgroup, and deletes its files.
///
/// # Errors
/// What [`RemoveError`] lists.
pub fn remove_damaged(home: &Home, id: &str) -> Result<(), RemoveError> {
    let Some(_lock) = record::lock(home, id)? else { return Ok(()) };
    let directory = home.container(id);
    names::release_all(home, id);
    let trash = home.containers().join(format!("{TRASH}{id}"));
    fs::rename(&directory, &trash).map_err(|source| RemoveError::Delete { path: directory, source })
}
