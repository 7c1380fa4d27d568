//! A dockerd with directories among those of the test, and the image for both sides.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mini_sys::Pid;
use mini_sys::mount::{self, MntFlags};
use mini_sys::signal::{self, Signal};

use crate::harness::{Engine, PATIENCE, eventually};
use crate::tars::Tar;
use crate::{leaks, needs};

/// Where `.ci/docker` has unpacked a Docker, with its containerd; else they are those in `PATH`.
const DIRECTORY: &str = "MINI_BEHAVIOUR_DOCKER";

/// The Dockers that the suite knows. The first has the words that are ours.
const KNOWN: [&str; 2] = ["28", "26"];

/// A dockerd that ends with the test.
pub(super) struct Dockerd {
    server: Child,
    directory: PathBuf,
    /// Which of [`KNOWN`].
    pub(super) version: &'static str,
}

/// The directory of its programs before those of the machine.
pub(super) fn path() -> OsString {
    let own = std::env::var_os(DIRECTORY);
    let machine = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().map(PathBuf::from).chain(std::env::split_paths(&machine))).unwrap()
}

/// The program as [`path`] finds it.
pub(super) fn found(program: &str) -> PathBuf {
    let places = std::env::split_paths(&path()).map(|place| place.join(program)).collect::<Vec<_>>();
    places.into_iter().find(|place| place.exists()).unwrap_or_else(|| program.into())
}

/// Which of [`KNOWN`] this program is, if its version begins so.
fn version(program: &str) -> Option<&'static str> {
    let output = Command::new(found(program)).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    KNOWN.into_iter().find(|known| text.starts_with(&format!("Docker version {known}.")))
}

impl Dockerd {
    pub(super) fn start(engine: &Engine) -> Option<Self> {
        let version = version("docker").filter(|command| version("dockerd") == Some(command));
        let wanted =
            format!("Docker {} (`.ci/docker` unpacks one, {DIRECTORY} says where)", KNOWN.join(" or "));
        if !needs::need(&wanted, version.is_some()) {
            return None;
        }
        let directory = engine.path("dockerd");
        std::fs::create_dir(&directory).unwrap();
        let path = |name: &str| directory.join(name);
        let mut command = Command::new(found("dockerd"));
        command.env("PATH", self::path());
        command.args(["--bridge=none", "--iptables=false", "--ip6tables=false"]);
        command.arg("--data-root").arg(path("data")).arg("--exec-root").arg(path("exec"));
        command.arg("-p").arg(path("pid")).arg("-H").arg(format!("unix://{}", path("sock").display()));
        command.args(["--cgroup-parent", &format!("/{}", parent())]);
        let log = std::fs::File::create(path("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let dockerd = Self { server: command.spawn().unwrap(), directory, version: version? };
        eventually("dockerd answers", || {
            let mut ask = Command::new(found("docker"));
            ask.arg("version").env("DOCKER_HOST", dockerd.address());
            ask.output().unwrap().status.success()
        });
        Some(dockerd)
    }

    pub(super) fn address(&self) -> String {
        format!("unix://{}", self.directory.join("sock").display())
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        let _ = signal::kill(Pid::from_raw(self.server.id() as i32), Signal::SIGTERM);
        let begun = std::time::Instant::now();
        while self.server.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < PATIENCE {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.server.kill();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mut left: Vec<&str> = mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
        left.retain(|mount| Path::new(mount).starts_with(&self.directory));
        leaks::remove_groups(&parent());
        for target in left.iter().rev() {
            let _ = mount::umount2(Path::new(target), MntFlags::MNT_DETACH);
        }
    }
}

/// The cgroup of its containers.
fn parent() -> String {
    format!("mini-dockerd-{}", std::process::id())
}

/// busybox, with a few of its programs by name.
pub(super) fn rootfs() -> Vec<u8> {
    let busybox = std::fs::read("/bin/busybox").unwrap();
    let mut tar = Tar::new().dir("bin").executable("bin/busybox", &busybox).dir("etc").dir("tmp");
    for program in [
        "sh", "cat", "echo", "id", "sleep", "true", "false", "ls", "touch", "rm", "mkdir", "env", "pwd",
        "kill", "seq", "hostname", "top", "stty", "tty", "ln", "readlink", "chown",
    ] {
        tar = tar.symlink(&format!("bin/{program}"), "busybox");
    }
    tar.file("etc/passwd", b"root:x:0:0:root:/:/bin/sh\nweb:x:33:33::/:/bin/sh\n").end()
}
