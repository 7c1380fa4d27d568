//! What is done to a container that has been created: start, kill, pause, resume, delete.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use mini_sys::file::{self, CWD, Mode, OFlags, ResolveFlags};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::signal::Signal;
use mini_sys::{Errno, Pid, pidfd};
use oci_spec::runtime::LinuxResources;
use std::os::fd::AsFd as _;

use super::store::{Container, OciError, Status, Store};
use crate::hooks::{Hooks, Moment};
use crate::resources;

/// How long a killed process may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets the program of a created container start.
///
/// # Errors
/// That it runs already or has ended, or a hook that fails: then the container is killed.
pub fn start(container: &Container) -> Result<(), OciError> {
    let _lock = Container::lock(&container.directory)?;
    match container.status() {
        Status::Created => {}
        Status::Stopped => return Err(OciError::Stopped),
        Status::Running | Status::Paused => return Err(OciError::Started),
    }
    // ANCHOR: word
    let fifo = container.fifo();
    let how = OFlags::WRONLY | OFlags::NONBLOCK;
    let gate = match file::openat2(CWD, &fifo, how, Mode::empty(), ResolveFlags::empty()) {
        // Nobody has it open: the process has ended.
        Err(error) if error.errno() == Errno::ENXIO => return Err(OciError::Stopped),
        other => other?,
    };
    ipc::write(&gate, b"0")?;
    fs::remove_file(&fifo).map_err(|source| OciError::File { path: fifo, source })?;
    // ANCHOR_END: word
    container.run_hooks(Moment::Poststart).inspect_err(|_| {
        // As runc: what its hooks refuse does not run.
        let _ = container.kill_all();
    })
}

/// Sends the signal of this number to the first process; with `all`, to every process of the container.
///
/// # Errors
/// [`OciError::NotRunning`].
pub fn kill(container: &Container, number: i32, all: bool) -> Result<(), OciError> {
    if all && let Some(cgroup) = container.cgroup() {
        if number == Signal::SIGKILL as i32 {
            return Ok(cgroup.kill_all()?);
        }
        for pid in cgroup.pids()? {
            // Each may have ended by now.
            let _ = pidfd::pidfd_open(pid).and_then(|fd| pidfd::pidfd_send_number(&fd, number));
        }
        return Ok(());
    }
    let process = container.process().ok_or(OciError::NotRunning)?;
    match pidfd::pidfd_send_number(&process, number) {
        Err(error) if error.errno() == Errno::ESRCH => Err(OciError::NotRunning),
        other => Ok(other?),
    }
}

/// Stops all its processes.
///
/// # Errors
/// That it does not run, or cannot be frozen.
pub fn pause(container: &Container) -> Result<(), OciError> {
    match (container.status(), container.cgroup()) {
        (Status::Running | Status::Created, Some(cgroup)) => Ok(cgroup.freeze()?),
        (Status::Stopped, _) | (_, None) => Err(OciError::NotRunning),
        (status, _) => Err(OciError::Status(container.saved.id.clone(), status)),
    }
}

/// Lets them go on.
///
/// # Errors
/// That it is not paused.
pub fn resume(container: &Container) -> Result<(), OciError> {
    match (container.status(), container.cgroup()) {
        (Status::Paused, Some(cgroup)) => Ok(cgroup.thaw()?),
        (Status::Stopped, _) => Err(OciError::NotRunning),
        (status, _) => Err(OciError::Status(container.saved.id.clone(), status)),
    }
}

/// Changes the limits that `resources` mentions, but for those of devices.
///
/// # Errors
/// That it has no cgroup, or a limit that cannot be.
pub fn update(container: &Container, resources: &LinuxResources) -> Result<(), OciError> {
    let mut cgroup = container.cgroup().ok_or(OciError::NotRunning)?;
    let mut limits = resources::limits(resources);
    limits.devices.clear();
    Ok(cgroup.update(&limits)?)
}

/// How a container is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delete {
    /// Only when it has ended, or has not been started.
    Stopped,
    /// Whatever it does; that there is none is fine too.
    Forced,
}

/// Removes what an unreadable container has left. Of ours are files alone: a directory with others in it is something
/// else, perhaps the images of an engine whose root was taken for ours.
fn remove_remains(directory: &Path) -> Result<(), OciError> {
    let remove = || {
        for entry in fs::read_dir(directory)? {
            fs::remove_file(entry?.path())?;
        }
        fs::remove_dir(directory)
    };
    let has_directories = || {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
    };
    if has_directories() {
        return Err(OciError::Foreign(directory.to_owned()));
    }
    match remove() {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(OciError::File { path: directory.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Deletes the container `id`, and runs its last hooks.
///
/// # Errors
/// [`OciError::NotStopped`], [`OciError::NotFound`], or what is left of it.
pub fn delete(store: &Store, id: &str, how: Delete) -> Result<(), OciError> {
    let forced = how == Delete::Forced;
    let container = match store.find(id) {
        Err(OciError::NotFound | OciError::Damaged { .. }) if forced => {
            // One whose creation was cut short has no file yet.
            return remove_remains(&store.directory(id)?);
        }
        other => other?,
    };
    let _lock = Container::lock(&container.directory)?;
    match container.status() {
        Status::Stopped => {}
        Status::Running | Status::Paused if !forced => {
            return Err(OciError::NotStopped(id.to_owned(), container.status()));
        }
        _ => container.kill_all()?,
    }
    if let Some(cgroup) = container.cgroup() {
        // What its first process left behind without a pid namespace.
        cgroup.kill_all()?;
        cgroup.remove()?;
    }
    // The container is gone all the same; whose hook failed is told at the end.
    let hooks = container.run_hooks(Moment::Poststop);
    let directory = container.directory.clone();
    fs::remove_dir_all(&directory).map_err(|source| OciError::File { path: directory, source })?;
    hooks
}

impl Container {
    pub(super) fn save(&self) -> Result<(), OciError> {
        let path = self.directory.join("state.json");
        let text = serde_json::to_vec(&self.saved)
            .map_err(|source| OciError::Damaged { path: path.clone(), source })?;
        Ok(file::replace(&path, &text, false)?)
    }

    pub(super) fn run_hooks(&self, moment: Moment) -> Result<(), OciError> {
        let pid = (moment != Moment::Poststop).then(|| Pid::from_raw(self.saved.pid));
        match Hooks::at(moment, &self.saved.spec, &self.state()) {
            Some(hooks) => Ok(hooks.run(pid)?),
            None => Ok(()),
        }
    }

    /// Kills all its processes, and waits until the first one has ended.
    pub(super) fn kill_all(&self) -> Result<(), OciError> {
        let process = self.process();
        if let Some(cgroup) = self.cgroup() {
            cgroup.kill_all()?;
        }
        let Some(process) = process else { return Ok(()) };
        match pidfd::pidfd_send_signal(&process, Signal::SIGKILL) {
            Err(error) if error.errno() == Errno::ESRCH => return Ok(()),
            other => other?,
        }
        ipc::poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], Some(PATIENCE))?;
        Ok(())
    }
}
