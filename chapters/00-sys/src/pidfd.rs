//! Processes by descriptor: pidfd_open(2), pidfd_send_signal(2), and waiting for one.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus};
use nix::unistd::Pid;

use crate::call::{Result, call};

/// A descriptor for the process that `pid` means now.
///
/// # Errors
/// `ESRCH` when there is none. pidfd_open(2), Linux 5.3.
pub fn pidfd_open(pid: Pid) -> Result<OwnedFd> {
    let name = || format!("pidfd_open({pid})");
    let Some(id) = rustix::process::Pid::from_raw(pid.as_raw()) else {
        return Err(crate::Error::new(name(), Errno::ESRCH));
    };
    call(name, || rustix::process::pidfd_open(id, rustix::process::PidfdFlags::empty()))
}

/// Sends `signal` to the process that `pidfd` stands for.
///
/// # Errors
/// `ESRCH` when it has ended, `EPERM` when it is another user's. pidfd_send_signal(2), Linux 5.1.
pub fn pidfd_send_signal(pidfd: impl AsFd, signal: Signal) -> Result<()> {
    pidfd_send_number(pidfd, signal as i32)
}

/// As [`pidfd_send_signal`], for the numbers without a name too: real-time signals, and 0, which only asks
/// whether the process is there.
///
/// # Errors
/// As [`pidfd_send_signal`]; `EINVAL` for a number that is no signal.
pub fn pidfd_send_number(pidfd: impl AsFd, signal: i32) -> Result<()> {
    call(
        || format!("pidfd_send_signal(pidfd, {signal})"),
        || {
            // SAFETY: no pointer is passed but NULL, which asks for the default siginfo_t.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_pidfd_send_signal,
                    pidfd.as_fd().as_raw_fd(),
                    signal,
                    std::ptr::null::<libc::siginfo_t>(),
                    0,
                )
            };
            Errno::result(result).map(drop)
        },
    )
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It called exit with this status, 0 to 255.
    Code(i32),
    /// A signal of this number ended it.
    Signal(i32),
}

impl Exit {
    /// The status as a shell tells it: the code, or 128 and the signal's number.
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => 128 + number,
        }
    }
}

/// Waits until the child that `pidfd` stands for has ended, and takes its status away from the kernel.
///
/// # Errors
/// `ECHILD` when it is not a child of this process. waitid(2), `P_PIDFD`, Linux 5.4.
pub fn wait(pidfd: impl AsFd) -> Result<Exit> {
    loop {
        let status = call(
            || "waitid(P_PIDFD)".to_owned(),
            || nix::sys::wait::waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED),
        )?;
        if let Some(exit) = ended(status) {
            return Ok(exit);
        }
    }
}

/// The end that `status` tells of, if it tells of one.
pub(crate) fn ended(status: WaitStatus) -> Option<Exit> {
    match status {
        WaitStatus::Exited(_, code) => Some(Exit::Code(code)),
        WaitStatus::Signaled(_, signal, _) => Some(Exit::Signal(signal as i32)),
        _ => None,
    }
}

/// Takes the status of any child that has ended, without waiting: the pid and how it ended, or none.
///
/// # Errors
/// `ECHILD` when there are no children at all. waitpid(2), `WNOHANG`.
pub fn reap_any() -> Result<Option<(Pid, Exit)>> {
    loop {
        let status = call(
            || "waitpid(-1, WNOHANG)".to_owned(),
            || nix::sys::wait::waitpid(None, Some(WaitPidFlag::WNOHANG)),
        )?;
        match (status.pid(), ended(status)) {
            (None, _) => return Ok(None),
            (Some(pid), Some(exit)) => return Ok(Some((pid, exit))),
            (Some(_), None) => {}
        }
    }
}
