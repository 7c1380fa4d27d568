//! `outer-box [OPTION]... -- COMMAND...` runs a command where it cannot harm the machine.

#![allow(clippy::print_stderr, reason = "a program tells its user what happened")]

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use outer_box::{Allowed, BoxError, End, Limits, Outcome, Request};

/// Runs a command in a box: the machine is read-only, /tmp and /run are empty, and at the end everything is gone.
/// What the command left is told on standard error.
#[derive(Debug, Parser)]
#[command(name = "outer-box", version)]
struct Arguments {
    /// Seconds that it may run
    #[arg(long, value_name = "S", default_value_t = 20.0)]
    timeout: f64,
    /// A directory that it may write in; may be given several times
    #[arg(long, value_name = "DIR")]
    writable: Vec<PathBuf>,
    /// A directory below /tmp or /run that it may read; may be given several times
    #[arg(long, value_name = "DIR")]
    readable: Vec<PathBuf>,
    /// Megabytes of memory
    #[arg(long, value_name = "MB", default_value_t = Limits::default().memory >> 20)]
    memory: u64,
    /// Processes and threads
    #[arg(long, value_name = "N", default_value_t = Limits::default().pids)]
    pids: u64,
    /// Kilobytes of output, on each stream
    #[arg(long, value_name = "KB", default_value_t = Limits::default().output >> 10)]
    output: usize,
    /// What it may leave, such as `file:/tmp/image*`; may be given several times
    #[arg(long, value_name = "KIND:SUBJECT")]
    allow: Vec<Allowed>,
    /// Only take away what killed boxes left
    #[arg(long, conflicts_with = "command")]
    restore: bool,
    /// The command
    #[arg(last = true, required_unless_present = "restore")]
    command: Vec<OsString>,
}

/// Ours, not the command's.
const FAILURE: u8 = 125;

fn main() -> ExitCode {
    match work(Arguments::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("outer-box: {error:#}");
            if let Some(hint) = error.downcast_ref::<BoxError>().and_then(BoxError::hint) {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(FAILURE)
        }
    }
}

fn work(arguments: Arguments) -> Result<u8> {
    if arguments.restore {
        outer_box::restore()?.iter().for_each(|line| eprintln!("outer-box: {line}"));
        return Ok(0);
    }
    let outcome = outer_box::run(&request(arguments)?)?;
    tell(&outcome)?;
    Ok(match outcome.end {
        End::Exited(0) if !outcome.leaks.is_empty() => 1,
        End::Exited(code) => u8::try_from(code).unwrap_or(FAILURE),
        End::Killed(signal) => u8::try_from(128 + signal).unwrap_or(FAILURE),
        End::TimedOut => 124,
        End::TooMuchOutput | End::OutOfMemory => 137,
    })
}

fn request(arguments: Arguments) -> Result<Request> {
    let mut input = Vec::new();
    if !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_end(&mut input).context("read standard input")?;
    }
    let timeout = Duration::try_from_secs_f64(arguments.timeout)
        .with_context(|| format!("`--timeout {}` is no time", arguments.timeout))?;
    Ok(Request {
        directory: std::env::current_dir().context("find the working directory")?,
        environment: std::env::vars_os().collect(),
        input,
        writable: arguments.writable,
        readable: arguments.readable,
        limits: Limits {
            timeout,
            memory: arguments.memory << 20,
            pids: arguments.pids,
            output: arguments.output << 10,
        },
        allowed: arguments.allow,
        ..Request::new(arguments.command)
    })
}

fn tell(outcome: &Outcome) -> Result<()> {
    std::io::stdout().write_all(&outcome.stdout).context("write standard output")?;
    std::io::stderr().write_all(&outcome.stderr).context("write standard error")?;
    let how = match outcome.end {
        End::Exited(code) => format!("exited with {code}"),
        End::Killed(signal) => format!("killed by signal {signal}"),
        End::TimedOut => "ran out of time".to_owned(),
        End::TooMuchOutput => "wrote too much".to_owned(),
        End::OutOfMemory => "ran out of memory".to_owned(),
    };
    eprintln!("outer-box: {how} after {:.2} s", outcome.took.as_secs_f64());
    for leak in &outcome.leaks {
        eprintln!("outer-box: left: {}: {leak}", leak.kind);
    }
    Ok(())
}
