//! `run -t`: the container's terminal, and ours, which must come back on every way out.

use std::process::Command;

use mini_sys::signal::Signal;

use crate::harness::{Engine, eventually, kill, parent};
use crate::pty::Session;

/// The command on a terminal of 100 by 40.
fn session(engine: &Engine, line: &str, script: &str) -> Session {
    Session::start(&mut engine.command(&format!("{line} host sh -c"), &[script]), 100, 40)
}

#[test]
fn the_program_has_a_terminal_of_its_own() {
    let Some(engine) = Engine::new() else { return };
    let script = "tty; test -t 0 && test -t 1 && test -t 2 && echo all three; echo $(ls /dev/pts); stat -c '%U %G %a' /dev/pts/0; ls /dev/console; echo $TERM; readlink /proc/self/fd/0";
    let (code, text) = session(&engine, "run --rm -it", script).end();
    assert_eq!(
        (code, text.as_str()),
        (0, "/dev/pts/0\nall three\n0 ptmx\nroot tty 620\n/dev/console\nxterm\n/dev/pts/0\n")
    );
    // The same without our having one: -t alone gives the program a terminal.
    let done = engine.with("run --rm -t host sh -c", &["tty; echo err >&2"]);
    assert_eq!((done.exits(0).replace('\r', ""), done.err()), ("/dev/pts/0\nerr".to_owned(), String::new()));
    // Nothing is a terminal without -t, wherever it is run.
    let (code, text) = session(&engine, "run --rm", "test -t 0 || test -t 1 || echo none").end();
    assert_eq!((code, text.as_str()), (0, "none\n"));
}

#[test]
fn a_terminal_is_the_users() {
    let Some(engine) = Engine::new() else { return };
    let (code, text) =
        session(&engine, "run --rm -it -u 1000", "stat -c %u /dev/pts/0; echo x > /dev/tty; id -u").end();
    assert_eq!((code, text.as_str()), (0, "1000\nx\n1000\n"));
}

#[test]
fn a_pipe_is_no_terminal_to_type_on() {
    let Some(engine) = Engine::new() else { return };
    let done = engine.feed("run --rm -it host true", &[] as &[&str], "x");
    assert!(done.err().contains("the input device is not a TTY"), "{}", done.err());
    assert_ne!(done.code, 0);
    assert_eq!(engine.ids(), [] as [&str; 0]);
}

#[test]
fn the_size_of_the_window_arrives_and_follows() {
    let Some(engine) = Engine::new() else { return };
    let script = "stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.02; done";
    let session = session(&engine, "run --rm -it", script);
    session.wait_for("ready");
    session.resize(61, 17);
    let (code, text) = session.end();
    assert_eq!((code, text.as_str()), (3, "40 100\nready\n17 61\n"));
}

#[test]
fn the_terminal_is_raw_while_the_program_runs_and_as_before_after() {
    let Some(engine) = Engine::new() else { return };
    for status in [0, 1, 42, 137] {
        let mut session = session(&engine, "run --rm -it", &format!("echo ready; read x; exit {status}"));
        session.wait_for("ready");
        eventually("it is raw", || session.is_raw());
        session.keys("go\r");
        assert_eq!(session.end().0, status);
    }
    // A program that cannot be started.
    let mut command = engine.command("run --rm -it host nosuch", &[] as &[&str]);
    assert_eq!(Session::start(&mut command, 80, 24).end().0, 127);
    // Without -i nobody types, and our terminal is left alone.
    let session = session(&engine, "run --rm -t", "echo ready; sleep 0.2");
    session.wait_for("ready");
    assert!(!session.is_raw());
    assert_eq!(session.end().0, 0);
}

#[test]
fn a_killed_container_gives_the_terminal_back() {
    let Some(engine) = Engine::new() else { return };
    let verbs: [fn(&Engine); 4] = [
        |engine| drop(engine.call("kill web").ok()),
        |engine| drop(engine.call("rm -f web").ok()),
        |engine| drop(engine.call("stop -t 0 web").ok()),
        |engine| kill(engine.pid("web"), Signal::SIGKILL),
    ];
    for verb in verbs {
        let session = session(&engine, "run --rm -it --name web", "echo ready; sleep 1000");
        session.wait_for("ready");
        eventually("it is raw", || session.is_raw());
        verb(&engine);
        assert_eq!(session.end().0, 137);
        eventually("it is gone", || engine.ids().is_empty());
    }
}

#[test]
fn a_killed_monitor_gives_the_terminal_back() {
    let Some(engine) = Engine::new() else { return };
    let session = session(&engine, "run -it --name web", "echo ready; sleep 1000");
    session.wait_for("ready");
    kill(parent(engine.pid("web")), Signal::SIGKILL);
    let (code, text) = session.end();
    assert_eq!(code, 125);
    assert!(text.contains("the monitor of `web` has ended"), "{text}");
}

#[test]
fn signals_to_the_command_reach_the_program_and_the_terminal_comes_back() {
    let Some(engine) = Engine::new() else { return };
    for (signal, number) in [
        (Signal::SIGTERM, 15),
        (Signal::SIGHUP, 1),
        (Signal::SIGINT, 2),
        (Signal::SIGQUIT, 3),
        (Signal::SIGUSR1, 10),
    ] {
        let script = format!("trap 'echo got it; exit 5' {number}; echo ready; while :; do sleep 0.02; done");
        let session = session(&engine, "run --rm -it", &script);
        session.wait_for("ready");
        kill(session.pid(), signal);
        let (code, text) = session.end();
        assert_eq!((code, text.as_str()), (5, "ready\ngot it\n"), "{signal}");
    }
}

#[test]
fn a_command_without_a_terminal_passes_signals_on_too() {
    let Some(engine) = Engine::new() else { return };
    let script = "trap 'echo got it; exit 5' TERM; echo ready; while :; do sleep 0.02; done";
    let child = engine
        .command("run --name web host sh -c", &[script])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    eventually("it is ready", || engine.call("logs web").out() == "ready\n");
    kill(child.id() as i32, Signal::SIGTERM);
    let done = crate::harness::await_end(child, "run".to_owned());
    assert_eq!((done.code, done.out().as_str()), (5, "ready\ngot it\n"));
}

#[test]
fn keys_go_to_the_program() {
    let Some(engine) = Engine::new() else { return };
    for (line, flags) in [("run --rm -it", ""), ("run --rm -it --init", " init")] {
        let mut session = session(
            &engine,
            line,
            "trap 'echo interrupted' INT; echo ready; while ! read a; do :; done; echo \"<$a>\"; cat; echo end of input",
        );
        session.wait_for("ready");
        session.keys("\u{3}");
        session.wait_for("interrupted");
        session.keys("hello\r");
        session.wait_for("<hello>");
        session.keys("line\r\u{4}");
        let (code, text) = session.end();
        assert!(code == 0 && text.ends_with("line\nline\nend of input\n"), "{flags}: {code} {text:?}");
    }
}

#[test]
fn control_c_ends_a_program_that_does_not_handle_it_below_an_init() {
    let Some(engine) = Engine::new() else { return };
    let mut session = Session::start(
        &mut engine.command("run --rm -it --init host sh -c", &["echo ready; exec sleep 1000"]),
        80,
        24,
    );
    session.wait_for("ready");
    session.keys("\u{3}");
    assert_eq!(session.end().0, 130);
}

/// Stops a program, brings it back to the front, ends it from the keyboard, and leaves the shell with 4.
pub(crate) fn at_a_shell(command: &mut Command) -> (i32, String) {
    let mut session = Session::start(command, 80, 24);
    session.wait_for("# ");
    session.keys("sh -c 'echo in front; exec sleep 1000'\r");
    session.wait_for("\rin front");
    session.keys("\u{1a}");
    session.wait_for("Stopped");
    session.keys("fg\r");
    session.wait_for("fg\r\n");
    session.keys("\u{3}");
    session.wait_for("^C");
    session.keys("exit 4\r");
    session.end()
}

#[test]
fn a_shell_has_job_control() {
    let Some(engine) = Engine::new() else { return };
    for line in [
        "run --rm -it host bash --norc --noprofile -i",
        "run --rm -it --init host bash --norc --noprofile -i",
    ] {
        let (code, text) = at_a_shell(&mut engine.command(line, &[] as &[&str]));
        assert_eq!(code, 4, "{text}");
        assert!(!text.contains("no job control") && !text.contains("cannot set terminal"), "{line}: {text}");
    }
}

#[test]
fn much_output_on_a_terminal_is_whole() {
    let Some(engine) = Engine::new() else { return };
    let (code, text) = session(&engine, "run --rm -it", "seq 20000; echo end").end();
    assert_eq!(code, 0);
    assert_eq!(text.lines().count(), 20_001);
    assert!(text.ends_with("20000\nend\n"));
}

#[test]
fn a_terminal_in_the_background_is_logged() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("-t --name web", "tty; stty size; echo done >&2");
    let done = engine.call("logs -f web");
    assert_eq!(done.ok().replace('\r', ""), "/dev/pts/0\n0 0\ndone");
    engine.detached("-it --name open", "read x; echo never");
    assert_eq!(engine.inspect("open", ".State.Running"), "true");
}
