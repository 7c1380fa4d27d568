//! A filter of system calls: a program that the kernel runs before each of them. seccomp(2).
//!
//! The program is classic BPF, as packet filters are; writing it is the caller's business. Once loaded it stays for the
//! life of the process, and those that the process makes have it too.

use nix::errno::Errno;
use nix::libc;

use crate::call::{Error, Result, call};

/// One instruction of a filter, as the kernel takes it: `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// The operation: class, size and mode.
    pub code: u16,
    /// How many instructions to pass over when a comparison holds.
    pub if_true: u8,
    /// And when it does not.
    pub if_false: u8,
    /// The number to work with.
    pub operand: u32,
}

bitflags::bitflags! {
    /// How a filter is loaded. seccomp(2), `SECCOMP_SET_MODE_FILTER`.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub struct FilterFlags: u64 {
        /// What the filter does not plainly allow is logged.
        const SECCOMP_FILTER_FLAG_LOG = 1 << 1;
        /// The guard against speculative store bypass stays off.
        const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1 << 2;
    }
}

/// Loads `program` for this process and all that it makes from now on.
///
/// # Errors
/// `EACCES` without `PR_SET_NO_NEW_PRIVS` and without `CAP_SYS_ADMIN`, `EINVAL` for a program that is none or a flag
/// that this kernel does not know, `ENOMEM` when all filters together are too long. seccomp(2).
pub fn set_mode_filter(program: &[Instruction], flags: FilterFlags) -> Result<()> {
    let name = || format!("seccomp(SECCOMP_SET_MODE_FILTER, {} instructions)", program.len());
    let length = u16::try_from(program.len()).map_err(|_| Error::new(name(), Errno::E2BIG))?;
    let list = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    let make = || {
        // SAFETY: `list` and the instructions it points to are valid for the whole call, and only read;
        // `Instruction` has the layout of `sock_filter`.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER as libc::c_ulong,
                flags.bits() as libc::c_ulong,
                &raw const list,
            )
        };
        Errno::result(result).map(drop)
    };
    call(name, make)
}
