//! Restart policies, and `restart`.

use std::process::Stdio;

use mini_sys::signal::Signal;
use serde_json::Value;

use crate::harness::{Engine, await_end, eventually, is_alive, kill};

/// What has happened to the container, in order: the action, and when in nanoseconds.
fn story(engine: &Engine, name: &str) -> Vec<(String, i64)> {
    let filter = format!("container={name}");
    let text = engine.with("events --since 1h --until 0s --format json --filter", &[filter]).ok();
    let event = |line: &str| -> (String, i64) {
        let event: Value = serde_json::from_str(line).unwrap();
        (event["Action"].as_str().unwrap().to_owned(), event["timeNano"].as_i64().unwrap())
    };
    text.lines().map(event).collect()
}

fn state(engine: &Engine, name: &str) -> String {
    engine.with("inspect -f", &["{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}", name]).ok()
}

fn lives(engine: &Engine, name: &str) -> usize {
    engine.call(&format!("logs {name}")).out().lines().count()
}

#[test]
fn on_failure_tries_so_often_and_keeps_the_log_of_all_lives() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--restart on-failure:3 --name web", "echo life; exit 5");
    eventually("it is given up", || state(&engine, "web") == "exited 5 3");
    assert_eq!(engine.call("logs web").ok(), "life\nlife\nlife\nlife");
    let told: Vec<String> = story(&engine, "web").into_iter().map(|(action, _)| action).collect();
    let mut expected = vec!["create"];
    expected.extend(["start", "die"].repeat(4));
    assert_eq!(told, expected);
    // Who starts it by hand starts the count.
    engine.call("start web").ok();
    eventually("it is given up again", || {
        state(&engine, "web") == "exited 5 3" && lives(&engine, "web") == 8
    });
}

#[test]
fn success_is_no_failure_and_no_is_no() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --restart on-failure --name good host sh -c", &["exit 0"]).ok();
    engine.with("run --restart no --name bad host sh -c", &["exit 5"]).exits(5);
    for (name, expected) in [("good", "exited 0 0"), ("bad", "exited 5 0")] {
        assert_eq!(state(&engine, name), expected);
    }
}

#[test]
fn who_runs_it_in_front_leaves_with_its_first_end() {
    let Some(engine) = Engine::new() else { return };
    let script = "echo life >> /lives; echo $(wc -l < /lives); exit 5";
    let done = engine.with("run --restart on-failure:1 --name web host sh -c", &[script]);
    assert_eq!(done.exits(5), "1");
    eventually("it has lived twice", || state(&engine, "web") == "exited 5 1");
    assert_eq!(engine.call("logs web").ok(), "1\n2");
}

#[test]
fn always_and_unless_stopped_come_back_until_they_are_stopped() {
    let Some(engine) = Engine::new() else { return };
    for policy in ["always", "unless-stopped"] {
        engine.detached(&format!("--restart {policy} --name web"), "echo life; exit 0");
        eventually("it has come back", || lives(&engine, "web") >= 3);
        assert_eq!(engine.call("stop web").ok(), "web");
        let ended = lives(&engine, "web");
        let status = engine.inspect("web", ".State.Status");
        assert_eq!(
            (status.as_str(), engine.inspect("web", ".State.Restarting").as_str()),
            ("exited", "false")
        );
        // Its monitor is gone, so nobody is left who could start it.
        assert!(engine.call("ps -q").ok().is_empty());
        assert_eq!(lives(&engine, "web"), ended);
        engine.call("rm web").ok();
    }
}

#[test]
fn a_kill_is_a_wish_that_it_end_and_other_signals_are_not() {
    let Some(engine) = Engine::new() else { return };
    let script = "trap 'exit 1' USR1; echo life; while :; do sleep 0.02; done";
    engine.detached("--restart always --name web", script);
    eventually("it lives", || lives(&engine, "web") == 1);
    engine.call("kill -s USR1 web").ok();
    eventually("it has come back", || lives(&engine, "web") == 2);
    engine.call("kill web").ok();
    eventually("it has ended", || engine.inspect("web", ".State.Status") == "exited");
    assert_eq!(state(&engine, "web"), "exited 137 1");
    assert_eq!(lives(&engine, "web"), 2);
}

#[test]
fn one_that_is_between_two_lives_says_so() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.detached("--restart always --name web", "exit 3");
    // The pauses grow, so this is soon most of the time.
    eventually("it waits long enough", || {
        story(&engine, "web").len() > 11 && engine.inspect("web", ".State.Status") == "restarting"
    });
    let status = engine.call("ps --format {{.Status}}").ok();
    assert!(status.starts_with("Restarting (3) "), "{status}");
    let running =
        engine.with("inspect -f", &["{{.State.Running}} {{.State.Restarting}} {{.State.Pid}}", "web"]);
    assert_eq!(running.ok(), "true true 0");
    assert_eq!(
        engine.call("attach web").fails(1),
        "You cannot attach to a restarting container, wait until it is running"
    );
    let restarting = format!("ontainer {id} is restarting, wait until the container is running");
    assert_eq!(engine.call("exec web true").fails(1), format!("c{restarting}"));
    assert_eq!(engine.call("pause web").fails(1), format!("C{restarting}"));
    assert_eq!(
        engine.call("rm web").fails(1),
        "cannot remove container \"web\": container is restarting: stop the container before removing or force remove"
    );
    // Started already, in a way.
    assert_eq!(engine.call("start web").ok(), "web");
    assert_eq!(engine.call("kill web").ok(), "web");
    eventually("it has ended", || engine.inspect("web", ".State.Status") == "exited");
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "3");
}

#[test]
fn one_between_two_lives_can_be_removed_and_restarted() {
    let Some(engine) = Engine::new() else { return };
    for verb in ["rm -f", "restart", "update --restart no"] {
        engine.detached("--restart always --name web", "echo life; exit 3");
        eventually("it waits long enough", || {
            story(&engine, "web").len() > 9 && engine.inspect("web", ".State.Status") == "restarting"
        });
        let before = lives(&engine, "web");
        assert_eq!(engine.call(&format!("{verb} web")).ok(), "web");
        match verb {
            "rm -f" => assert_eq!(engine.ids(), [] as [&str; 0]),
            "restart" => eventually("it lives again", || lives(&engine, "web") > before),
            _ => {
                eventually("it comes back no more", || state(&engine, "web").starts_with("exited 3"));
                assert!(engine.call("ps -q").ok().is_empty());
            }
        }
        engine.call("rm -f web").exits(0);
    }
}

#[test]
fn the_pauses_between_lives_grow() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--restart on-failure:4 --name web", "exit 3");
    eventually("it is given up", || state(&engine, "web") == "exited 3 4");
    let told = story(&engine, "web");
    let pauses = told.windows(2).filter(|pair| pair[0].0 == "die").map(|pair| pair[1].1 - pair[0].1);
    // However busy the machine: no pause is shorter than it should be.
    for (index, pause) in pauses.enumerate() {
        assert!(pause >= 100_000_000 << index, "pause {index}: {pause} ns");
    }
}

#[test]
fn the_policy_can_be_changed_while_it_runs() {
    let Some(engine) = Engine::new() else { return };
    let script = "echo life; read x; exit 2";
    engine.detached("-i --restart always --name web", script);
    let end = |life: usize| {
        eventually("it lives", || lives(&engine, "web") == life);
        let mut client = engine
            .command("attach web", &[] as &[&str])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(client.stdin.as_mut().unwrap(), b"end\n").unwrap();
        await_end(client, "attach".to_owned()).exits(2);
    };
    end(1);
    eventually("it lives", || lives(&engine, "web") == 2);
    assert_eq!(engine.call("update --restart no web").ok(), "web");
    end(2);
    eventually("it has ended", || state(&engine, "web") == "exited 2 1");
    engine.call("start web").ok();
    engine.call("update --restart on-failure:1 web").ok();
    end(3);
    end(4);
    eventually("it has ended", || state(&engine, "web") == "exited 2 1");
    let removed = engine.detached("--rm --name brief", "sleep 1000");
    assert!(
        engine
            .call(&format!("update --restart always {removed}"))
            .fails(1)
            .contains("Restart policy cannot be updated because AutoRemove is enabled for the container")
    );
}

#[test]
fn a_program_that_has_gone_from_its_container_ends_the_attempts() {
    let Some(engine) = Engine::new() else { return };
    let script = "cp /bin/sh /once; exec /once -c 'rm /once; exit 3'";
    engine.with("run -d --restart always --name web host sh -c", &[script]).ok();
    eventually("it comes back", || engine.inspect("web", ".RestartCount") != "0");
    engine.call("rm -f web").ok();
    engine.with("run --name web host cp /bin/sh /once", &[] as &[&str]).ok();
    engine.call("commit web once").ok();
    engine.with("run -d --restart always --name gone once /once -c", &["rm /once; exit 3"]).ok();
    eventually("it is given up", || engine.inspect("gone", ".State.Status") == "exited");
    assert_eq!(engine.inspect("gone", ".State.ExitCode"), "127");
    assert!(engine.inspect("gone", ".State.Error").contains("no such file or directory"));
}

#[test]
fn restart_ends_it_and_starts_it() {
    let Some(engine) = Engine::new() else { return };
    let script = "trap 'echo asked; exit 0' TERM; trap 'echo hup; exit 0' HUP; echo life; while :; do sleep 0.02; done";
    engine.detached("--name web", script);
    eventually("it lives", || lives(&engine, "web") == 1);
    let pid = engine.pid("web");
    assert_eq!(engine.call("restart web").ok(), "web");
    assert!(!is_alive(pid));
    eventually("it lives again", || engine.call("logs web").out() == "life\nasked\nlife\n");
    engine.call("restart -s HUP web").ok();
    eventually("it lives again", || engine.call("logs web").out() == "life\nasked\nlife\nhup\nlife\n");
    assert_eq!(engine.inspect("web", ".RestartCount"), "0");
    // One that stands still, one that has ended, one that was never started; one that is not there.
    engine.call("pause web").ok();
    engine.call("restart -t 0 web").ok();
    assert_eq!(engine.inspect("web", ".State.Status"), "running");
    engine.call("stop -t 0 web").ok();
    engine.call("create --name new host sleep 1000").ok();
    let done = engine.call("restart web nosuch new");
    assert_eq!(
        (done.fails(1), done.out()),
        ("No such container: nosuch".to_owned(), "web\nnew\n".to_owned())
    );
    for name in ["web", "new"] {
        assert_eq!(engine.inspect(name, ".State.Status"), "running");
    }
}

#[test]
fn a_restart_does_not_remove_what_goes_at_its_end() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--rm --name web", "echo life >> /lives; exec sleep 1000");
    let id = engine.inspect("web", ".Id");
    eventually("it lives", || engine.call("exec web cat /lives").out() == "life\n");
    engine.call("restart -t 0 web").ok();
    eventually("it lives again", || engine.call("exec web cat /lives").out() == "life\nlife\n");
    assert_eq!(engine.inspect("web", ".Id"), id);
    kill(engine.pid("web"), Signal::SIGKILL);
    eventually("it is gone", || engine.ids().is_empty());
}
