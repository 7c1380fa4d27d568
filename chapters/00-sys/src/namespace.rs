//! Entering other rooms of the kernel: unshare(2), setns(2), and telling two namespaces apart.

use std::os::fd::AsFd;
use std::path::Path;

pub use nix::sched::CloneFlags;

use crate::call::{Result, call};
use crate::flags;

/// Moves this process into new namespaces.
///
/// # Errors
/// `EPERM` without the capability, `EINVAL` for `CLONE_NEWUSER` in a process with threads. unshare(2).
pub fn unshare(namespaces: CloneFlags) -> Result<()> {
    call(|| format!("unshare({})", flags::names(&namespaces)), || nix::sched::unshare(namespaces))
}

/// Joins namespaces: with a pidfd, all that `namespaces` names of that process at once; with an open
/// `/proc/<pid>/ns/*`, that one.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN` in the target's user namespace, `EINVAL` for kinds that do not fit the
/// descriptor, `ESRCH` when the process is gone. setns(2); pidfds since Linux 5.8.
pub fn setns(fd: impl AsFd, namespaces: CloneFlags) -> Result<()> {
    call(|| format!("setns(fd, {})", flags::names(&namespaces)), || nix::sched::setns(fd.as_fd(), namespaces))
}

/// The inode that names a namespace: two processes are in the same one exactly when these are equal.
/// `file` is one of the links below `/proc/<pid>/ns`. namespaces(7).
///
/// # Errors
/// `ENOENT` when the process is gone or the kernel has no such kind.
pub fn inode(file: &Path) -> Result<u64> {
    let stat = call(|| format!("stat(\"{}\")", file.display()), || nix::sys::stat::stat(file))?;
    Ok(stat.st_ino)
}
