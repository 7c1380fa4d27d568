//! Making a process: fork(2) without surprises, and clone3(2) with namespaces and a cgroup.
//!
//! Both run a closure in the child and never return there: the child ends in `execve` or `_exit`, also when
//! the closure panics, so no code of the parent ever runs twice. Neither may be called while other threads
//! exist, because the child would inherit locks that nobody will ever unlock.

use std::convert::Infallible;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::libc;
pub use nix::sched::CloneFlags;
use nix::unistd::Pid;

use crate::call::{Error, Result};
use crate::flags;

/// Bit 33: libc has it as an int, which is too narrow.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// The exit status of a child whose closure panicked or returned.
pub const ABANDONED: i32 = 125;

/// A child process and the descriptor that stands for it.
#[derive(Debug)]
pub struct Child {
    /// The number that this process is known by in the caller's pid namespace.
    pub pid: Pid,
    /// Becomes readable when the process ends (`CLONE_PIDFD`).
    pub pidfd: OwnedFd,
}

/// Runs `child` in a new process that shares nothing but open files with this one.
///
/// # Errors
/// `EAGAIN` at a limit on processes, `ENOMEM`.
pub fn fork(child: impl FnOnce() -> Infallible) -> Result<Child> {
    clone3(CloneFlags::empty(), None, child)
}

/// Runs `child` in a new process, in the new namespaces that `namespaces` asks for and, from its first
/// instruction on, in the cgroup (v2) whose directory is `into_cgroup`.
///
/// # Errors
/// `EPERM` without the capability for a namespace, `EINVAL` for flags that exclude each other, `EBUSY` and
/// `EOPNOTSUPP` from the cgroup, `ENOSPC` at a limit on namespaces, `EAGAIN` at a limit on processes,
/// `ENOSYS` before Linux 5.3 or where a sandbox forbids the call. clone(2).
pub fn clone3(
    namespaces: CloneFlags,
    into_cgroup: Option<BorrowedFd<'_>>,
    child: impl FnOnce() -> Infallible,
) -> Result<Child> {
    let mut pidfd: libc::c_int = -1;
    let mut bits = namespaces.bits() as u64 | libc::CLONE_PIDFD as u64;
    let mut cgroup = 0;
    if let Some(directory) = into_cgroup {
        bits |= CLONE_INTO_CGROUP;
        cgroup = directory.as_raw_fd() as u64;
    }
    let args = libc::clone_args {
        flags: bits,
        pidfd: &raw mut pidfd as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup,
    };
    // SAFETY: `args` is valid for reads of its whole size during the call and `args.pidfd` points to
    // `pidfd`, which is ours. No stack is given and CLONE_VM is not set, so the child goes on with a copy of
    // this stack, as after fork(2). It runs `child` and leaves without returning to our caller.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>()) };
    match pid {
        -1 => {
            let into = if into_cgroup.is_some() { "|CLONE_INTO_CGROUP" } else { "" };
            Err(Error::new(format!("clone3 {}{into}", flags::names(&namespaces)), Errno::last()))
        }
        0 => match child() {},
        pid => {
            // SAFETY: the call succeeded with CLONE_PIDFD, so the kernel opened `pidfd` for us alone.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Child { pid: Pid::from_raw(pid as libc::pid_t), pidfd })
        }
    }
}

/// Ends this process at once: no destructor and no exit handler runs, which in a cloned child belong to the
/// parent. _exit(2).
pub fn leave(status: i32) -> ! {
    // SAFETY: takes no pointer and does not return.
    unsafe { libc::_exit(status) }
}

/// Descriptors that a new process keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep(Vec<u32>);

impl Keep {
    /// Those of `fds`, as they are numbered now.
    pub fn these<'a>(fds: impl IntoIterator<Item = BorrowedFd<'a>>) -> Self {
        let mut numbers: Vec<u32> = fds.into_iter().map(|fd| fd.as_raw_fd() as u32).collect();
        numbers.sort_unstable();
        Self(numbers)
    }

    /// Those of these numbers too.
    pub fn and(mut self, numbers: impl IntoIterator<Item = u32>) -> Self {
        self.0.extend(numbers);
        self.0.sort_unstable();
        self.0.dedup();
        self
    }
}

/// As [`clone3`], and closes in the child every descriptor but the standard streams and those of `keep`.
///
/// A new process inherits every open file, also the caller's directories; a process that is to be kept inside of
/// something must not hold a way out of it, not even until execve(2) (CVE-2024-21626). Descriptors that `child`
/// captures and `keep` does not name are closed when it runs.
///
/// # Errors
/// As [`clone3`].
pub fn clone3_keeping(
    namespaces: CloneFlags,
    into_cgroup: Option<BorrowedFd<'_>>,
    keep: &Keep,
    child: impl FnOnce() -> Infallible,
) -> Result<Child> {
    clone3(namespaces, into_cgroup, || {
        if close_all_but(&keep.0).is_err() {
            leave(ABANDONED);
        }
        child()
    })
}

/// Closes what lies between the numbers, which are in order, and what lies behind the last.
fn close_all_but(numbers: &[u32]) -> Result<()> {
    let mut first = 3;
    for &number in numbers.iter().filter(|number| **number >= 3) {
        if first < number {
            crate::file::close_range(first, number - 1)?;
        }
        first = number + 1;
    }
    crate::file::close_range(first, u32::MAX)
}

/// Runs `child` in a new process that shares nothing with the caller but the socket: a session of its own, the
/// root as working directory, `/dev/null` as standard streams, and no other descriptor, so that no pipe or
/// terminal of the caller stays open for its sake. daemon(3) does the same, and forks twice.
///
/// Descriptors that `child` captures are closed when it runs; it must open its own.
///
/// # Errors
/// As [`fork`].
pub fn fork_apart(socket: OwnedFd, child: impl FnOnce(OwnedFd) -> Infallible) -> Result<Child> {
    let number = socket.as_raw_fd() as u32;
    fork(move || {
        if detach(number).is_err() {
            leave(ABANDONED);
        }
        child(socket)
    })
}

fn detach(keep: u32) -> Result<()> {
    // What the caller waits for with descriptors of its own is not this process's to wait for.
    crate::signal::unblock_all()?;
    crate::process::setsid()?;
    crate::process::chdir(std::path::Path::new("/"))?;
    let null = crate::file::open_null()?;
    crate::ipc::become_stdio(&null, true, true, true)?;
    drop(null);
    close_all_but(&[keep])
}
