//! What an inode says beside its content: mode, owner and times; and the names that a directory holds.
//!
//! These act on a descriptor or on one name below an open directory, so that whoever unpacks or packs a tree
//! never walks a path twice. chmod(2), chown(2), utimensat(2), getdents64(2).

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use crate::call::{Result, call};
use crate::file::{AtFlags, Mode, Timestamps};

/// Sets the permission bits (set-user-id and its relatives included) of an open file. fchmod(2).
///
/// # Errors
/// `EPERM` when the file is another user's, `EBADF` for an `O_PATH` descriptor.
pub fn fchmod(fd: impl AsFd, mode: Mode) -> Result<()> {
    call(|| format!("fchmod(fd, {:#o})", mode.bits()), || rustix::fs::fchmod(fd.as_fd(), mode))
}

/// Sets the permission bits of what `path` names, following a link at its end: a caller who cannot exclude
/// one opens the file and takes [`fchmod`]. fchmodat(2).
///
/// # Errors
/// As [`fchmod`].
pub fn fchmodat(directory: impl AsFd, path: &Path, mode: Mode) -> Result<()> {
    call(
        || format!("fchmodat(\"{}\", {:#o})", path.display(), mode.bits()),
        || rustix::fs::chmodat(directory.as_fd(), path, mode, AtFlags::empty()),
    )
}

/// Changes the owner of what `path` names, not following a link. fchownat(2), `AT_SYMLINK_NOFOLLOW`.
///
/// # Errors
/// `EPERM` without `CAP_CHOWN`, `EINVAL` for an id that the user namespace does not map.
pub fn lchownat(directory: impl AsFd, path: &Path, uid: u32, gid: u32) -> Result<()> {
    let (user, group) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    call(
        || format!("fchownat(\"{}\", {uid}, {gid})", path.display()),
        || rustix::fs::chownat(directory.as_fd(), path, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW),
    )
}

/// Sets the access and modification time of an open file. futimens(3).
///
/// # Errors
/// `EPERM` when the file is another user's.
pub fn futimens(fd: impl AsFd, times: &Timestamps) -> Result<()> {
    call(|| "futimens(fd)".to_owned(), || rustix::fs::futimens(fd.as_fd(), times))
}

/// The names in an open directory, `.` and `..` left out, in byte order.
///
/// # Errors
/// `ENOTDIR`, `EBADF` for an `O_PATH` descriptor.
pub fn names(directory: impl AsFd) -> Result<Vec<OsString>> {
    let mut names = call(
        || "getdents64(fd)".to_owned(),
        || {
            let mut names = Vec::new();
            for entry in rustix::fs::Dir::read_from(directory.as_fd())? {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(OsString::from_vec(name));
                }
            }
            rustix::io::Result::Ok(names)
        },
    )?;
    names.sort_unstable();
    Ok(names)
}
