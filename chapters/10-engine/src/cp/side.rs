//! One side of a copy: a root, and how paths are resolved below it.
//!
//! A running container's root is had by way of its first process, mounts and all. That of one which does not run is
//! mounted for the moment, attached nowhere: it goes with the descriptor, whatever becomes of us. openat2(2),
//! `RESOLVE_IN_ROOT`; fsmount(2); book ch. 10.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use mini_layers::layers::LayerError;
use mini_layers::overlay::OverlayError;
use mini_layers::{Layers, Overlay, Upper};
use mini_sys::Errno;
use mini_sys::file::{self, FileType, Mode, OFlags, ResolveFlags, Stat};

use crate::home::Home;
use crate::record::{self, Record, RecordError};

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// A side that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SideError {
    /// Its root.
    #[error("open the root directory")]
    Root(#[source] mini_sys::Error),
    /// The image's layers.
    #[error(transparent)]
    Layers(#[from] LayerError),
    /// The container's tree.
    #[error("mount the container's file system")]
    Mount(#[from] OverlayError),
    /// The container's record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It is gone.
    #[error("No such container: {0}")]
    Gone(String),
}

/// This machine, or a container.
#[derive(Debug)]
pub struct Side {
    root: OwnedFd,
    resolve: ResolveFlags,
    /// Keeps a container that does not run from being started, as long as its tree is mounted here.
    _lock: Option<File>,
}

/// What a path leads to.
#[derive(Debug)]
pub(super) struct Found {
    /// The directory it is in.
    pub(super) parent: OwnedFd,
    /// Its name there; empty for that directory itself.
    pub(super) name: OsString,
    /// What it is; none if there is nothing.
    pub(super) stat: Option<Stat>,
}

impl Found {
    /// Opens the directory that it is, and nothing else.
    pub(super) fn open_directory(&self) -> mini_sys::Result<OwnedFd> {
        let name = if self.name.is_empty() { Path::new(".") } else { Path::new(&self.name) };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        file::openat2(&self.parent, name, OFlags::PATH | OFlags::DIRECTORY, Mode::empty(), resolve)
    }
}

impl Side {
    /// This machine.
    pub(super) fn of_host() -> Result<Self, SideError> {
        let root = file::open_directory(Path::new("/")).map_err(SideError::Root)?;
        Ok(Self { root, resolve: ResolveFlags::empty(), _lock: None })
    }

    /// A container.
    pub(super) fn of_container(home: &Home, record: &Record) -> Result<Self, SideError> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        if let Some(root) = root_of_running(record) {
            return Ok(Self { root: root.map_err(SideError::Root)?, resolve, _lock: None });
        }
        let gone = || SideError::Gone(record.name.clone());
        let lock = record::lock(home, &record.id)?.ok_or_else(gone)?;
        // It may have been started until we had the lock, and now it cannot be.
        let record = Record::load(home, &record.id)?.ok_or_else(gone)?;
        match root_of_running(&record) {
            Some(root) => Ok(Self { root: root.map_err(SideError::Root)?, resolve, _lock: None }),
            None => Ok(Self { root: mount(home, &record)?, resolve, _lock: Some(lock) }),
        }
    }

    /// What `path`, from the root, leads to; `follow`: also when it is a link itself. Links on the way are followed,
    /// below the root.
    ///
    /// # Errors
    /// `ENOENT` and `ENOTDIR` when the directory it is in is not there, `ELOOP`.
    pub(super) fn find(&self, path: &Path, follow: bool) -> mini_sys::Result<Found> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let Some(name) = path.file_name().map(ToOwned::to_owned) else {
                let parent = self.open_directory(&path)?;
                let stat = Some(file::statat(&parent, Path::new(""))?);
                return Ok(Found { parent, name: OsString::new(), stat });
            };
            let parent = self.open_directory(path.parent().unwrap_or(Path::new("/")))?;
            let stat = match file::statat(&parent, Path::new(&name)) {
                Err(error) if error.errno() == Errno::ENOENT => None,
                stat => Some(stat?),
            };
            let is_link =
                stat.as_ref().is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
            if !(follow && is_link) {
                return Ok(Found { parent, name, stat });
            }
            let text = file::readlinkat(&parent, Path::new(&name))?;
            path = path.parent().map_or_else(PathBuf::new, Path::to_owned).join(text);
        }
        Err(mini_sys::Error::new(format!("follow \"{}\"", path.display()), Errno::ELOOP))
    }

    fn open_directory(&self, path: &Path) -> mini_sys::Result<OwnedFd> {
        let path = path.strip_prefix("/").unwrap_or(path);
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let how = OFlags::PATH | OFlags::DIRECTORY;
        file::openat2(&self.root, path, how, Mode::empty(), self.resolve)
    }
}

/// The root that a container's first process has; none of one that does not run.
fn root_of_running(record: &Record) -> Option<mini_sys::Result<OwnedFd>> {
    let process = record.state.process.as_ref().filter(|_| record.state.status.is_up())?;
    let root = file::open_directory(Path::new(&format!("/proc/{}/root", process.pid)));
    // Only then it is known whose root that was.
    process.is_alive().then_some(root)
}

/// Mounts the tree of a container that does not run, attached nowhere.
fn mount(home: &Home, record: &Record) -> Result<OwnedFd, SideError> {
    let directory = home.container(&record.id);
    let lower = match &record.layer {
        Some(top) => Layers::open(&home.layers())?.trees(top)?,
        // An image without layers shows an empty directory.
        None => vec![directory.join("merged")],
    };
    let upper = Upper { tree: directory.join("upper"), work: directory.join("work") };
    let userxattr = !mini_sys::process::is_root();
    Ok(Overlay { lower, upper: Some(upper), userxattr }.mount()?)
}
