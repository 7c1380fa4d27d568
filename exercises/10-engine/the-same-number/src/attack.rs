//! How a number comes to mean another process, while somebody relies on it.

use std::fs;
use std::io;
use std::process::{Child, Command};

/// Starts `sleep 1000` as the process `pid`, a number that nobody has at the moment.
///
/// This runs as root of a pid namespace of its own, with its own `/proc`.
///
/// # Errors
/// When the number cannot be had.
pub fn take(pid: u32) -> io::Result<Child> {
    todo!("take: a process with just this number")
}

/// An engine has looked at `known`, has found that it is the process that it remembers, and sends it a signal next. This runs
/// in between: afterwards the number of `known` is another process's, which is returned.
///
/// # Errors
/// When the number cannot be had.
pub fn in_the_gap(mut known: Child) -> io::Result<Child> {
    todo!("in-the-gap: what was looked at is there no more")
}
