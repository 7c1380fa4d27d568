//! Runs a block in the box.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::block::Block;
use super::script::{Answer, answers, script};

/// Where blocks run.
#[derive(Debug, Clone)]
pub struct Place {
    /// The project's root, in which the shell begins.
    pub root: PathBuf,
    /// Where cargo puts what it builds. It stays writable.
    pub target: PathBuf,
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
    /// Why it ended before its time, if it did.
    pub cut_short: Option<String>,
    /// What it left behind in the box.
    pub leaks: Vec<String>,
}

/// Runs the commands of `block`, all in one shell.
///
/// # Errors
/// When there is no box to run them in; whatever the commands do is no error.
pub fn replay(block: &Block, place: &Place) -> Result<Replay> {
    let boxed = format!(
        "mount --make-rprivate / && mount -t tmpfs tmpfs /tmp && mount -t tmpfs tmpfs /run && \
         mkdir -p /var/lib/mini-docker && mount -t tmpfs tmpfs /var/lib/mini-docker && ip link set lo up; \
         exec timeout -k 1 {} bash -c \"$0\"",
        block.timeout.as_secs()
    );
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]);
    unshare.args(["bash", "-c", &boxed, &script(block)]);
    unshare.current_dir(&place.root).stdin(Stdio::null()).env_clear().envs(environment(place));
    let output = unshare.output().context("run `unshare`")?;
    let (answers, rest) = answers(&String::from_utf8_lossy(&output.stdout));
    let cut_short = (answers.len() < block.commands.len()).then(|| output.status.to_string());
    Ok(Replay { answers, rest, cut_short, leaks: Vec::new() })
}

/// The same for everybody, whatever the caller's is.
fn environment(place: &Place) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> = [
        ("HOME", "/root"),
        ("LC_ALL", "C.UTF-8"),
        ("TERM", "dumb"),
        ("NO_COLOR", "1"),
        ("CARGO_NET_OFFLINE", "true"),
        ("CARGO_TERM_COLOR", "never"),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value.into()))
    .collect();
    variables.push(("PATH".into(), place.path.clone()));
    variables.push(("CARGO_TARGET_DIR".into(), place.target.clone().into()));
    for name in ["CARGO_HOME", "RUSTUP_HOME", "USER"] {
        variables.extend(std::env::var_os(name).map(|value| (name.into(), value)));
    }
    variables
}
