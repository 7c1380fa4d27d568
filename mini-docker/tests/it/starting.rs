//! `start`: containers that are there run, for the first time or again.

use std::process::Stdio;

use crate::harness::{Engine, await_end, eventually};
use crate::tars::noise;

#[test]
fn a_stopped_container_runs_again_with_its_files_and_its_log() {
    let Some(engine) = Engine::new() else { return };
    let script = "echo life >> /lives; wc -l < /lives; exit 4";
    engine.with("run --name web host sh -c", &[script]).exits(4);
    assert_eq!(engine.call("start -a web").exits(4), "2");
    assert_eq!(engine.call("start web").ok(), "web");
    assert_eq!(engine.call("wait web").ok(), "4");
    assert_eq!(engine.call("logs web").ok(), "1\n2\n3");
    assert_eq!(engine.inspect("web", ".RestartCount"), "0");
}

#[test]
fn input_goes_in_unchanged_and_its_end_arrives() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create -i --name cat host cat").ok();
    for length in [0, 1, 2_000_003] {
        let sent = noise(length);
        let done = engine.feed("start -ai cat", &[] as &[&str], sent.clone());
        done.ok();
        assert!(done.stdout == sent, "{length} bytes, {} came", done.stdout.len());
    }
    // -i alone shows the output too.
    assert_eq!(engine.feed("start -i cat", &[] as &[&str], "typed").ok(), "typed");
}

#[test]
fn of_several_all_are_tried_and_failures_told() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create --name aa host true").ok();
    engine.call("create --name bb host true").ok();
    engine.call("create --name bad host nosuch").ok();
    let done = engine.call("start aa nosuch bad bb");
    assert_eq!(done.exits(1), "aa\nbb");
    let expected = "mini-docker: No such container: nosuch\nmini-docker: cannot start `bad`: exec: \"nosuch\": executable file not found in $PATH\n";
    assert!(done.err().starts_with(expected), "{}", done.err());
    assert_eq!(
        engine.call("start -a aa bb").fails(1),
        "you cannot start and attach multiple containers at once"
    );
}

#[test]
fn one_that_runs_is_started_already_and_one_that_stands_still_cannot_be() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000");
    let pid = engine.pid("web");
    assert_eq!(engine.call("start web").ok(), "web");
    assert_eq!(engine.pid("web"), pid);
    engine.call("pause web").ok();
    for verb in ["start", "start -a"] {
        let message = engine.call(&format!("{verb} web")).fails(1);
        assert_eq!(message, "cannot start a paused container, try unpause instead");
    }
    assert_eq!(engine.inspect("web", ".State.Status"), "paused");
}

#[test]
fn who_starts_one_that_runs_stays_with_it() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run -d -i --name web host cat").ok();
    let child = engine
        .command("start -ai web", &[] as &[&str])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // What is typed comes back when it is attached.
    let mut stdin = child.stdin.as_ref().unwrap();
    std::io::Write::write_all(&mut stdin, b"typed\n").unwrap();
    eventually("it is attached", || engine.call("logs web").out() == "typed\n");
    engine.call("kill web").ok();
    assert_eq!(await_end(child, "start".to_owned()).exits(137), "typed");
}

#[test]
fn a_program_that_cannot_be_started_leaves_it_created() {
    let Some(engine) = Engine::new() else { return };
    for (name, program, status, words) in [
        ("none", "nosuch", "127", "exec: \"nosuch\": executable file not found in $PATH"),
        ("dir", "/etc", "126", "exec: \"/etc\": is a directory"),
    ] {
        engine.with(&format!("create --name {name} host"), &[program]).ok();
        for verb in ["start", "start -a", "start -ai"] {
            let message = engine.call(&format!("{verb} {name}")).fails(1);
            assert_eq!(message, format!("cannot start `{name}`: {words}"));
            let state = "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}";
            let state = engine.with("inspect -f", &[state, name]).ok();
            assert_eq!(state, format!("created {status} {words}"));
        }
        assert_eq!(engine.with("ps -a --format {{.Status}} -f", &[format!("name={name}")]).ok(), "Created");
        engine.call(&format!("rm {name}")).ok();
    }
}

#[test]
fn two_who_start_it_at_once_start_it_once() {
    let Some(engine) = Engine::new() else { return };
    engine.with("create --name web host sh -c", &["echo life; exec sleep 1000"]).ok();
    for round in 1..=10 {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| engine.call("start web").ok());
            }
        });
        eventually("it has begun", || engine.call("logs web").ok().lines().count() >= round);
        assert_eq!(engine.inspect("web", ".State.Status"), "running");
        engine.call("stop -t 0 web").ok();
        assert_eq!(engine.call("logs web").ok().lines().count(), round, "lives");
    }
}
