//! Runs a block in the box, where no command of a page can harm the machine.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow};
use outer_box::{Allowed, End, LeakKind, Limits, Request};

use super::block::Block;
use super::script::{Answer, answers, script};

/// Where blocks run.
#[derive(Debug, Clone)]
pub struct Place {
    /// The project's root, in which the shell begins.
    pub root: PathBuf,
    /// Where cargo puts what it builds. These stay writable.
    pub targets: Vec<PathBuf>,
    /// Where programs are looked for.
    pub path: OsString,
}

/// What became of a block.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The answers to the commands that ended.
    pub answers: Vec<Answer>,
    /// What was printed after the last mark.
    pub rest: String,
    /// Why it ended before its last command did, if it did.
    pub cut_short: Option<String>,
    /// What it left behind in the box.
    pub leaks: Vec<String>,
}

/// Runs the commands of `block`, all in one shell.
///
/// # Errors
/// When there is no box to run them in; whatever the commands do is no error.
pub fn replay(block: &Block, place: &Place) -> Result<Replay> {
    let mut request = Request::new(["bash", "-c", &script(block), "bash"]);
    request.directory = place.root.clone();
    request.environment = environment(place);
    request.writable = place.targets.clone();
    request.limits = Limits { timeout: block.timeout, memory: 4 << 30, ..Limits::default() };
    // A page may leave files in `/tmp`, which is empty again for the next block.
    request.allowed = block.leaves.clone();
    request.allowed.push(Allowed { kind: LeakKind::File, subject: "/tmp/*".to_owned() });
    let outcome = outer_box::run(&request).map_err(|error| match error.hint() {
        Some(hint) => anyhow!(error).context(format!("no box (hint: {hint})")),
        None => anyhow!(error),
    })?;
    let (answers, rest) = answers(&String::from_utf8_lossy(&outcome.stdout));
    let cut_short = (answers.len() < block.commands.len()).then(|| told(outcome.end, block.timeout));
    let leaks = outcome.leaks.iter().map(ToString::to_string).collect();
    Ok(Replay { answers, rest, cut_short, leaks })
}

fn told(end: End, timeout: Duration) -> String {
    match end {
        End::Exited(status) => format!("the shell exited with {status}"),
        End::Killed(signal) => format!("the shell was killed by signal {signal}"),
        End::TimedOut => format!("not done after {} s", timeout.as_secs()),
        End::TooMuchOutput => "too much output".to_owned(),
        End::OutOfMemory => "out of memory".to_owned(),
    }
}

/// The same for everybody, whatever the caller's is, but for where the toolchain is.
fn environment(place: &Place) -> Vec<(OsString, OsString)> {
    let fixed = [
        ("HOME", "/root"),
        ("USER", "root"),
        ("LC_ALL", "C.UTF-8"),
        ("TERM", "dumb"),
        ("NO_COLOR", "1"),
        ("CARGO_NET_OFFLINE", "true"),
        ("CARGO_TERM_COLOR", "never"),
        // Its progress is no output of what it runs, and a page shows none.
        ("CARGO_TERM_QUIET", "true"),
    ];
    let mut variables: Vec<(OsString, OsString)> =
        fixed.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    variables.push(("PATH".into(), place.path.clone()));
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        variables.push((name.into(), std::env::var_os(name).unwrap_or_else(|| home.join(below).into())));
    }
    // What is built in the box must be what was built before it: these are in cargo's fingerprints.
    let decides = |name: &str| {
        let beginnings = ["CARGO_BUILD_", "CARGO_PROFILE_"];
        ["CARGO_INCREMENTAL", "CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTUP_TOOLCHAIN"].contains(&name)
            || beginnings.iter().any(|beginning| name.starts_with(beginning))
    };
    variables.extend(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(decides)));
    variables
}
