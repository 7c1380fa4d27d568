//! Puts right what a killed monitor, a killed command or a reboot left behind.
//!
//! Nobody watches over the state, so whoever reads it mends it first. Everything here is safe to do twice and by
//! several at once. What may be left: a container that says it runs and does not, one that was never finished,
//! one that should have been removed at its end, files of a removed one, a cgroup of none of them.
//! Book ch. 10.

use std::fs;

use jiff::Timestamp;
use mini_cgroups::{Cgroup, Layout};
use mini_sys::pidfd;
use mini_sys::signal::Signal;

use crate::create;
use crate::find::{self, FindError};
use crate::home::Home;
use crate::names;
use crate::places;
use crate::record::{self, ProcessId, Record, Status};
use crate::remove::{self, TRASH};

/// The status of a program that was killed: 128 and SIGKILL.
const KILLED: i32 = 137;

/// Mends everything. What cannot be mended now is left for the next time; a damaged record is left alone, for
/// its owner to look at.
pub fn sweep(home: &Home, layout: Option<&Layout>) {
    // Who wants to mend only does not care for what cannot be read.
    let _ = records(home, layout);
}

/// Mends everything, and returns all containers as they are then, with what is wrong with the records that cannot be
/// read: for `ps`, which needs both, and may have to read hundreds of records.
///
/// # Errors
/// The directory of containers cannot be read.
pub fn records(home: &Home, layout: Option<&Layout>) -> Result<(Vec<Record>, Vec<FindError>), FindError> {
    let mut records = Vec::new();
    let mut damaged = Vec::new();
    for id in find::ids(home).map_err(FindError::List)? {
        let mut record = Record::load(home, &id);
        let is_wrong = |record: &Record| is_broken(record) || goes_on(record, layout);
        if record.as_ref().is_ok_and(|record| record.as_ref().is_some_and(is_wrong)) {
            record = match mend(home, &id, layout) {
                // As it is, though a full disk may not have taken it.
                Some(mended) => Ok(Some(mended)),
                None => Record::load(home, &id),
            };
        }
        match record {
            Ok(record) => records.extend(record),
            Err(error) => damaged.push(error.into()),
        }
    }
    delete_left_over(home, layout);
    Ok((records, damaged))
}

/// Whether the record tells of something that is not so.
pub(crate) fn is_broken(record: &Record) -> bool {
    todo!("is-broken: does the record tell of something that is not so?")
}

/// Whether the container is said to stand still and does not: who was to stop it, or has let it go on, was killed.
fn goes_on(record: &Record, layout: Option<&Layout>) -> bool {
    let Some(layout) = layout.filter(|_| record.state.status == Status::Paused) else { return false };
    // Where that cannot be told, the record is believed.
    Cgroup::open(layout, &Home::cgroup(&record.id))
        .is_ok_and(|cgroup| cgroup.exists() && cgroup.is_thawed().unwrap_or(false))
}

/// Mends one container, and returns it unless it is gone. Whoever holds its lock is at work on it right now, and needs
/// no help.
fn mend(home: &Home, id: &str, layout: Option<&Layout>) -> Option<Record> {
    let lock = record::lock(home, id).ok().flatten()?;
    let mut record = Record::load(home, id).ok().flatten()?;
    if todo!("mend: wait for nobody who is at work on it, and look once more when you have the lock") {
        return Some(record);
    }
    places::REPAIR_LOCKED.pass();
    if !end(&record, layout) {
        // Only as it is does it tell the next repair where to look.
        return Some(record);
    }
    places::REPAIR_ENDED.pass();
    if !record.state.status.is_active() && record.state.starter.take().is_some() {
        // It is as it was before somebody began to start it.
        let _ = record.save(home);
        return Some(record);
    }
    if record.state.status == Status::Created || record.host_config.auto_remove {
        if let Ok(Some(trash)) = remove::hide_locked(home, &record) {
            places::REPAIR_HIDDEN.pass();
            let _ = remove::delete(&trash);
        }
        return None;
    }
    let state = &mut record.state;
    if state.status.is_up() {
        state.exit_code = KILLED;
        state.finished_at = Some(Timestamp::now());
    }
    (state.status, state.process, state.monitor) = (Status::Exited, None, None);
    let _ = record.save(home);
    places::REPAIR_SAVED.pass();
    drop(lock);
    Some(record)
}

/// Ends what is left of a container without a monitor; whether nothing is.
fn end(record: &Record, layout: Option<&Layout>) -> bool {
    if let Some(process) = record.state.process.as_ref().and_then(ProcessId::open) {
        let _ = pidfd::pidfd_send_signal(&process, Signal::SIGKILL);
    }
    remove::remove_cgroup(layout, &record.id)
}

/// Deletes what was being made or deleted when somebody was killed.
fn delete_left_over(home: &Home, layout: Option<&Layout>) {
    let Ok(entries) = fs::read_dir(home.containers()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if let Some(id) = name.strip_prefix(TRASH) {
            // A removed container's monitor takes the cgroup first and the files last: files that are still there
            // may mean a cgroup that is.
            if !remove::remove_cgroup(layout, id) {
                continue;
            }
            places::REPAIR_GROUP.pass();
            names::release_all(home, id);
            let _ = remove::delete(&entry.path());
        } else if create::is_abandoned(&name) {
            let _ = remove::delete(&entry.path());
        }
    }
}
