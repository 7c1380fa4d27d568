//! `kill -9` of the command, the monitor or both, at any moment: the next command finds nothing that is not so.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use mini_sys::signal::Signal;

use crate::harness::{Engine, eventually, is_alive, kill, names, parent};

/// The processes that have the state directory on their command line: commands and monitors.
fn own_processes(engine: &Engine) -> Vec<i32> {
    let root = engine.root().display().to_string();
    let pids = names("/proc".as_ref()).into_iter().filter_map(|name| name.parse().ok());
    pids.filter(|pid: &i32| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        is_alive(*pid) && String::from_utf8_lossy(&command).contains(&root)
    })
    .collect()
}

/// After one more command everything that is told is so: what runs has a process, what is there has a record,
/// no name is lost.
#[track_caller]
fn assert_mended(engine: &Engine) {
    engine.call("ps -a").ok();
    for id in engine.ids() {
        let state = engine.inspect(&id, ".State.Status");
        if state == "running" {
            assert!(is_alive(engine.pid(&id)), "{id} is said to run");
        }
    }
    let listed: Vec<String> = engine.call("ps -aq --no-trunc").ok().lines().map(str::to_owned).collect();
    let mut there = engine.ids();
    let (mut listed, mut named) = (listed, Vec::new());
    for name in names(&engine.root().join("names")) {
        named.push(
            std::fs::read_link(engine.root().join("names").join(name))
                .unwrap()
                .to_string_lossy()
                .into_owned(),
        );
    }
    there.sort();
    listed.sort();
    named.sort();
    assert_eq!(there, listed, "directories and containers");
    named.retain(|id| there.contains(id));
    assert_eq!(named, there, "every container has its name");
    assert!(
        !names(&engine.root().join("containers")).iter().any(|name| name.starts_with(".trash")),
        "files were left"
    );
}

#[test]
fn the_command_is_killed_at_any_moment() {
    let Some(engine) = Engine::new() else { return };
    for round in 0..30_u64 {
        let flags = ["run --name web", "run --rm --name web", "run -d --name web", "run --rm -i --name web"]
            [round as usize % 4];
        let mut command = engine.command(&format!("{flags} host sh -c"), &["sleep 0.02; exit 3"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_micros(round * 1500));
        child.kill().unwrap();
        child.wait().unwrap();
        // The monitor, if there is one, goes on to the container's end.
        eventually("the monitor has ended", || own_processes(&engine).is_empty());
        assert_mended(&engine);
        engine.call("rm -f web").exits(0);
        engine.call("run --rm --name web host true").ok();
    }
}

#[test]
fn command_and_monitor_are_killed_at_any_moment() {
    let Some(engine) = Engine::new() else { return };
    for round in 0..30_u64 {
        let flags = ["run --name web", "run --rm --name web", "run -d --name web"][round as usize % 3];
        let mut command = engine.command(&format!("{flags} host sleep 1000"), &[] as &[&str]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_micros(round * 2000));
        // Until none is left, and none came while that was looked at: the command may be just about to make the
        // monitor.
        let mut looks = 0;
        eventually("all are killed", || {
            let all = own_processes(&engine);
            for pid in &all {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
            }
            looks = if all.is_empty() { looks + 1 } else { 0 };
            looks == 3
        });
        child.wait().unwrap();
        assert_mended(&engine);
        assert_eq!(engine.call("ps -q").ok(), "", "nothing runs without a monitor");
        engine.call("rm -f web").exits(0);
        engine.call("run --rm --name web host true").ok();
    }
}

#[test]
fn a_container_does_not_outlive_its_monitor() {
    let Some(engine) = Engine::new() else { return };
    for flags in ["", "--init", "-u 1000", "-t"] {
        engine.detached(&format!("--name web {flags}"), "sleep 1000 & sleep 1001 & wait");
        let pid = engine.pid("web");
        eventually("its children run", || {
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
                .unwrap()
                .split_whitespace()
                .count()
                > 0
        });
        let monitor = parent(pid);
        assert!(std::fs::read_to_string(format!("/proc/{monitor}/comm")).unwrap().starts_with("mini-"));
        kill(monitor, Signal::SIGKILL);
        eventually("the program has ended", || !is_alive(pid));
        assert_mended(&engine);
        assert_eq!(engine.inspect("web", ".State.Status"), "exited");
        assert_eq!(engine.inspect("web", ".State.ExitCode"), "137");
        engine.call("rm web").ok();
    }
}

#[test]
fn with_rm_nothing_is_left_after_the_monitor_was_killed() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--rm --name web", "sleep 1000");
    let pid = engine.pid("web");
    kill(parent(pid), Signal::SIGKILL);
    eventually("the program has ended", || !is_alive(pid));
    engine.call("ps").ok();
    assert_eq!((engine.ids().len(), names(&engine.root().join("names")).len()), (0, 0));
}

#[test]
fn the_command_in_front_says_that_its_monitor_is_gone() {
    let Some(engine) = Engine::new() else { return };
    let child = engine
        .command("run --name web host sleep 1000", &[] as &[&str])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("it runs", || engine.call("ps -q").ok() != "");
    kill(parent(engine.pid("web")), Signal::SIGKILL);
    let done = crate::harness::await_end(child, "run".to_owned());
    assert_eq!(done.fails(125), "the monitor of `web` has ended, and its container with it");
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "137");
}

#[test]
fn a_container_that_was_left_by_its_command_runs_on() {
    let Some(engine) = Engine::new() else { return };
    let mut child = engine
        .command("run --name web host sh -c", &["echo before; sleep 0.3; echo after; exit 4"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it runs", || engine.call("ps -q").ok() != "");
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("it has ended", || engine.inspect("web", ".State.Status") == "exited");
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "4");
    assert_eq!(engine.call("logs web").ok(), "before\nafter");
}

#[test]
fn a_stale_pid_is_not_taken_for_the_container() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000");
    let (pid, id) = (engine.pid("web"), engine.inspect("web", ".Id"));
    kill(parent(pid), Signal::SIGKILL);
    eventually("the program has ended", || !is_alive(pid));
    // As after a reboot: the numbers are those of processes that have nothing to do with it.
    let path = engine.root().join("containers").join(id).join("record.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut innocent = Command::new("sleep").arg("1000").spawn().unwrap();
    std::fs::write(&path, text.replace(&format!("\"pid\":{pid}"), &format!("\"pid\":{}", innocent.id())))
        .unwrap();
    engine.call("ps -a").ok();
    engine.call("stop -t 0 web").ok();
    engine.call("rm -f web").ok();
    assert!(innocent.try_wait().unwrap().is_none(), "another's process was killed");
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[test]
fn an_import_that_is_killed_leaves_nothing_for_long() {
    let Some(engine) = Engine::new() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    let tar = crate::tars::root();
    let file = engine.file("archive.tar", &tar);
    for round in 0..12_u64 {
        let mut child = engine.command("import", &[&file]).stdout(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(round * 10));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
    }
    // The next command that writes images clears away what the killed ones left.
    engine.feed("import - tiny", &[] as &[&str], crate::tars::Tar::new().end()).ok();
    let all = engine.call("images -q --no-trunc").ok();
    for id in all.lines().filter(|id| **id != engine.inspect("host", ".Id")) {
        engine.call(&format!("rmi {id}")).ok();
    }
    engine.assert_unchanged(&before, "after the killed imports");
}
