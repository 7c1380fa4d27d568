//! `exec -t`: a terminal for one more program, ours for as long, and the keys that leave it.

use mini_sys::signal::Signal;

use crate::harness::{Engine, eventually, kill};
use crate::pty::Session;
use crate::terminal::at_a_shell;

/// The script on a terminal of 100 by 40, in a container `web` that waits.
fn session(engine: &Engine, flags: &str, script: &str) -> Session {
    Session::start(&mut engine.command(&format!("exec {flags} web sh -c"), &[script]), 100, 40)
}

fn web() -> Option<Engine> {
    let engine = Engine::new()?;
    engine.call("run -d --name web host sleep 1000").ok();
    Some(engine)
}

#[test]
fn the_program_has_a_terminal_of_its_own_and_ours_is_as_before() {
    let Some(engine) = web() else { return };
    let script = "tty; stty size; echo $TERM; read line; echo \"got $line\"; exit 3";
    let mut session = session(&engine, "-it", script);
    session.wait_for("xterm");
    assert!(session.is_raw());
    session.keys("hello\r");
    let (code, text) = session.end();
    assert_eq!((code, text.as_str()), (3, "/dev/pts/0\n40 100\nxterm\nhello\ngot hello\n"));
}

#[test]
fn a_terminal_without_t_is_not_handed_in() {
    let Some(engine) = web() else { return };
    let script = "test -t 0 || test -t 1 || test -t 2 || echo none; read line; echo \"got $line\"";
    let mut session = session(&engine, "-i", script);
    session.wait_for("none");
    assert!(!session.is_raw());
    session.keys("hello\r");
    let (code, text) = session.end();
    assert_eq!((code, text.as_str()), (0, "none\nhello\ngot hello\n"));
}

#[test]
fn the_size_of_the_window_follows() {
    let Some(engine) = web() else { return };
    let script = "trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.02; done";
    let session = session(&engine, "-it", script);
    session.wait_for("ready");
    session.resize(61, 17);
    let (code, text) = session.end();
    assert_eq!((code, text.as_str()), (3, "ready\n17 61\n"));
}

#[test]
fn ctrl_c_goes_to_the_program_and_a_shell_has_job_control() {
    let Some(engine) = web() else { return };
    let (code, text) = at_a_shell(&mut engine.command("exec -it web bash --norc -i", &[] as &[&str]));
    assert_eq!(code, 4, "{text}");
    assert!(!text.contains("no job control"), "{text}");
}

#[test]
fn after_the_keys_the_program_goes_on_and_may_write_as_much_as_it_likes() {
    let Some(engine) = web() else { return };
    for (flags, keys) in [("-it", "\u{10}\u{11}"), ("-it --detach-keys ctrl-a,x", "\u{1}x")] {
        let script =
            "rm -f /go /done; echo ready; until test -f /go; do sleep 0.02; done; seq 100000; echo > /done";
        let mut session = session(&engine, flags, script);
        session.wait_for("ready");
        session.keys(keys);
        let (code, text) = session.end();
        assert_eq!(code, 1, "{text}");
        assert!(text.ends_with("read escape sequence\n"), "{text}");
        engine.call("exec web touch /go").ok();
        eventually("it has written all", || engine.call("exec web test -f /done").code == 0);
    }
    // No helper stays: the harness looks for processes when the container is gone.
    engine.call("rm -f web").ok();
}

#[test]
fn keys_that_only_begin_like_those_that_leave_reach_the_program() {
    let Some(engine) = web() else { return };
    let mut session = session(&engine, "-it", "stty raw -echo; echo ready; head -c 3 | od -An -tx1; exit 5");
    session.wait_for("ready");
    session.keys("\u{10}a\u{11}");
    let (code, text) = session.end();
    assert_eq!(code, 5);
    assert!(text.contains("10 61 11"), "{text}");
}

#[test]
fn a_command_that_a_signal_ends_brings_the_terminal_back_and_hangs_up() {
    let Some(engine) = web() else { return };
    let script = "trap 'echo > /hung; exit' HUP; rm -f /hung; echo ready; while :; do sleep 0.02; done";
    for (signal, status) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let session = session(&engine, "-it", script);
        session.wait_for("ready");
        kill(session.pid(), signal);
        assert_eq!(session.end().0, status);
        eventually("the program hears of it", || engine.call("exec web test -f /hung").code == 0);
    }
}

#[test]
fn much_output_on_a_terminal_is_whole() {
    let Some(engine) = web() else { return };
    let (code, text) = session(&engine, "-it", "seq 20000; echo end").end();
    assert_eq!(code, 0);
    assert_eq!(text.lines().count(), 20_001);
    assert!(text.ends_with("20000\nend\n"));
    let done = engine.with("exec -t web sh -c", &["seq 20000; echo end"]);
    assert_eq!(done.ok().lines().count(), 20_001);
}

/// A shell at which `exec web` runs a program that waits for a file, and has been stopped with ctrl-z.
fn stopped_at_a_shell(engine: &Engine) -> Session {
    let program = "touch /on; until test -f /go; do sleep 0.02; done; exit 3";
    let (binary, root) = (crate::harness::binary().display(), engine.root());
    let mut shell = std::process::Command::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]).current_dir(engine.path(""));
    let mut session = Session::start(&mut shell, 200, 24);
    session.wait_for("# ");
    session.keys(&format!("{binary} --root {} exec web sh -c '{program}'\r", root.display()));
    eventually("the program runs", || engine.call("exec web test -f /on").code == 0);
    session.keys("\u{1a}");
    session.wait_for("Stopped");
    session
}

/// Brings the command back to the front, whose exit status is this, and leaves the shell.
#[track_caller]
fn go_on(mut session: Session, status: i32) {
    session.keys("fg; echo then $?\r");
    session.wait_for(&format!("then {status}"));
    session.keys("exit 4\r");
    assert_eq!(session.end().0, 4);
}

#[test]
fn the_program_of_a_command_that_is_stopped_ends_and_is_gone() {
    let Some(engine) = web() else { return };
    let session = stopped_at_a_shell(&engine);
    engine.call("exec web touch /go").ok();
    // Nobody is left but the sleep that the container runs, and who asks.
    let alone = || engine.with("exec web sh -c", &["set -- /proc/[0-9]*; test $# -le 2"]).code == 0;
    eventually("the program has gone", alone);
    go_on(session, 3);
}

#[test]
fn a_container_ends_although_a_command_in_it_is_stopped() {
    let Some(engine) = web() else { return };
    let session = stopped_at_a_shell(&engine);
    engine.call("stop -t 0 web").ok();
    assert_eq!(engine.inspect("web", ".State.Status"), "exited");
    go_on(session, 137);
}
