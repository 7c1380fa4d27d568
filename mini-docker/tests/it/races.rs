//! Two terminals do something to the same container at the same time, many times over: whoever is first, what is left
//! is one of the outcomes that one after the other would have had.

use std::process::{Child, Stdio};

use mini_sys::signal::Signal;

use crate::faults::assert_mended;
use crate::harness::{Done, Engine, await_end, kill, names};

const ROUNDS: usize = 20;

fn begin(engine: &Engine, line: &str) -> Child {
    engine.command(line, &[] as &[&str]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Both at once.
fn race(engine: &Engine, lines: [&str; 2]) -> [Done; 2] {
    lines.map(|line| (begin(engine, line), line.to_owned())).map(|(child, line)| await_end(child, line))
}

/// Either ended well, or failed with one of these messages.
#[track_caller]
fn assert_said(done: &Done, messages: &[&str]) {
    let said = |message: &&str| done.err().contains(message);
    assert!(done.code == 0 || messages.iter().any(said), "{}: {}", done.code, done.err());
}

/// How many processes are in the container's cgroups: of one that was started twice there would be two.
fn processes(engine: &Engine, name: &str) -> usize {
    engine.call(&format!("top {name}")).ok().lines().count() - 1
}

#[test]
fn of_two_starts_one_starts_it() {
    let Some(engine) = Engine::new() else { return };
    for _ in 0..ROUNDS {
        engine.call("create --name web host sleep 1000").ok();
        for done in race(&engine, ["start web", "start web"]) {
            assert_eq!(done.ok(), "web");
        }
        assert_eq!(engine.inspect("web", ".State.Status"), "running");
        assert_eq!(processes(&engine, "web"), 1);
        assert_mended(&engine, "start and start");
        engine.call("rm -f web").ok();
    }
}

#[test]
fn of_two_removals_one_removes_it() {
    let Some(engine) = Engine::new() else { return };
    for round in 0..ROUNDS {
        let line =
            if round % 2 == 0 { "run --name web host true" } else { "run -d --name web host sleep 1000" };
        engine.call(line).ok();
        let both = race(&engine, ["rm -f web", "rm -f web"]);
        assert!(both.iter().any(|done| done.code == 0 && done.out() == "web\n"), "{both:?}");
        for done in &both {
            assert_said(done, &["No such container: web", "removal of container web is already in progress"]);
        }
        assert_mended(&engine, "rm and rm");
        assert!(engine.ids().is_empty());
    }
}

#[test]
fn what_is_executed_in_one_that_is_removed_ends_with_it() {
    let Some(engine) = Engine::new() else { return };
    for _ in 0..ROUNDS {
        engine.call("run -d --name web host sleep 1000").ok();
        let [executed, removed] = race(&engine, ["exec web sleep 1000", "rm -f web"]);
        removed.ok();
        // It was killed with the container, or came too late.
        assert_ne!(executed.code, 0, "{}", executed.err());
        assert_mended(&engine, "exec and rm");
        assert!(engine.ids().is_empty());
    }
}

#[test]
fn a_stop_beside_a_start_leaves_it_running_or_not() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run -d --name web host sleep 1000").ok();
    for _ in 0..ROUNDS {
        for done in race(&engine, ["stop -t 0 web", "start web"]) {
            assert_said(&done, &[]);
        }
        match engine.inspect("web", ".State.Status").as_str() {
            "running" => assert_eq!(processes(&engine, "web"), 1),
            status => {
                assert_eq!((status, engine.inspect("web", ".State.Pid").as_str()), ("exited", "0"));
                engine.call("start web").ok();
            }
        }
        assert_mended(&engine, "stop and start");
    }
}

#[test]
fn what_one_terminal_starts_another_does_not_remove() {
    let Some(engine) = Engine::new() else { return };
    for _ in 0..ROUNDS {
        engine.call("create --name web host sleep 1000").ok();
        let [started, removed] = race(&engine, ["start web", "rm web"]);
        if removed.code == 0 {
            assert_said(&started, &["No such container: web", "it has been removed"]);
            assert_ne!(started.code, 0, "what had been started was removed");
            assert!(engine.ids().is_empty());
        } else {
            assert_said(&removed, &["container is running: stop the container before removing"]);
            started.ok();
            assert_eq!(engine.inspect("web", ".State.Status"), "running");
        }
        assert_mended(&engine, "start and rm");
        engine.call("rm -f web").ok();
    }
}

#[test]
fn of_a_run_and_a_start_of_the_same_container_one_starts_it() {
    let Some(engine) = Engine::new() else { return };
    let name = engine.root().join("names/web");
    for _ in 0..ROUNDS {
        let run = begin(&engine, "run -d --name web host sleep 1000");
        // It stands still as soon as there is something to start, mostly before it starts that itself.
        while name.symlink_metadata().is_err() {
            std::hint::spin_loop();
        }
        kill(run.id() as i32, Signal::SIGSTOP);
        let started = engine.call("start web");
        kill(run.id() as i32, Signal::SIGCONT);
        assert_said(&started, &["it has been started by somebody else"]);
        assert_said(&await_end(run, "run".to_owned()), &["it has been started by somebody else"]);
        assert_eq!(processes(&engine, "web"), 1);
        assert_mended(&engine, "run and start");
        engine.call("rm -f web").ok();
    }
}

#[test]
fn of_two_new_names_it_keeps_the_later_one() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create --name web host true").ok();
    for _ in 0..ROUNDS {
        for done in race(&engine, ["rename web one", "rename web two"]) {
            assert_said(&done, &["No such container: web"]);
        }
        assert_mended(&engine, "rename and rename");
        let links = names(&engine.root().join("names"));
        assert!(links == ["one"] || links == ["two"], "{links:?}");
        assert_eq!(engine.inspect(&links[0], ".Name"), format!("/{}", links[0]));
        engine.call(&format!("rename {} web", links[0])).ok();
    }
}

#[test]
fn one_of_two_containers_gets_the_name() {
    let Some(engine) = Engine::new() else { return };
    for _ in 0..ROUNDS {
        engine.call("create --name one host true").ok();
        engine.call("create --name two host true").ok();
        let both = race(&engine, ["rename one web", "rename two web"]);
        assert_eq!(both.iter().filter(|done| done.code == 0).count(), 1, "{both:?}");
        for done in &both {
            assert_said(done, &["The container name \"/web\" is already in use"]);
        }
        assert_mended(&engine, "rename to the same name");
        engine.call("rm web").ok();
        let left = engine.call("ps -a --format {{.Names}}").ok();
        assert!(left == "one" || left == "two", "{left}");
        engine.call(&format!("rm {left}")).ok();
    }
}
