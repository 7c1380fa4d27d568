//! A program of the student's, started by the check.
//!
//! Its output is read by threads as it comes, up to a limit, so that it never waits for us and cannot fill our
//! memory. What it started and left behind is found by its parent in `/proc` and ended with it.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::probe::Seen;

/// A program that prints more is stopped. 1 MiB.
const MOST_OUTPUT: usize = 1 << 20;
/// How much of standard error is passed on in a message. 4 KiB.
const SHOWN: usize = 4 << 10;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed since the last line that was read.
    pub stdout: String,
    /// All it wrote to standard error.
    pub stderr: String,
}

/// Why a check cannot go on with a program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It could not be started.
    #[error("cannot start {}", .path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// It ended instead of printing a line.
    #[error("{name} ended ({how}) before it printed the line that the check waits for")]
    Silent {
        /// The program.
        name: String,
        /// `status 1`, `signal 9`.
        how: String,
    },
    /// It printed nothing and did not end.
    #[error("{name} hangs: no line and no end in {} s{}", .waited.as_secs(), multitude(*.processes))]
    Hangs {
        /// The program.
        name: String,
        /// How long the check waited.
        waited: Duration,
        /// How many processes it has below it.
        processes: usize,
    },
    /// It printed without an end.
    #[error("{name} printed more than {} MiB and was stopped", MOST_OUTPUT >> 20)]
    TooMuchOutput {
        /// The program.
        name: String,
    },
    /// The line is not what the probe prints.
    #[error(
        "{name} printed `{line}` where the probe's report should be: the probe was not started in its place"
    )]
    NoReport {
        /// The program.
        name: String,
        /// The line.
        line: String,
    },
    /// It does not read.
    #[error("cannot write to {name}")]
    Write {
        /// The program.
        name: String,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// There is no room for another thread.
    #[error("{name} leaves no room for a thread of the check: it forks without end")]
    Crowded {
        /// The program.
        name: String,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// Its end could not be waited for.
    #[error("cannot wait for {name}")]
    Wait {
        /// The program.
        name: String,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
}

/// A program that runs.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Line>,
    stderr: Arc<Mutex<String>>,
    patience: Duration,
    over: bool,
}

/// What a program wrote to standard error; it outlives the program.
#[derive(Debug)]
pub(crate) struct LastWords(Arc<Mutex<String>>);

impl LastWords {
    /// The text, as much of it as a message takes.
    pub(crate) fn text(&self) -> String {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = (0..=SHOWN.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        text[..end.unwrap_or(0)].to_owned()
    }
}

/// What a reader thread says.
#[derive(Debug)]
enum Line {
    Text(String),
    TooMuch,
}

impl Program {
    pub(crate) fn start<A: AsRef<OsStr>>(
        path: &Path,
        arguments: impl IntoIterator<Item = A>,
        patience: Duration,
    ) -> Result<Self, ProgramError> {
        let failed = |source| ProgramError::Start { path: path.to_owned(), source };
        let mut command = Command::new(path);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (sender, lines) = channel();
        let (stdin, stdout, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let stderr = Arc::new(Mutex::new(String::new()));
        let text = Arc::clone(&stderr);
        // From here on the child is ended when this fails.
        let program = Self { name, child, stdin, lines, stderr, patience, over: false };
        let crowded = |source| ProgramError::Crowded { name: program.name.clone(), source };
        if let Some(pipe) = stdout {
            thread::Builder::new().spawn(move || pass_on_lines(pipe, &sender)).map_err(crowded)?;
        }
        if let Some(pipe) = errors {
            thread::Builder::new().spawn(move || collect(pipe, &text)).map_err(crowded)?;
        }
        Ok(program)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits this long for a line or an end from now on, instead of 5 seconds.
    pub fn patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The next line that it prints, without its end.
    ///
    /// # Errors
    /// When it ends, hangs or prints without an end instead.
    pub fn line(&mut self) -> Result<String, ProgramError> {
        match self.lines.recv_timeout(self.patience) {
            Ok(Line::Text(line)) => Ok(line),
            Ok(Line::TooMuch) => Err(ProgramError::TooMuchOutput { name: self.name.clone() }),
            Err(RecvTimeoutError::Timeout) => Err(self.hangs()),
            Err(RecvTimeoutError::Disconnected) => {
                let how = how(self.wait()?);
                Err(ProgramError::Silent { name: self.name.clone(), how })
            }
        }
    }

    /// The report of the probe that this program became, or started.
    ///
    /// # Errors
    /// As [`Self::line`], and when the line is no report.
    pub fn seen(&mut self) -> Result<Seen, ProgramError> {
        let line = self.line()?;
        Seen::parse(&line).ok_or_else(|| ProgramError::NoReport {
            name: self.name.clone(),
            line: line.chars().take(200).collect(),
        })
    }

    /// Writes a line to its standard input.
    ///
    /// # Errors
    /// When it does not read any more.
    pub fn say(&mut self, line: &str) -> Result<(), ProgramError> {
        let failed = |source| ProgramError::Write { name: self.name.clone(), source };
        let Some(stdin) = self.stdin.as_mut() else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        writeln!(stdin, "{line}").map_err(failed)
    }

    /// Closes its standard input, which is what the probe waits for, and waits for its end.
    ///
    /// # Errors
    /// When it does not end, or printed without an end.
    pub fn finish(&mut self) -> Result<Ended, ProgramError> {
        self.stdin = None;
        let mut stdout = String::new();
        loop {
            match self.lines.recv_timeout(self.patience) {
                Ok(Line::Text(line)) => stdout = stdout + &line + "\n",
                Ok(Line::TooMuch) => {
                    return Err(ProgramError::TooMuchOutput { name: self.name.clone() });
                }
                Err(RecvTimeoutError::Timeout) => return Err(self.hangs()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.wait()?;
        let stderr = self.text().clone();
        Ok(Ended { code: status.code(), signal: status.signal(), stdout, stderr })
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.text().clone()
    }

    fn wait(&mut self) -> Result<ExitStatus, ProgramError> {
        let until = Instant::now() + self.patience;
        let failed = |source| ProgramError::Wait { name: self.name.clone(), source };
        loop {
            match self.child.try_wait().map_err(failed)? {
                Some(status) => {
                    self.over = true;
                    // Its last words may still be on their way through the pipe.
                    thread::sleep(Duration::from_millis(5));
                    return Ok(status);
                }
                None if Instant::now() >= until => return Err(self.hangs()),
                None => thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    fn hangs(&self) -> ProgramError {
        let processes = descendants(std::process::id()).len();
        ProgramError::Hangs { name: self.name.clone(), waited: self.patience, processes }
    }

    fn text(&self) -> MutexGuard<'_, String> {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it writes to standard error, for who wants to read that when it is over.
    pub(crate) fn last_words(&self) -> LastWords {
        LastWords(Arc::clone(&self.stderr))
    }
}

impl Drop for Program {
    /// Also ends what it started, as far as that still has it for an ancestor.
    fn drop(&mut self) {
        if !self.over {
            end(&descendants(self.pid()));
            // One that has ended by itself in between is what we want.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A program of an exercise has a handful of children; one with hundreds forks without end.
fn multitude(processes: usize) -> String {
    if processes > 100 {
        format!("; it has {processes} processes, so it forks without end")
    } else {
        String::new()
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "in an unknown way".to_owned(),
    }
}

fn pass_on_lines(mut pipe: impl Read, to: &Sender<Line>) {
    let mut buffer = vec![0; 64 << 10];
    let mut line = Vec::new();
    let mut total = 0;
    loop {
        let length = pipe.read(&mut buffer).unwrap_or(0);
        total += length;
        if total > MOST_OUTPUT {
            // Nobody listens any more when the check is over.
            let _ = to.send(Line::TooMuch);
            return;
        }
        for byte in &buffer[..length] {
            if *byte == b'\n' {
                let _ = to.send(Line::Text(String::from_utf8_lossy(&line).into_owned()));
                line.clear();
            } else {
                line.push(*byte);
            }
        }
        if length == 0 {
            if !line.is_empty() {
                let _ = to.send(Line::Text(String::from_utf8_lossy(&line).into_owned()));
            }
            return;
        }
    }
}

/// Reads to the end and keeps the first part.
fn collect(mut pipe: impl Read, into: &Mutex<String>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let length = pipe.read(&mut buffer).unwrap_or(0);
        if length == 0 {
            return;
        }
        let mut text = into.lock().unwrap_or_else(PoisonError::into_inner);
        if text.len() < MOST_OUTPUT {
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    }
}

/// Ends everything that this process has below it. It must be a subreaper, so that orphans are below it too.
pub(crate) fn end_descendants() {
    // Whoever forks while we look is found in the next round; the box ends what would escape us for good.
    for _ in 0..50 {
        let found = descendants(std::process::id());
        if found.is_empty() {
            return;
        }
        end(&found);
        while let Ok(Some(_)) = mini_sys::pidfd::reap_any() {}
        thread::sleep(Duration::from_millis(1));
    }
}

fn end(processes: &[u32]) {
    for pid in processes {
        let pid = mini_sys::Pid::from_raw(pid.cast_signed());
        // One that has ended by itself in between is what we want.
        let _ = mini_sys::signal::kill(pid, mini_sys::signal::Signal::SIGKILL);
    }
}

fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut to_visit = vec![pid];
    while let Some(pid) = to_visit.pop() {
        let below = children(pid);
        found.extend(&below);
        to_visit.extend(below);
    }
    found
}

/// proc(5), `/proc/pid/task/tid/children`: every thread has its own list.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}
