//! Lists what a container changed, as `docker diff` shows it.
//!
//! The upper directory of an overlay holds what was added or changed and marks for what was removed; whether
//! a name in it is new is a question to the layers below. A directory that overlay copied up only because
//! something inside it changed counts as changed, as it does for Docker. kernel documentation,
//! filesystems/overlayfs; book ch. 5.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use mini_sys::file::{self, FileType, Mode, OFlags, ResolveFlags, Stat};
use mini_sys::inode;

use crate::stack::{self, Found, Stack, StackError};

/// One change, written as `A /tmp/x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// To what: an absolute path inside the container.
    pub path: PathBuf,
}

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It has other content or looks other.
    Changed,
    /// It is gone, or was replaced by an empty directory that new things were put in.
    Deleted,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            ChangeKind::Added => 'A',
            ChangeKind::Changed => 'C',
            ChangeKind::Deleted => 'D',
        };
        write!(f, "{letter} {}", self.path.display())
    }
}

/// Changes that cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The upper directory cannot be read.
    #[error("read `{}` of the container", path.display())]
    Upper {
        /// The path inside the container.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: mini_sys::Error,
    },
    /// The layers below cannot be read.
    #[error("compare with the image")]
    Lower(#[source] StackError),
}

/// What the tree `upper` changes against the stack `lower`, sorted as a walk meets it.
///
/// # Errors
/// When a directory of either cannot be read.
pub fn changes(upper: &Path, lower: &Stack) -> Result<Vec<Change>, ChangesError> {
    let path = Path::new("/");
    let root = file::open_directory(upper).and_then(|root| open(&root, Path::new(".")));
    let root = root.map_err(|source| ChangesError::Upper { path: path.to_owned(), source })?;
    let mut list = Vec::new();
    walk(path, &root, lower, &mut list)?;
    Ok(list)
}

fn walk(path: &Path, directory: &OwnedFd, lower: &Stack, list: &mut Vec<Change>) -> Result<(), ChangesError> {
    let failed = |path: &Path, source| ChangesError::Upper { path: path.to_owned(), source };
    for name in inode::names(directory).map_err(|source| failed(path, source))? {
        let path = path.join(&name);
        let name = Path::new(&name);
        let stat = file::statat(directory, name).map_err(|source| failed(&path, source))?;
        let before = lower.find_link(&path).map_err(ChangesError::Lower)?;
        let position = list.len();
        let mut kind = match &before {
            _ if stack::is_whiteout(&stat) => ChangeKind::Deleted,
            Some(_) => ChangeKind::Changed,
            None => ChangeKind::Added,
        };
        let mut untouched = false;
        if stack::kind(&stat) == FileType::Directory {
            let inside = open(directory, name).map_err(|source| failed(&path, source))?;
            if before.is_some() && stack::is_opaque(&inside).map_err(|source| failed(&path, source))? {
                kind = ChangeKind::Deleted;
            }
            walk(&path, &inside, lower, list)?;
            let same = matches!(&before, Some(Found::Directory { stat: old, .. }) if alike(old, &stat));
            untouched = same && kind == ChangeKind::Changed && list.len() == position;
        }
        if !untouched {
            list.insert(position, Change { kind, path });
        }
    }
    Ok(())
}

fn alike(a: &Stat, b: &Stat) -> bool {
    let look = |stat: &Stat| (stat.st_mode, stat.st_uid, stat.st_gid, stat.st_mtime, stat.st_mtime_nsec);
    look(a) == look(b)
}

fn open(directory: &OwnedFd, name: &Path) -> mini_sys::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    file::openat2(directory, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty(), resolve)
}
