//! Carries a program's input and output between its container, its log and those attached to it.
//!
//! One process, one poll(2), no thread. Output goes to the log first and then to every client. A client that reads
//! slowly gets a queue; while a queue is full the program's output waits in its pipe, so nothing is lost and
//! nothing grows without bound. It ends when the program has ended and its pipes are empty. poll(2),
//! pidfd_open(2); book ch. 7.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd::{self, Exit};
use mini_sys::{Errno, Result, memory, tty};

use crate::log::{Log, Stream};
use crate::stdio::MonitorSide;
use crate::wire::{CHUNK, FromMonitor, ToMonitor};

/// Messages that may wait for one slow client before the program has to wait.
const QUEUE: usize = 32;

/// Messages that may wait for the program to read its input before clients have to wait.
const INPUT: usize = 32;

/// Who has been quiet for so long may go on to be.
const BUSY: Duration = Duration::from_millis(250);

/// A relay between one container and its clients.
#[derive(Debug)]
pub struct Relay {
    streams: MonitorSide,
    log: Option<Log>,
    clients: Vec<Client>,
    /// What clients have typed and the program has not taken yet.
    input: VecDeque<Vec<u8>>,
    input_ends: bool,
    /// The program's input ends when the client that started it is gone.
    stdin_once: bool,
}

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    queue: VecDeque<FromMonitor>,
    gone: bool,
}

impl Relay {
    /// A relay for these streams. With `stdin_once`, the program's input ends with the first client.
    pub fn new(streams: MonitorSide, log: Option<Log>, stdin_once: bool) -> Self {
        Self { streams, log, clients: Vec::new(), input: VecDeque::new(), input_ends: false, stdin_once }
    }

    /// Adds the far side of the container's terminal, which is made later than the rest.
    pub fn set_console(&mut self, console: Option<OwnedFd>) {
        self.streams.console = console;
    }

    /// Adds a client at the other end of `socket`.
    pub fn attach(&mut self, socket: OwnedFd) {
        self.clients.push(Client { socket, queue: VecDeque::new(), gone: false });
    }

    /// Tells every client. Whoever is gone by then need not know.
    pub fn tell(&mut self, message: &FromMonitor) {
        self.clients.iter_mut().for_each(|client| client.push(message.clone()));
    }

    /// Works until the program that `pidfd` stands for has ended and all its output has been taken in.
    ///
    /// # Errors
    /// Those of poll(2) and waitid(2).
    pub fn run(&mut self, pidfd: impl AsFd) -> Result<Exit> {
        loop {
            let ready = self.wait(Some(pidfd.as_fd()), None)?;
            self.serve(&ready);
            if ready.exited {
                let exit = pidfd::wait(&pidfd)?;
                self.drain();
                return Ok(exit);
            }
        }
    }

    /// Says farewell to the clients: all that waits for them, then the exit status. Waits for slow ones, not
    /// for those that are gone.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn finish(mut self, status: i32) -> Result<()> {
        self.tell(&FromMonitor::Exited(status));
        self.streams = MonitorSide::default();
        while self.clients.iter().any(|client| !client.queue.is_empty()) {
            let ready = self.wait(None, None)?;
            self.serve(&ready);
        }
        Ok(())
    }

    /// Takes in what the program wrote before it ended.
    fn drain(&mut self) {
        while let Ok(ready) = self.wait(None, Some(Duration::ZERO)) {
            if ready.outputs.is_empty() {
                break;
            }
            self.take_output(&ready);
        }
        if let Some(log) = &mut self.log {
            // A full disk has already cost the lines before this one.
            let _ = log.finish();
        }
    }

    fn serve(&mut self, ready: &Ready) {
        self.take_output(ready);
        if ready.input {
            self.give_input();
        }
        for &index in &ready.readable {
            self.hear(index);
        }
        self.clients.iter_mut().for_each(Client::flush);
        let count = self.clients.len();
        self.clients.retain(|client| !client.gone);
        if self.stdin_once && self.clients.len() < count {
            self.input_ends = true;
        }
        if self.input_ends && self.input.is_empty() {
            self.streams.stdin = None;
        }
    }

    /// What is ready now.
    fn wait(&self, pidfd: Option<BorrowedFd<'_>>, limit: Option<Duration>) -> Result<Ready> {
        let congested = self.clients.iter().any(|client| client.queue.len() >= QUEUE);
        let mut fds = Vec::new();
        let mut meanings = Vec::new();
        let mut watch = |fd, events, meaning| {
            fds.push(PollFd::new(fd, events));
            meanings.push(meaning);
        };
        if let Some(pidfd) = pidfd {
            watch(pidfd, PollFlags::POLLIN, Meaning::Exit);
        }
        // After the end there is nothing left to hold back, however slow the clients are.
        if !congested || pidfd.is_none() {
            for output in Output::ALL {
                if let Some(fd) = self.output(output) {
                    watch(fd.as_fd(), PollFlags::POLLIN, Meaning::Output(output));
                }
            }
        }
        if let Some(fd) =
            self.streams.stdin.as_ref().or(self.streams.console.as_ref()).filter(|_| !self.input.is_empty())
        {
            watch(fd.as_fd(), PollFlags::POLLOUT, Meaning::Input);
        }
        for (index, client) in self.clients.iter().enumerate() {
            let mut events = PollFlags::empty();
            events.set(PollFlags::POLLIN, self.input.len() < INPUT);
            events.set(PollFlags::POLLOUT, !client.queue.is_empty());
            watch(client.socket.as_fd(), events, Meaning::Client(index));
        }
        match limit {
            Some(limit) => drop(ipc::poll(&mut fds, Some(limit))?),
            // Most of its life a monitor waits, and there may be hundreds of them.
            None => {
                if ipc::poll(&mut fds, Some(BUSY))? == 0 {
                    memory::wait_in_little(&mut fds)?;
                }
            }
        }
        let mut ready = Ready::default();
        for (fd, meaning) in fds.iter().zip(meanings) {
            let events = fd.revents().unwrap_or(PollFlags::empty());
            match meaning {
                _ if events.is_empty() => {}
                Meaning::Exit => ready.exited = true,
                Meaning::Output(output) => ready.outputs.push(output),
                Meaning::Input => ready.input = true,
                Meaning::Client(index) => {
                    if events.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR) {
                        ready.readable.push(index);
                    }
                }
            }
        }
        Ok(ready)
    }

    fn output(&self, output: Output) -> Option<&OwnedFd> {
        match output {
            Output::Stdout => self.streams.stdout.as_ref(),
            Output::Stderr => self.streams.stderr.as_ref(),
            Output::Console => self.streams.console.as_ref(),
        }
    }

    fn take_output(&mut self, ready: &Ready) {
        let mut chunk = [0; CHUNK];
        for &output in &ready.outputs {
            let Some(fd) = self.output(output) else { continue };
            match ipc::read(fd, &mut chunk) {
                Err(error) if error.errno() == Errno::EAGAIN => {}
                // A terminal whose near side is closed answers EIO.
                Ok(0) | Err(_) => match output {
                    Output::Stdout => self.streams.stdout = None,
                    Output::Stderr => self.streams.stderr = None,
                    Output::Console => self.streams.console = None,
                },
                Ok(length) => self.spread(output, &chunk[..length]),
            }
        }
    }

    fn spread(&mut self, output: Output, bytes: &[u8]) {
        let stream = if output == Output::Stderr { Stream::Stderr } else { Stream::Stdout };
        if let Some(log) = &mut self.log {
            // A full disk must not stop the program; what cannot be logged still reaches who is attached.
            let _ = log.write(stream, bytes);
        }
        for client in &mut self.clients {
            client.push(match stream {
                Stream::Stdout => FromMonitor::Stdout(bytes.to_vec()),
                Stream::Stderr => FromMonitor::Stderr(bytes.to_vec()),
            });
        }
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

    fn hear(&mut self, index: usize) {
        let Some(client) = self.clients.get_mut(index) else { return };
        match ToMonitor::receive(&client.socket) {
            Ok(Some(ToMonitor::Stdin(bytes))) => {
                if self.streams.stdin.is_some() || self.streams.console.is_some() {
                    self.input.push_back(bytes);
                    self.give_input();
                }
            }
            Ok(Some(ToMonitor::CloseStdin)) => self.input_ends = true,
            Ok(Some(ToMonitor::Resize(size))) => {
                if let Some(console) = &self.streams.console {
                    // A terminal that has just closed has no size to set.
                    let _ = tty::set_window_size(console, size);
                }
            }
            Ok(None) => client.gone = true,
            Err(error) => client.gone = error.errno() != Errno::EAGAIN,
        }
    }
}

impl Client {
    fn push(&mut self, message: FromMonitor) {
        if !self.gone {
            self.queue.push_back(message);
            self.flush();
        }
    }

    /// Sends what can be sent without waiting.
    fn flush(&mut self) {
        while let Some(message) = self.queue.front() {
            match message.send(&self.socket, false) {
                Ok(()) => drop(self.queue.pop_front()),
                Err(error) if error.errno() == Errno::EAGAIN => return,
                Err(_) => {
                    self.gone = true;
                    self.queue.clear();
                }
            }
        }
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

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Exit,
    Output(Output),
    Input,
    Client(usize),
}

#[derive(Debug, Default)]
struct Ready {
    exited: bool,
    outputs: Vec<Output>,
    input: bool,
    readable: Vec<usize>,
}
