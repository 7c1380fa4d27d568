//! Limits: what the kernel enforces, what shows inside and outside.

use std::fs;
use std::path::PathBuf;

use crate::harness::{Engine, eventually};
use crate::needs;

/// What a file of the container's cgroup says: by its name on v1, or on v2.
pub(crate) fn cgroup_file(engine: &Engine, name: &str, v1: &str, v2: &str) -> String {
    let id = engine.inspect(name, ".Id");
    let (tree, file) = v1.split_once('/').unwrap();
    let separate = PathBuf::from("/sys/fs/cgroup").join(tree).join("mini-docker").join(&id).join(file);
    let unified = PathBuf::from("/sys/fs/cgroup/mini-docker").join(&id).join(v2);
    let text = fs::read_to_string(&separate).or_else(|_| fs::read_to_string(&unified));
    text.unwrap_or_else(|error| panic!("{} and {}: {error}", separate.display(), unified.display()))
        .trim()
        .to_owned()
}

#[test]
fn memory_is_limited_and_what_wants_more_is_killed() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("memory") {
        return;
    }
    engine.detached("--name small -m 32m --memory-swap 32m", "sleep 1000");
    assert_eq!(cgroup_file(&engine, "small", "memory/memory.limit_in_bytes", "memory.max"), "33554432");
    assert_eq!(
        (engine.inspect("small", ".HostConfig.Memory"), engine.inspect("small", ".HostConfig.MemorySwap")),
        ("33554432".to_owned(), "33554432".to_owned())
    );
    engine.call("rm -f small").ok();
    let hog = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo not reached";
    let done = engine.with(
        "run --name hog -m 32m --memory-swap 32m host sh -c",
        &[format!("exec sh -c \"{hog}\"").replace("$(", "\\$(")],
    );
    assert_eq!(done.exits(137), "");
    assert_eq!(engine.inspect("hog", ".State.OOMKilled"), "true");
    assert_eq!(engine.inspect("hog", ".State.ExitCode"), "137");
    // One that keeps to its limit does not count as killed.
    engine.call("run --name good -m 32m host true").ok();
    assert_eq!(engine.inspect("good", ".State.OOMKilled"), "false");
}

#[test]
fn memory_and_swap_are_limited_together() {
    let Some(engine) = Engine::new() else { return };
    if !needs::swap_limit() {
        return;
    }
    for (flags, v1, v2) in [
        ("-m 64m --memory-swap 128m", "134217728", "67108864"),
        ("-m 64m", "134217728", "67108864"),
        ("-m 64m --memory-swap 64m", "67108864", "0"),
    ] {
        engine.detached(&format!("--name both {flags}"), "sleep 1000");
        let swap = cgroup_file(&engine, "both", "memory/memory.memsw.limit_in_bytes", "memory.swap.max");
        assert!(swap == v1 || swap == v2, "{flags}: {swap}");
        engine.call("rm -f both").ok();
    }
    engine.call("run --rm -m 64m --memory-swap=-1 host true").ok();
    for (flags, expected) in [
        ("--memory-swap 64m", "needs `--memory`"),
        ("-m 64m --memory-swap 32m", "is less than the memory"),
        ("-m 1m", "minimum memory limit"),
    ] {
        let message = engine.call(&format!("run --rm {flags} host true")).fails(125);
        assert!(message.contains(expected), "{flags}: {message}");
    }
}

#[test]
fn processors_are_limited() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("cpu") {
        return;
    }
    engine.detached("--name half --cpus 0.5 -c 512", "sleep 1000");
    let quota = cgroup_file(&engine, "half", "cpu/cpu.cfs_quota_us", "cpu.max");
    assert!(quota == "50000" || quota == "50000 100000", "{quota}");
    let weight = cgroup_file(&engine, "half", "cpu/cpu.shares", "cpu.weight");
    assert!(["512", "20", "59"].contains(&weight.as_str()), "{weight}");
    assert_eq!(engine.inspect("half", ".HostConfig.NanoCpus"), "500000000");
    let message = engine.call("run --rm --cpus 10000 host true").fails(125);
    assert!(message.contains("0.01 to "), "{message}");
    for shares in ["1", "300000"] {
        engine.call(&format!("run --rm --cpu-shares {shares} host true")).fails(125);
    }
}

#[test]
fn processors_are_chosen() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("cpuset") {
        return;
    }
    assert_eq!(
        engine.sh("--cpuset-cpus 0", "grep Cpus_allowed_list /proc/self/status; nproc"),
        "Cpus_allowed_list:\t0\n1"
    );
    for (cpus, expected) in
        [("9999", "is not available"), ("x", "is no list such as"), ("1-", "is no list"), ("3-1", "")]
    {
        let message = engine.call(&format!("run --rm --cpuset-cpus {cpus} host true")).fails(125);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_number_of_processes_is_limited() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("pids") {
        return;
    }
    let script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done";
    let done = engine.with("run --rm --pids-limit 5 host bash -c", &[script]);
    assert_ne!(done.code, 0, "{}", done.err());
    assert!(done.err().to_lowercase().contains("resource temporarily unavailable"), "{}", done.err());
    engine
        .with("run --rm --pids-limit=-1 host sh -c", &["for i in 1 2 3 4 5 6 7 8 9; do sleep 0 & done; wait"])
        .ok();
    engine.detached("--name web --pids-limit 77", "sleep 1000");
    assert_eq!(cgroup_file(&engine, "web", "pids/pids.max", "pids.max"), "77");
}

#[test]
fn limits_are_in_force_before_the_first_instruction() {
    let Some(engine) = Engine::new() else { return };
    if !needs::controller("pids") {
        return;
    }
    let own = engine.call("run --rm host cat /proc/1/cgroup").ok();
    assert!(
        own.lines().all(|line| line.ends_with(":/")),
        "the cgroup namespace shows its own cgroups as the top: {own}"
    );
    let done = engine.with("run --rm --pids-limit 1 host sh -c", &["true | true; echo not reached"]);
    assert_ne!(done.code, 0, "{}{}", done.out(), done.err());
}

#[test]
fn resource_limits_are_the_programs() {
    let Some(engine) = Engine::new() else { return };
    let script = "ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc";
    assert_eq!(
        engine.with("run --rm --ulimit nofile=100:200 --ulimit core=0 host bash -c", &[script]).ok(),
        "100\n200\n0\n0"
    );
    assert_eq!(
        engine
            .with("run --rm --ulimit nofile=64 --ulimit cpu=-1 host bash -c", &["ulimit -n; ulimit -Ht"])
            .ok(),
        "64\nunlimited"
    );
    // Few descriptors are no problem for those that start the program.
    assert_eq!(engine.call("run --rm --ulimit nofile=8 host echo few").ok(), "few");
    assert_eq!(engine.call("run --rm --init --ulimit nofile=8 host echo few").ok(), "few");
    for (limit, expected) in [
        ("nofile", "invalid ulimit argument: nofile"),
        ("nosuch=1", "invalid ulimit type: nosuch"),
        ("nofile=x", "nofile=x"),
        ("nofile=2:1", "ulimit soft limit must be less than or equal to hard limit: 2 > 1"),
        ("nofile=-1:5", "ulimit soft limit must be less than or equal to hard limit"),
    ] {
        let message = engine.call(&format!("run --rm --ulimit {limit} host true")).fails(125);
        assert!(message.contains(expected) && message.contains("--ulimit"), "{message}");
    }
}

#[test]
fn bad_values_name_their_flag() {
    let Some(engine) = Engine::new() else { return };
    for (flag, shown, value) in [
        ("-m", "--memory", "x"),
        ("--memory", "--memory", "64q"),
        ("--memory-swap", "--memory-swap", "-2"),
        ("--cpus", "--cpus", "two"),
        ("-c", "--cpu-shares", "x"),
        ("--cpu-shares", "--cpu-shares", "-1"),
        ("--pids-limit", "--pids-limit", "1.5"),
        ("--tmpfs", "--tmpfs", "relative"),
        ("--explain", "--explain", "x"),
        ("-e", "--env", ""),
    ] {
        let word = if flag.starts_with("--") {
            vec![format!("{flag}={value}")]
        } else {
            vec![flag.to_owned(), value.to_owned()]
        };
        let mut words = word;
        words.extend(["host".to_owned(), "true".to_owned()]);
        let message = engine.with("run --rm", &words).fails(125);
        assert!(message.contains(shown) || flag == "-e", "{flag}: {message}");
        assert!(message.contains(value) && !message.contains('<'), "{flag}: {message}");
        assert!(!message.contains("invalid digit"), "{message}");
    }
    assert!(engine.call("run --rm -m").fails(125).starts_with("flag needs an argument: "));
    assert_eq!(engine.call("run --rm --nosuch host").fails(125), "unknown flag: --nosuch");
    assert!(engine.call("run --rm -Z host").fails(125).starts_with("unknown "));
    assert_eq!(engine.ids(), [] as [&str; 0]);
}

#[test]
fn a_cgroup_goes_with_its_container() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.detached("--name web -m 64m", "sleep 1000");
    let trees = || {
        let all = fs::read_dir("/sys/fs/cgroup")
            .unwrap()
            .flatten()
            .map(|entry| entry.path().join("mini-docker").join(&id));
        all.chain([PathBuf::from("/sys/fs/cgroup/mini-docker").join(&id)])
            .filter(|path| path.exists())
            .count()
    };
    assert_ne!(trees(), 0);
    engine.call("stop -t 0 web").ok();
    eventually("it is gone", || trees() == 0);
}
