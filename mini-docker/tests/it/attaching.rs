//! `attach` and `wait`: those who come to a container that somebody else has started.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

use mini_sys::signal::Signal;

use crate::harness::{Engine, await_end, eventually, exit_code, is_alive, kill, parent};

/// A container that says what it reads.
const ECHO: &str = "while read line; do echo got $line; echo err $line >&2; done; exit 6";

/// `attach` with pipes.
fn attach(engine: &Engine, line: &str) -> Child {
    let mut command = engine.command(line, &[] as &[&str]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn say(client: &Child, line: &str) {
    let mut stdin = client.stdin.as_ref().unwrap();
    writeln!(stdin, "{line}").unwrap();
}

/// Waits until events tell that so many have come.
fn await_attached(engine: &Engine, count: usize) {
    eventually("all are attached", || {
        let events = engine.call("events --since 1h --until 0s --filter event=attach --format {{.ID}}");
        events.ok().lines().count() == count
    });
}

#[test]
fn several_see_all_of_the_output_and_each_may_type() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("-i --name web", ECHO);
    let clients = [(); 3].map(|()| attach(&engine, "attach web"));
    await_attached(&engine, 3);
    // Each has been let in when what it types comes out; the first may have missed nothing after that.
    for (index, client) in clients.iter().enumerate() {
        say(client, &format!("from {index}"));
        let expected = format!("got from {index}");
        eventually("it arrives", || engine.call("logs web").out().contains(&expected));
    }
    say(&clients[0], "to all");
    eventually("it arrives", || engine.call("logs web").out().contains("got to all"));
    engine.call("kill web").ok();
    for client in clients {
        let done = await_end(client, "attach".to_owned());
        let out = done.exits(137);
        assert!(out.ends_with("got to all") && done.err().ends_with("err to all\n"), "{done:?}");
        assert!(!done.out().contains("err"), "{done:?}");
    }
}

#[test]
fn the_end_of_one_clients_input_is_not_the_programs() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("-i --name web", ECHO);
    let mut first = attach(&engine, "attach web");
    say(&first, "one");
    drop(first.stdin.take());
    eventually("it arrives", || engine.call("logs web").out() == "got one\n");
    let second = attach(&engine, "attach web");
    say(&second, "two");
    eventually("it arrives", || engine.call("logs web").out() == "got one\ngot two\n");
    // Of a container whose input is its starter's, the input ends.
    engine.with("create -i --name once host sh -c", &[ECHO]).ok();
    engine.call("start once").ok();
    let mut third = attach(&engine, "attach once");
    say(&third, "three");
    drop(third.stdin.take());
    await_end(third, "attach".to_owned()).exits(6);
    engine.call("rm -f web").ok();
    for client in [first, second] {
        await_end(client, "attach".to_owned()).exits(137);
    }
}

#[test]
fn no_stdin_types_nothing() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("-i --name web", ECHO);
    let deaf = attach(&engine, "attach --no-stdin web");
    await_attached(&engine, 1);
    say(&deaf, "nobody hears this");
    let client = attach(&engine, "attach web");
    say(&client, "this");
    eventually("it arrives", || engine.call("logs web").out() == "got this\n");
    engine.call("kill web").ok();
    for client in [deaf, client] {
        await_end(client, "attach".to_owned()).exits(137);
    }
}

#[test]
fn the_exit_status_is_the_programs() {
    let Some(engine) = Engine::new() else { return };
    for status in [0, 7, 255] {
        engine.detached("-i --rm --name web", &format!("read x; exit {status}"));
        let client = attach(&engine, "attach web");
        say(&client, "end");
        await_end(client, "attach".to_owned()).exits(status);
        eventually("it is gone", || engine.ids().is_empty());
    }
}

#[test]
fn signals_go_to_the_program_unless_they_are_not_to() {
    let Some(engine) = Engine::new() else { return };
    let script = "trap 'echo got it; exit 5' TERM; while :; do sleep 0.02; done";
    engine.detached("--name web", script);
    let mut own = attach(&engine, "attach --sig-proxy=false web");
    await_attached(&engine, 1);
    kill(own.id() as i32, Signal::SIGTERM);
    assert_eq!(exit_code(&mut own, || "attach".to_owned()), 128 + 15);
    assert_eq!((engine.inspect("web", ".State.Status"), engine.call("logs web").out()), {
        ("running".to_owned(), String::new())
    });
    let proxy = attach(&engine, "attach web");
    await_attached(&engine, 2);
    kill(proxy.id() as i32, Signal::SIGTERM);
    let done = await_end(proxy, "attach".to_owned());
    assert_eq!(done.exits(5), "got it");
}

#[test]
fn bytes_come_out_unchanged_for_everybody() {
    let Some(engine) = Engine::new() else { return };
    let script = "read x; head -c 5000000 /dev/urandom | tee /sent";
    let id = engine.detached("-i --name web", script);
    let clients = [(); 2].map(|()| attach(&engine, "attach web"));
    await_attached(&engine, 2);
    // Both are in before anything is written: the first line opens the tap, and each must have been let in by then.
    let readers: Vec<_> = clients
        .into_iter()
        .map(|client| std::thread::spawn(move || await_end(client, "attach".to_owned())))
        .collect();
    let starter = attach(&engine, "attach web");
    say(&starter, "go");
    await_end(starter, "attach".to_owned()).exits(0);
    let sent = std::fs::read(engine.root().join("containers").join(id).join("upper/sent")).unwrap();
    for reader in readers {
        let done = reader.join().unwrap();
        done.ok();
        assert!(done.stdout == sent, "{} of {} bytes", done.stdout.len(), sent.len());
    }
}

#[test]
fn one_who_does_not_read_holds_up_neither_the_program_nor_the_log() {
    let Some(engine) = Engine::new() else { return };
    let script = "read x; head -c 40000000 /dev/zero | tr '\\0' x; echo; echo > /done; read x";
    let id = engine.detached("-i --name web", script);
    let stuck = attach(&engine, "attach web");
    await_attached(&engine, 1);
    kill(stuck.id() as i32, Signal::SIGSTOP);
    let other = attach(&engine, "attach --no-stdin web");
    let reader = std::thread::spawn(move || await_end(other, "attach".to_owned()));
    await_attached(&engine, 2);
    let typing = attach(&engine, "attach web");
    say(&typing, "go");
    let typing = std::thread::spawn(move || await_end(typing, "attach".to_owned()));
    let written = engine.root().join("containers").join(id).join("upper/done");
    eventually("all is written", || written.exists());
    eventually("all is logged", || engine.call("logs web").stdout.len() == 40_000_001);
    kill(stuck.id() as i32, Signal::SIGCONT);
    let message = await_end(stuck, "attach".to_owned()).fails(1);
    assert!(message.starts_with("`web` writes faster than this command was read"), "{message}");
    engine.call("kill web").ok();
    let whole = reader.join().unwrap();
    whole.exits(137);
    assert_eq!(whole.stdout.len(), 40_000_001);
    typing.join().unwrap().exits(137);
}

#[test]
fn who_does_not_run_cannot_be_attached_to() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create --name web host sleep 1000").ok();
    let stopped = "You cannot attach to a stopped container, start it first";
    assert_eq!(engine.call("attach web").fails(1), stopped);
    engine.call("start web").ok();
    engine.call("pause web").ok();
    let paused = "You cannot attach to a paused container, unpause it first";
    assert_eq!(engine.call("attach web").fails(1), paused);
    engine.call("stop -t 0 web").ok();
    assert_eq!(engine.call("attach web").fails(1), stopped);
    assert_eq!(engine.call("attach nosuch").fails(1), "No such container: nosuch");
}

#[test]
fn a_killed_monitor_is_told_of() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000");
    let (client, waiting) = (attach(&engine, "attach web"), attach(&engine, "wait web"));
    await_attached(&engine, 1);
    let pid = engine.pid("web");
    kill(parent(pid), Signal::SIGKILL);
    let message = await_end(client, "attach".to_owned()).fails(1);
    assert!(message.starts_with("lost sight of `web`, which has ended"), "{message}");
    assert_eq!(await_end(waiting, "wait".to_owned()).exits(0), "137");
    assert!(!is_alive(pid));
}

#[test]
fn wait_tells_each_status_in_the_order_asked_for() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name ended host sh -c", &["exit 9"]).exits(9);
    engine.detached("-i --name first", "read x; exit 3");
    engine.detached("--name second", "sleep 1000");
    let mut waiting = attach(&engine, "wait second first ended nosuch");
    let mut lines = BufReader::new(waiting.stdout.take().unwrap()).lines();
    let client = attach(&engine, "attach first");
    say(&client, "end");
    await_end(client, "attach".to_owned()).exits(3);
    engine.call("kill second").ok();
    let told: Vec<String> = lines.by_ref().map(Result::unwrap).collect();
    assert_eq!(told, ["137", "3", "9"]);
    let done = await_end(waiting, "wait".to_owned());
    assert_eq!(done.fails(1), "No such container: nosuch");
}

#[test]
fn wait_hears_of_one_that_is_removed_and_of_each_end_of_one_that_comes_back() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000");
    let waiting = attach(&engine, "wait web");
    engine.call("rm -f web").ok();
    // It may have begun to wait before or after.
    let done = await_end(waiting, "wait".to_owned());
    assert!(done.out() == "137\n" || done.err().contains("No such container: web"), "{done:?}");
    engine.detached("-i --rm --name brief", "read x; exit 4");
    let waiting = attach(&engine, "wait brief");
    let client = attach(&engine, "attach brief");
    await_attached(&engine, 1);
    say(&client, "end");
    await_end(client, "attach".to_owned()).exits(4);
    let done = await_end(waiting, "wait".to_owned());
    assert!(done.out() == "4\n" || done.err().contains("No such container: brief"), "{done:?}");
    // As with Docker the first end is told, whatever the policy makes of it.
    engine.detached("--restart on-failure:1 --name back", "sleep 0.5; exit 5");
    assert_eq!(engine.call("wait back").ok(), "5");
}
