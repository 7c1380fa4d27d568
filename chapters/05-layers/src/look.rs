//! Sets what a file looks like, beside its content: owner, mode, attributes, times, in this order.
//!
//! A change of owner takes the set-user-id bit away, so the mode comes after the owner. Both of them, and
//! writing, take file capabilities away, so the attributes come after the mode. The times come last because
//! everything before moves them. What is right already is not set again: of ten thousand files that root
//! unpacks, most are root's and of an ordinary mode. chown(2), capabilities(7), xattr(7); book ch. 5.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use mini_sys::file::{self, FileType, Mode, Timespec, Timestamps};
use mini_sys::{Errno, Gid, Result, Uid, inode, xattr};

use crate::stack;

/// Whose the files become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// As the archive says: for root, and in a user namespace that maps the ids in question.
    Keep,
    /// The caller's: for an unprivileged user who has no other ids. Attributes that need privileges are
    /// left out then.
    Mine,
}

/// What a file looks like.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// None leaves the time of its making.
    pub(crate) mtime: Option<Timespec>,
    pub(crate) xattrs: Vec<(CString, Vec<u8>)>,
}

/// Knows what the kernel gives a new file by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Painter {
    owners: Owners,
    /// Who owns what we make, or none where that cannot be foretold.
    ours: Option<(u32, u32)>,
    umask: u32,
}

impl Painter {
    /// For files below the directory `root`.
    pub(crate) fn new(root: BorrowedFd<'_>, owners: Owners) -> Result<Self> {
        // In a set-group-id directory new files get the directory's group instead of ours.
        let inherits = file::statat(root, Path::new(""))?.st_mode & Mode::SGID.bits() != 0;
        let ours = (Uid::effective().as_raw(), Gid::effective().as_raw());
        Ok(Self { owners, ours: (!inherits).then_some(ours), umask: umask() })
    }

    /// A regular file that was made with its own mode, once its content is written.
    pub(crate) fn file(self, file: &File, look: &Look) -> Result<()> {
        let chowned = self.must_chown(look);
        if chowned {
            file::chown(file, look.uid, look.gid)?;
        }
        // The mode is right already where the umask took nothing away.
        if chowned || look.mode & (0o7000 | self.umask) != 0 {
            inode::fchmod(file, Mode::from_bits_truncate(look.mode))?;
        }
        for (name, value) in &look.xattrs {
            self.attribute(FileType::RegularFile, name, || xattr::set(file, name, value))?;
        }
        times(look).map_or(Ok(()), |times| inode::futimens(file, &times))
    }

    /// A directory that was made with a mode of ours.
    pub(crate) fn directory(self, directory: &OwnedFd, look: &Look) -> Result<()> {
        if self.must_chown(look) {
            file::chown(directory, look.uid, look.gid)?;
        }
        inode::fchmod(directory, Mode::from_bits_truncate(look.mode))?;
        for (name, value) in &look.xattrs {
            self.attribute(FileType::Directory, name, || xattr::set(directory, name, value))?;
        }
        times(look).map_or(Ok(()), |times| inode::futimens(directory.as_fd(), &times))
    }

    /// What has no descriptor that could be written through: a link, a node.
    pub(crate) fn name(self, parent: BorrowedFd<'_>, name: &Path, kind: FileType, look: &Look) -> Result<()> {
        if self.must_chown(look) {
            inode::lchownat(parent, name, look.uid, look.gid)?;
        }
        if kind != FileType::Symlink {
            // We made it a moment ago, in a tree that nobody else writes: it is no link.
            inode::fchmodat(parent, name, Mode::from_bits_truncate(look.mode))?;
        }
        for (attribute, value) in &look.xattrs {
            let path = PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd())).join(name);
            self.attribute(kind, attribute, || xattr::lset(&path, attribute, value))?;
        }
        times(look).map_or(Ok(()), |times| file::utimensat(parent, name, &times))
    }

    /// Sets an attribute where that can be done: a file system may have none, a user namespace has no rights
    /// over `trusted.` ones, and what is neither file nor directory has no `user.` ones.
    fn attribute(self, kind: FileType, name: &CStr, set: impl FnOnce() -> Result<()>) -> Result<()> {
        if stack::is_overlay_attribute(name) {
            return Ok(());
        }
        let begins = |domain: &[u8]| name.to_bytes().starts_with(domain);
        let plain = matches!(kind, FileType::RegularFile | FileType::Directory);
        let may_fail = self.owners == Owners::Mine || begins(b"trusted.") || !plain && begins(b"user.");
        match set() {
            Err(error) if error.errno() == Errno::ENOTSUP => Ok(()),
            Err(error) if error.errno() == Errno::EPERM && may_fail => Ok(()),
            other => other,
        }
    }

    fn must_chown(self, look: &Look) -> bool {
        self.owners == Owners::Keep && self.ours != Some((look.uid, look.gid))
    }
}

/// The access time is set to the modification time: it must be something, and the same every time.
fn times(look: &Look) -> Option<Timestamps> {
    look.mtime.map(|time| Timestamps { last_access: time, last_modification: time })
}

/// Which permission bits the kernel takes from a new file; umask(2) cannot be asked without changing it.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok()).unwrap_or(0o777)
}
