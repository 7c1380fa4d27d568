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
    // ANCHOR: take
    for _ in 0..100 {
        // The next is the one after the last; another may be faster.
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string())?;
        let mut child = Command::new("sleep").arg("1000").spawn()?;
        if child.id() == pid {
            return Ok(child);
        }
        child.kill()?;
        child.wait()?;
    }
    Err(io::ErrorKind::AlreadyExists.into())
    // ANCHOR_END: take
}

/// An engine has looked at `known`, has found that it is the process that it remembers, and sends it a signal next. This runs
/// in between: afterwards the number of `known` is another process's, which is returned.
///
/// # Errors
/// When the number cannot be had.
pub fn in_the_gap(mut known: Child) -> io::Result<Child> {
    // ANCHOR: in-the-gap
    let pid = known.id();
    known.kill()?;
    // Until somebody has waited for it, it keeps its number.
    known.wait()?;
    take(pid)
    // ANCHOR_END: in-the-gap
}
