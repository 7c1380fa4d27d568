//! `pause` and `unpause`.

use mini_sys::signal::Signal;

use crate::harness::{Engine, eventually, is_alive, kill, parent};

/// Counts in a file.
const COUNT: &str = "i=0; while :; do i=$((i + 1)); echo $i > /n; done";

fn count(engine: &Engine, name: &str) -> String {
    let id = engine.inspect(name, ".Id");
    std::fs::read_to_string(engine.root().join("containers").join(id).join("upper/n")).unwrap_or_default()
}

fn status(engine: &Engine) -> String {
    engine.call("ps -a --format {{.State}}").ok()
}

#[test]
fn frozen_processes_stand_still_and_go_on() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.detached("--name web", COUNT);
    eventually("it counts", || !count(&engine, "web").is_empty());
    assert_eq!(engine.call("pause web").ok(), "web");
    let stopped = count(&engine, "web");
    let shown = engine.call("ps --format {{.State}}={{.Status}}").ok();
    assert!(shown.starts_with("paused=Up ") && shown.ends_with(" (Paused)"), "{shown}");
    let state = "{{.State.Status}} {{.State.Running}} {{.State.Paused}}";
    assert_eq!(engine.with("inspect -f", &[state, "web"]).ok(), "paused true true");
    assert_eq!(engine.call("ps -q -f status=paused").ok(), id[..12]);
    assert_eq!(engine.call("pause web").fails(1), format!("Container {id} is already paused"));
    // Time has passed.
    assert_eq!(count(&engine, "web"), stopped);
    assert_eq!(engine.call("unpause web").ok(), "web");
    eventually("it counts on", || count(&engine, "web") != stopped);
    assert_eq!(engine.call("unpause web").fails(1), format!("Container {id} is not paused"));
    let events = engine.call("events --since 1h --until 0s --format {{.Action}}").ok();
    assert!(events.ends_with("start\npause\nunpause"), "{events}");
}

#[test]
fn of_several_each_is_tried() {
    let Some(engine) = Engine::new() else { return };
    for name in ["aa", "bb"] {
        engine.detached(&format!("--name {name}"), "sleep 1000");
    }
    let ended = engine.with("create --name ended host true", &[] as &[&str]).ok();
    let done = engine.call("pause aa ended nosuch bb");
    assert_eq!(done.exits(1), "aa\nbb");
    let said = done.err();
    let expected =
        format!("mini-docker: Container {ended} is not running\nmini-docker: No such container: nosuch\n");
    assert_eq!(said, expected);
    assert_eq!(engine.call("unpause aa bb").ok(), "aa\nbb");
}

#[test]
fn a_paused_container_can_be_ended_and_removed() {
    let Some(engine) = Engine::new() else { return };
    for verb in ["stop", "stop -t 0", "kill", "rm -f", "restart -t 0"] {
        engine.detached("--name web", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.02; done");
        eventually("it is ready", || engine.call("logs web").out() == "ready\n");
        engine.call("pause web").ok();
        let pid = engine.pid("web");
        assert_eq!(engine.call(&format!("{verb} web")).ok(), "web", "{verb}");
        eventually("it has ended", || !is_alive(pid));
        match verb {
            "rm -f" => assert_eq!(engine.ids(), [] as [&str; 0]),
            "stop" => assert_eq!(engine.inspect("web", ".State.ExitCode"), "3"),
            "restart -t 0" => assert_eq!(status(&engine), "running"),
            // Who is asked and killed at once may do as it is asked.
            "stop -t 0" => assert!(["3", "137"].contains(&engine.inspect("web", ".State.ExitCode").as_str())),
            _ => eventually("it is known", || engine.inspect("web", ".State.ExitCode") == "137"),
        }
        engine.call("rm -f web").exits(0);
    }
}

#[test]
fn a_paused_container_can_be_looked_at_and_not_entered() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "echo hello; exec sleep 1000");
    eventually("it has begun", || engine.call("logs web").out() == "hello\n");
    engine.call("pause web").ok();
    assert_eq!(engine.call("logs web").ok(), "hello");
    assert!(engine.call("top web").ok().contains("sleep 1000"));
    assert!(engine.call("stats --no-stream web").ok().contains("web"));
    let message = "container web is paused, unpause the container before exec";
    assert_eq!(engine.call("exec web true").fails(1), message);
    let message = engine.call("rm web").fails(1);
    assert_eq!(message, "cannot remove container \"web\": container is paused and must be unpaused first");
    assert_eq!(engine.call("rename web other").ok(), "");
    assert_eq!(status(&engine), "paused");
}

#[test]
fn a_signal_that_does_not_end_it_waits_and_one_that_should_lets_it_go_on() {
    let Some(engine) = Engine::new() else { return };
    let script = "trap 'echo usr1' USR1; trap 'echo term' TERM; echo ready; while :; do sleep 0.02; done";
    engine.detached("--name web", script);
    eventually("it is ready", || engine.call("logs web").out() == "ready\n");
    engine.call("pause web").ok();
    engine.call("kill -s USR1 web").ok();
    assert_eq!((status(&engine).as_str(), engine.call("logs web").out().as_str()), ("paused", "ready\n"));
    engine.call("kill -s TERM web").ok();
    assert_eq!(status(&engine), "running");
    eventually("both arrive", || {
        let said = engine.call("logs web").out();
        said.contains("usr1\n") && said.contains("term\n")
    });
}

#[test]
fn nothing_stays_frozen_when_the_monitor_of_a_paused_container_is_killed() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000 & exec sleep 1000");
    engine.call("pause web").ok();
    let pid = engine.pid("web");
    let monitor = parent(pid);
    kill(monitor, Signal::SIGKILL);
    eventually("its monitor is dead", || !is_alive(monitor));
    assert_eq!(engine.call("ps -q").ok(), "");
    assert_eq!(engine.inspect("web", ".State.Status"), "exited");
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "137");
    assert!(!is_alive(pid));
    engine.call("start web").ok();
    assert_eq!(status(&engine), "running");
}
