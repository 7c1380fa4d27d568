//! What is known of a container: one JSON file, replaced whole at every change.
//!
//! A reader needs no lock: there is the old file or the new one at any moment. Writers take the container's lock,
//! and hold it for the change alone, never while the container runs. A process is remembered by pid *and* start
//! time *and* boot, because a pid alone comes to mean another process. rename(2), flock(2); book ch. 10.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mini_layers::Digest;
use mini_sys::file::{self, Lock};
use mini_sys::{Pid, pidfd, procfs};
use serde::{Deserialize, Serialize};

use crate::config::{Config, HostConfig};
use crate::home::Home;

/// A process, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start_time: u64,
    /// Which boot.
    pub boot: String,
}

impl ProcessId {
    /// The process that `pid` means now; none when it is gone.
    pub fn of(pid: Pid) -> Option<Self> {
        todo!("process-id: what tells this process from every other that has or will have its number?")
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(Pid::this())
    }

    /// Whether that very process still runs.
    pub fn is_alive(&self) -> bool {
        todo!("is-alive: does that very process still run?")
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.pid)
    }

    /// A pidfd of that very process, not of another that has its number by now; none when it is gone.
    pub(crate) fn open(&self) -> Option<OwnedFd> {
        todo!("open: a descriptor of that process, and of no other")
    }
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is there, and its program has not been started.
    Created,
    /// Its program runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// Its program has ended, and is to run again in a while.
    Restarting,
    /// Its program has ended.
    Exited,
}

impl Status {
    /// Whether it has processes.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// Whether a monitor stays with it.
    pub fn is_active(self) -> bool {
        self.is_up() || self == Self::Restarting
    }

    /// Docker's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
        }
    }
}

/// A container's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Where it is in its life.
    pub status: Status,
    /// Its first process, while it runs.
    pub process: Option<ProcessId>,
    /// The process that watches it.
    pub monitor: Option<ProcessId>,
    /// The process that is starting it again, while it does: what that has made is to be found should it die.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starter: Option<ProcessId>,
    /// The program's exit status, as a shell tells it.
    pub exit_code: i32,
    /// Why it could not be started.
    pub error: String,
    /// The kernel killed a process in it for want of memory.
    pub oom_killed: bool,
    /// A user has stopped it, so no policy starts it again.
    #[serde(default)]
    pub stopped_by_hand: bool,
    /// How often its policy has started it again since a user did.
    #[serde(default)]
    pub restarts: u32,
    /// When the program started last.
    pub started_at: Option<Timestamp>,
    /// When it ended last.
    pub finished_at: Option<Timestamp>,
}

impl State {
    /// That of a container whose program has not been started.
    pub fn created() -> Self {
        Self {
            status: Status::Created,
            process: None,
            monitor: None,
            starter: None,
            exit_code: 0,
            error: String::new(),
            oom_killed: false,
            stopped_by_hand: false,
            restarts: 0,
            started_at: None,
            finished_at: None,
        }
    }
}

/// The file of a container's record, in its directory.
pub(crate) const RECORD: &str = "record.json";

/// The file of a container's log, in its directory.
pub(crate) const LOG: &str = "log.json";

/// All that is known of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name, without a slash.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Who is making it, or restarts it; gone once it has been started or is to stay as it is.
    pub maker: Option<ProcessId>,
    /// The image's id.
    pub image: Digest,
    /// The topmost layer of the image; none for an image without layers.
    pub layer: Option<Digest>,
    /// The program and its arguments, put together from entrypoint and command.
    pub arguments: Vec<String>,
    /// What it runs.
    pub config: Config,
    /// What it runs with.
    pub host_config: HostConfig,
    /// How it is.
    pub state: State,
}

/// A record that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Reading failed.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Writing failed.
    #[error(transparent)]
    Write(mini_sys::Error),
    /// The lock cannot be had.
    #[error("lock the container")]
    Lock(#[source] mini_sys::Error),
}

impl Record {
    /// Reads the record of the container `id`; none when there is no such container.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else.
    pub fn load(home: &Home, id: &str) -> Result<Option<Self>, RecordError> {
        let path = home.container(id).join(RECORD);
        match fs::read(&path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(record) => Ok(Some(record)),
                Err(source) => Err(RecordError::Damaged { path, source }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RecordError::Read { path, source }),
        }
    }

    /// Writes the record. A container that is removed at its end is not worth waiting for the disk.
    ///
    /// # Errors
    /// A full disk; the old record stays.
    pub fn save(&self, home: &Home) -> Result<(), RecordError> {
        self.save_in(&home.container(&self.id))
    }

    /// As [`Self::save`], in a directory that is not the container's yet.
    pub(crate) fn save_in(&self, directory: &Path) -> Result<(), RecordError> {
        self.write(directory, !self.host_config.auto_remove)
    }

    /// As [`Self::save`], of what a loss of power undoes anyway.
    pub(crate) fn save_for_now(&self, home: &Home) -> Result<(), RecordError> {
        self.write(&home.container(&self.id), false)
    }

    fn write(&self, directory: &Path, durable: bool) -> Result<(), RecordError> {
        let path = directory.join(RECORD);
        let text =
            serde_json::to_vec(self).map_err(|source| RecordError::Damaged { path: path.clone(), source })?;
        file::replace(&path, &text, durable).map_err(RecordError::Write)
    }

    /// Changes the record of `id` alone: reads it under the container's lock, changes it, writes it. None when
    /// there is no such container any more.
    ///
    /// # Errors
    /// As [`Self::load`] and [`Self::save`].
    pub fn change(
        home: &Home,
        id: &str,
        change: impl FnOnce(&mut Self),
    ) -> Result<Option<Self>, RecordError> {
        todo!("change: alone from the reading to the writing")
    }

    /// The container's log.
    pub fn log_path(&self, home: &Home) -> PathBuf {
        home.container(&self.id).join(LOG)
    }
}

/// Takes the lock of the container `id`; none when there is no such container.
///
/// # Errors
/// Those of flock(2).
pub fn lock(home: &Home, id: &str) -> Result<Option<File>, RecordError> {
    match file::lock(&home.container(id).join("lock"), Lock::Exclusive) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.errno() == mini_sys::Errno::ENOENT => Ok(None),
        Err(error) => Err(RecordError::Lock(error)),
    }
}

/// As [`lock`], but does not wait: none too when another holds it.
///
/// # Errors
/// Those of flock(2).
pub(crate) fn try_lock(home: &Home, id: &str) -> Result<Option<File>, RecordError> {
    match file::try_lock(&home.container(id).join("lock"), Lock::Exclusive) {
        Err(error) if error.errno() == mini_sys::Errno::ENOENT => Ok(None),
        other => other.map_err(RecordError::Lock),
    }
}
