//! Changes what `/` means to a process.
//!
//! chroot(2) moves the place where absolute names start; the old root stays mounted around it, one `..` away
//! for whoever is allowed to call chroot(2) again. pivot_root(2) swaps the root *mount*, so that the old one can
//! be detached: after that no name leads to it, because it is nowhere in this process's mount tree.
//! Neither copies a file. pivot_root(2), chroot(2), mount_namespaces(7); book ch. 1.

use std::path::Path;

use mini_sys::Result;
use mini_sys::mount::{self, MntFlags, MsFlags};
use mini_sys::process::chdir;

/// Makes `directory` the root of this process, the weak way: a process with `CAP_SYS_CHROOT` gets out again,
/// as the example `breakout` shows.
///
/// # Errors
/// `EPERM` without `CAP_SYS_CHROOT`; those of chdir(2).
pub fn chroot(directory: &Path) -> Result<()> {
    mount::chroot(directory)?;
    // chroot(2) leaves the working directory where it was: outside.
    chdir(Path::new("/"))
}

/// Makes the directory `root` the root of this process and leaves the old one behind for good.
///
/// The process must be in a mount namespace of its own: everything here is seen by all who share it.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`; those of mount(2) and pivot_root(2).
pub fn enter(root: &Path) -> Result<()> {
    bind_on_itself(root)?;
    keep_mounts_private()?;
    pivot(root)?;
    detach_old_root()
}

/// Cuts the tie over which mounts made here would show up on the host, and the host's here. It comes before
/// any other mount: most systems start with `/` shared. mount_namespaces(7), "SHARED SUBTREES".
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`.
pub fn keep_mounts_private() -> Result<()> {
    mount::mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")
}

/// Turns a directory into a mount point, which pivot_root(2) asks for.
///
/// # Errors
/// Those of mount(2).
pub fn bind_on_itself(root: &Path) -> Result<()> {
    mount::mount(&root.to_string_lossy(), root, "", MsFlags::MS_BIND | MsFlags::MS_REC, "")
}

/// Makes `root` the root mount and stacks the old one on the same place, so that no directory is needed for
/// it inside. pivot_root(2), "pivot_root(".", ".")".
///
/// # Errors
/// `EINVAL` when `root` is not a mount point or its parent mount is shared.
pub fn pivot(root: &Path) -> Result<()> {
    chdir(root)?;
    mount::pivot_root(Path::new("."), Path::new("."))
}

/// Takes the old root out of this mount namespace, with all that is mounted below it. Until this call a
/// `..` at the root could still reach it; nothing may be resolved inside before it.
///
/// # Errors
/// `EINVAL` when there is no old root stacked here.
pub fn detach_old_root() -> Result<()> {
    mount::umount2(Path::new("."), MntFlags::MNT_DETACH)?;
    chdir(Path::new("/"))
}
