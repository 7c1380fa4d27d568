//! The classic mount calls: mount(2), umount2(2), pivot_root(2), chroot(2).

use std::path::Path;

use nix::mount::mount as nix_mount;
pub use nix::mount::{MntFlags, MsFlags};

use crate::call::{Result, call};
use crate::flags;

/// What mount(2) is asked for, as text: shared by error messages and by `--explain`.
pub fn describe(source: &str, target: &Path, fstype: &str, flags: MsFlags, data: &str) -> String {
    let quote = |text: &str| if text.is_empty() { "NULL".to_owned() } else { format!("\"{text}\"") };
    let (source, fstype, data) = (quote(source), quote(fstype), quote(data));
    format!("mount({source}, \"{}\", {fstype}, {}, {data})", target.display(), flags::names(&flags))
}

/// Attaches a file system, or changes or binds one, as `flags` say. An empty text stands for NULL.
///
/// # Errors
/// mount(2) lists them; `EINVAL` also means: not a mount point (for a remount), or options that the file
/// system does not know. The kernel log says more for some file systems.
pub fn mount(source: &str, target: &Path, fstype: &str, flags: MsFlags, data: &str) -> Result<()> {
    let some = |text| if str::is_empty(text) { None } else { Some(text) };
    call(
        || describe(source, target, fstype, flags, data),
        || nix_mount(some(source), target, some(fstype), flags, some(data)),
    )
}

/// Detaches what is mounted on `target`.
///
/// # Errors
/// `EBUSY` while it is in use (not with `MNT_DETACH`), `EINVAL` when `target` is no mount point. umount(2).
pub fn umount2(target: &Path, flags: MntFlags) -> Result<()> {
    call(
        || format!("umount2(\"{}\", {})", target.display(), flags::names(&flags)),
        || nix::mount::umount2(target, flags),
    )
}

/// Makes `new_root` the root mount of this mount namespace and puts the old one on `put_old`.
///
/// # Errors
/// `EINVAL` when `new_root` is not a mount point or a mount involved is shared, `EBUSY` when it is on the
/// current root file system. pivot_root(2).
pub fn pivot_root(new_root: &Path, put_old: &Path) -> Result<()> {
    call(
        || format!("pivot_root(\"{}\", \"{}\")", new_root.display(), put_old.display()),
        || nix::unistd::pivot_root(new_root, put_old),
    )
}

/// Makes `path` the directory that this process's absolute names start from. chroot(2).
///
/// # Errors
/// `EPERM` without `CAP_SYS_CHROOT`, `ENOENT`, `ENOTDIR`.
pub fn chroot(path: &Path) -> Result<()> {
    call(|| format!("chroot(\"{}\")", path.display()), || nix::unistd::chroot(path))
}
