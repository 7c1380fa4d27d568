//! What is to be run in a box, and what it may use.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::leak::Allowed;

/// A program to run in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The program, a path or a name that is looked for along the environment's `PATH`, and its arguments.
    pub command: Vec<OsString>,
    /// Where it starts. Visible in the box also below `/tmp`.
    pub directory: PathBuf,
    /// Its whole environment; see [`Request::new`]. Where it does not say otherwise, `MINI_DOCKER_ROOT` is a
    /// directory of the box.
    pub environment: Vec<(OsString, OsString)>,
    /// What it reads from its standard input.
    pub input: Vec<u8>,
    /// Directories of the host that it may write in. All others are read-only.
    pub writable: Vec<PathBuf>,
    /// Directories that are to stay visible, read-only, where the box's own `/tmp` or `/run` would hide them.
    pub readable: Vec<PathBuf>,
    /// What it may use.
    pub limits: Limits,
    /// What it may leave behind.
    pub allowed: Vec<Allowed>,
}

impl Request {
    /// Runs `command` at `/`, with the `PATH`, `HOME`, `USER` and `LANG` that a login shell of root gives, no
    /// input, nothing writable, and the default limits.
    pub fn new(command: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let environment = [("PATH", path), ("HOME", "/root"), ("USER", "root"), ("LANG", "C.UTF-8")];
        Self {
            command: command.into_iter().map(Into::into).collect(),
            directory: "/".into(),
            environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
            input: Vec::new(),
            writable: Vec::new(),
            readable: Vec::new(),
            limits: Limits::default(),
            allowed: Vec::new(),
        }
    }

    /// The value of the variable `name` in the program's environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

/// What a box may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the program may run.
    pub timeout: Duration,
    /// Bytes of memory, the files in `/tmp` included. Without a cgroup: of private memory for each process.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Bytes of output, on each of the two streams.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20), memory: 1 << 30, pids: 512, output: 1 << 20 }
    }
}
