//! Containers in the background: `run -d`, `stop`, `kill`, `rm`.

use crate::harness::{Engine, eventually, is_alive};

#[test]
fn a_container_in_the_background_prints_its_id_and_runs_on() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.detached("--name web", "echo started; sleep 1000");
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(engine.call("ps -q").ok(), id[..12]);
    let pid = engine.pid("web");
    assert!(is_alive(pid));
    assert_eq!(engine.call("rm -f web").ok(), "web");
    assert!(!is_alive(pid));
    assert_eq!(engine.call("ps -aq").ok(), "");
    assert_eq!(crate::harness::names(&engine.root().join("names")), [] as [&str; 0]);
}

#[test]
fn a_container_in_the_background_with_rm_goes_away_by_itself() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--rm --name web", "sleep 0.1");
    eventually("it is gone", || engine.ids().is_empty());
    engine.call("run --rm --name web host true").ok();
}

#[test]
fn stop_asks_first() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "trap 'echo asked; exit 7' TERM; while :; do sleep 0.05; done");
    eventually("it is ready", || engine.inspect("web", ".State.Running") == "true");
    assert_eq!(engine.call("stop web").ok(), "web");
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "7");
    assert_eq!(engine.call("logs web").ok(), "asked");
    // Once more is no failure.
    assert_eq!(engine.call("stop web").ok(), "web");
}

#[test]
fn stop_kills_what_does_not_listen() {
    let Some(engine) = Engine::new() else { return };
    for flag in ["-t 0", "--time 1", "--timeout 0"] {
        engine.detached("--name deaf", "trap '' TERM; while :; do sleep 0.05; done");
        engine.call(&format!("stop {flag} deaf")).ok();
        assert_eq!(engine.inspect("deaf", ".State.Status"), "exited");
        assert_eq!(engine.inspect("deaf", ".State.ExitCode"), "137");
        engine.call("rm deaf").ok();
    }
}

#[test]
fn the_stop_signal_is_the_containers_or_the_one_asked_for() {
    let Some(engine) = Engine::new() else { return };
    let script = "trap 'exit 1' TERM; trap 'exit 2' INT; trap 'exit 3' USR1; trap 'exit 4' HUP; touch /ready; while :; do sleep 0.05; done";
    let run = |flags: &str, stop: &str, expected: &str| {
        engine.detached(&format!("--name web {flags}"), script);
        let ready = engine.root().join("containers").join(engine.inspect("web", ".Id")).join("upper/ready");
        eventually("it is ready", || ready.exists());
        engine.call(&format!("stop {stop} web")).ok();
        assert_eq!(engine.inspect("web", ".State.ExitCode"), expected);
        engine.call("rm web").ok();
    };
    run("", "", "1");
    run("--stop-signal SIGINT", "", "2");
    run("--stop-signal usr1", "", "3");
    run("--stop-signal 1", "", "4");
    run("--stop-signal INT", "-s USR1", "3");
    let tar = crate::tars::root();
    engine.feed("import -c", &["STOPSIGNAL USR1", "-", "polite"], tar).ok();
    engine
        .with(
            "run -d --name web polite sh -c",
            &["trap 'exit 9' USR1; touch /ready; while :; do sleep 0.05; done"],
        )
        .ok();
    let ready = engine.root().join("containers").join(engine.inspect("web", ".Id")).join("upper/ready");
    eventually("it is ready", || ready.exists());
    engine.call("stop web").ok();
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "9");
}

#[test]
fn kill_sends_signals_by_name_and_number() {
    let Some(engine) = Engine::new() else { return };
    engine.detached(
        "--name web",
        "trap 'echo usr1' USR1; trap 'echo hup' HUP; echo ready; while :; do sleep 0.05; done",
    );
    for (signal, lines) in [("USR1", 2), ("SIGUSR1", 3), ("10", 4), ("hup", 5), ("1", 6)] {
        eventually("the one before has arrived", || {
            engine.call("logs web").ok().lines().count() == lines - 1
        });
        assert_eq!(engine.call(&format!("kill -s {signal} web")).ok(), "web");
    }
    eventually("all have arrived", || engine.call("logs web").ok() == "ready\nusr1\nusr1\nusr1\nhup\nhup");
    assert_eq!(engine.call("kill web").ok(), "web");
    eventually("it has ended", || engine.inspect("web", ".State.ExitCode") == "137");
}

#[test]
fn kill_refuses_what_it_cannot_do() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000");
    for signal in ["NOSUCH", "0", "-1", "65", "SIGRTMIN+99"] {
        let message = engine.call(&format!("kill --signal={signal} web")).fails(1);
        assert_eq!(message, format!("cannot kill container: web: invalid signal: {signal}"));
    }
    assert_eq!(
        engine.call("kill nosuch").fails(1),
        "cannot kill container: nosuch: No such container: nosuch"
    );
    engine.call("stop -t 0 web").ok();
    let id = engine.inspect("web", ".Id");
    assert_eq!(
        engine.call("kill web").fails(1),
        format!("cannot kill container: web: container {id} is not running")
    );
}

#[test]
fn rm_does_what_it_can_and_reports_the_rest() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name aa host true").ok();
    engine.call("run --name bb host true").ok();
    engine.detached("--name busy", "sleep 1000");
    let done = engine.call("rm aa nosuch bb");
    assert_eq!(done.fails(1), "No such container: nosuch");
    assert_eq!(done.out(), "aa\nbb\n");
    let message = engine.call("rm busy").fails(1);
    assert_eq!(
        message,
        "cannot remove container \"busy\": container is running: stop the container before removing or force remove"
    );
    let forced = engine.call("rm -f nosuch");
    forced.exits(0);
    assert!(forced.out().is_empty() && forced.err().contains("No such container: nosuch"), "{forced:?}");
    assert_eq!(engine.call("rm --force busy").ok(), "busy");
    assert_eq!(engine.ids(), [] as [&str; 0]);
}

#[test]
fn rm_removes_files_of_any_kind_and_permission() {
    let Some(engine) = Engine::new() else { return };
    let script = "mkdir -p /d/e; echo x > /d/e/f; chmod 0 /d/e /d; mkfifo /p; mknod /n c 1 3; ln -s / /l; chattr +i /etc 2>/dev/null; rm -rf /usr/share; exit 0";
    engine.with("run --name messy host sh -c", &[script]).ok();
    assert_eq!(engine.call("rm messy").ok(), "messy");
}

#[test]
fn a_container_that_ends_while_it_is_stopped_or_removed_is_no_failure() {
    let Some(engine) = Engine::new() else { return };
    for round in 0..20 {
        let delay = f64::from(round % 5) / 200.0;
        engine.detached("--name brief", &format!("sleep {delay}"));
        let verb = ["stop -t 0", "rm -f"][round as usize % 2];
        engine.call(&format!("{verb} brief")).ok();
        engine.call("rm -f brief").exits(0);
    }
}
