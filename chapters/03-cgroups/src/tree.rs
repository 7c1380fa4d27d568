//! Cgroups within a cgroup: a container may make its own (an init system does), and they go with it.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use mini_sys::file::read_text;
use mini_sys::{Errno, Error, Pid, Result};

use crate::step::{is_gone, rmdir};

/// How long we wait in sum for the last process of a cgroup to be gone: 1 + 2 + … + 512 ms.
const WAITS: u32 = 10;

/// Adds the processes of `directory` and of the cgroups below it. A cgroup that is gone has none.
pub(crate) fn pids(directory: &Path, found: &mut Vec<Pid>) -> Result<()> {
    match read_text(&directory.join("cgroup.procs")) {
        Ok(text) => found.extend(text.lines().filter_map(|line| line.parse().ok()).map(Pid::from_raw)),
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    }
    children(directory)?.iter().try_for_each(|child| pids(child, found))
}

// ANCHOR: remove
/// Removes `directory` and the cgroups below it. They must be empty, or about to be.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    for wait in 0.. {
        match rmdir(directory) {
            Err(error) if error.errno() == Errno::EBUSY && wait < WAITS => {}
            Err(error) if !is_gone(&error) => return Err(error),
            _ => return Ok(()),
        }
        // Busy with cgroups below it, or with a process that has ended but is not quite gone.
        let below = children(directory)?;
        below.iter().try_for_each(|child| remove(child))?;
        if below.is_empty() {
            sleep(Duration::from_millis(1 << wait));
        }
    }
    Ok(())
}
// ANCHOR_END: remove

/// The cgroups right below `directory`.
fn children(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: &std::io::Error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
        Error::new(format!("read the directory {}", directory.display()), errno)
    };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
