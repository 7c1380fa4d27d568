//! What is known of the containers that other engines ordered: a directory each, with a file and a fifo.
//!
//! ```text
//! <root>/<id>/state.json    who it is
//! <root>/<id>/exec.fifo     there until it is started
//! <root>/<id>/lock          held while it is created, started or deleted
//! ```
//! Whether it runs is not written down: its process tells. A pid is trusted only with its start time and boot.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mini_cgroups::{Cgroup, Layout};
use mini_sys::file::{self, Lock};
use mini_sys::{Pid, pidfd, procfs};
use oci_spec::runtime::{ContainerState, Spec, State};
use serde::{Deserialize, Serialize};

use crate::plan::PlanError;
use crate::start::StartError;

use super::bundle::BundleError;
use super::refused::RefusedError;

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is ready but the program.
    Created,
    /// The program runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// Its first process has ended.
    Stopped,
}

impl std::fmt::Display for Status {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        })
    }
}

/// What is written down of a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    /// The version of the specification that its bundle follows.
    pub oci_version: String,
    /// Its name.
    pub id: String,
    /// Its first process; 0 while it is being created.
    pub pid: i32,
    /// When that process started, in ticks since boot.
    pub start_time: u64,
    /// Which boot.
    pub boot: String,
    /// The bundle's directory.
    pub bundle: PathBuf,
    /// The root file system.
    pub rootfs: PathBuf,
    /// When it was created.
    pub created: Timestamp,
    /// Who created it: a user's number.
    pub owner: u32,
    /// Its cgroup.
    pub cgroup: Option<String>,
    /// What others want to remember.
    #[serde(default)]
    pub annotations: HashMap<String, String>,
    /// Its spec, with absolute paths.
    pub spec: Spec,
}

/// What goes wrong; where runc has words that engines look for, they are runc's.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// A name that cannot be a directory's.
    #[error("invalid container ID format: {0:?}")]
    Id(String),
    /// The name is taken.
    #[error("container with given ID already exists")]
    Exists,
    /// Nobody has the name.
    #[error("container does not exist")]
    NotFound,
    /// It has no process.
    #[error("container not running")]
    NotRunning,
    /// It was started before.
    #[error("cannot start an already running container")]
    Started,
    /// It has ended.
    #[error("cannot start a container that has stopped")]
    Stopped,
    /// It cannot be deleted yet.
    #[error("cannot delete container {0} that is not stopped: {1}")]
    NotStopped(String, Status),
    /// It cannot be done to a container like that.
    #[error("container {0} is {1}")]
    Status(String, Status),
    /// A terminal without anybody to hold it.
    #[error("cannot allocate tty if it will detach without setting console socket")]
    NoConsole,
    /// Somebody to hold a terminal, and none.
    #[error("cannot use console socket if it will not detach or allocate tty")]
    NoTerminal,
    /// The bundle cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The spec asks for what cannot be had.
    #[error(transparent)]
    Refused(#[from] RefusedError),
    /// The spec cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The container could not be started.
    #[error("unable to start container process")]
    Start(#[source] StartError),
    /// A file cannot be read or written.
    #[error("use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory that no container of ours has left.
    #[error("{} is no container's: it has directories in it", .0.display())]
    Foreign(PathBuf),
    /// A file holds something else.
    #[error("read {}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The kernel refused.
    #[error(transparent)]
    Call(#[from] mini_sys::Error),
    /// Its limits cannot be changed.
    #[error(transparent)]
    Limits(#[from] mini_cgroups::CgroupError),
    /// Something of its cgroup is left.
    #[error(transparent)]
    Cgroup(#[from] mini_cgroups::RemoveError),
}

/// The containers below one directory.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// A container.
#[derive(Debug)]
pub struct Container {
    /// Its directory.
    pub directory: PathBuf,
    /// What is known of it.
    pub saved: Saved,
    /// How cgroups are laid out here.
    pub layout: Layout,
}

impl Store {
    /// Those below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory of the container `id`.
    ///
    /// # Errors
    /// A name that is none.
    pub fn directory(&self, id: &str) -> Result<PathBuf, OciError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '.');
        if id.is_empty() || id.len() > 1024 || matches!(id, "." | "..") || !id.chars().all(is_plain) {
            return Err(OciError::Id(id.to_owned()));
        }
        Ok(self.root.join(id))
    }

    /// Makes the directory of a new container; its name is taken from then on.
    pub(super) fn reserve(&self, id: &str) -> Result<PathBuf, OciError> {
        let path = self.directory(id)?;
        let make = |path: &Path, recursive| DirBuilder::new().recursive(recursive).mode(0o711).create(path);
        let made = || make(&self.root, true).and_then(|()| make(&path, false));
        // Once more if somebody has deleted the last container meanwhile, and the root with it.
        let made = made().or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => made(),
            _ => Err(error),
        });
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(OciError::Exists),
            Err(source) => Err(OciError::File { path, source }),
            Ok(()) => Ok(path),
        }
    }

    /// The container `id`.
    ///
    /// # Errors
    /// That there is none, or a file that cannot be read.
    pub fn find(&self, id: &str) -> Result<Container, OciError> {
        let directory = self.directory(id)?;
        let path = directory.join("state.json");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OciError::NotFound),
            Err(source) => return Err(OciError::File { path, source }),
            Ok(text) => text,
        };
        let saved = serde_json::from_slice(&text).map_err(|source| OciError::Damaged { path, source })?;
        Ok(Container { directory, saved, layout: Layout::detect()? })
    }

    /// All containers, in the order of their names. One that is just being created or deleted is none.
    ///
    /// # Errors
    /// Those of readdir(3).
    pub fn list(&self) -> Result<Vec<Container>, OciError> {
        let failed = |source| OciError::File { path: self.root.clone(), source };
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            ids.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
        }
        ids.sort_unstable();
        let found = ids.iter().map(|id| self.find(id));
        found.filter(|found| !matches!(found, Err(OciError::NotFound | OciError::Id(_)))).collect()
    }
}

impl Container {
    /// Takes the lock of a container's directory.
    pub(super) fn lock(directory: &Path) -> Result<File, OciError> {
        let path = directory.join("lock");
        match file::lock(&path, Lock::Exclusive) {
            Err(error) if error.errno() == mini_sys::Errno::ENOENT => Err(OciError::NotFound),
            other => Ok(other?),
        }
    }

    /// The fifo at which the process waits before its program.
    pub(super) fn fifo(&self) -> PathBuf {
        self.directory.join("exec.fifo")
    }

    /// Its first process, if that is there: the very one, not another that has its number by now.
    pub fn process(&self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.saved.pid);
        let fd = pidfd::pidfd_open(pid).ok()?;
        let is_it = procfs::start_time(pid) == Some(self.saved.start_time)
            && procfs::is_alive(pid)
            && procfs::boot_id() == self.saved.boot;
        is_it.then_some(fd)
    }

    /// Its cgroup, if it has one.
    pub fn cgroup(&self) -> Option<Cgroup> {
        let name = self.saved.cgroup.as_deref()?;
        Cgroup::open(&self.layout, name).ok().filter(Cgroup::exists)
    }

    /// Where it is in its life.
    pub fn status(&self) -> Status {
        if self.process().is_none() {
            return Status::Stopped;
        }
        if self.cgroup().is_some_and(|cgroup| cgroup.is_frozen().unwrap_or(false)) {
            return Status::Paused;
        }
        if self.fifo().exists() { Status::Created } else { Status::Running }
    }

    /// What hooks are told of it.
    pub(super) fn state(&self) -> State {
        state(&self.saved)
    }
}

/// What hooks are told of a container.
pub(super) fn state(saved: &Saved) -> State {
    let mut state = State::default();
    state
        .set_version(saved.oci_version.clone())
        .set_id(saved.id.clone())
        .set_status(ContainerState::Creating)
        .set_bundle(saved.bundle.clone())
        .set_annotations(Some(saved.annotations.clone()).filter(|all| !all.is_empty()));
    state
}
