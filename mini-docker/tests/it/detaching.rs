//! The keys that leave a container: it runs on, and the terminal is as before.

use crate::harness::{Engine, eventually};
use crate::pty::Session;

/// Says what it reads, so that one sees that it is there.
const ECHO: &str = "echo ready; while read line; do echo \"<$line>\"; test \"$line\" = end && exit 7; done";

fn session(engine: &Engine, line: &str, more: &[&str]) -> Session {
    Session::start(&mut engine.command(line, more), 100, 40)
}

/// Types a line and sees that the program has read it.
fn talk(session: &mut Session, word: &str) {
    session.keys(&format!("{word}\r"));
    session.wait_for(&format!("<{word}>"));
}

#[test]
fn the_keys_leave_it_running_and_it_can_be_come_back_to() {
    let Some(engine) = Engine::new() else { return };
    let mut first = session(&engine, "run -it --name web host sh -c", &[ECHO]);
    first.wait_for("ready");
    talk(&mut first, "one");
    first.keys("\u{10}\u{11}");
    assert_eq!(first.end().0, 0);
    assert_eq!(engine.inspect("web", ".State.Running"), "true");
    for word in ["two", "three"] {
        let mut again = session(&engine, "attach web", &[]);
        talk(&mut again, word);
        again.keys("\u{10}");
        again.keys("\u{11}");
        let (code, text) = again.end();
        // As with Docker.
        assert_eq!(code, 1);
        assert!(text.ends_with("mini-docker: read escape sequence\n"), "{text:?}");
    }
    let mut last = session(&engine, "attach web", &[]);
    talk(&mut last, "four");
    last.keys("end\r");
    assert_eq!(last.end().0, 7);
    let seen = "{{.Action}}";
    let events = engine.with("events --since 1h --until 0s --filter container=web --format", &[seen]).ok();
    let count = |what: &str| events.lines().filter(|line| *line == what).count();
    assert_eq!((count("attach"), count("detach"), count("start"), count("die")), (4, 3, 1, 1), "{events}");
    assert!(count("resize") >= 4, "{events}");
}

#[test]
fn other_keys_are_possible_and_then_the_usual_ones_are_the_programs() {
    let Some(engine) = Engine::new() else { return };
    let mut first = session(&engine, "run -it --detach-keys ctrl-x,x --name web host sh -c", &[ECHO]);
    first.wait_for("ready");
    // Half of the keys and something else: all of it is typed.
    first.keys("\u{18}y\r");
    first.wait_for("<\u{18}y>");
    first.keys("\u{18}x");
    assert_eq!(first.end().0, 0);
    let mut again = session(&engine, "attach --detach-keys a web", &[]);
    talk(&mut again, "two");
    again.keys("a");
    assert_eq!(again.end().0, 1);
    for line in ["attach --detach-keys bad,keys web", "run --detach-keys bad,keys host true"] {
        let message = engine.call(line).fails(125);
        assert!(message.ends_with("Invalid detach keys (bad,keys) provided"), "{message}");
    }
}

#[test]
fn start_can_be_left_too() {
    let Some(engine) = Engine::new() else { return };
    engine.with("create -it --name web host sh -c", &[ECHO]).ok();
    let mut first = session(&engine, "start -ai web", &[]);
    first.wait_for("ready");
    talk(&mut first, "one");
    first.keys("\u{10}\u{11}");
    assert_eq!(first.end().0, 0);
    let mut again = session(&engine, "attach web", &[]);
    talk(&mut again, "two");
    again.keys("end\r");
    assert_eq!(again.end().0, 7);
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "7");
}

#[test]
fn what_is_written_meanwhile_is_logged_and_not_waited_for() {
    let Some(engine) = Engine::new() else { return };
    let script = "echo ready; read x; seq 100000; echo all; read x";
    let mut first = session(&engine, "run -it --name web host sh -c", &[script]);
    first.wait_for("ready");
    first.keys("go\r\u{10}\u{11}");
    assert_eq!(first.end().0, 0);
    eventually("nobody holds it up", || engine.call("logs -n 1 web").out().starts_with("all"));
    assert_eq!(engine.call("logs web").out().lines().count(), 100_003);
}
