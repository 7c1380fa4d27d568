//! A cgroup for one test, and a shell in it.

use std::io::{Read as _, Write as _};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mini_cgroups::{Cgroup, Layout, Limits};
use mini_sys::Pid;

/// Long enough for a loaded or emulated machine; nobody waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(120);

/// A cgroup that kills its processes and removes itself when the test is over.
pub(crate) struct Group(pub(crate) Cgroup);

impl Group {
    pub(crate) fn new(layout: &Layout, claim: &str, limits: &Limits) -> Self {
        let name = name(claim);
        Self(Cgroup::create(layout, &name, limits).unwrap_or_else(|error| panic!("{name}: {error:?}")))
    }

    /// Starts `sh -c script` in the cgroup: it waits for a line until its pid is in every tree.
    pub(crate) fn start(&self, script: &str) -> Shell {
        let mut child = Command::new("sh")
            .args(["-c", &format!("read go; {script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        self.join(Pid::from_raw(child.id() as i32)).unwrap();
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        Shell(child)
    }
}

impl Deref for Group {
    type Target = Cgroup;

    fn deref(&self) -> &Cgroup {
        &self.0
    }
}

impl DerefMut for Group {
    fn deref_mut(&mut self) -> &mut Cgroup {
        &mut self.0
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let ended = (self.0.kill_all(), self.0.remove());
        if !std::thread::panicking() {
            ended.0.unwrap();
            ended.1.unwrap();
        }
    }
}

/// A process of a test's cgroup, killed when the test forgets it.
pub(crate) struct Shell(Child);

impl Shell {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end: how it ended, and what it wrote.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.0.wait().unwrap();
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (status, text)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A name that no other test and no other run of this one has.
pub(crate) fn name(claim: &str) -> String {
    format!("test-{}-{claim}", std::process::id())
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(5));
    }
}
