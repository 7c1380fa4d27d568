//! A parent for a program in a container that does not depend on the command: a process of its own, apart.
//!
//! Only its parent can take note of a program's end, and until that is done the container cannot end either. A command
//! that has gone to the background, or that a user has stopped with ctrl-z, takes note of nothing. So where that can
//! be, a process is forked first, in a session of its own, which starts the program, waits for it, and tells the command
//! how it ended if that wants to know. setsid(2), wait(2), pid_namespaces(7).

use std::convert::Infallible;
use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use anyhow::Context as _;
use mini_engine::exec::Exec;
use mini_engine::{Home, Record};
use mini_runtime::Started;
use mini_runtime::stdio::ProgramSide;
use mini_sys::clone;
use mini_sys::{ipc, pidfd};

use super::{Story, prepare, start};
use crate::failure::Failure;
use crate::session;

/// Whether somebody at a terminal can stop this command: it has a controlling one. tty(4).
pub(super) fn is_wanted() -> bool {
    File::open("/dev/tty").is_ok()
}

/// The parent of a program that runs.
pub(super) struct Parent {
    socket: OwnedFd,
}

impl Parent {
    /// Forks the parent, which starts the program: with these streams, or with none.
    pub(super) fn start(
        home: &Home,
        record: &Record,
        request: &Exec,
        streams: Option<ProgramSide>,
    ) -> anyhow::Result<Self> {
        let (socket, theirs) = ipc::socketpair()?;
        let has_streams = streams.is_some();
        drop(clone::fork_apart(theirs, |socket| live(home, record, request, has_streams, &socket))?);
        if let Some(ProgramSide { stdin, stdout, stderr }) = &streams {
            [stdin, stdout, stderr].iter().try_for_each(|fd| ipc::send_fd(&socket, b"s", fd.as_fd()))?;
        }
        // Ours must be closed, so that the end of the program's output is seen.
        drop(streams);
        let mut answer = [0; 4096];
        let (length, _) = ipc::receive(&socket, &mut answer)?;
        match answer[..length].split_first().context("the program's parent has ended without a word")? {
            (b'+', _) => Ok(Self { socket }),
            (_, told) => Err(failure(told).into()),
        }
    }

    /// Becomes readable when the program has ended.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// How the program ended.
    pub(super) fn status(&self) -> anyhow::Result<i32> {
        let mut answer = [0; 4];
        let (length, _) = ipc::receive(&self.socket, &mut answer)?;
        anyhow::ensure!(length == answer.len(), "the program's parent has ended before it");
        Ok(i32::from_ne_bytes(answer))
    }
}

/// The parent's life.
fn live(home: &Home, record: &Record, request: &Exec, has_streams: bool, socket: &OwnedFd) -> Infallible {
    let _ = mini_sys::process::set_name(c"mini-docker-exe");
    let story = Story::begin(home, record, request);
    let started =
        streams(has_streams, socket).and_then(|streams| start(prepare(home, record, request)?, streams));
    match started {
        Ok(started) => {
            // Who asked may be gone by now, and the program goes on all the same.
            let _ = ipc::send(socket, &[b"+"], true);
            if let Some(status) = see_out(&started) {
                story.end(status);
                let _ = ipc::send(socket, &[&status.to_ne_bytes()], true);
            }
        }
        Err(error) => {
            let Failure { message, hint, status } = crate::failure::told(&error);
            let hint = hint.unwrap_or_default();
            let _ = ipc::send(socket, &[b"-", &[status], message.as_bytes(), b"\0", hint.as_bytes()], true);
        }
    }
    clone::leave(0)
}

/// The streams that are sent, or none.
fn streams(are_sent: bool, socket: &OwnedFd) -> anyhow::Result<ProgramSide> {
    if !are_sent {
        return session::nothing();
    }
    let next = || -> anyhow::Result<OwnedFd> {
        let (_, fd) = ipc::receive(socket, &mut [0; 1])?;
        fd.context("the command has ended early")
    };
    Ok(ProgramSide { stdin: next()?, stdout: next()?, stderr: next()? })
}

/// Waits for the program's end: its status.
fn see_out(started: &Started) -> Option<i32> {
    if let Some(console) = &started.console {
        session::drain(console);
    }
    pidfd::wait(&started.child.pidfd).ok().map(|exit| exit.shell_code())
}

/// What was told of a start that failed: the status, the message, a NUL, a hint or nothing.
fn failure(told: &[u8]) -> Failure {
    let (status, text) =
        told.split_first().map_or((crate::failure::OURS, told), |(status, text)| (*status, text));
    let text = String::from_utf8_lossy(text);
    let (message, hint) = text.split_once('\0').unwrap_or((&text, ""));
    Failure {
        message: message.to_owned(),
        hint: Some(hint.to_owned()).filter(|hint| !hint.is_empty()),
        status,
    }
}
