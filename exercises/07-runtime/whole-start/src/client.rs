//! One who is connected to a monitor: what it wants, and what waits for it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mini_sys::Errno;

use crate::wire::{FromMonitor, ToMonitor};

/// Messages that may wait for the one who started the program; with more, the program has to wait too.
const PATIENT: usize = 32;

/// Messages that may wait for any other client, 16 MiB of output; with more, it is sent away.
const IMPATIENT: usize = 512;

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It has not said so yet.
    Unknown,
    /// The output, all of it, however slowly it reads.
    AllOutput,
    /// The output, as long as it keeps up.
    Output,
    /// The end.
    End,
}

/// Someone at the other end of a socket.
#[derive(Debug)]
pub(crate) struct Client {
    socket: OwnedFd,
    wish: Wish,
    queue: VecDeque<FromMonitor>,
    /// It sends input.
    types: bool,
    /// It has been told the end, and leaves when it has read that.
    leaving: bool,
    gone: bool,
}

impl Client {
    pub(crate) fn new(socket: OwnedFd, wish: Wish) -> Self {
        Self { socket, wish, queue: VecDeque::new(), types: false, leaving: false, gone: false }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether there is nothing more to do for it.
    pub(crate) fn is_done(&self) -> bool {
        self.gone || self.leaving && self.queue.is_empty()
    }

    /// Whether something waits for it.
    pub(crate) fn is_behind(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether the program should write nothing before it has read more.
    pub(crate) fn holds_up(&self) -> bool {
        todo!("holds-up: for whom does the program wait, and from when on?")
    }

    /// Whether it is the one who started the program.
    pub(crate) fn is_starter(&self) -> bool {
        self.wish == Wish::AllOutput
    }

    /// Whether the program's input may be its.
    pub(crate) fn types(&self) -> bool {
        self.types
    }

    /// From now on the program's input may be its.
    pub(crate) fn begin_to_type(&mut self) {
        self.types = true;
    }

    pub(crate) fn wish(&mut self, wish: Wish) {
        self.wish = wish;
    }

    /// Tells it of output, if it wants any.
    pub(crate) fn show(&mut self, output: &FromMonitor) {
        todo!("show: who is told, and who is sent away?")
    }

    /// Tells it the end of the program, and that there is no more to come.
    pub(crate) fn part(&mut self, status: i32) {
        if !self.leaving {
            self.push(FromMonitor::Exited(status));
            self.leaving = true;
        }
    }

    /// Has nothing for it, and no more to say.
    pub(crate) fn dismiss(&mut self) {
        self.gone = true;
    }

    pub(crate) fn push(&mut self, message: FromMonitor) {
        if !self.gone {
            self.queue.push_back(message);
            self.flush();
        }
    }

    /// Sends what can be sent without waiting.
    pub(crate) fn flush(&mut self) {
        todo!("flush: send what can be sent without waiting")
    }

    /// What it says; none when it says nothing now, or nothing that makes sense.
    pub(crate) fn hear(&mut self) -> Option<ToMonitor> {
        match ToMonitor::receive(&self.socket) {
            // What it still says was meant for the program that has ended.
            Ok(Some(message)) => Some(message).filter(|_| !self.leaving),
            Ok(None) => {
                self.gone = true;
                None
            }
            Err(error) => {
                self.gone = error.errno() != Errno::EAGAIN;
                None
            }
        }
    }
}
