//! Out of the jail through a process that comes in, and how to come in unseen.

use std::fs;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Reads the file `keys/<name>` of the engine.
///
/// This runs inside, as root of the container, with root's powers but for CAP_SYS_PTRACE, and has nothing open but its
/// streams. Within some seconds an engine's `exec` joins the container, and stays a moment before it becomes a program. It
/// has a directory of the host open, `state`, which stands beside `keys`.
///
/// # Errors
/// When nobody has come who had it, in five seconds.
pub fn read_key(name: &str) -> io::Result<String> {
    todo!("read_key: somebody comes in, and has something open")
}

/// Sees to it that no process of the container can look into this one.
///
/// This runs in the engine's `exec`, in the process that joins the container's namespaces next. It needs what it has open
/// until it becomes a program, so nothing may be closed here.
///
/// # Errors
/// Those of the calls it makes.
pub fn hide() -> mini_sys::Result<()> {
    todo!("hide: nobody in there may look into this process")
}
