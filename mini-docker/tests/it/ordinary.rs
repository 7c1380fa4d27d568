//! Without root: containers in a user namespace, where the kernel allows it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::{Command, Stdio};

use crate::harness::{Done, await_end, binary, eventually, finish, names};
use crate::needs;

/// Nobody in particular.
const USER: u32 = 65534;

/// A home directory of the user, with the binary in it.
fn home() -> Option<tempfile::TempDir> {
    if !needs::root() || !needs::program("setpriv") {
        return None;
    }
    let home = tempfile::Builder::new().prefix("mini-docker-it-").tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // By another process: while this one has it open for writing, a fork of another test would too, and a file
    // that is being written cannot be executed.
    assert!(Command::new("cp").arg(binary()).arg(home.path()).status().unwrap().success());
    chown(home.path(), Some(USER), Some(USER)).unwrap();
    Some(home)
}

/// Runs the binary as the user.
fn call(home: &tempfile::TempDir, words: &[&str]) -> Done {
    let id = USER.to_string();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
        .arg(home.path().join("mini-docker"))
        .args(words);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home.path())
        .current_dir(home.path());
    finish(&mut command, None)
}

/// Whether an ordinary user may make user namespaces here.
fn namespaces_allowed() -> bool {
    let id = USER.to_string();
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid",
        &id,
        "--regid",
        &id,
        "--clear-groups",
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "true",
    ]);
    needs::need(
        "user namespaces for ordinary users",
        command.output().is_ok_and(|output| output.status.success()),
    )
}

#[test]
fn an_ordinary_user_runs_containers() {
    let Some(home) = home() else { return };
    if !namespaces_allowed() {
        return;
    }
    let shown = call(&home, &["run", "--rm", "-h", "box", "host", "sh", "-c", "id -u; hostname; echo $$; echo x > /file; cat /file; ls /home; cat /proc/self/uid_map | tr -s ' '"]).ok();
    assert_eq!(shown, format!("0\nbox\n1\nx\n 0 {USER} 1"));
    assert!(home.path().join(".local/share/mini-docker/images/index.json").exists());
    call(&home, &["run", "--rm", "host", "sh", "-c", "exit 9"]).exits(9);
    call(&home, &["run", "--rm", "host", "nosuch"]).fails(127);
    let id = call(&home, &["run", "-d", "--name", "web", "host", "sleep", "1000"]).ok();
    assert_eq!(call(&home, &["ps", "-q"]).ok(), id[..12]);
    call(&home, &["stop", "-t", "0", "web"]).ok();
    // Files that only the container's root could read are removed all the same.
    call(
        &home,
        &["run", "--name", "other", "host", "sh", "-c", "mkdir -p /d/e; touch /d/e/f; chmod 0 /d/e /d"],
    )
    .ok();
    assert_eq!(call(&home, &["rm", "web", "other"]).ok(), "web\nother");
    assert_eq!(names(&home.path().join(".local/share/mini-docker/containers")), [] as [&str; 0]);
    assert!(call(&home, &["rmi", "host"]).ok().starts_with("Untagged: host:latest\n"));
    let left = names(&home.path().join(".local/share/mini-docker/layers"));
    assert_eq!(left, [] as [&str; 0]);
}

#[test]
fn an_ordinary_user_runs_more_programs_in_a_container() {
    let Some(home) = home() else { return };
    if !namespaces_allowed() {
        return;
    }
    call(&home, &["run", "-d", "--name", "web", "host", "sleep", "1000"]).ok();
    let script = "id -u; tr '\\0' ' ' < /proc/1/cmdline; readlink /proc/self/ns/user; pwd; exit 7";
    let shown = call(&home, &["exec", "web", "sh", "-c", script]).exits(7);
    let pid = call(&home, &["inspect", "-f", "{{.State.Pid}}", "web"]).ok();
    let user = fs::read_link(format!("/proc/{pid}/ns/user")).unwrap();
    assert_eq!(shown, format!("0\nsleep 1000 {}\n/", user.display()));
    assert_eq!(call(&home, &["exec", "-t", "web", "tty"]).ok().trim_end(), "/dev/pts/0");
    call(&home, &["exec", "-d", "web", "sh", "-c", "echo > /made; exec sleep 1000"]).ok();
    eventually("it runs", || call(&home, &["exec", "web", "test", "-e", "/made"]).code == 0);
    let all = call(&home, &["exec", "--privileged", "web", "grep", "CapEff", "/proc/self/status"]).ok();
    assert_ne!(all, call(&home, &["exec", "web", "grep", "CapEff", "/proc/self/status"]).ok());
    call(&home, &["rm", "-f", "web"]).ok();
}

#[test]
fn without_privileges_the_host_is_no_more_reachable() {
    let Some(home) = home() else { return };
    if !namespaces_allowed() {
        return;
    }
    let done = call(
        &home,
        &[
            "run",
            "--rm",
            "host",
            "sh",
            "-c",
            "mount -t tmpfs none /mnt || echo refused; cat /etc/shadow 2>/dev/null || echo none; head -c 1 /dev/zero | wc -c; echo x > /dev/null && echo null",
        ],
    );
    assert_eq!(done.ok(), "refused\nnone\n1\nnull");
    let message = call(&home, &["run", "--rm", "-u", "1000", "host", "true"]).fails(125);
    assert!(!message.contains("step "), "an id that is not mapped is told in words: {message}");
}

#[test]
fn what_an_ordinary_user_lacks_is_told_in_one_line() {
    let Some(home) = home() else { return };
    // A user namespace without room for another, as with user.max_user_namespaces=0. Root maps its ids.
    let id = USER.to_string();
    let script = "read go; echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--keep-caps",
        "sh",
        "-c",
        script,
        "sh",
        "setpriv",
        "--reuid",
        &id,
        "--regid",
        &id,
        "--clear-groups",
        "--",
    ]);
    command.arg(home.path().join("mini-docker")).args(["run", "--rm", "host", "true"]);
    command.env("HOME", home.path()).env_remove("MINI_DOCKER_ROOT").current_dir(home.path());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let own = fs::read_link("/proc/self/ns/user").unwrap();
    let process = format!("/proc/{}", child.id());
    eventually("it has a namespace", || {
        fs::read_link(format!("{process}/ns/user")).is_ok_and(|namespace| namespace != own)
    });
    for map in ["uid_map", "gid_map"] {
        fs::write(format!("{process}/{map}"), "0 0 65535").unwrap();
    }
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let done = await_end(child, "run".to_owned());
    done.fails(125);
    assert!(done.err().contains("hint: ") && done.err().contains("user namespaces"), "{}", done.err());
    assert_eq!(names(&home.path().join(".local/share/mini-docker/containers")), [] as [&str; 0]);
}

#[test]
fn a_user_without_a_home_is_told() {
    let Some(home) = home() else { return };
    let id = USER.to_string();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
        .arg(home.path().join("mini-docker"))
        .arg("ps");
    let done = finish(command.env_clear().env("PATH", "/bin:/usr/bin"), None);
    assert!(done.fails(1).contains("HOME"), "{}", done.err());
}

#[test]
fn an_ordinary_user_exports_and_commits_as_root_of_the_container() {
    let Some(home) = home() else { return };
    if !namespaces_allowed() {
        return;
    }
    assert!(call(&home, &["run", "--rm", "hello-world"]).ok().contains("Hello from mini-docker!"));
    let script = "echo x > /made; rm /bin/true; sleep 1000";
    call(&home, &["run", "-d", "--name", "web", "host", "sh", "-c", script]).ok();
    eventually("the file is made", || call(&home, &["export", "web"]).out().contains("made"));
    let exported = call(&home, &["export", "web"]).stdout;
    let mut archive = tar::Archive::new(exported.as_slice());
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let owner = (entry.header().uid().unwrap(), entry.header().gid().unwrap());
        assert_eq!(owner, (0, 0), "{}", entry.path().unwrap().display());
    }
    call(&home, &["commit", "--pause=false", "web", "snap"]).ok();
    let told = call(&home, &["run", "--rm", "snap", "sh", "-c", "cat /made; ls /bin/true"]).stdout;
    assert_eq!(String::from_utf8_lossy(&told), "x\n");
    call(&home, &["rm", "-f", "web"]).ok();
}
