//! Channels between related processes: pipe2(2), socketpair(2), descriptors sent over a socket, poll(2).

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
pub use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr,
};

use crate::call::{Error, Result, call};

/// A pipe: the end to read from and the end to write to, both closed on exec. pipe2(2).
///
/// # Errors
/// `EMFILE`, `ENFILE`.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    call(|| "pipe2(O_CLOEXEC)".to_owned(), || nix::unistd::pipe2(OFlag::O_CLOEXEC))
}

/// Two connected sockets that keep messages apart and are closed on exec. socketpair(2), `SOCK_SEQPACKET`.
///
/// # Errors
/// `EMFILE`, `ENFILE`.
pub fn socketpair() -> Result<(OwnedFd, OwnedFd)> {
    call(
        || "socketpair(AF_UNIX, SOCK_SEQPACKET)".to_owned(),
        || {
            nix::sys::socket::socketpair(
                AddressFamily::Unix,
                SockType::SeqPacket,
                None,
                SockFlag::SOCK_CLOEXEC,
            )
        },
    )
}

/// A socket with the name `name` in `directory`, to which others may connect. One that is there already under this
/// name, and that nobody holds any more, is replaced; whoever may enter the
/// directory and write to the socket may connect. bind(2), listen(2), unix(7).
///
/// # Errors
/// Those of open(2), unlink(2) and bind(2).
pub fn listen(directory: &Path, name: &str) -> Result<OwnedFd> {
    call(
        || format!("listen on {}", directory.join(name).display()),
        || {
            let (_held, address) = address(directory, name)?;
            match std::fs::remove_file(directory.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(errno(&error)),
                _ => {}
            }
            let socket = named_socket(SockFlag::SOCK_NONBLOCK)?;
            nix::sys::socket::bind(socket.as_raw_fd(), &address)?;
            nix::sys::socket::listen(&socket, nix::sys::socket::Backlog::new(64)?)?;
            Ok::<_, Errno>(socket)
        },
    )
}

/// The next who wants to connect to a socket made by [`listen`]; none when nobody does now. accept4(2).
///
/// # Errors
/// `EMFILE`, `ENFILE`.
pub fn accept(listener: impl AsFd) -> Result<Option<OwnedFd>> {
    let accepted = call(
        || "accept4(SOCK_CLOEXEC)".to_owned(),
        || nix::sys::socket::accept4(listener.as_fd().as_raw_fd(), SockFlag::SOCK_CLOEXEC),
    );
    match accepted {
        // SAFETY: accept4 returned this descriptor now, and nobody else knows its number.
        Ok(number) => Ok(Some(unsafe { OwnedFd::from_raw_fd(number) })),
        Err(error) if matches!(error.errno(), Errno::EAGAIN | Errno::ECONNABORTED) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Connects to the socket `name` in `directory`. connect(2).
///
/// # Errors
/// `ENOENT` when there is none, `ECONNREFUSED` when nobody holds it any more.
pub fn connect(directory: &Path, name: &str) -> Result<OwnedFd> {
    call(
        || format!("connect to {}", directory.join(name).display()),
        || {
            let (_held, address) = address(directory, name)?;
            let socket = named_socket(SockFlag::empty())?;
            nix::sys::socket::connect(socket.as_raw_fd(), &address)?;
            Ok::<_, Errno>(socket)
        },
    )
}

fn named_socket(flags: SockFlag) -> nix::Result<OwnedFd> {
    nix::sys::socket::socket(AddressFamily::Unix, SockType::SeqPacket, flags | SockFlag::SOCK_CLOEXEC, None)
}

/// The address of `name`: a path in an address has 107 bytes at most, and the descriptor's is short, whatever the
/// directory's. The descriptor has to be open while the address is used.
fn address(directory: &Path, name: &str) -> nix::Result<(OwnedFd, UnixAddr)> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let held = nix::fcntl::open(directory, flags, nix::sys::stat::Mode::empty())?;
    let address = UnixAddr::new(format!("/proc/self/fd/{}/{name}", held.as_raw_fd()).as_str())?;
    Ok((held, address))
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// Sends `parts` as one message. A peer that is gone is `EPIPE`, never a signal. sendmsg(2).
///
/// # Errors
/// `EPIPE`, `ECONNRESET`; `EAGAIN` with `wait` false when the peer reads too slowly; `EMSGSIZE`.
pub fn send(socket: impl AsFd, parts: &[&[u8]], wait: bool) -> Result<()> {
    let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    send_message(socket.as_fd(), &slices, &[], wait)
}

/// Sends one message with a descriptor beside it. unix(7), `SCM_RIGHTS`.
///
/// # Errors
/// As [`send`].
pub fn send_fd(socket: impl AsFd, message: &[u8], fd: BorrowedFd<'_>) -> Result<()> {
    let fds = [fd.as_raw_fd()];
    send_message(socket.as_fd(), &[IoSlice::new(message)], &[ControlMessage::ScmRights(&fds)], true)
}

fn send_message(
    socket: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    control: &[ControlMessage<'_>],
    wait: bool,
) -> Result<()> {
    let mut how = MsgFlags::MSG_NOSIGNAL;
    if !wait {
        how |= MsgFlags::MSG_DONTWAIT;
    }
    call(
        || "sendmsg(socket)".to_owned(),
        || nix::sys::socket::sendmsg::<UnixAddr>(socket.as_raw_fd(), parts, control, how, None),
    )
    .map(drop)
}

/// Waits for one message: its length in `buffer`, 0 when the peer is gone, and the descriptor that came with
/// it. recvmsg(2).
///
/// A peer that ends before it has read all that was sent to it resets the connection, and the kernel tells that
/// before it hands out what the peer itself has sent; it tells it once, so the messages are read after it.
///
/// # Errors
/// `EAGAIN` from a socket that does not wait.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Option<OwnedFd>)> {
    match receive_once(socket.as_fd(), buffer) {
        Err(error) if error.errno() == Errno::ECONNRESET => receive_once(socket.as_fd(), buffer),
        other => other,
    }
}

fn receive_once(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<(usize, Option<OwnedFd>)> {
    let mut control = nix::cmsg_space!([RawFd; 1]);
    call(
        || "recvmsg(socket)".to_owned(),
        || {
            let mut parts = [IoSliceMut::new(buffer)];
            let message = nix::sys::socket::recvmsg::<UnixAddr>(
                socket.as_raw_fd(),
                &mut parts,
                Some(&mut control),
                MsgFlags::MSG_CMSG_CLOEXEC,
            )?;
            let mut received = None;
            for part in message.cmsgs()? {
                if let ControlMessageOwned::ScmRights(fds) = part {
                    // SAFETY: the kernel has just opened these descriptors for this process; each is
                    // wrapped once, so that all but the first close themselves here.
                    let owned = fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
                    for fd in owned {
                        received.get_or_insert(fd);
                    }
                }
            }
            Ok::<_, Errno>((message.bytes, received))
        },
    )
}

/// Waits until one of `fds` is ready or `limit` has passed (none: for ever); how many are ready. A limit
/// above poll's own, 24 days, is cut to that. poll(2).
///
/// # Errors
/// `ENOMEM`.
pub fn poll(fds: &mut [PollFd<'_>], limit: Option<Duration>) -> Result<usize> {
    let milliseconds = limit.map_or(-1, |limit| i32::try_from(limit.as_millis()).unwrap_or(i32::MAX));
    let timeout = nix::poll::PollTimeout::try_from(milliseconds).unwrap_or(nix::poll::PollTimeout::NONE);
    call(|| "poll()".to_owned(), || nix::poll::poll(fds, timeout)).map(|ready| ready as usize)
}

/// Whether there is something to read now, or the end of it; of a pidfd: whether the process has ended. poll(2).
///
/// # Errors
/// `ENOMEM`.
pub fn is_readable(fd: impl AsFd) -> Result<bool> {
    Ok(poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], Some(Duration::ZERO))? > 0)
}

/// Closes a descriptor, and says when that was refused, as a filter of system calls may do: dropping one does not.
/// close(2).
///
/// # Errors
/// What the filter answers; whatever else close(2) says, the descriptor is closed.
pub fn close(fd: OwnedFd) -> Result<()> {
    let number = fd.into_raw_fd();
    // Not again after `EINTR`: Linux has closed it by then.
    match nix::unistd::close(number) {
        Err(Errno::EINTR) | Ok(()) => Ok(()),
        Err(errno) => Err(Error::new("close(fd)", errno)),
    }
}

/// Reads what is there, waiting only on a descriptor that waits; 0 at the end. read(2).
///
/// # Errors
/// `EAGAIN`, `EIO` from a terminal whose other side is closed.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    call(|| "read()".to_owned(), || nix::unistd::read(fd.as_fd(), buffer))
}

/// Writes a part of `bytes`; how many were taken. write(2).
///
/// # Errors
/// `EAGAIN`, `EPIPE`, `ENOSPC`.
pub fn write(fd: impl AsFd, bytes: &[u8]) -> Result<usize> {
    call(|| "write()".to_owned(), || nix::unistd::write(fd.as_fd(), bytes))
}

/// Lets a pipe hold so many bytes, where the machine allows it: a writer waits less often. fcntl(2),
/// `F_SETPIPE_SZ`, pipe(7).
///
/// # Errors
/// `EPERM` above `/proc/sys/fs/pipe-max-size`.
pub fn set_pipe_size(fd: impl AsFd, bytes: i32) -> Result<()> {
    use nix::fcntl::{FcntlArg, fcntl};
    call(
        || format!("fcntl(F_SETPIPE_SZ, {bytes})"),
        || fcntl(fd.as_fd(), FcntlArg::F_SETPIPE_SZ(bytes)).map(drop),
    )
}

/// Makes reads and writes on `fd` fail with `EAGAIN` where they would wait. fcntl(2), `O_NONBLOCK`.
///
/// # Errors
/// None in practice.
pub fn set_nonblocking(fd: impl AsFd) -> Result<()> {
    use nix::fcntl::{FcntlArg, fcntl};
    call(
        || "fcntl(F_SETFL, O_NONBLOCK)".to_owned(),
        || {
            let now = OFlag::from_bits_truncate(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
            fcntl(fd.as_fd(), FcntlArg::F_SETFL(now | OFlag::O_NONBLOCK)).map(drop)
        },
    )
}

/// Makes `fd` also this process's standard input, output and error, as asked. dup2(2).
///
/// # Errors
/// None in practice.
pub fn become_stdio(fd: impl AsFd, input: bool, output: bool, error: bool) -> Result<()> {
    let fd = fd.as_fd();
    call(
        || "dup2()".to_owned(),
        || {
            if input {
                nix::unistd::dup2_stdin(fd)?;
            }
            if output {
                nix::unistd::dup2_stdout(fd)?;
            }
            if error {
                nix::unistd::dup2_stderr(fd)?;
            }
            Ok::<_, Errno>(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_a_peer_are_heard_although_it_did_not_listen() {
        let (here, there) = socketpair().unwrap();
        send(&here, &[b"go"], true).unwrap();
        send(&there, &[b"it failed"], true).unwrap();
        drop(there);
        let mut buffer = [0; 16];
        assert_eq!(receive(&here, &mut buffer).unwrap().0, 9);
        assert_eq!(receive(&here, &mut buffer).unwrap().0, 0);
    }

    #[test]
    fn a_socket_is_found_by_its_name_however_long_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("d".repeat(200));
        std::fs::create_dir(&deep).unwrap();
        assert_eq!(connect(&deep, "s").unwrap_err().errno(), Errno::ENOENT);
        let listener = listen(&deep, "s").unwrap();
        assert!(accept(&listener).unwrap().is_none());
        let there = connect(&deep, "s").unwrap();
        let here = accept(&listener).unwrap().unwrap();
        send(&there, &[b"hello"], true).unwrap();
        let mut message = [0; 8];
        assert_eq!(receive(&here, &mut message).unwrap().0, 5);
        drop(listener);
        assert_eq!(connect(&deep, "s").unwrap_err().errno(), Errno::ECONNREFUSED);
        drop(listen(&deep, "s").unwrap());
    }
}
