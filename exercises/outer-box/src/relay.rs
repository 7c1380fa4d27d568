//! The maker's side while the program runs: input to it, output from it, news from process 1, and the clock.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd::{self, Exit};
use mini_sys::signal::Signal;
use mini_sys::{Errno, Result};

use crate::leak::Leak;
use crate::message::Message;
use crate::request::Limits;

/// How long the box may take to be made, and to be looked through afterwards.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long output that is on its way when everything has ended may take.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) failed: Option<String>,
    pub(crate) exit: Option<Exit>,
    pub(crate) timed_out: bool,
    pub(crate) too_much: bool,
    /// Whether process 1 has looked around to the end.
    pub(crate) is_whole: bool,
    pub(crate) leaks: Vec<Leak>,
    pub(crate) started: Option<Instant>,
    pub(crate) took: Duration,
    pub(crate) output: Vec<u8>,
    pub(crate) error: Vec<u8>,
}

/// Our ends of the pipes and the socket.
#[derive(Debug)]
pub(crate) struct Relay<'a> {
    pub(crate) process: OwnedFd,
    pub(crate) inside: OwnedFd,
    pub(crate) input: Option<OwnedFd>,
    pub(crate) to_write: &'a [u8],
    pub(crate) output: Option<OwnedFd>,
    pub(crate) error: Option<OwnedFd>,
    pub(crate) limits: Limits,
}

impl Relay<'_> {
    /// Until the box has ended, by itself or because it had to.
    ///
    /// # Errors
    /// That of poll(2) or of a stream; the box has ended then too.
    pub(crate) fn run(mut self) -> Result<Report> {
        let mut report = Report::default();
        let deadline = Instant::now() + PATIENCE;
        let result = self.until_done(&mut report, deadline);
        // Process 1 may have ended already. With it ends everything in the box.
        let _ = pidfd::pidfd_send_signal(&self.process, Signal::SIGKILL);
        pidfd::wait(&self.process)?;
        result?;
        self.drain(&mut report)?;
        Ok(report)
    }

    fn until_done(&mut self, report: &mut Report, mut deadline: Instant) -> Result<()> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                report.timed_out = report.exit.is_none() && report.started.is_some();
                return Ok(());
            }
            let news = self.turn(report, left)?;
            if report.too_much {
                return Ok(());
            }
            match news {
                News::None => {}
                News::Gone => return Ok(()),
                News::Message(Message::Starting) => {
                    let now = Instant::now();
                    report.started = Some(now);
                    deadline = now + self.limits.timeout;
                }
                News::Message(Message::Ended(exit)) => {
                    report.exit = Some(exit);
                    report.took = report.started.map(|started| started.elapsed()).unwrap_or_default();
                    deadline = Instant::now() + PATIENCE;
                }
                News::Message(Message::Leak(leak)) => report.leaks.push(leak),
                News::Message(Message::Done) => {
                    report.is_whole = true;
                    return Ok(());
                }
                News::Message(Message::Failed(text)) => {
                    report.failed = Some(text);
                    return Ok(());
                }
                News::Message(Message::Go) => {}
            }
        }
    }

    /// Waits for something to happen and passes on what there is.
    fn turn(&mut self, report: &mut Report, limit: Duration) -> Result<News> {
        // Rounded up: to wake a little before the deadline would be to spin until it.
        let limit = limit + Duration::from_millis(1);
        let (mut inside, mut input, mut output, mut error) = (false, false, false, false);
        {
            let mut fds = vec![PollFd::new(self.inside.as_fd(), PollFlags::POLLIN)];
            let mut flags = vec![&mut inside];
            for (fd, events, flag) in [
                (&self.input, PollFlags::POLLOUT, &mut input),
                (&self.output, PollFlags::POLLIN, &mut output),
                (&self.error, PollFlags::POLLIN, &mut error),
            ] {
                if let Some(fd) = fd {
                    fds.push(PollFd::new(fd.as_fd(), events));
                    flags.push(flag);
                }
            }
            ipc::poll(&mut fds, Some(limit))?;
            for (fd, flag) in fds.iter().zip(flags) {
                *flag = fd.any() == Some(true);
            }
        }
        if input {
            self.write()?;
        }
        if output {
            read(&mut self.output, &mut report.output)?;
        }
        if error {
            read(&mut self.error, &mut report.error)?;
        }
        self.cut(report);
        if !inside {
            return Ok(News::None);
        }
        Ok(Message::receive(&self.inside)?.map_or(News::Gone, News::Message))
    }

    fn write(&mut self) -> Result<()> {
        let Some(fd) = &self.input else { return Ok(()) };
        if !self.to_write.is_empty() {
            match ipc::write(fd, self.to_write) {
                Ok(written) => self.to_write = &self.to_write[written..],
                // The program does not read all of it.
                Err(error) if error.errno() == Errno::EPIPE => self.to_write = &[],
                Err(error) if error.errno() == Errno::EAGAIN => {}
                Err(error) => return Err(error),
            }
        }
        if self.to_write.is_empty() {
            self.input = None;
        }
        Ok(())
    }

    fn cut(&self, report: &mut Report) {
        for stream in [&mut report.output, &mut report.error] {
            if stream.len() > self.limits.output {
                stream.truncate(self.limits.output);
                report.too_much = true;
            }
        }
    }

    /// Reads what is still in the pipes. Everybody who could write has ended.
    fn drain(&mut self, report: &mut Report) -> Result<()> {
        self.input = None;
        let deadline = Instant::now() + LAST_OUTPUT;
        while !report.too_much && (self.output.is_some() || self.error.is_some()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let mut quiet = true;
            let streams = [(&mut self.output, &mut report.output), (&mut self.error, &mut report.error)];
            for (stream, kept) in streams {
                if let Some(fd) = stream.as_ref()
                    && ipc::is_readable(fd)?
                {
                    read(stream, kept)?;
                    quiet = false;
                }
            }
            self.cut(report);
            if quiet {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }
}

enum News {
    None,
    Gone,
    Message(Message),
}

/// Reads one piece, and closes the stream at its end.
fn read(stream: &mut Option<OwnedFd>, kept: &mut Vec<u8>) -> Result<()> {
    let Some(fd) = stream else { return Ok(()) };
    let mut piece = [0; 64 * 1024];
    let length = ipc::read(&*fd, &mut piece)?;
    kept.extend_from_slice(&piece[..length]);
    if length == 0 {
        *stream = None;
    }
    Ok(())
}
