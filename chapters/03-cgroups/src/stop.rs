//! Stops, resumes, kills and removes everything in a cgroup at once.
//!
//! A signal to each process would race against those it is starting. The kernel stops or kills a v2 cgroup as
//! a whole, `fork` included; in v1 we stop it first, then kill what stands still. cgroup-v2.rst,
//! "cgroup.freeze" and "cgroup.kill"; cgroup-v1/freezer-subsystem.rst.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mini_sys::file::{read_text, write_existing};
use mini_sys::ipc::{PollFd, PollFlags, poll};
use mini_sys::signal::{Signal, kill};
use mini_sys::{Errno, Error, Result};

use crate::controller::Controller;
use crate::group::Cgroup;
use crate::plan::PARENT;
use crate::step::{is_gone, rmdir};
use crate::tree;

/// How long a process in the middle of a system call may take to stop or to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A cgroup of which something is left.
#[derive(Debug, thiserror::Error)]
#[error("remove the cgroup `{name}`: {}", each(failures))]
pub struct RemoveError {
    /// The cgroup.
    pub name: String,
    /// What could not be removed, one for each tree.
    pub failures: Vec<Error>,
}

fn each(failures: &[Error]) -> String {
    failures.iter().map(Error::to_string).collect::<Vec<_>>().join("; ")
}

/// What can stop a cgroup.
enum Freezer {
    /// `cgroup.freeze` in this v2 directory.
    Unified(PathBuf),
    /// `freezer.state` in this v1 directory.
    Separate(PathBuf),
}

impl Cgroup {
    /// Stops all its processes; returns when all stand still.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where there is no freezer, `ETIMEDOUT` when a process does not stop within ten seconds.
    pub fn freeze(&self) -> Result<()> {
        match self.freezer()? {
            Freezer::Unified(directory) => {
                write_existing(&directory.join("cgroup.freeze"), "1")?;
                wait_for(&directory.join("cgroup.events"), "frozen 1")
            }
            Freezer::Separate(directory) => set_state(&directory, "FROZEN"),
        }
    }

    /// Lets all its processes go on.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where there is no freezer.
    pub fn thaw(&self) -> Result<()> {
        match self.freezer()? {
            Freezer::Unified(directory) => {
                write_existing(&directory.join("cgroup.freeze"), "0")?;
                wait_for(&directory.join("cgroup.events"), "frozen 0")
            }
            Freezer::Separate(directory) => set_state(&directory, "THAWED"),
        }
    }

    /// Whether its processes are stopped.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where there is no freezer.
    pub fn is_frozen(&self) -> Result<bool> {
        Ok(match self.freezer()? {
            Freezer::Unified(directory) => {
                has_line(&read_text(&directory.join("cgroup.events"))?, "frozen 1")
            }
            Freezer::Separate(directory) => {
                read_text(&directory.join("freezer.state"))?.trim_end() == "FROZEN"
            }
        })
    }

    /// Whether nobody wants its processes stopped: they are not, and are not being stopped either.
    ///
    /// # Errors
    /// As [`Cgroup::freeze`].
    pub fn is_thawed(&self) -> Result<bool> {
        Ok(match self.freezer()? {
            Freezer::Unified(directory) => read_text(&directory.join("cgroup.freeze"))?.trim_end() == "0",
            Freezer::Separate(directory) => {
                read_text(&directory.join("freezer.state"))?.trim_end() == "THAWED"
            }
        })
    }

    // ANCHOR: kill-all-fn
    /// Kills all its processes, frozen or not, and those they are just starting; returns when all are gone.
    ///
    /// # Errors
    /// `ETIMEDOUT` when one does not end within ten seconds.
    pub fn kill_all(&self) -> Result<()> {
        // ANCHOR: kill-all
        if let Some(directory) = &self.unified {
            match write_existing(&directory.join("cgroup.kill"), "1") {
                Ok(()) => {
                    return match wait_for(&directory.join("cgroup.events"), "populated 0") {
                        // Whoever waits for the container has removed it already.
                        Err(error) if is_gone(&error) => Ok(()),
                        other => other,
                    };
                }
                // The file came with Linux 5.14; a directory that is gone is noticed below.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.kill_each()
        // ANCHOR_END: kill-all
    }
    // ANCHOR_END: kill-all-fn

    // ANCHOR: kill-each-fn
    /// Stops, kills and resumes, until nothing is left.
    fn kill_each(&self) -> Result<()> {
        // ANCHOR: kill-each
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            // Without a freezer it is a race, which is won in the end unless the processes outrun us for long.
            let is_stopped = self.freeze().is_ok();
            let pids = self.pids();
            for pid in pids.iter().flatten() {
                match kill(*pid, Signal::SIGKILL) {
                    Err(error) if error.errno() != Errno::ESRCH => return Err(error),
                    _ => {}
                }
            }
            if is_stopped {
                self.thaw()?;
            }
            if pids?.is_empty() {
                return Ok(());
            }
            sleep(Duration::from_millis(1));
        }
        Err(Error::new(format!("kill the processes of `{}`", self.name), Errno::ETIMEDOUT))
        // ANCHOR_END: kill-each
    }
    // ANCHOR_END: kill-each-fn

    /// Removes it from every tree, with the cgroups below it, and `mini-docker` with the last one. That it is
    /// gone already is fine. It must be empty, or about to be: see [`Cgroup::kill_all`].
    ///
    /// # Errors
    /// [`RemoveError`], after all that could be removed has been.
    pub fn remove(&self) -> std::result::Result<(), RemoveError> {
        let is_ours = self.place.parent() == Some(Path::new(PARENT));
        let mut failures = Vec::new();
        for directory in self.directories() {
            if let Err(error) = tree::remove(directory) {
                failures.push(error);
                continue;
            }
            // The parent has other children, or another process is making one: then it stays.
            if let (true, Some(parent)) = (is_ours, directory.parent())
                && let Err(error) = rmdir(parent)
                && !is_gone(&error)
                && !matches!(error.errno(), Errno::ENOTEMPTY | Errno::EBUSY)
            {
                failures.push(error);
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(RemoveError { name: self.name.clone(), failures }) }
    }

    fn freezer(&self) -> Result<Freezer> {
        let separate = self.separate.iter().find(|(kinds, _)| kinds.contains(&Controller::Freezer));
        let unified = self.unified.clone().map(Freezer::Unified);
        unified
            .or_else(|| separate.map(|(_, directory)| Freezer::Separate(directory.clone())))
            .ok_or_else(|| Error::new(format!("freeze `{}` without a cgroup", self.name), Errno::EOPNOTSUPP))
    }
}

/// A v1 cgroup is `FREEZING` until all stand still, and a process started meanwhile may run on: the state is
/// written again until it holds.
fn set_state(directory: &Path, state: &str) -> Result<()> {
    let file = directory.join("freezer.state");
    let deadline = Instant::now() + PATIENCE;
    loop {
        write_existing(&file, state)?;
        if read_text(&file)?.trim_end() == state {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::new(format!("wait for {state} in {}", file.display()), Errno::ETIMEDOUT));
        }
        sleep(Duration::from_millis(1));
    }
}

/// Waits until a v2 event file has a line. The kernel wakes who polls such a file when it changes, but at most
/// every 10 ms, so in the beginning we look more often than that.
fn wait_for(file: &Path, line: &str) -> Result<()> {
    let name = || format!("wait for \"{line}\" in {}", file.display());
    let failed = |error: &std::io::Error| {
        Error::new(name(), Errno::from_raw(error.raw_os_error().unwrap_or_default()))
    };
    let deadline = Instant::now() + PATIENCE;
    let mut events = File::open(file).map_err(|error| failed(&error))?;
    let mut pause = Duration::from_millis(1);
    loop {
        let mut text = String::new();
        events.rewind().and_then(|()| events.read_to_string(&mut text)).map_err(|error| failed(&error))?;
        if has_line(&text, line) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::new(name(), Errno::ETIMEDOUT));
        }
        poll(&mut [PollFd::new(events.as_fd(), PollFlags::POLLPRI)], Some(pause))?;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|it| it == line)
}
