//! The container's terminal: a pty whose far side the monitor holds.
//!
//! It is made inside, at the container's own devpts, so that the name of the terminal (`/dev/pts/0`) means
//! the same inside and the host's terminals stay out of reach. pty(7), OCI runtime spec "terminal"; book ch. 7.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::path::Path;

use mini_sys::mount::{self, MsFlags};
use mini_sys::tty::WindowSize;
use mini_sys::{Error, Result, file, ipc, tty};

use crate::channel;

/// Makes the terminal, sends its far side over `channel`, and makes the near side this session's
/// controlling terminal, its standard streams and, of a container's `first` process, `/dev/console`.
pub(crate) fn open(uid: u32, size: Option<WindowSize>, first: bool, channel: BorrowedFd<'_>) -> Result<()> {
    todo!("terminal: both ends; the far one to the monitor, the near one to the program")
}

/// devpts gave the terminal its group by its mount options; only the owner changes.
fn tty_group(terminal: impl std::os::fd::AsFd) -> Result<u32> {
    Ok(file::statat(terminal, Path::new(""))?.st_gid)
}

fn show_as_console(terminal: BorrowedFd<'_>) -> Result<()> {
    todo!("console: show the terminal under another name")
}
