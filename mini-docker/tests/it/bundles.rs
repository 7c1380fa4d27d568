//! Bundles as `runc spec` makes them, with a small root file system, and our `oci` command line upon them.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Done, binary, finish, scratch};
use crate::{leaks, needs};

/// What of busybox the tests use.
const PROGRAMS: [&str; 19] = [
    "sh", "cat", "echo", "sleep", "true", "id", "ls", "stat", "head", "hostname", "readlink", "touch",
    "test", "tty", "stty", "grep", "env", "pwd", "wc",
];

/// A directory with states, bundles and whatever a test needs.
pub(crate) struct Runtime {
    directory: TempDir,
    before: leaks::Cgroups,
}

impl Runtime {
    /// Needs root, runc for its `spec`, and a busybox that stands alone.
    pub(crate) fn new() -> Option<Self> {
        if !needs::containers() || !needs::program("runc") || !needs::need("busybox", busybox().is_some()) {
            return None;
        }
        let directory = tempfile::Builder::new().prefix("oci-").tempdir_in(scratch()).unwrap();
        Some(Self { directory, before: leaks::Cgroups::now() })
    }

    /// A place for the test's own files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A bundle with what `runc spec` writes, changed as the test wants it.
    pub(crate) fn bundle(&self, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
        let bundle = self.path(name);
        std::fs::create_dir(&bundle).unwrap();
        make_root(&bundle.join("rootfs"));
        let made = Command::new("runc").arg("spec").current_dir(&bundle).status().unwrap();
        assert!(made.success());
        let file = bundle.join("config.json");
        let mut config = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        change(&mut config);
        std::fs::write(&file, config.to_string()).unwrap();
        bundle
    }

    /// A bundle without a terminal that runs this script.
    pub(crate) fn script(&self, name: &str, script: &str) -> PathBuf {
        self.bundle(name, |config| run_script(config, script))
    }

    /// Our command, with its states in a directory of the test.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(binary());
        command.arg("oci").arg("--root").arg(self.path("states")).args(line.split_whitespace());
        command
            .current_dir(self.directory.path())
            .env_remove("MINI_DOCKER_ROOT")
            .stdin(std::process::Stdio::null());
        command
    }

    pub(crate) fn call(&self, line: &str) -> Done {
        finish(&mut self.command(line), None)
    }

    /// Runs `line`; what a container's process inherits goes to files, so that the command alone is waited for.
    pub(crate) fn apart(&self, line: &str) {
        let out = std::fs::File::options().create(true).append(true).open(self.path("output")).unwrap();
        let mut command = self.command(line);
        command.stdout(out.try_clone().unwrap()).stderr(out);
        let status = command.status().unwrap();
        assert!(status.success(), "{line}: {}", self.output());
    }

    /// What has been written by what was run [`Self::apart`].
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(self.path("output")).unwrap_or_default()
    }

    pub(crate) fn state(&self, id: &str) -> Value {
        serde_json::from_str(&self.call(&format!("state {id}")).ok()).unwrap()
    }

    pub(crate) fn status(&self, id: &str) -> String {
        self.state(id)["status"].as_str().unwrap().to_owned()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        for id in crate::harness::names(&self.path("states")) {
            let done = self.call(&format!("delete --force {id}"));
            if !std::thread::panicking() {
                done.ok();
            }
        }
        if !std::thread::panicking() {
            leaks::assert_none(self.directory.path(), &self.before);
        }
    }
}

/// No terminal, and this script as the program.
pub(crate) fn run_script(config: &mut Value, script: &str) {
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["sh", "-c", script]);
}

fn busybox() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join("busybox")).find(|file| file.is_file())
}

/// A root file system of busybox alone.
pub(crate) fn make_root(root: &Path) {
    for directory in ["bin", "etc", "tmp", "proc", "sys", "dev"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    // By another process: see the tests of ordinary users.
    let copied = Command::new("cp").arg(busybox().unwrap()).arg(root.join("bin/busybox")).status().unwrap();
    assert!(copied.success());
    for program in PROGRAMS {
        symlink("busybox", root.join("bin").join(program)).unwrap();
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
}
