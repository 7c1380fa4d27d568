//! The streams of a program that this command itself has started in a container.
//!
//! What is a pipe or a file becomes the program's own: nothing is copied, and this command only waits. A terminal is
//! not handed in, because a program in a container has no business at the keyboard of the host, not even after
//! this command has ended; what goes over it is carried by one loop around poll(2). A program with a terminal of
//! its own gets that loop too, with every key passed on but those that detach. pty(7), tty_ioctl(2); book ch. 7.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::{Context as _, bail};
use mini_runtime::Started;
use mini_runtime::stdio::ProgramSide;
use mini_sys::clone;
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd;
use mini_sys::signal::{self, Signal, SignalFd};
use mini_sys::tty::{self, Raw};
use mini_sys::{Errno, Pid, file};

use crate::detach_keys::{DetachKeys, Watch};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The program has ended with this status.
    Exited(i32),
    /// The keys were typed; the program goes on.
    Detached,
}

/// Our side of what is not the program's own.
#[derive(Debug, Default)]
pub(crate) struct OurSide {
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

/// The streams of a program without a terminal: ours, but for terminals. Without `interactive` its input is empty.
pub(crate) fn streams(interactive: bool) -> anyhow::Result<(ProgramSide, OurSide)> {
    let mut ours = OurSide::default();
    let stdin = match interactive {
        false => file::open_null()?,
        true if tty::is_terminal(io::stdin()) => {
            let (read, write) = ipc::pipe()?;
            ipc::set_nonblocking(&write)?;
            ours.stdin = Some(write);
            read
        }
        true => own_input()?,
    };
    let (stdout, from_stdout) = output(io::stdout())?;
    let (stderr, from_stderr) = output(io::stderr())?;
    (ours.stdout, ours.stderr) = (from_stdout, from_stderr);
    Ok((ProgramSide { stdin, stdout, stderr }, ours))
}

/// An open directory would be a way out of the container.
fn own_input() -> anyhow::Result<OwnedFd> {
    let stdin = duplicate(io::stdin())?;
    let stat = file::statat(&stdin, std::path::Path::new(""))?;
    if file::FileType::from_raw_mode(stat.st_mode) == file::FileType::Directory {
        bail!("the standard input is a directory");
    }
    Ok(stdin)
}

fn output(own: impl AsFd) -> anyhow::Result<(OwnedFd, Option<OwnedFd>)> {
    if !tty::is_terminal(&own) {
        return Ok((duplicate(own)?, None));
    }
    let (read, write) = ipc::pipe()?;
    Ok((write, Some(read)))
}

fn duplicate(fd: impl AsFd) -> anyhow::Result<OwnedFd> {
    fd.as_fd().try_clone_to_owned().context("pass a stream on")
}

/// Nothing to read, and nobody who reads.
pub(crate) fn nothing() -> anyhow::Result<ProgramSide> {
    Ok(ProgramSide { stdin: file::open_null()?, stdout: file::open_null()?, stderr: file::open_null()? })
}

/// Waits for the program, and carries what has to be carried.
pub(crate) fn wait(started: &Started, ours: OurSide) -> anyhow::Result<i32> {
    attend(started.child.pidfd.as_fd(), ours)?;
    Ok(pidfd::wait(&started.child.pidfd)?.shell_code())
}

/// Carries what has to be carried until `end`, which becomes readable when the program has ended.
pub(crate) fn attend(end: BorrowedFd<'_>, ours: OurSide) -> anyhow::Result<()> {
    let OurSide { stdin, stdout, stderr } = ours;
    let mut carrier = Carrier {
        outputs: [(stdout, Target::Stdout), (stderr, Target::Stderr)],
        input: stdin,
        pending: Vec::new(),
        keys: None,
        signals: None,
    };
    match carrier.run(end)? {
        Step::Ended => Ok(()),
        Step::Signal(_) | Step::Detach | Step::On => bail!("lost sight of the program"),
    }
}

/// A terminal that a program in a container is about to get. It comes before the start: from then on this process
/// may be one of the container's, and can make no helper on the host any more.
pub(crate) struct Front {
    keeper: OwnedFd,
    signals: SignalFd,
    raw: Option<Raw>,
    interactive: bool,
    keys: DetachKeys,
}

impl Front {
    /// Takes the terminal.
    pub(crate) fn take(interactive: bool, keys: DetachKeys) -> anyhow::Result<Self> {
        let (keeper, theirs) = ipc::socketpair()?;
        // When we end, it is init's to reap.
        drop(clone::fork_apart(theirs, |socket| keep(&socket))?);
        let mut wanted = crate::terminal::ENDING.map(|signal| signal as i32).to_vec();
        wanted.push(Signal::SIGWINCH as i32);
        let signals = signal::signalfd(&wanted)?;
        let at_terminal = interactive && tty::is_terminal(io::stdin());
        let raw = if at_terminal { Some(Raw::enter(io::stdin())?) } else { None };
        Ok(Self { keeper, signals, raw, interactive, keys })
    }

    /// Stays with the program until it ends or the keys are typed. A signal that ends this command ends it as ever,
    /// after the terminal has been brought back; the program is told by a hang-up.
    pub(crate) fn stay(self, mut started: Started) -> anyhow::Result<End> {
        let Self { keeper, signals, raw, interactive, keys } = self;
        let console = started.console.take().context("the container made no terminal")?;
        ipc::set_nonblocking(&console)?;
        let input = if interactive { Some(duplicate(&console)?) } else { None };
        let mut carrier = Carrier {
            outputs: [(Some(console), Target::Stdout), (None, Target::Stderr)],
            input,
            pending: Vec::new(),
            keys: Some(Watch::new(&keys)),
            signals: Some(signals),
        };
        // It may have changed since the size was asked for.
        carrier.resize();
        let step = carrier.run(started.child.pidfd.as_fd());
        drop(raw);
        match step? {
            Step::Detach => {
                if let Some(console) = &carrier.outputs[0].0 {
                    ipc::send_fd(&keeper, b"k", console.as_fd())?;
                }
                Ok(End::Detached)
            }
            Step::Signal(number) => {
                carrier.signals = None;
                signal::reset_all()?;
                let number = Signal::try_from(number).context("end as a signal wants it")?;
                signal::kill(Pid::this(), number)?;
                bail!("{number} did not end this command")
            }
            Step::Ended | Step::On => Ok(End::Exited(pidfd::wait(&started.child.pidfd)?.shell_code())),
        }
    }
}

/// Holds the far side of a terminal that nobody looks at any more, and reads what comes, so that the program does not
/// have to wait. Ends with the program, or at once when there is nothing to hold.
fn keep(socket: &OwnedFd) -> Infallible {
    let _ = mini_sys::process::set_name(c"mini-docker-pty");
    let mut word = [0; 1];
    if let Ok((_, Some(console))) = ipc::receive(socket, &mut word) {
        drain(&console);
    }
    clone::leave(0)
}

/// Reads a terminal until its other side is closed.
pub(crate) fn drain(console: &OwnedFd) {
    let mut chunk = [0; 4096];
    loop {
        match ipc::read(console, &mut chunk) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.errno() == Errno::EAGAIN => {
                let mut fds = [PollFd::new(console.as_fd(), PollFlags::POLLIN)];
                if ipc::poll(&mut fds, None).is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Stdout,
    Stderr,
}

/// What a look at all descriptors came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    On,
    Ended,
    Detach,
    Signal(i32),
}

/// Carries bytes between this command's terminal and the program.
struct Carrier {
    outputs: [(Option<OwnedFd>, Target); 2],
    /// What is typed goes here.
    input: Option<OwnedFd>,
    /// What was typed and not taken yet.
    pending: Vec<u8>,
    keys: Option<Watch>,
    signals: Option<SignalFd>,
}

impl Carrier {
    fn run(&mut self, program: BorrowedFd<'_>) -> anyhow::Result<Step> {
        loop {
            match self.look(program)? {
                Step::On => {}
                Step::Ended => {
                    self.finish();
                    return Ok(Step::Ended);
                }
                other => return Ok(other),
            }
        }
    }

    /// Waits until something is ready, and does what there is to do about it.
    fn look(&mut self, program: BorrowedFd<'_>) -> anyhow::Result<Step> {
        let mut step = Step::On;
        for what in self.ready(program)? {
            match what {
                What::Program => step = Step::Ended,
                What::Output(index) => self.take_output(index)?,
                What::Room => self.give(),
                What::Typed if self.take_input()? => return Ok(Step::Detach),
                What::Typed => {}
                What::Signal => {
                    if let Some(number) = self.take_signals()? {
                        return Ok(Step::Signal(number));
                    }
                }
            }
        }
        Ok(step)
    }

    fn ready(&self, program: BorrowedFd<'_>) -> anyhow::Result<Vec<What>> {
        let stdin = io::stdin();
        let mut watched = vec![(program, PollFlags::POLLIN, What::Program)];
        for (index, (output, _)) in self.outputs.iter().enumerate() {
            watched.extend(output.as_ref().map(|fd| (fd.as_fd(), PollFlags::POLLIN, What::Output(index))));
        }
        if let Some(input) = &self.input {
            watched.push(if self.pending.is_empty() {
                (stdin.as_fd(), PollFlags::POLLIN, What::Typed)
            } else {
                (input.as_fd(), PollFlags::POLLOUT, What::Room)
            });
        }
        watched.extend(self.signals.as_ref().map(|fd| (fd.as_fd(), PollFlags::POLLIN, What::Signal)));
        let mut fds: Vec<PollFd<'_>> =
            watched.iter().map(|(fd, events, _)| PollFd::new(*fd, *events)).collect();
        ipc::poll(&mut fds, None)?;
        let is_ready = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| !events.is_empty());
        let ready = fds.iter().zip(&watched).filter(|(fd, _)| is_ready(fd));
        Ok(ready.map(|(_, (_, _, what))| *what).collect())
    }

    /// Shows what is there; an end, or a terminal whose program is gone, is looked at no more.
    fn take_output(&mut self, index: usize) -> anyhow::Result<()> {
        let (fd, target) = &mut self.outputs[index];
        let Some(output) = fd else { return Ok(()) };
        let mut chunk = [0; 32 * 1024];
        match ipc::read(&*output, &mut chunk) {
            Err(error) if error.errno() == Errno::EAGAIN => Ok(()),
            Ok(0) | Err(_) => {
                *fd = None;
                Ok(())
            }
            Ok(length) => match target {
                Target::Stdout => show(&mut io::stdout(), &chunk[..length]),
                Target::Stderr => show(&mut io::stderr(), &chunk[..length]),
            },
        }
    }

    /// Shows what the program wrote before it ended, and does not wait for those that it left behind.
    fn finish(&mut self) {
        for index in [0, 1] {
            while let Some(fd) = &self.outputs[index].0 {
                if !ipc::is_readable(fd).unwrap_or(false) || self.take_output(index).is_err() {
                    break;
                }
            }
        }
    }

    /// Takes what was typed; whether it is time to leave.
    fn take_input(&mut self) -> anyhow::Result<bool> {
        let mut chunk = [0; 4096];
        match ipc::read(io::stdin(), &mut chunk) {
            Err(error) if error.errno() == Errno::EAGAIN => {}
            Ok(0) | Err(_) => self.end_input(),
            Ok(length) => match &mut self.keys {
                Some(keys) => {
                    let typed = keys.take(&chunk[..length]);
                    self.pending = typed.pass;
                    self.give();
                    return Ok(typed.detach);
                }
                None => {
                    self.pending = chunk[..length].to_vec();
                    self.give();
                }
            },
        }
        Ok(false)
    }

    /// A pipe is closed. A terminal cannot be: its program is sent what a user types for it, ctrl-d.
    fn end_input(&mut self) {
        if let Some(keys) = &mut self.keys {
            self.pending = keys.finish();
            self.pending.push(0x04);
            self.give();
        }
        self.input = None;
    }

    /// Gives the program as much as it takes without waiting.
    fn give(&mut self) {
        let Some(input) = &self.input else { return };
        while !self.pending.is_empty() {
            match ipc::write(input, &self.pending) {
                Ok(length) => drop(self.pending.drain(..length)),
                Err(error) if error.errno() == Errno::EAGAIN => return,
                Err(_) => {
                    // Nobody reads it any more.
                    self.pending.clear();
                    self.input = None;
                    return;
                }
            }
        }
    }

    /// The signal that ends this command, if one has come.
    fn take_signals(&mut self) -> anyhow::Result<Option<i32>> {
        let Some(signals) = &self.signals else { return Ok(None) };
        while let Some(number) = signal::next(signals)? {
            if number != Signal::SIGWINCH as i32 {
                return Ok(Some(number));
            }
            self.resize();
        }
        Ok(None)
    }

    fn resize(&self) {
        if let (Some(console), Some(size)) = (&self.outputs[0].0, crate::terminal::size()) {
            // A terminal that has just closed has no size to set.
            let _ = tty::set_window_size(console, size);
        }
    }
}

/// What is ready.
#[derive(Debug, Clone, Copy)]
enum What {
    Program,
    Output(usize),
    Typed,
    Room,
    Signal,
}

/// Writes all of it. A reader that has gone ends this command as any in a pipe.
fn show(to: &mut impl io::Write, bytes: &[u8]) -> anyhow::Result<()> {
    to.write_all(bytes).and_then(|()| to.flush()).context("write the program's output")
}
