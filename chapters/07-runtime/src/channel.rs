//! What parent and new process say to each other, over one socket that closes on exec.
//!
//! The parent says one word, "go". The new process says which step it has done, which one failed and why, and
//! hands over the terminal it made. When execve(2) succeeds the socket closes by itself: silence is success.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::{Errno, Error, Pid, Result};

/// What the new process says.
#[derive(Debug)]
pub(crate) enum Report {
    /// The step of this number inside took so long.
    Done(usize, Duration),
    /// The step of this number inside failed.
    Failed(usize, Error),
    /// The side of the container's terminal that the monitor holds.
    Console(OwnedFd),
    /// It waits for the parent to do its part in the middle.
    Asked,
    /// The channel is closed: the program runs.
    Running,
}

const DONE: u8 = b'd';
const FAILED: u8 = b'f';
const CONSOLE: u8 = b'c';
const ASKED: u8 = b'a';

/// Tells that step `index` is done.
pub(crate) fn done(channel: BorrowedFd<'_>, index: usize, took: Duration) -> Result<()> {
    let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    ipc::send(channel, &[&[DONE], &(index as u32).to_le_bytes(), &nanoseconds.to_le_bytes()], true)
}

/// Tells that step `index` failed.
pub(crate) fn failed(channel: BorrowedFd<'_>, index: usize, error: &Error) -> Result<()> {
    // ANCHOR: failed
    let errno = error.errno() as i32;
    ipc::send(
        channel,
        &[&[FAILED], &(index as u32).to_le_bytes(), &errno.to_le_bytes(), error.call().as_bytes()],
        true,
    )
    // ANCHOR_END: failed
}

/// Hands over a terminal.
pub(crate) fn console(channel: BorrowedFd<'_>, master: BorrowedFd<'_>) -> Result<()> {
    ipc::send_fd(channel, &[CONSOLE], master)
}

/// Asks the parent to do its part in the middle.
pub(crate) fn ask(channel: BorrowedFd<'_>) -> Result<()> {
    ipc::send(channel, &[&[ASKED]], true)
}

/// Lets the new process go on, and tells it its number on the host.
pub(crate) fn go(channel: impl AsFd, pid: Pid) -> Result<()> {
    ipc::send(channel, &[b"g", &pid.as_raw().to_le_bytes()], true)
}

/// Waits for [`go`]: the number.
pub(crate) fn await_go(channel: BorrowedFd<'_>) -> Result<Pid> {
    let mut word = [0; 5];
    match ipc::receive(channel, &mut word)? {
        (5, _) => Ok(Pid::from_raw(i32::from_le_bytes([word[1], word[2], word[3], word[4]]))),
        _ => Err(gone()),
    }
}

/// Fails when the parent has died: a request to die with it that comes after its death has no effect.
pub(crate) fn parent_is_there(channel: BorrowedFd<'_>) -> Result<()> {
    let mut fds = [PollFd::new(channel, PollFlags::empty())];
    ipc::poll(&mut fds, Some(Duration::ZERO))?;
    let hung_up = fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP));
    if hung_up { Err(gone()) } else { Ok(()) }
}

fn gone() -> Error {
    Error::new("wait for the monitor", Errno::ESRCH)
}

/// Waits for the next report.
///
/// # Errors
/// Those of recvmsg(2), and `EPROTO` for a message that no step sends.
pub(crate) fn next(channel: impl AsFd) -> Result<Report> {
    let mut message = [0; 4096];
    let (length, fd) = ipc::receive(channel, &mut message)?;
    parse(&message[..length], fd).ok_or_else(|| Error::new("read the container's report", Errno::EPROTO))
}

fn parse(message: &[u8], fd: Option<OwnedFd>) -> Option<Report> {
    let Some((kind, rest)) = message.split_first() else { return Some(Report::Running) };
    match *kind {
        CONSOLE => return fd.map(Report::Console),
        ASKED => return Some(Report::Asked),
        _ => {}
    }
    let (index, rest) = rest.split_first_chunk::<4>()?;
    let index = u32::from_le_bytes(*index) as usize;
    match *kind {
        DONE => Some(Report::Done(index, Duration::from_nanos(u64::from_le_bytes(rest.try_into().ok()?)))),
        FAILED => {
            let (errno, call) = rest.split_first_chunk::<4>()?;
            let errno = Errno::from_raw(i32::from_le_bytes(*errno));
            Some(Report::Failed(index, Error::new(String::from_utf8_lossy(call), errno)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives() {
        let (here, there) = ipc::socketpair().unwrap();
        failed(here.as_fd(), 7, &Error::new("mount(x)", Errno::EPERM)).unwrap();
        done(here.as_fd(), 8, Duration::from_micros(3)).unwrap();
        drop(here);
        let report = next(&there).unwrap();
        assert!(matches!(report, Report::Failed(7, error) if error == Error::new("mount(x)", Errno::EPERM)));
        assert!(matches!(next(&there).unwrap(), Report::Done(8, took) if took == Duration::from_micros(3)));
        assert!(matches!(next(&there).unwrap(), Report::Running));
    }
}
