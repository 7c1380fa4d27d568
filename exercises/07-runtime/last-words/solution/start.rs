//! Starts a program in a directory of its own, with a limit on open files, and says why where it cannot.

use std::ffi::CString;
use std::path::PathBuf;

use mini_sys::clone::{ABANDONED, Child, fork, leave};
use mini_sys::process::{self, Resource};
use mini_sys::{Errno, Error, Result, ipc, pidfd};

/// What is to be started.
#[derive(Debug, Clone)]
pub struct Order {
    /// Step 1: where it works.
    pub directory: PathBuf,
    /// Step 2: how many files it may have open, now and at most.
    pub files: (u64, u64),
    /// Step 3: the program's file.
    pub program: CString,
}

/// A step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Its number.
    pub step: u8,
    /// The kernel's answer.
    pub errno: Errno,
}

/// Starts a program. Returns as soon as it is certain that it runs, however long it will, or that it does not.
///
/// When a step fails, nothing is left: no process, and none that has ended and that nobody has waited for.
///
/// # Errors
/// When there is no process to be had at all.
pub fn start(order: &Order) -> Result<std::result::Result<Child, Failure>> {
    // ANCHOR: start
    let (here, there) = ipc::pipe()?;
    let child = fork(|| {
        let Failure { step, errno } = perform(order);
        let [a, b, c, d] = (errno as i32).to_le_bytes();
        // If nobody listens, there is nobody to tell.
        let _ = ipc::write(&there, &[step, a, b, c, d]);
        leave(ABANDONED)
    })?;
    // The end of it is to be seen here when the last copy closes, so this must not be one.
    drop(there);
    let mut word = [0; 5];
    if ipc::read(&here, &mut word)? == 0 {
        return Ok(Ok(child));
    }
    pidfd::wait(&child.pidfd)?;
    let [step, a, b, c, d] = word;
    Ok(Err(Failure { step, errno: Errno::from_raw(i32::from_le_bytes([a, b, c, d])) }))
    // ANCHOR_END: start
}

/// Turns the calling process into the program, step by step. Whoever comes back from here has failed.
fn perform(order: &Order) -> Failure {
    let failed = |step, error: Error| Failure { step, errno: error.errno() };
    if let Err(error) = process::chdir(&order.directory) {
        return failed(1, error);
    }
    if let Err(error) = process::setrlimit(Resource::RLIMIT_NOFILE, order.files.0, order.files.1) {
        return failed(2, error);
    }
    match process::execve(&order.program, std::slice::from_ref(&order.program), &[]) {
        Ok(never) => match never {},
        Err(error) => failed(3, error),
    }
}
