//! Terminals: a pseudo-terminal of our own, window sizes, raw mode. pty(7), ioctl_tty(2), termios(3).

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::sys::termios::{self, LocalFlags, SetArg, Termios};
use rustix::pty::OpenptFlags;

use crate::call::{Result, call};

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// Opens a new pseudo-terminal at the multiplexer `ptmx` (`/dev/ptmx` of the right devpts): the side that a
/// program sees as its terminal comes second.
///
/// # Errors
/// `ENOENT` without devpts, `ENOSPC` at the limit of terminals. pts(4), `TIOCGPTPEER` of ioctl_tty(2).
pub fn open_pty(ptmx: &Path) -> Result<(OwnedFd, OwnedFd)> {
    use rustix::fs::{Mode, OFlags};
    let master = call(
        || format!("open(\"{}\")", ptmx.display()),
        || rustix::fs::open(ptmx, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()),
    )?;
    call(|| "ioctl(TIOCSPTLCK)".to_owned(), || rustix::pty::unlockpt(&master))?;
    let peer_flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let peer =
        call(|| "ioctl(TIOCGPTPEER)".to_owned(), || rustix::pty::ioctl_tiocgptpeer(&master, peer_flags))?;
    Ok((master, peer))
}

/// Makes `terminal` the controlling terminal of this session's leader. ioctl_tty(2), `TIOCSCTTY`.
///
/// # Errors
/// `EPERM` when this process leads no session or has a terminal.
pub fn control(terminal: impl AsFd) -> Result<()> {
    call(|| "ioctl(TIOCSCTTY)".to_owned(), || rustix::process::ioctl_tiocsctty(terminal.as_fd()))
}

/// Puts this process's group into the foreground of its terminal. tcsetpgrp(3).
///
/// # Errors
/// `ENOTTY` when it is not the terminal of this session.
pub fn take_foreground(terminal: impl AsFd) -> Result<()> {
    let group = nix::unistd::getpgrp();
    call(|| format!("tcsetpgrp({group})"), || nix::unistd::tcsetpgrp(terminal.as_fd(), group))
}

/// Whether `fd` is a terminal. isatty(3).
pub fn is_terminal(fd: impl AsFd) -> bool {
    nix::unistd::isatty(fd.as_fd()).unwrap_or(false)
}

/// The size of a terminal. ioctl_tty(2), `TIOCGWINSZ`.
///
/// # Errors
/// `ENOTTY`.
pub fn window_size(terminal: impl AsFd) -> Result<WindowSize> {
    let size = call(|| "ioctl(TIOCGWINSZ)".to_owned(), || rustix::termios::tcgetwinsize(terminal.as_fd()))?;
    Ok(WindowSize { columns: size.ws_col, rows: size.ws_row })
}

/// Sets the size of a terminal; its foreground programs get SIGWINCH. ioctl_tty(2), `TIOCSWINSZ`.
///
/// # Errors
/// `ENOTTY`.
pub fn set_window_size(terminal: impl AsFd, size: WindowSize) -> Result<()> {
    let new =
        rustix::termios::Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    call(|| "ioctl(TIOCSWINSZ)".to_owned(), || rustix::termios::tcsetwinsize(terminal.as_fd(), new))
}

/// A terminal in raw mode: every key goes through as it is, nothing is echoed. Dropping it brings the
/// terminal back to what it was.
#[derive(Debug)]
pub struct Raw {
    terminal: OwnedFd,
    before: Termios,
}

impl Raw {
    /// Sets `terminal` to raw mode. termios(3), cfmakeraw.
    ///
    /// # Errors
    /// `ENOTTY`; `EMFILE`, because it keeps a descriptor of its own.
    pub fn enter(terminal: impl AsFd) -> Result<Self> {
        let terminal = call(|| "dup()".to_owned(), || nix::unistd::dup(terminal.as_fd()))?;
        let before = call(|| "tcgetattr()".to_owned(), || termios::tcgetattr(&terminal))?;
        let mut raw = before.clone();
        termios::cfmakeraw(&mut raw);
        call(|| "tcsetattr()".to_owned(), || termios::tcsetattr(&terminal, SetArg::TCSANOW, &raw))?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Nobody is left to tell: the terminal may be gone, and that is an end too.
        let _ = termios::tcsetattr(&self.terminal, SetArg::TCSADRAIN, &self.before);
    }
}

/// A terminal that does not show what is typed, line by line as before: for passwords. Dropping it brings the
/// terminal back to what it was.
#[derive(Debug)]
pub struct Hidden {
    terminal: OwnedFd,
    before: Termios,
}

impl Hidden {
    /// Turns off the echo of `terminal`, but for that of the end of a line. What was typed before it is dropped,
    /// because it was shown. termios(3), `ECHO`, `ECHONL`.
    ///
    /// # Errors
    /// `ENOTTY`; `EMFILE`, because it keeps a descriptor of its own.
    pub fn enter(terminal: impl AsFd) -> Result<Self> {
        let terminal = call(|| "dup()".to_owned(), || nix::unistd::dup(terminal.as_fd()))?;
        let before = call(|| "tcgetattr()".to_owned(), || termios::tcgetattr(&terminal))?;
        let mut hidden = before.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        hidden.local_flags.insert(LocalFlags::ECHONL);
        call(|| "tcsetattr()".to_owned(), || termios::tcsetattr(&terminal, SetArg::TCSAFLUSH, &hidden))?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // As with `Raw`: a terminal that is gone needs no settings.
        let _ = termios::tcsetattr(&self.terminal, SetArg::TCSANOW, &self.before);
    }
}
