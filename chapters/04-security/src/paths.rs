//! The parts of `/proc` and `/sys` that stay the host's, hidden or made read-only.
//!
//! No namespace covers `/proc/kcore` or `/proc/sysrq-trigger`: what one container reads or writes there is
//! the machine's. A masked file shows `/dev/null`, a masked directory an empty one; a read-only path is bound
//! on itself and then remounted. It comes after the mounts it covers, and before the capability to mount is
//! gone. OCI runtime spec "Masked Paths", "Readonly Paths"; book ch. 4.

use std::fs;
use std::path::{Path, PathBuf};

use mini_sys::mount::{self, MsFlags};
use mini_sys::{Errno, Result};

/// What Docker masks.
pub const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// What Docker makes read-only.
pub const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// One path to cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Hides it.
    Mask(PathBuf),
    /// Makes it read-only.
    ReadOnly(PathBuf),
}

impl Step {
    /// The system call, as strace(1) would show it. What covers a path depends on what it is.
    pub fn call(&self) -> String {
        match self {
            Self::Mask(path) => format!("mount(\"/dev/null\" or an empty tmpfs, \"{}\")", path.display()),
            Self::ReadOnly(path) => mount::describe(&path.to_string_lossy(), path, "", remount(), ""),
        }
    }

    /// Why it is done.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Mask(_) => "it tells about the host",
            Self::ReadOnly(_) => "it changes the host",
        }
    }

    /// Does it; a path that is not there needs nothing.
    ///
    /// # Errors
    /// Those of mount(2).
    pub fn perform(&self) -> Result<()> {
        match self {
            Self::Mask(path) => mask(path),
            Self::ReadOnly(path) => read_only(path),
        }
    }
}

fn mask(path: &Path) -> Result<()> {
    // Look first: a bind mount that fails costs the kernel a grace period of many milliseconds.
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if metadata.is_dir() {
        mount::mount("tmpfs", path, "tmpfs", MsFlags::MS_RDONLY, "")
    } else {
        mount::mount("/dev/null", path, "", MsFlags::MS_BIND, "")
    }
}

fn read_only(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    mount::mount(&path.to_string_lossy(), path, "", MsFlags::MS_BIND | MsFlags::MS_REC, "")?;
    match mount::mount("", path, "", remount(), "") {
        // In a user namespace a mount keeps the flags it came with; asking for fewer is refused.
        Err(error) if error.errno() == Errno::EPERM => {
            mount::mount("", path, "", remount() | MsFlags::MS_RELATIME, "")
        }
        other => other,
    }
}

/// A remount sets all flags anew, so those that `/proc` was mounted with are named again.
fn remount() -> MsFlags {
    MsFlags::MS_BIND
        | MsFlags::MS_REMOUNT
        | MsFlags::MS_RDONLY
        | MsFlags::MS_NOSUID
        | MsFlags::MS_NODEV
        | MsFlags::MS_NOEXEC
}
