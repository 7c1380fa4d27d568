//! `update`.

use crate::harness::{Engine, eventually};
use crate::limits::cgroup_file;
use crate::needs;

fn memory(engine: &Engine) -> String {
    cgroup_file(engine, "web", "memory/memory.limit_in_bytes", "memory.max")
}

#[test]
fn limits_of_one_that_runs_change_at_once_and_stay() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("memory") || !needs::controller("pids") || !needs::controller("cpu") {
        return;
    }
    engine.detached("--name web -m 64m --pids-limit 50", "sleep 1000");
    engine.detached("--name other", "sleep 1000");
    let flags = "update -m 32m --memory-swap -1 --pids-limit 20 --cpus 0.5";
    assert_eq!(engine.call(&format!("{flags} web other")).ok(), "web\nother");
    for name in ["web", "other"] {
        assert_eq!(cgroup_file(&engine, name, "memory/memory.limit_in_bytes", "memory.max"), "33554432");
        assert_eq!(cgroup_file(&engine, name, "pids/pids.max", "pids.max"), "20");
        let quota = cgroup_file(&engine, name, "cpu/cpu.cfs_quota_us", "cpu.max");
        assert!(quota == "50000" || quota == "50000 100000", "{quota}");
        let seen = "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}}";
        assert_eq!(engine.with("inspect -f", &[seen, name]).ok(), "33554432 20 500000000");
    }
    // The kernel holds it to them.
    let many = engine.with(
        "exec web sh -c",
        &["for i in $(seq 40); do sleep 1000 >/dev/null 2>&1 & done; echo not reached"],
    );
    assert!(many.err().contains("fork"), "{many:?}");
    engine.call("restart -t 0 web").ok();
    assert_eq!(memory(&engine), "33554432");
    // More is possible as less is.
    engine.call("update -m 128m web").ok();
    assert_eq!(memory(&engine), "134217728");
}

#[test]
fn limits_of_one_that_does_not_run_hold_when_it_does() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("memory") {
        return;
    }
    engine.call("create --name web host sleep 1000").ok();
    assert_eq!(engine.call("update -m 32m web").ok(), "web");
    engine.call("start web").ok();
    assert_eq!(memory(&engine), "33554432");
    engine.call("pause web").ok();
    engine.call("update -m 64m --memory-swap 128m web").ok();
    assert_eq!(memory(&engine), "67108864");
}

#[test]
fn a_refused_limit_changes_nothing() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("memory") {
        return;
    }
    engine.detached("--name web -m 64m --memory-swap 64m --cpu-period 50000", "sleep 1000");
    let id = engine.inspect("web", ".Id");
    let record = || engine.call("inspect --format json web").ok();
    for running in [true, false] {
        if !running {
            engine.call("stop -t 0 web").ok();
            eventually("it has ended", || engine.inspect("web", ".State.Status") == "exited");
        }
        let before = record();
        for (flags, words) in [
            ("-m 1k", "6MB"),
            ("-m 128m", "memory"),
            ("--cpuset-cpus 999", "999"),
            ("--cpu-period 0 --cpus 100000", "CPUs"),
            (
                "--cpus 0.5",
                "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set",
            ),
            (
                "--cpus 0.5 --cpu-quota 1000",
                "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
            ),
        ] {
            let message = engine.call(&format!("update {flags} web")).fails(1);
            assert!(message.contains(words), "{flags}: {message}");
            if !message.starts_with("Conflicting") {
                assert!(message.starts_with(&format!("Cannot update container {id}: ")), "{message}");
            }
            assert_eq!(record(), before, "{flags}");
            if running {
                assert_eq!(memory(&engine), "67108864", "{flags}");
            }
        }
    }
}

#[test]
fn what_says_nothing_and_who_is_not_there_are_refused() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create --name web host true").ok();
    assert_eq!(
        engine.call("update web").fails(1),
        "you must provide one or more flags when using this command"
    );
    let done = engine.call("update --restart always nosuch web");
    assert_eq!((done.fails(1), done.out()), ("No such container: nosuch".to_owned(), "web\n".to_owned()));
    assert_eq!(engine.inspect("web", ".HostConfig.RestartPolicy.Name"), "always");
}
