//! Processes by descriptor: pidfd_open(2), pidfd_send_signal(2), and waiting for one.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
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

/// The number that the process has which `pidfd` stands for, while it is there; by the time it is used the process may
/// have ended, and another may have it.
///
/// # Errors
/// `ESRCH` when it has ended. proc(5), `/proc/self/fdinfo`, Linux 5.4.
pub fn pid_of(pidfd: impl AsFd) -> Result<Pid> {
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_fd().as_raw_fd());
    let text = crate::file::read_text(std::path::Path::new(&path))?;
    let number = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    let number = number.filter(|number| *number > 0);
    number.map(Pid::from_raw).ok_or_else(|| crate::Error::new(format!("read {path}"), Errno::ESRCH))
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
    todo!("wait for the child that `pidfd` stands for")
}

/// Takes the status of any child that has ended, without waiting: the pid and how it ended, or none.
///
/// # Errors
/// `ECHILD` when there are no children at all. waitpid(2), `WNOHANG`.
pub fn reap_any() -> Result<Option<(Pid, Exit)>> {
    let reap = || {
        let mut status = 0;
        // SAFETY: `status` is valid for writes of an int during the call.
        let pid = Errno::result(unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) })?;
        // Without WUNTRACED and WCONTINUED a status that comes is that of an end.
        let exit = if libc::WIFEXITED(status) {
            Exit::Code(libc::WEXITSTATUS(status))
        } else {
            Exit::Signal(libc::WTERMSIG(status))
        };
        Ok::<_, Errno>((pid != 0).then(|| (Pid::from_raw(pid), exit)))
    };
    call(|| "waitpid(-1, WNOHANG)".to_owned(), reap)
}
