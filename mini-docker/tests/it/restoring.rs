//! After a boot: `system restore`, and the unit that calls it.

use std::process::Command;

use mini_sys::signal::Signal;

use crate::harness::{Engine, eventually, is_alive, kill, parent};

/// What a power cut leaves: no process, and records of another boot.
fn lose_power(engine: &Engine, names: &[&str]) {
    let running: Vec<i32> = names.iter().map(|name| engine.pid(name)).filter(|pid| *pid > 0).collect();
    for pid in &running {
        kill(parent(*pid), Signal::SIGKILL);
    }
    eventually("all have ended", || !running.iter().any(|pid| is_alive(*pid)));
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for id in engine.ids() {
        let path = engine.root().join("containers").join(id).join("record.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(boot.trim(), "00000000-0000-0000-0000-000000000000")).unwrap();
    }
}

#[test]
fn each_comes_back_as_its_policy_says() {
    let Some(engine) = Engine::new() else { return };
    let all = [
        ("always", "always"),
        ("always-stopped", "always"),
        ("unless", "unless-stopped"),
        ("unless-stopped", "unless-stopped"),
        ("failure", "on-failure"),
        ("paused", "always"),
        ("plain", "no"),
    ];
    for (name, policy) in all {
        engine.detached(&format!("--restart {policy} --name {name}"), "echo life; exec sleep 1000");
    }
    engine.call("create --restart always --name new host true").ok();
    engine.with("run --restart on-failure --name well host true", &[] as &[&str]).ok();
    engine.call("stop -t 0 always-stopped unless-stopped").ok();
    engine.call("pause paused").ok();
    lose_power(&engine, &all.map(|(name, _)| name));
    let text = engine.call("system restore").ok();
    let mut came: Vec<&str> = text.lines().collect();
    came.sort_unstable();
    assert_eq!(came, ["always", "always-stopped", "failure", "paused", "unless"]);
    for name in &came {
        assert_eq!(engine.inspect(name, ".State.Status"), "running", "{name}");
        eventually("it lives again", || engine.call(&format!("logs {name}")).out() == "life\nlife\n");
    }
    let rest = [
        ("plain", "exited 137"),
        ("unless-stopped", "exited 137"),
        ("new", "created 0"),
        ("well", "exited 0"),
    ];
    for (name, expected) in rest {
        let state = engine.with("inspect -f", &["{{.State.Status}} {{.State.ExitCode}}", name]).ok();
        assert_eq!(state, expected, "{name}");
    }
    // Once is enough.
    assert_eq!(engine.call("system restore").ok(), "");
}

#[test]
fn one_that_cannot_come_back_does_not_keep_the_others() {
    let Some(engine) = Engine::new() else { return };
    for name in ["aa", "bb", "cc"] {
        engine.detached(&format!("--restart always --name {name}"), "exec sleep 1000");
    }
    let id = engine.inspect("bb", ".Id");
    lose_power(&engine, &["aa", "bb", "cc"]);
    let directory = engine.root().join("containers").join(id);
    std::fs::write(directory.join("upper/usr"), "no directory any more").unwrap();
    let record = std::fs::read_to_string(directory.join("record.json")).unwrap();
    std::fs::write(directory.join("record.json"), record.replace("\"sh\"", "\"nosuch\"")).unwrap();
    let done = engine.call("system restore");
    let mut came: Vec<String> = done.out().lines().map(str::to_owned).collect();
    came.sort();
    assert_eq!(came, ["aa", "cc"]);
    let message = done.fails(1);
    assert!(message.starts_with("cannot start `bb`: "), "{message}");
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let Some(engine) = Engine::new() else { return };
    let unit = engine.call("system unit").ok();
    let root = engine.root();
    let line = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    assert!(line.ends_with(&format!("--root {} system restore", root.display())), "{line}");
    let path = engine.file("mini-docker.service", &unit);
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output() {
        Err(_) => eprintln!("skipped: needs systemd-analyze"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            // It looks at all units that this one names; only what it says of ours counts.
            let ours: Vec<&str> = said.lines().filter(|line| line.contains("mini-docker.service")).collect();
            assert_eq!(ours, [] as [&str; 0], "{unit}");
        }
    }
}
