//! The exit status of `run`: the program's own, 128 and a signal's number, or ours: 125, 126, 127.

use crate::harness::{Engine, eventually};

#[test]
fn the_exit_status_is_the_programs() {
    let Some(engine) = Engine::new() else { return };
    for status in [0, 1, 2, 77, 125, 126, 127, 128, 200, 255] {
        engine.with("run --rm host sh -c", &[format!("exit {status}")]).exits(status);
    }
}

#[test]
fn a_program_that_a_signal_ends_gives_128_and_its_number() {
    let Some(engine) = Engine::new() else { return };
    // Pid 1 is ended by SIGKILL, or by a signal that it handles; beneath an init all signals that people send count.
    for (signal, flags) in
        [(9, ""), (1, "--init"), (2, "--init"), (10, "--init"), (13, "--init"), (15, "--init")]
    {
        let name = format!("s{signal}");
        engine.call(&format!("run -d {flags} --name {name} host sleep 1000")).ok();
        engine.call(&format!("kill -s {signal} {name}")).ok();
        eventually("it has ended", || engine.inspect(&name, ".State.Status") == "exited");
        assert_eq!(engine.inspect(&name, ".State.ExitCode"), (128 + signal).to_string());
    }
    // A program's own faults, and the same in front of a user.
    engine.with("run --rm --init host sh -c", &["kill -SEGV $$"]).exits(139);
    engine.with("run --rm host bash -c", &["sh -c 'kill -ABRT $$'; exit $?"]).exits(134);
}

#[test]
fn pid_1_is_not_ended_by_signals_that_it_does_not_handle() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run -d --name web host sleep 1000").ok();
    for signal in ["TERM", "SIGINT", "hup"] {
        engine.call(&format!("kill -s {signal} web")).ok();
    }
    assert_eq!(engine.inspect("web", ".State.Running"), "true");
}

#[test]
fn a_missing_program_is_127() {
    let Some(engine) = Engine::new() else { return };
    let message = engine.call("run --rm --name web host nosuch").fails(127);
    assert_eq!(message, "cannot start `web`: exec: \"nosuch\": executable file not found in $PATH");
    let message = engine.call("run --rm --name web host /bin/nosuch").fails(127);
    assert_eq!(
        message,
        "cannot start `web`: exec: \"/bin/nosuch\": stat /bin/nosuch: no such file or directory"
    );
    assert_eq!(engine.ids(), [] as [&str; 0]);
    // Without --rm the container stays, as with Docker, and says why.
    engine.call("run --name web host nosuch").fails(127);
    assert_eq!(engine.inspect("web", ".State.Status"), "created");
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "127");
    assert_eq!(engine.inspect("web", ".State.Error"), "exec: \"nosuch\": executable file not found in $PATH");
    engine.call("run -d --name other host nosuch").fails(127);
}

#[test]
fn what_cannot_be_executed_is_126() {
    let Some(engine) = Engine::new() else { return };
    let message = engine.call("run --rm --name web host /etc/passwd").fails(126);
    assert_eq!(message, "cannot start `web`: exec: \"/etc/passwd\": permission denied");
    let message = engine.call("run --rm --name web host /etc").fails(126);
    assert!(message.starts_with("cannot start `web`: exec: \"/etc\": "), "{message}");
    // Executable by its mode, but neither a program nor a script with an interpreter.
    let tar = crate::tars::Tar::new().executable("junk", b"\x7fjunk").executable("empty", b"").end();
    engine.feed("import - junk", &[] as &[&str], tar).ok();
    let message = engine.call("run --rm --name web junk /junk").fails(126);
    assert_eq!(message, "cannot start `web`: exec: \"/junk\": exec format error");
    engine.call("run --rm junk /empty").fails(126);
}

#[test]
fn an_image_that_is_not_here_is_125_and_a_similar_name_is_offered() {
    let Some(engine) = Engine::new() else { return };
    let tar = crate::tars::Tar::new().file("a", b"").end();
    engine.feed("import - nginx", &[] as &[&str], tar).ok();
    assert_eq!(
        engine.call("run --rm --pull never ngnix").fails(125),
        "no image named `ngnix`; did you mean `nginx`?"
    );
    let unlike = engine.call("run --rm --pull never zzzzzz");
    assert_eq!(unlike.fails(125), "no image named `zzzzzz`");
    assert!(unlike.err().contains("\nhint: "), "{}", unlike.err());
    assert_eq!(
        engine.call("run --rm UPPER").fails(125),
        "invalid reference format: repository name `UPPER` must be lowercase"
    );
    engine.call("run --rm --pull never nginx:none true").fails(125);
    assert_eq!(engine.call("run --rm nginx").fails(125), "no command specified");
    assert_eq!(engine.ids(), [] as [&str; 0]);
}

#[test]
fn a_program_that_cannot_be_given_its_user_or_directory_is_125_and_leaves_nothing() {
    let Some(engine) = Engine::new() else { return };
    let refused = [
        ("-u nosuch", "unable to find user nosuch: no matching entries in passwd file"),
        ("-u root:nosuch", "unable to find group nosuch: no matching entries in group file"),
        ("-w relative", "the working directory 'relative' is invalid, it needs to be an absolute path"),
        ("--network nosuch", "network `nosuch` not found"),
        ("--env-file nosuch", "nosuch"),
        ("--stop-signal NOSUCH", "invalid signal: NOSUCH"),
        ("--name a/b", "Invalid container name (a/b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
    ];
    for (flags, expected) in refused {
        let message = engine.call(&format!("run {flags} host true")).fails(125);
        assert!(message.contains(expected), "{flags}: {message}");
        assert_eq!(engine.ids(), [] as [&str; 0], "{flags}");
    }
    // A file is no directory to work in.
    let message = engine.call("run --rm -w /etc/passwd host true").fails(125);
    assert!(message.contains("/etc/passwd") && message.contains("Not a directory"), "{message}");
}
