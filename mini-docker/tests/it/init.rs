//! `--init`: our own pid 1 before the program.

use crate::harness::{Engine, eventually};

#[test]
fn the_program_is_not_pid_1_and_its_status_is_the_containers() {
    let Some(engine) = Engine::new() else { return };
    assert_ne!(engine.sh("--init", "echo $$"), "1");
    assert_eq!(engine.sh("--init", "ps -o ppid= -p $$ | tr -d ' '"), "1");
    for status in [0, 1, 125, 255] {
        engine.with("run --rm --init host sh -c", &[format!("exit {status}")]).exits(status);
    }
    engine.call("run --rm --init host nosuch").fails(127);
    engine.call("run --rm --init host /etc/passwd").fails(126);
    let sent = vec![7; 100_000];
    assert_eq!(engine.feed("run --rm -i --init host cat", &[] as &[&str], sent.clone()).stdout, sent);
}

#[test]
fn orphans_are_reaped() {
    let Some(engine) = Engine::new() else { return };
    // Each inner shell leaves a child behind that then ends as an orphan.
    let script =
        "for i in 1 2 3 4 5 6 7 8 9; do sh -c 'sleep 0.01 &'; done; sleep 0.3; ps ax -o stat= | grep -c Z";
    assert_eq!(engine.with("run --rm --init host sh -c", &[script]).out().trim(), "0");
    // Without an init, pid 1 is a program that does not know its duties.
    // The orphans end after it has become one: a shell reaps what it happens to meet.
    let orphan = "while [ ! -e /go ]; do sleep 0.01; done &";
    engine
        .detached("--name careless", &format!("for i in 1 2 3; do sh -c '{orphan}'; done; exec sleep 1000"));
    let pid = engine.pid("careless");
    let program = format!("/proc/{pid}/comm");
    eventually("sleep is pid 1", || std::fs::read_to_string(&program).unwrap() == "sleep\n");
    std::fs::write(format!("/proc/{pid}/root/go"), "").unwrap();
    let zombies = || {
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().filter(|pid| !crate::harness::is_alive(pid.parse().unwrap())).count()
    };
    eventually("zombies", || zombies() == 3);
}

#[test]
fn signals_reach_the_program() {
    let Some(engine) = Engine::new() else { return };
    for (signal, status) in [
        ("TERM", "143"),
        ("INT", "130"),
        ("HUP", "129"),
        ("USR1", "138"),
        ("KILL", "137"),
        ("RTMIN+3", "165"),
    ] {
        engine.call("run -d --init --name web host sleep 1000").ok();
        engine.call(&format!("kill -s {signal} web")).ok();
        eventually("it has ended", || engine.inspect("web", ".State.Status") == "exited");
        assert_eq!(engine.inspect("web", ".State.ExitCode"), status);
        engine.call("rm web").ok();
    }
    engine.call("run -d --init --name web host sleep 1000").ok();
    engine.call("stop web").ok();
    assert_eq!(engine.inspect("web", ".State.ExitCode"), "143");
    assert_eq!(engine.inspect("web", ".HostConfig.Init"), "true");
}

#[test]
fn the_init_gives_the_container_nothing_of_the_host() {
    let Some(engine) = Engine::new() else { return };
    let caps = engine.sh("--init", "grep ^CapEff /proc/1/status");
    assert_eq!(caps, "CapEff:\t00000000a80425fb");
    let done = engine.with("run --rm --init host sh -c", &["head -c 4 /proc/1/exe; ls /proc/1/fd"]);
    assert!(!done.out().contains("ELF"), "the engine's own program can be read: {}", done.out());
    assert_ne!(engine.with("run --rm --init host sh -c", &["echo x > /proc/1/exe"]).code, 0);
}
