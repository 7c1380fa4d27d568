//! Carries a program's input and output between its container, its log and those attached to it.
//!
//! One process, one poll(2), no thread. Output goes to the log first and then to every client. Whoever started the
//! program gets all of it: while that one reads slowly, the output waits in its pipe, so nothing is lost and nothing
//! grows without bound. Any other client has to keep up, or is sent away: nobody who looks on may hold up the program
//! or its log. A relay outlives the program: one that is started again gets new streams and a new set of clients.
//! poll(2), pidfd_open(2); book ch. 7.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::{Errno, Result, memory, tty};

use crate::client::{Client, Wish};
use crate::log::{Log, Stream};
use crate::stdio::MonitorSide;
use crate::wire::{CHUNK, FromMonitor, ToMonitor};

/// Messages that may wait for the program to read its input before clients have to wait.
const INPUT: usize = 32;

/// Who has been quiet for so long may go on to be.
const BUSY: Duration = Duration::from_millis(250);

/// How long a monitor that has nothing else to do waits for clients that do not read.
const FAREWELL: Duration = Duration::from_secs(10);

/// Bytes taken from the program at a time.
const PIECE: usize = 256 * 1024;

/// What a pipe holds that nobody has enlarged, pipe(7), and what one may hold where nobody has changed the limit.
const PIPE: usize = 64 * 1024;
const LARGE_PIPE: i32 = 1024 * 1024;

/// A relay between one container and its clients.
#[derive(Debug)]
pub struct Relay {
    streams: MonitorSide,
    log: Option<Log>,
    /// Where clients come in.
    door: Option<OwnedFd>,
    clients: Vec<Client>,
    /// The program's first process, while it runs.
    program: Option<i32>,
    /// What clients have typed and the program has not taken yet.
    input: VecDeque<Vec<u8>>,
    input_ends: bool,
    /// The program's input ends with that of a client that types, or when that client is gone.
    stdin_once: bool,
    /// Where output is read into; nothing while there is none.
    piece: Vec<u8>,
}

/// What happened in a turn that is not the relay's own business.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// Which of the others are ready.
    pub ready: Vec<bool>,
    /// Somebody has changed the container's record, and says so.
    pub look_again: bool,
}

impl Relay {
    /// A relay that writes to `log` and lets clients in through `door`, a socket that listens. With `stdin_once`, the
    /// program's input ends with that of a client.
    pub fn new(log: Option<Log>, door: Option<OwnedFd>, stdin_once: bool) -> Self {
        Self {
            streams: MonitorSide::default(),
            log,
            door,
            clients: Vec::new(),
            program: None,
            input: VecDeque::new(),
            input_ends: false,
            stdin_once,
            piece: Vec::new(),
        }
    }

    /// A program runs, as the process `pid`, and these are its streams.
    pub fn begin(&mut self, streams: MonitorSide, pid: i32) {
        self.streams = streams;
        self.program = Some(pid);
        self.input.clear();
        self.input_ends = false;
    }

    /// Adds the client that starts the program, at the other end of `socket`.
    pub fn attach(&mut self, socket: OwnedFd) {
        self.clients.push(Client::new(socket, Wish::AllOutput));
    }

    /// Waits until something happens or `limit` has passed, and does the relay's part of it. `others` are descriptors
    /// that the caller waits for too.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn turn(&mut self, others: &[BorrowedFd<'_>], limit: Option<Duration>) -> Result<Turn> {
        let ready = self.wait(others, limit)?;
        let mut turn = Turn { ready: vec![false; others.len()], look_again: false };
        for meaning in ready {
            match meaning {
                Meaning::Other(index) => turn.ready[index] = true,
                Meaning::Output(output) => self.take_output(output),
                Meaning::Input => self.give_input(),
                Meaning::Door => self.let_in(),
                Meaning::Client(index) => turn.look_again |= self.hear(index),
            }
        }
        self.clients.iter_mut().for_each(Client::flush);
        if self.stdin_once && self.clients.iter().any(|client| client.is_done() && client.types()) {
            self.input_ends = true;
        }
        self.clients.retain(|client| !client.is_done());
        if self.input_ends && self.input.is_empty() {
            self.streams.stdin = None;
        }
        Ok(turn)
    }

    /// The program has ended with this status: tells every client.
    pub fn end(&mut self, status: i32) {
        self.streams = MonitorSide::default();
        self.program = None;
        self.clients.iter_mut().for_each(|client| client.part(status));
    }

    /// Waits until every client has read what it was told: for ever for the one who started the program, a while for
    /// the others, not at all for those that are gone.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn finish(mut self) -> Result<()> {
        self.door = None;
        let until = Instant::now() + FAREWELL;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.clients.retain(|client| client.is_behind() && (client.is_starter() || !left.is_zero()));
            if self.clients.is_empty() {
                return Ok(());
            }
            let limit = if self.clients.iter().all(Client::is_starter) { None } else { Some(left) };
            self.turn(&[], limit)?;
        }
    }

    /// Takes in what the program wrote before it ended.
    pub fn drain(&mut self) {
        for output in Output::ALL {
            while self.output(output).is_some_and(|fd| ipc::is_readable(fd).unwrap_or(false)) {
                self.take_output(output);
            }
        }
        if let Some(log) = &mut self.log {
            // A full disk has already cost the lines before this one.
            let _ = log.finish();
        }
    }

    /// What is ready now.
    fn wait(&mut self, others: &[BorrowedFd<'_>], limit: Option<Duration>) -> Result<Vec<Meaning>> {
        let quiet = limit.map_or(BUSY, |limit| limit.min(BUSY));
        let (mut fds, meanings) = self.watched(others);
        if ipc::poll(&mut fds, Some(quiet))? == 0 && limit != Some(quiet) {
            drop(fds);
            self.piece = Vec::new();
            fds = self.watched(others).0;
            // Most of its life a monitor waits, and there may be hundreds of them.
            memory::wait_in_little(&mut fds, limit.map(|limit| limit - quiet))?;
        }
        // Whoever can be written to gets what waits for it anyway; nobody is listened to who says nothing.
        let happened = |(fd, meaning): &(&PollFd<'_>, Meaning)| {
            let events = fd.revents().unwrap_or(PollFlags::empty());
            match meaning {
                Meaning::Client(_) => events.intersects(!PollFlags::POLLOUT),
                _ => !events.is_empty(),
            }
        };
        let ready = fds.iter().zip(meanings).filter(happened);
        Ok(ready.map(|(_, meaning)| meaning).collect())
    }

    /// What is waited for.
    fn watched<'a>(&'a self, others: &'a [BorrowedFd<'a>]) -> (Vec<PollFd<'a>>, Vec<Meaning>) {
        let mut all = Vec::new();
        let mut watch = |fd, events, meaning| all.push((PollFd::new(fd, events), meaning));
        for (index, fd) in others.iter().enumerate() {
            watch(*fd, PollFlags::POLLIN, Meaning::Other(index));
        }
        if let Some(door) = &self.door {
            watch(door.as_fd(), PollFlags::POLLIN, Meaning::Door);
        }
        if !self.clients.iter().any(Client::holds_up) {
            for output in Output::ALL {
                if let Some(fd) = self.output(output) {
                    watch(fd.as_fd(), PollFlags::POLLIN, Meaning::Output(output));
                }
            }
        }
        if let Some(fd) = self.to_program().filter(|_| !self.input.is_empty()) {
            watch(fd.as_fd(), PollFlags::POLLOUT, Meaning::Input);
        }
        for (index, client) in self.clients.iter().enumerate() {
            let mut events = PollFlags::empty();
            events.set(PollFlags::POLLIN, self.input.len() < INPUT);
            events.set(PollFlags::POLLOUT, client.is_behind());
            watch(client.fd(), events, Meaning::Client(index));
        }
        all.into_iter().unzip()
    }

    fn output(&self, output: Output) -> Option<&OwnedFd> {
        match output {
            Output::Stdout => self.streams.stdout.as_ref(),
            Output::Stderr => self.streams.stderr.as_ref(),
            Output::Console => self.streams.console.as_ref(),
        }
    }

    fn to_program(&self) -> Option<&OwnedFd> {
        self.streams.stdin.as_ref().or(self.streams.console.as_ref())
    }

    fn take_output(&mut self, output: Output) {
        let mut piece = std::mem::take(&mut self.piece);
        piece.resize(PIECE, 0);
        if let Some(fd) = self.output(output) {
            match ipc::read(fd, &mut piece) {
                Err(error) if error.errno() == Errno::EAGAIN => {}
                // A terminal whose near side is closed answers EIO.
                Ok(0) | Err(_) => match output {
                    Output::Stdout => self.streams.stdout = None,
                    Output::Stderr => self.streams.stderr = None,
                    Output::Console => self.streams.console = None,
                },
                Ok(length) => {
                    if length == PIPE {
                        // It was full: the program waited. Where it may not grow it goes on as it is.
                        let _ = ipc::set_pipe_size(fd, LARGE_PIPE);
                    }
                    self.spread(output, &piece[..length]);
                }
            }
        }
        self.piece = piece;
    }

    fn spread(&mut self, output: Output, bytes: &[u8]) {
        let stream = if output == Output::Stderr { Stream::Stderr } else { Stream::Stdout };
        // ANCHOR: log-first
        if let Some(log) = &mut self.log {
            // A full disk must not stop the program; what cannot be logged still reaches who is attached.
            let _ = log.write(stream, bytes);
        }
        if self.clients.is_empty() {
            return;
        }
        for bytes in bytes.chunks(CHUNK) {
            let message = match stream {
                Stream::Stdout => FromMonitor::Stdout(bytes.to_vec()),
                Stream::Stderr => FromMonitor::Stderr(bytes.to_vec()),
            };
            self.clients.iter_mut().for_each(|client| client.show(&message));
        }
        // ANCHOR_END: log-first
    }

    /// Gives the program as much of its input as it takes without waiting.
    fn give_input(&mut self) {
        while let (Some(bytes), Some(fd)) =
            (self.input.front_mut(), self.streams.stdin.as_ref().or(self.streams.console.as_ref()))
        {
            match ipc::write(fd, bytes) {
                Ok(length) if length == bytes.len() => drop(self.input.pop_front()),
                Ok(length) => drop(bytes.drain(..length)),
                Err(error) if error.errno() == Errno::EAGAIN => return,
                Err(_) => {
                    // The program has closed its input: there is nobody to read the rest.
                    self.input.clear();
                    self.streams.stdin = None;
                }
            }
        }
    }

    fn let_in(&mut self) {
        // Who cannot be let in now, for want of descriptors, waits at the door.
        if let Some(Ok(Some(socket))) = self.door.as_ref().map(ipc::accept) {
            self.clients.push(Client::new(socket, Wish::Unknown));
        }
    }

    /// Does what the client says; whether the caller is to look at the record.
    fn hear(&mut self, index: usize) -> bool {
        let Some(client) = self.clients.get_mut(index) else { return false };
        match client.hear() {
            Some(ToMonitor::Attach) => {
                client.wish(Wish::Output);
                match self.program {
                    Some(pid) => client.push(FromMonitor::Started(pid)),
                    None => client.dismiss(),
                }
            }
            Some(ToMonitor::Await) => client.wish(Wish::End),
            Some(ToMonitor::LookAgain) => return true,
            Some(ToMonitor::Stdin(bytes)) => {
                client.begin_to_type();
                if !bytes.is_empty() && self.to_program().is_some() {
                    self.input.push_back(bytes);
                    self.give_input();
                }
            }
            None => {}
            // Others who have no more to say do not speak for all.
            Some(ToMonitor::CloseStdin) => self.input_ends |= self.stdin_once,
            Some(ToMonitor::Resize(size)) => {
                if let Some(console) = &self.streams.console {
                    // A terminal that has just closed has no size to set.
                    let _ = tty::set_window_size(console, size);
                }
            }
        }
        false
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Stdout,
    Stderr,
    Console,
}

impl Output {
    const ALL: [Self; 3] = [Self::Stdout, Self::Stderr, Self::Console];
}

/// What a descriptor that is ready is about.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Other(usize),
    Door,
    Output(Output),
    Input,
    Client(usize),
}
