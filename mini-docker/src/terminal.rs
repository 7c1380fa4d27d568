//! Between a container's monitor and this terminal: bytes, sizes, signals.
//!
//! In raw mode every key belongs to the container. The terminal is brought back to what it was on every way out:
//! the end of the container, a signal, an error. Signals come in over a descriptor, so nothing is ever cut off
//! in the middle. tty_ioctl(4), signalfd(2); book ch. 7.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use anyhow::Context as _;
use mini_engine::events::{self, Event};
use mini_engine::{Home, Record};
use mini_runtime::wire::{CHUNK, FromMonitor, ToMonitor};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd;
use mini_sys::signal::{self, Signal, SignalFd};
use mini_sys::tty::{self, Hidden, Raw, WindowSize};
use mini_sys::{Errno, Pid};

use crate::detach_keys::{DetachKeys, Watch};

/// How it went.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The program runs; told only to who asked for no more.
    Started,
    /// The program has ended with this status.
    Exited(i32),
    /// The user has left; the program goes on.
    Detached,
    /// The container could not be started.
    Failed {
        /// Why.
        message: String,
        /// A way out.
        hint: Option<String>,
        /// The exit status.
        status: i32,
    },
    /// Nobody reads what the program writes any more.
    Unread,
    /// The monitor is gone without a word.
    Lost,
}

/// What is passed on to the program instead of ending this command. Those that the keyboard or the kernel
/// sends about this process itself stay here.
const FORWARDED: [Signal; 8] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGCONT,
];

/// Whether standard input is a terminal.
pub(crate) fn is_terminal() -> bool {
    tty::is_terminal(io::stdin())
}

/// The size of this terminal, if there is one.
pub(crate) fn size() -> Option<WindowSize> {
    tty::window_size(io::stdout()).or_else(|_| tty::window_size(io::stdin())).ok()
}

/// Asks for a line, which is not shown while it is typed where it is `secret`. A signal ends the command as it would
/// have, but not before the terminal is as it was.
pub(crate) fn ask(what: &str, secret: bool) -> anyhow::Result<String> {
    let signals =
        signal::signalfd(&ENDING.map(|signal| signal as i32)).context("wait for a signal at the terminal")?;
    let hidden = if secret { Some(Hidden::enter(io::stdin())?) } else { None };
    write(&mut io::stderr(), what.as_bytes())?;
    let mut line = Vec::new();
    let mut came = None;
    while came.is_none() && !line.ends_with(b"\n") {
        let stdin = io::stdin();
        let mut fds =
            [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        ipc::poll(&mut fds, None)?;
        let ready = fds.map(|fd| fd.any().unwrap_or(false));
        if ready[0] {
            came = signal::next(&signals)?;
        } else if ready[1] {
            let mut chunk = [0; 1024];
            match ipc::read(io::stdin(), &mut chunk) {
                Ok(length) if length > 0 => line.extend_from_slice(&chunk[..length]),
                // The end of input, or a terminal that hung up.
                _ => break,
            }
        }
    }
    drop(hidden);
    drop(signals);
    signal::unblock_all()?;
    if let Some(number) = came {
        write(&mut io::stderr(), b"\n")?;
        let number = Signal::try_from(number).context("end as a signal wants it")?;
        signal::kill(Pid::this(), number)?;
    }
    let line = String::from_utf8(line).map_err(|_| anyhow::anyhow!("what was typed is not UTF-8"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The signals that end a command.
pub(crate) const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Waits until the program runs, or cannot.
pub(crate) fn await_start(socket: &OwnedFd) -> anyhow::Result<Ending> {
    loop {
        match FromMonitor::receive(socket)? {
            Some(FromMonitor::Step(line)) => explain(&line)?,
            Some(FromMonitor::Failed { message, hint, status }) => {
                return Ok(Ending::Failed { message, hint, status });
            }
            Some(_) => return Ok(Ending::Started),
            None => return Ok(Ending::Lost),
        }
    }
}

/// How this command stays with a container.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    /// Which container, and where it is kept.
    pub(crate) of: (Home, Record),
    /// The program has a terminal.
    pub(crate) terminal: bool,
    /// What is typed here goes there.
    pub(crate) input: bool,
    /// What it writes is shown: standard output, standard error.
    pub(crate) output: [bool; 2],
    /// Signals that come here go there.
    pub(crate) signals: bool,
    /// The keys that leave it.
    pub(crate) keys: DetachKeys,
}

impl Front {
    /// Tells whoever listens what happens here.
    fn tell(&self, action: &str, more: impl Fn(Event) -> Event) {
        let (home, record) = &self.of;
        events::emit(home, &more(Event::container(record, action)));
    }
}

/// Signals and the terminal, as they are while a container has them.
pub(crate) struct Taken {
    front: Front,
    signals: SignalFd,
    /// Dropping it brings the terminal back.
    raw: Option<Raw>,
}

/// Takes signals, and the terminal where the container gets it. Before the container starts: its program may run
/// at once, and from then on both are its own.
pub(crate) fn take(front: Front) -> anyhow::Result<Taken> {
    front.tell("attach", |event| event);
    let mut wanted = vec![Signal::SIGWINCH as i32];
    if front.signals {
        wanted.extend(FORWARDED.map(|signal| signal as i32));
        wanted.extend(signal::real_time_numbers());
    }
    let signals = signal::signalfd(&wanted)?;
    let raw =
        if front.terminal && front.input && is_terminal() { Some(Raw::enter(io::stdin())?) } else { None };
    Ok(Taken { front, signals, raw })
}

/// Stays with the container until it ends, or the user leaves it.
pub(crate) fn attend(socket: &OwnedFd, taken: Taken) -> anyhow::Result<Ending> {
    let Taken { front, signals, raw } = taken;
    // Whoever types at no terminal sends bytes, and bytes are no keys.
    let keys = raw.as_ref().map(|_| Watch::new(&front.keys));
    let reads_input = front.input;
    let mut session =
        Session { socket, front, signals, keys, reads_input, raw, program: None, waiting: vec![] };
    session.resize();
    if session.reads_input {
        // Who types may end the program's input by leaving, too. A monitor that is gone is noticed in a moment.
        session.send(&ToMonitor::Stdin(Vec::new()))?;
    }
    session.run()
}

struct Session<'a> {
    socket: &'a OwnedFd,
    front: Front,
    signals: SignalFd,
    keys: Option<Watch>,
    reads_input: bool,
    /// Dropping it brings the terminal back.
    raw: Option<Raw>,
    program: Option<OwnedFd>,
    /// Signals that wait for a program to be sent to.
    waiting: Vec<i32>,
}

impl Session<'_> {
    fn run(&mut self) -> anyhow::Result<Ending> {
        loop {
            let stdin = io::stdin();
            let mut fds = vec![
                PollFd::new(self.socket.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            if self.reads_input && self.program.is_some() {
                fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
            }
            ipc::poll(&mut fds, None)?;
            let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
            if ready[1] {
                self.take_signals()?;
            }
            if ready.get(2) == Some(&true) && self.take_input()? {
                self.front.tell("detach", |event| event);
                return Ok(Ending::Detached);
            }
            if ready[0] {
                match FromMonitor::receive(self.socket)? {
                    Some(message) => {
                        if let Some(ending) = self.take(message)? {
                            return Ok(ending);
                        }
                    }
                    None => return Ok(Ending::Lost),
                }
            }
        }
    }

    fn take(&mut self, message: FromMonitor) -> anyhow::Result<Option<Ending>> {
        match message {
            // A raw terminal does not go to the start of a new line by itself.
            FromMonitor::Step(line) if self.raw.is_some() => explain(&(line.replace('\n', "\r\n") + "\r"))?,
            FromMonitor::Step(line) => explain(&line)?,
            FromMonitor::Started(pid) => {
                // It may have ended already; then there is nothing to pass signals on to.
                self.program = pidfd::pidfd_open(Pid::from_raw(pid)).ok();
                self.reads_input &= self.program.is_some();
                self.pass_on();
            }
            FromMonitor::Stdout(bytes) if self.front.output[0] => {
                return Ok(unread(write(&mut io::stdout(), &bytes)?));
            }
            FromMonitor::Stderr(bytes) if self.front.output[1] => {
                return Ok(unread(write(&mut io::stderr(), &bytes)?));
            }
            FromMonitor::Stdout(_) | FromMonitor::Stderr(_) => {}
            FromMonitor::Failed { message, hint, status } => {
                return Ok(Some(Ending::Failed { message, hint, status }));
            }
            FromMonitor::Exited(status) => return Ok(Some(Ending::Exited(status))),
        }
        Ok(None)
    }

    /// Passes on what has come, as soon as there is a program.
    fn pass_on(&mut self) {
        if let Some(program) = &self.program {
            for signal in self.waiting.drain(..) {
                // A program that has just ended needs no signal.
                let _ = pidfd::pidfd_send_number(program, signal);
            }
        }
    }

    fn take_signals(&mut self) -> anyhow::Result<()> {
        while let Some(signal) = signal::next(&self.signals)? {
            if signal == Signal::SIGWINCH as i32 {
                self.resize();
            } else {
                self.waiting.push(signal);
            }
        }
        self.pass_on();
        Ok(())
    }

    /// Passes on what is typed; whether the user leaves.
    fn take_input(&mut self) -> anyhow::Result<bool> {
        let mut chunk = [0; CHUNK];
        match ipc::read(io::stdin(), &mut chunk) {
            Err(error) if error.errno() == Errno::EAGAIN => {}
            // A terminal that hung up has no more input.
            Ok(0) | Err(_) => {
                self.reads_input = false;
                self.send(&ToMonitor::CloseStdin)?;
            }
            Ok(length) => {
                let (bytes, leaves) = match &mut self.keys {
                    Some(keys) => {
                        let typed = keys.take(&chunk[..length]);
                        (typed.pass, typed.detach)
                    }
                    None => (chunk[..length].to_vec(), false),
                };
                if !bytes.is_empty() {
                    self.send(&ToMonitor::Stdin(bytes))?;
                }
                return Ok(leaves);
            }
        }
        Ok(false)
    }

    fn send(&mut self, message: &ToMonitor) -> anyhow::Result<()> {
        match message.send(self.socket) {
            // The end of the container is told on the same socket, and read there.
            Err(error) if matches!(error.errno(), Errno::EPIPE | Errno::ECONNRESET) => {
                self.reads_input = false;
                Ok(())
            }
            other => Ok(other?),
        }
    }

    fn resize(&self) {
        if let Some(size) = size().filter(|_| self.front.terminal) {
            // A monitor that is gone has no terminal to resize.
            let _ = ToMonitor::Resize(size).send(self.socket);
            self.front.tell("resize", |event| event.with("height", &size.rows).with("width", &size.columns));
        }
    }
}

fn explain(line: &str) -> anyhow::Result<()> {
    write(&mut io::stderr(), format!("{line}\n").as_bytes()).map(drop)
}

fn unread(is_read: bool) -> Option<Ending> {
    if is_read { None } else { Some(Ending::Unread) }
}

/// Writes all of it; whether there is anybody to read it.
fn write(to: &mut impl io::Write, bytes: &[u8]) -> anyhow::Result<bool> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true).context("write the container's output"),
    }
}
