//! The newer mount calls, which split mount(2) into steps: make a file system or copy a mount while it is
//! attached nowhere, then attach it. fsopen(2), fsconfig(2), fsmount(2), move_mount(2), open_tree(2),
//! mount_setattr(2); Linux 5.2, mount_setattr 5.12.
//!
//! A mount that is made before pivot_root(2) and attached after it needs no path that reaches both sides.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::libc;
pub use rustix::mount::{FsMountFlags, MountAttrFlags, OpenTreeFlags};
use rustix::mount::{FsOpenFlags, MoveMountFlags};

use crate::call::{Error, Result, call};
use crate::flags;

/// A file system that is being configured: what fsopen(2) returned.
#[derive(Debug)]
pub struct FsContext {
    fd: OwnedFd,
    fstype: String,
}

impl FsContext {
    /// Begins to configure a file system of type `fstype`.
    ///
    /// # Errors
    /// `ENODEV` when the kernel has no such file system, `EPERM` without `CAP_SYS_ADMIN`. fsopen(2).
    pub fn fsopen(fstype: &str) -> Result<Self> {
        let fd = call(
            || format!("fsopen(\"{fstype}\")"),
            || rustix::mount::fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC),
        )?;
        Ok(Self { fd, fstype: fstype.to_owned() })
    }

    /// Sets the option `key` to a text of at most 255 bytes (the kernel's limit).
    ///
    /// # Errors
    /// `EINVAL` for an option that the file system does not know. fsconfig(2), `FSCONFIG_SET_STRING`.
    pub fn set_string(&self, key: &str, value: &str) -> Result<()> {
        self.config(
            || format!("fsconfig({}, FSCONFIG_SET_STRING, \"{key}\", \"{value}\")", self.fstype),
            || rustix::mount::fsconfig_set_string(&self.fd, key, value),
        )
    }

    /// Sets the option `key`, which has no value. fsconfig(2), `FSCONFIG_SET_FLAG`.
    ///
    /// # Errors
    /// `EINVAL` for an option that the file system does not know.
    pub fn set_flag(&self, key: &str) -> Result<()> {
        self.config(
            || format!("fsconfig({}, FSCONFIG_SET_FLAG, \"{key}\")", self.fstype),
            || rustix::mount::fsconfig_set_flag(&self.fd, key),
        )
    }

    /// Creates the file system and a mount of it that is attached nowhere yet.
    ///
    /// # Errors
    /// What the file system itself finds wrong with its options, in its words where it gave any.
    /// fsconfig(2), `FSCONFIG_CMD_CREATE`; fsmount(2).
    pub fn fsmount(self, attributes: MountAttrFlags) -> Result<OwnedFd> {
        self.config(
            || format!("fsconfig({}, FSCONFIG_CMD_CREATE)", self.fstype),
            || rustix::mount::fsconfig_create(&self.fd),
        )?;
        call(
            || format!("fsmount({}, {})", self.fstype, flags::names(&attributes)),
            || rustix::mount::fsmount(&self.fd, FsMountFlags::FSMOUNT_CLOEXEC, attributes),
        )
    }

    fn config(&self, name: impl Fn() -> String, make: impl FnMut() -> rustix::io::Result<()>) -> Result<()> {
        call(&name, make).map_err(|error| match self.complaint() {
            Some(text) => Error::new(format!("{} ({text})", name()), error.errno()),
            None => error,
        })
    }

    /// The file system's own words about what went wrong: one message a read(2), such as
    /// `e overlay: No upper directory`.
    fn complaint(&self) -> Option<String> {
        let mut line = [0; 512];
        let length = nix::unistd::read(&self.fd, &mut line).ok()?;
        let text = String::from_utf8_lossy(&line[..length]);
        Some(text.trim_end().trim_start_matches(['e', 'w', 'i']).trim_start().to_owned())
    }
}

/// Opens the mount at `path`; with `OPEN_TREE_CLONE`, a copy of it that is attached nowhere.
///
/// # Errors
/// `ENOENT`, `EPERM` without `CAP_SYS_ADMIN`, `EINVAL` for a mount that may not be cloned. open_tree(2).
pub fn open_tree(path: &Path, how: OpenTreeFlags) -> Result<OwnedFd> {
    call(
        || format!("open_tree(\"{}\", {})", path.display(), flags::names(&how)),
        || rustix::mount::open_tree(rustix::fs::CWD, path, how | OpenTreeFlags::OPEN_TREE_CLOEXEC),
    )
}

/// Attaches the detached mount `from` on `target`, a path seen from this process's root. A symbolic link at the
/// end of it is not followed: it is what the mount covers.
///
/// # Errors
/// `ENOENT` or `ENOTDIR` for the target, `EINVAL` when `from` is attached elsewhere. move_mount(2).
pub fn move_mount(from: BorrowedFd<'_>, target: &Path) -> Result<()> {
    call(
        || format!("move_mount(fd, \"{}\")", target.display()),
        || {
            rustix::mount::move_mount(
                from,
                "",
                rustix::fs::CWD,
                target,
                MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
            )
        },
    )
}

/// What mount_setattr(2) changes of a mount.
#[derive(Debug, Clone, Copy, Default)]
pub struct MountAttr {
    /// Attributes to turn on.
    pub set: u64,
    /// Attributes to turn off.
    pub clear: u64,
    /// `MS_PRIVATE` and its relatives, or 0 to leave propagation as it is.
    pub propagation: u64,
    /// Also every mount below this one (`AT_RECURSIVE`).
    pub recursive: bool,
}

/// The attribute that makes a mount read-only, `MOUNT_ATTR_RDONLY`.
pub const RDONLY: u64 = libc::MOUNT_ATTR_RDONLY;

/// Changes attributes of the mount that `mount` is opened on, and of those below it where asked.
///
/// # Errors
/// `EPERM` for an attribute that is locked in this user namespace, `EINVAL`, `ENOSYS` before Linux 5.12.
pub fn mount_setattr(mount: impl AsFd, change: MountAttr) -> Result<()> {
    let attr = libc::mount_attr {
        attr_set: change.set,
        attr_clr: change.clear,
        propagation: change.propagation,
        userns_fd: 0,
    };
    let recursive = if change.recursive { libc::AT_RECURSIVE } else { 0 };
    let make = || {
        // SAFETY: the path is a NUL-terminated literal, `attr` is valid for reads of the size given, and
        // the descriptor is borrowed for the whole call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_mount_setattr,
                mount.as_fd().as_raw_fd(),
                c"".as_ptr(),
                libc::AT_EMPTY_PATH | recursive,
                &raw const attr,
                size_of::<libc::mount_attr>(),
            )
        };
        Errno::result(result).map(drop)
    };
    call(|| format!("mount_setattr(fd, set {:#x}, clear {:#x})", change.set, change.clear), make)
}
