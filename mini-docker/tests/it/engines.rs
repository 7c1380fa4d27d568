//! Other engines that run containers through our `oci` command line: dockerd (with containerd) and podman.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use mini_sys::signal::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::bundles::make_root;
use crate::harness::{Done, binary, eventually, exit_code, finish, kill, scratch};
use crate::needs;

/// A dockerd of the test's own, whose runtime `mini` is ours.
struct Dockerd {
    directory: TempDir,
    child: Child,
}

impl Dockerd {
    fn start() -> Option<Self> {
        if !needs::containers()
            || !needs::program("busybox")
            || !needs::program("dockerd")
            || !needs::program("docker")
        {
            return None;
        }
        let directory = tempfile::Builder::new().prefix("dockerd-").tempdir_in(scratch()).unwrap();
        let path = |name: &str| directory.path().join(name);
        let config = json!({ "runtimes": { "mini": { "path": binary(), "runtimeArgs": ["oci"] } } });
        fs::write(path("daemon.json"), config.to_string()).unwrap();
        let log = fs::File::create(path("log")).unwrap();
        let mut command = Command::new("dockerd");
        command.args([
            "--bridge=none",
            "--iptables=false",
            "--cgroup-parent=/mini-docker",
            "--default-runtime=mini",
        ]);
        for (flag, name) in [
            ("--config-file", "daemon.json"),
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "pid"),
        ] {
            command.arg(flag).arg(path(name));
        }
        command.arg("-H").arg(format!("unix://{}", path("socket").display()));
        let child =
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let engine = Self { directory, child };
        eventually("dockerd answers", || engine.call("version").code == 0);
        make_root(&engine.path("root"));
        let mut archive = tar::Builder::new(fs::File::create(engine.path("root.tar")).unwrap());
        archive.follow_symlinks(false);
        archive.append_dir_all(".", engine.path("root")).unwrap();
        archive.finish().unwrap();
        engine.call(&format!("import {} box", engine.path("root.tar").display())).ok();
        Some(engine)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, line: &str, more: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("-H").arg(format!("unix://{}", self.path("socket").display()));
        command.args(line.split_whitespace()).args(more);
        command.current_dir(self.directory.path()).env_remove("DOCKER_HOST").stdin(Stdio::null());
        command
    }

    fn call(&self, line: &str) -> Done {
        finish(&mut self.command(line, &[]), None)
    }

    fn sh(&self, line: &str, script: &str) -> Done {
        finish(&mut self.command(&format!("{line} sh -c"), &[script]), None)
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        let ids = self.call("ps -aq").out();
        for id in ids.lines() {
            self.call(&format!("rm -f {id}"));
        }
        kill(self.child.id() as i32, Signal::SIGTERM);
        exit_code(&mut self.child, || "dockerd".to_owned());
        // It leaves its own network namespace mounted.
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = self.directory.path().to_string_lossy().into_owned();
        for point in
            mounts.lines().filter_map(|line| line.split(' ').nth(4)).filter(|it| it.starts_with(&own))
        {
            let _ = Command::new("umount").arg(point).status();
        }
    }
}

#[test]
fn dockerd_runs_its_containers_through_us() {
    let Some(docker) = Dockerd::start() else { return };
    let run = "run --rm --network none";
    assert_eq!(
        docker.sh(&format!("{run} -e A=1 -h name box"), "echo $A; hostname; exit 7").exits(7),
        "1\nname"
    );
    let fed = finish(&mut docker.command(&format!("{run} -i box cat"), &[]), Some(b"through\n".to_vec()));
    assert_eq!(fed.ok(), "through");
    assert_eq!(
        docker.sh(&format!("{run} -t box"), "tty; echo $TERM").ok().replace('\r', ""),
        "/dev/pts/0\nxterm"
    );
    for (program, status, words) in [
        ("nosuch", 127, "exec: \"nosuch\": executable file not found in $PATH"),
        ("/etc/passwd", 126, "exec: \"/etc/passwd\": permission denied"),
    ] {
        let done = docker.call(&format!("{run} box {program}"));
        assert_eq!(done.code, status, "{}", done.err());
        assert!(done.err().contains(words), "{}", done.err());
    }
    let flags = "--read-only --tmpfs /x:size=64k --sysctl net.ipv4.ip_forward=1 --ulimit nofile=99 -u 1000:1000 \
                 --cap-drop all --oom-score-adj 500";
    let script = "cat /proc/sys/net/ipv4/ip_forward; ulimit -n; id -u; touch /y 2>/dev/null || echo refused; \
                  touch /x/z; grep -c 'CapBnd:.0000000000000000' /proc/self/status; cat /proc/self/oom_score_adj";
    assert_eq!(docker.sh(&format!("{run} {flags} box"), script).ok(), "1\n99\n1000\nrefused\n1\n500");
}

#[test]
fn dockerds_own_profile_of_system_calls_is_loaded_by_us() {
    let Some(docker) = Dockerd::start() else { return };
    let run = "run --rm --network none";
    let script = "busybox unshare -U true 2>&1; grep Seccomp: /proc/self/status";
    let denied = "unshare: unshare(0x10000000): Operation not permitted\nSeccomp:\t2";
    assert_eq!(docker.sh(&format!("{run} box"), script).ok(), denied);
    let safe = format!("{run} --security-opt no-new-privileges -u 1000 box");
    assert_eq!(docker.sh(&safe, script).ok(), denied);
    let free = format!("{run} --security-opt seccomp=unconfined box");
    assert_eq!(docker.sh(&free, script).ok(), "Seccomp:\t0");
    docker.call("run -d --name web --network none box sleep 1000").ok();
    assert_eq!(docker.sh("exec web", script).ok(), denied);
    // Its profile has this one for whoever may administer the system.
    let admin = format!("{run} --cap-add SYS_ADMIN box");
    assert_eq!(docker.sh(&admin, "busybox unshare -m true && echo apart").ok(), "apart");
}

#[test]
fn dockerd_looks_after_its_containers_through_us() {
    let Some(docker) = Dockerd::start() else { return };
    let data = docker.path("root");
    let volume = format!("-v {}:/mnt:ro", data.display());
    docker
        .call(&format!("run -d --name web --network none -m 64m --pids-limit 50 {volume} box sleep 1000"))
        .ok();
    assert_eq!(
        docker.sh("exec web", "ls /mnt/bin/sh; touch /mnt/x 2>/dev/null || echo refused").ok(),
        "/mnt/bin/sh\nrefused"
    );
    assert_eq!(
        docker.sh("exec -u 1000 -e A=b web", "id -u; echo $A > /dev/stdout; exit 3").exits(3),
        "1000\nb"
    );
    assert_eq!(docker.sh("exec -t web", "tty").ok().trim(), "/dev/pts/0");
    assert_ne!(docker.call("exec web nosuch").code, 0);
    assert!(docker.call("top web").ok().contains("sleep 1000"));
    assert!(docker.call("stats --no-stream web").ok().contains("/ 64MiB"));
    docker.call("pause web").ok();
    assert!(docker.call("ps").ok().contains("(Paused)"));
    docker.call("unpause web").ok();
    docker.call("update -m 100m --memory-swap 200m web").ok();
    assert!(docker.call("stats --no-stream web").ok().contains("/ 100MiB"));
    docker.call("stop -t 1 web").ok();
    assert_eq!(docker.call("inspect -f {{.State.ExitCode}} web").ok(), "137");
    docker.call("start web").ok();
    docker.call("restart -t 0 web").ok();
    docker.call("kill web").ok();
    docker.call("rm web").ok();
}

#[test]
fn podman_runs_its_containers_through_us() {
    if !needs::containers() || !needs::program("busybox") || !needs::program("podman") {
        return;
    }
    let directory = tempfile::Builder::new().prefix("podman-").tempdir_in(scratch()).unwrap();
    // Where podman keeps what runs must have a short name: 50 letters at most.
    let run = tempfile::Builder::new().prefix("podman-").tempdir_in("/tmp").unwrap();
    let path = |name: &str| directory.path().join(name);
    make_root(&path("root"));
    // It takes a program without arguments of its own.
    let wrapper = path("mini-oci");
    fs::write(&wrapper, format!("#!/bin/sh\nexec {} oci \"$@\"\n", binary().display())).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&wrapper).status().unwrap().success());
    let call = |line: &str, more: &[&str]| {
        let mut command = Command::new("podman");
        command
            .arg("--root")
            .arg(path("data"))
            .arg("--runroot")
            .arg(run.path())
            .arg("--tmpdir")
            .arg(path("tmp"));
        command.arg("--runtime").arg(&wrapper).args([
            "--cgroup-manager",
            "cgroupfs",
            "--events-backend",
            "none",
        ]);
        command.args(line.split_whitespace()).args(more).current_dir(directory.path()).stdin(Stdio::null());
        finish(&mut command, None)
    };
    let flags = format!(
        "--ulimit nofile=1000:1000 --ulimit nproc=1000:1000 --cgroups no-conmon --cgroup-parent mini-docker --network none --rootfs {}",
        path("root").display()
    );
    assert_eq!(call(&format!("run --rm {flags} sh -c"), &["echo hello; exit 7"]).exits(7), "hello");
    let missing = call(&format!("run --rm {flags} nosuch"), &[]);
    assert_eq!(missing.code, 127, "{}", missing.err());
    call(&format!("run -d --name web {flags} sleep 1000"), &[]).ok();
    assert_eq!(call("exec web sh -c", &["echo again; exit 3"]).exits(3), "again");
    assert_eq!(call("exec -t web sh -c", &["tty"]).ok().trim(), "/dev/pts/0");
    assert!(call("ps", &[]).ok().contains("sleep 1000"));
    call("stop -t 0 web", &[]).ok();
    call("rm -f web", &[]).ok();
    call("system reset --force", &[]);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = directory.path().to_string_lossy().into_owned();
    for point in mounts.lines().filter_map(|line| line.split(' ').nth(4)).filter(|it| it.starts_with(&own)) {
        let _ = Command::new("umount").arg(point).status();
    }
}
