//! The engine of one test: a state directory of its own, the binary, and what a command answered.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mini_sys::Pid;
use mini_sys::signal::{self, Signal};
use tempfile::TempDir;

use crate::{host_image, leaks, needs};

/// Long enough for a loaded or emulated machine; nobody waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// An engine with a state directory of its own. When the test is over its containers are removed, and nothing
/// may be left of them.
pub(crate) struct Engine {
    directory: TempDir,
    before: leaks::Cgroups,
}

/// Where tests keep their files: `MINI_TEST_DIR`, or where cargo wants them.
pub(crate) fn scratch() -> PathBuf {
    std::env::var_os("MINI_TEST_DIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from)
}

impl Engine {
    /// An engine that has the image `host`. Needs root, overlayfs and cgroups.
    pub(crate) fn new() -> Option<Self> {
        let engine = Self::empty()?;
        host_image::copy_to(&engine.root());
        Some(engine)
    }

    /// An engine that has nothing yet.
    pub(crate) fn empty() -> Option<Self> {
        needs::containers().then(Self::anywhere)
    }

    /// As [`Self::empty`], for tests that start no container and need nothing.
    pub(crate) fn anywhere() -> Self {
        let directory = tempfile::Builder::new().prefix("it-").tempdir_in(scratch()).unwrap();
        Self { directory, before: leaks::Cgroups::now() }
    }

    /// The state directory.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    /// A place for the test's own files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file of the test's own.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command `line`, split at spaces, with `more` words as they are.
    pub(crate) fn command<W: AsRef<OsStr>>(&self, line: &str, more: &[W]) -> Command {
        let mut command = Command::new(binary());
        command.arg("--root").arg(self.root()).args(line.split_whitespace()).args(more);
        command.current_dir(self.directory.path()).env_remove("MINI_DOCKER_ROOT").stdin(Stdio::null());
        command
    }

    /// Runs `line`, split at spaces.
    pub(crate) fn call(&self, line: &str) -> Done {
        self.with(line, &[] as &[&str])
    }

    /// Runs `line`, split at spaces, with `more` words as they are.
    pub(crate) fn with<W: AsRef<OsStr>>(&self, line: &str, more: &[W]) -> Done {
        finish(&mut self.command(line, more), None)
    }

    /// Runs `line` and the words, with this on standard input.
    pub(crate) fn feed<W: AsRef<OsStr>>(&self, line: &str, more: &[W], input: impl Into<Vec<u8>>) -> Done {
        finish(&mut self.command(line, more), Some(input.into()))
    }

    /// What `script` prints in a container of the image `host` with these flags; it must end well.
    pub(crate) fn sh(&self, flags: &str, script: &str) -> String {
        self.with(&format!("run --rm {flags} host sh -c"), &[script]).ok()
    }

    /// Starts a container in the background; returns its id.
    pub(crate) fn detached(&self, flags: &str, script: &str) -> String {
        self.with(&format!("run -d {flags} host sh -c"), &[script]).ok()
    }

    /// As [`Self::detached`], of another image.
    pub(crate) fn detached_of(&self, image: &str, flags: &str, script: &str) -> String {
        self.with(&format!("run -d {flags} {image} sh -c"), &[script]).ok()
    }

    /// A field of what `inspect` shows.
    pub(crate) fn inspect(&self, name: &str, field: &str) -> String {
        self.with("inspect --format", &[&format!("{{{{{field}}}}}"), name]).ok()
    }

    /// The container's first process, as the host numbers it.
    pub(crate) fn pid(&self, name: &str) -> i32 {
        self.inspect(name, ".State.Pid").parse().unwrap()
    }

    /// Everything in the state directory but its locks, with the lengths of files.
    pub(crate) fn listing(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        list(&self.root(), Path::new(""), &mut all);
        // What has come of a layer is kept on purpose: the next pull goes on from there.
        // What has happened has, whatever came of it.
        all.retain(|line| !line.starts_with("images/ingest/partial-") && !line.starts_with("events.json"));
        all
    }

    /// Fails when the state directory is not as it was.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, before: &BTreeSet<String>, what: &str) {
        let now = self.listing();
        let (came, went): (Vec<_>, Vec<_>) =
            (now.difference(before).collect(), before.difference(&now).collect());
        assert!(came.is_empty() && went.is_empty(), "{what}: {came:?} came, {went:?} went");
    }

    /// Whether the list of images names this manifest.
    pub(crate) fn lists(&self, digest: &str) -> bool {
        std::fs::read_to_string(self.root().join("images/index.json")).unwrap().contains(digest)
    }

    /// The ids of the containers that have a directory.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids = names(&self.root().join("containers"));
        // Those that are being removed are gone already.
        ids.retain(|id| !id.starts_with('.'));
        ids
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let ids = self.ids();
        if !ids.is_empty() {
            let removed = self.with("rm -f", &ids);
            if !thread::panicking() {
                removed.ok();
            }
        }
        if !thread::panicking() {
            leaks::assert_none(&self.root(), &self.before);
        }
    }
}

/// The binary under test.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_mini-docker"))
}

/// The names in a directory; none if it is not there.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn list(root: &Path, below: &Path, all: &mut BTreeSet<String>) {
    for name in
        names(&root.join(below)).iter().filter(|name| !name.ends_with("lock") && !name.starts_with(".trash-"))
    {
        let path = below.join(name);
        let metadata = std::fs::symlink_metadata(root.join(&path)).unwrap();
        if metadata.is_dir() {
            all.insert(format!("{}/", path.display()));
            list(root, &path, all);
        } else {
            all.insert(format!("{} {}", path.display(), metadata.len()));
        }
    }
}

/// How a command ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Done {
    /// The exit status; 128 and the signal's number for one that a signal ended.
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    line: String,
}

impl Done {
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// What it printed, without the last newline, after it has ended well.
    #[track_caller]
    pub(crate) fn ok(&self) -> String {
        self.exits(0)
    }

    /// What it printed, without the last newline, after it has ended with this status.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> String {
        assert_eq!(self.code, code, "{}\n{}{}", self.line, self.out(), self.err());
        self.out().trim_end_matches('\n').to_owned()
    }

    /// The message of a command that failed with this status: one line that says who speaks, a hint at most.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> String {
        assert_eq!(self.code, code, "{}\n{}{}", self.line, self.out(), self.err());
        let err = self.err();
        let mut lines = err.lines();
        let first = lines.next().unwrap_or_default();
        let message = first.strip_prefix("mini-docker: ");
        let message = message.unwrap_or_else(|| panic!("{} does not say who speaks: {err}", self.line));
        let rest: Vec<&str> = lines.collect();
        let is_hint = rest.len() <= 1 && rest.iter().all(|line| line.starts_with("hint: "));
        assert!(is_hint, "{} says more than one line:\n{err}", self.line);
        assert!(!message.contains("os error"), "{message}");
        message.to_owned()
    }
}

/// Runs a command to its end, with this on standard input.
pub(crate) fn finish(command: &mut Command, input: Option<Vec<u8>>) -> Done {
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let line = show(command);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // A program that does not read all of it closes the pipe early.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    await_end(child, line)
}

/// Takes in what a command writes until it ends.
pub(crate) fn await_end(mut child: Child, line: String) -> Done {
    let stdout = child.stdout.take().map(read_all);
    let stderr = child.stderr.take().map(read_all);
    let code = exit_code(&mut child, || line.clone());
    let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.map(|reader| reader.join().unwrap()).unwrap_or_default()
    };
    Done { code, stdout: text(stdout), stderr: text(stderr), line }
}

/// Waits for the end of a command: its exit status.
pub(crate) fn exit_code(child: &mut Child, what: impl FnOnce() -> String) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        }
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("not over within {PATIENCE:?}: {}", what());
        }
        thread::sleep(Duration::from_millis(if begun.elapsed() < Duration::from_millis(200) {
            2
        } else {
            20
        }));
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all);
        all
    })
}

fn show(command: &Command) -> String {
    let words: Vec<OsString> = command.get_args().map(OsStr::to_owned).collect();
    words.join(OsStr::new(" ")).to_string_lossy().into_owned()
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal to a process of the host.
pub(crate) fn kill(pid: i32, signal: Signal) {
    signal::kill(Pid::from_raw(pid), signal).unwrap();
    if signal == Signal::SIGKILL {
        // On a busy machine it is some time until the process is looked at again, and then it is gone.
        eventually("it is dead", || !is_alive(pid));
    }
}

/// Whether a process of the host is there and not a zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The parent of a process of the host.
pub(crate) fn parent(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
}
