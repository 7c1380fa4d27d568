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
    todo!("start: make the process, perform there, and hear how it went")
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
