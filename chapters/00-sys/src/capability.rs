//! What root may do, bit by bit: capabilities(7), capget(2), capset(2).

use nix::errno::Errno;
use nix::libc;
pub use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::call::{Result, call};

/// The three sets of this process that capset(2) knows.
///
/// # Errors
/// None in practice. capget(2).
pub fn capget() -> Result<CapabilitySets> {
    call(|| "capget()".to_owned(), || rustix::thread::capabilities(None))
}

/// Sets the three sets of this process.
///
/// # Errors
/// `EPERM` for a capability that is not permitted now. capset(2).
pub fn capset(sets: CapabilitySets) -> Result<()> {
    call(
        || format!("capset(permitted {:#x})", sets.permitted.bits()),
        || rustix::thread::set_capabilities(None, sets),
    )
}

/// Takes capability `number` out of the bounding set: no program that this process runs can gain it again.
///
/// # Errors
/// `EPERM` without `CAP_SETPCAP`, `EINVAL` for a number that this kernel does not know. prctl(2).
pub fn drop_bounding(number: u32) -> Result<()> {
    prctl("PR_CAPBSET_DROP", libc::PR_CAPBSET_DROP, number.into(), 0)
}

/// Whether capability `number` is in the bounding set.
///
/// # Errors
/// `EINVAL` for a number that this kernel does not know: the way to find its last capability. prctl(2).
pub fn in_bounding(number: u32) -> Result<bool> {
    let present = || {
        // SAFETY: PR_CAPBSET_READ takes a number and no pointer.
        Errno::result(unsafe { libc::prctl(libc::PR_CAPBSET_READ, libc::c_ulong::from(number), 0, 0, 0) })
    };
    Ok(call(|| format!("prctl(PR_CAPBSET_READ, {number})"), present)? == 1)
}

/// Adds capability `number` to the ambient set, which survives an execve(2) by a user who is not root.
///
/// # Errors
/// `EPERM` when it is not both permitted and inheritable. prctl(2), Linux 4.3.
pub fn raise_ambient(number: u32) -> Result<()> {
    prctl("PR_CAP_AMBIENT", libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong, number.into())
}

/// Empties the ambient set.
///
/// # Errors
/// None in practice. prctl(2).
pub fn clear_ambient() -> Result<()> {
    prctl("PR_CAP_AMBIENT", libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong, 0)
}

fn prctl(name: &str, option: libc::c_int, first: libc::c_ulong, second: libc::c_ulong) -> Result<()> {
    call(
        || format!("prctl({name}, {first}, {second})"),
        || {
            // SAFETY: the options used here take numbers and no pointer.
            Errno::result(unsafe { libc::prctl(option, first, second, 0, 0) }).map(drop)
        },
    )
}
