//! How the schedulers of processors and of disks treat a process, and which kernel it believes to run on.

use nix::errno::Errno;
use nix::libc;

use crate::call::{Result, call};

/// What the scheduler of processors knows of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedAttr {
    /// `SCHED_*`.
    pub policy: u32,
    /// `SCHED_FLAG_*`.
    pub flags: u64,
    /// From -20 to 19, for the policies that share.
    pub nice: i32,
    /// From 1 to 99, for those of real time.
    pub priority: u32,
    /// Nanoseconds of work in a period, for `SCHED_DEADLINE`.
    pub runtime: u64,
    /// Nanoseconds until it must be done.
    pub deadline: u64,
    /// Nanoseconds of a period.
    pub period: u64,
}

/// `struct sched_attr`, as far as Linux 3.14 had it; the kernel goes by its size.
#[repr(C)]
struct Sized {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Has this process scheduled so, and those that it makes from now on.
///
/// # Errors
/// `EPERM` without `CAP_SYS_NICE` for what is more than others get, `EINVAL` for values that the policy does not have.
/// sched_setattr(2).
pub fn sched_setattr(attributes: &SchedAttr) -> Result<()> {
    let SchedAttr { policy, flags, nice, priority, runtime, deadline, period } = *attributes;
    let size = size_of::<Sized>() as u32;
    let sized = Sized { size, policy, flags, nice, priority, runtime, deadline, period };
    call(
        || format!("sched_setattr({attributes:?})"),
        || {
            // SAFETY: `sized` is valid for reads of the size that it names; 0 is this process, and no flags.
            let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const sized, 0) };
            Errno::result(result).map(drop)
        },
    )
}

/// Has this process's requests to disks served in this class (1 before all others, 2 as they come, 3 when nobody else
/// has any), and at this level, 0 to 7, within it.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN` for class 1, `EINVAL`. ioprio_set(2).
pub fn ioprio_set(class: u8, level: u8) -> Result<()> {
    const IOPRIO_WHO_PROCESS: libc::c_int = 1;
    let value = libc::c_int::from(class) << 13 | libc::c_int::from(level);
    call(
        || format!("ioprio_set(IOPRIO_WHO_PROCESS, 0, {class}<<13|{level})"),
        || {
            // SAFETY: three numbers, no memory.
            Errno::result(unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) })
                .map(drop)
        },
    )
}

/// Has the kernel behave towards this process as another one would: 0 is Linux, 8 is Linux of 32 bits, which uname(2)
/// then tells.
///
/// # Errors
/// `EINVAL` for one that the kernel does not know. personality(2).
pub fn personality(persona: u32) -> Result<()> {
    call(
        || format!("personality({persona:#x})"),
        || {
            // SAFETY: a number, no memory.
            Errno::result(unsafe { libc::personality(persona.into()) }).map(drop)
        },
    )
}
