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
    // ANCHOR: terminal
    let (master, terminal) = tty::open_pty(Path::new("/dev/ptmx"))?;
    // Before the program can ask.
    size.map_or(Ok(()), |size| tty::set_window_size(&master, size))?;
    file::chown(&terminal, uid, tty_group(&terminal)?)?;
    if first {
        show_as_console(terminal.as_fd())?;
    }
    channel::console(channel, master.as_fd())?;
    tty::control(&terminal)?;
    ipc::become_stdio(&terminal, true, true, true)
    // ANCHOR_END: terminal
}

/// devpts gave the terminal its group by its mount options; only the owner changes.
fn tty_group(terminal: impl std::os::fd::AsFd) -> Result<u32> {
    Ok(file::statat(terminal, Path::new(""))?.st_gid)
}

fn show_as_console(terminal: BorrowedFd<'_>) -> Result<()> {
    // ANCHOR: console
    let path = Path::new("/dev/console");
    std::fs::File::create(path).map_err(|error| Error::from_io("creat(\"/dev/console\")", &error))?;
    let source = format!("/proc/self/fd/{}", terminal.as_raw_fd());
    mount::mount(&source, path, "", MsFlags::MS_BIND, "")
    // ANCHOR_END: console
}
