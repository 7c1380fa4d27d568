//! The claims, each for whatever layout it is given.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use mini_cgroups::{Cgroup, Hierarchy, IoThrottle, Layout, Limits, Unified, default_devices};
use mini_sys::file;

use crate::group::{Group, eventually, name};
use crate::require;

const MIB: i64 = 1024 * 1024;

/// `tail` looks for the end of a line that never ends, and keeps it all.
const HOG: &str = "exec tail /dev/zero";

pub(crate) fn a_memory_limit_kills_a_hog(layout: &Layout) {
    let limits = Limits { memory: Some(20 * MIB), ..Limits::default() };
    let group = Group::new(layout, "hog", &limits);
    assert_eq!(group.oom_kills().unwrap(), 0);
    let (status, _) = group.start(HOG).end();
    assert_eq!(status.signal(), Some(9));
    assert_eq!(group.oom_kills().unwrap(), 1);
    assert_eq!(group.stats().unwrap().memory.unwrap().limit, Some(20 * MIB as u64));
}

pub(crate) fn swap_is_limited_together_with_memory(layout: &Layout) {
    let limits = Limits { memory: Some(32 * MIB), memory_swap: Some(48 * MIB), ..Limits::default() };
    let group = Group::new(layout, "swap", &limits);
    let read = |file: &str| group.directories().find_map(|it| file::read_text(&it.join(file)).ok());
    let sum = read("memory.memsw.limit_in_bytes");
    let swap = read("memory.swap.max");
    if !require::met(sum.is_some() || swap.is_some(), "a kernel that counts swap") {
        return;
    }
    let expected = |bytes: i64| Some(format!("{bytes}\n"));
    assert!(sum == expected(48 * MIB) || swap == expected(16 * MIB), "{sum:?} {swap:?}");
    assert_eq!(group.stats().unwrap().memory.unwrap().swap, Some(0));
}

pub(crate) fn a_pids_limit_stops_a_fork_bomb(layout: &Layout) {
    let limits = Limits { pids: Some(10), ..Limits::default() };
    let group = Group::new(layout, "bomb", &limits);
    // The shell gives up at the first fork that fails; what it started runs on.
    let bomb =
        group.start("i=0; while [ $i -lt 30 ]; do sleep 1000 <&- >&- 2>&- & i=$((i+1)); done; echo all");
    let (_, text) = bomb.end();
    assert!(!text.contains("all"), "{text}");
    let pids = group.stats().unwrap().pids.unwrap();
    assert_eq!(pids.limit, Some(10));
    assert!((5..=10).contains(&pids.current), "{pids:?}");
    assert_eq!(group.pids().unwrap().len() as u64, pids.current);
}

pub(crate) fn a_cpu_quota_throttles(layout: &Layout) {
    let limits = Limits { cpu_quota: Some(5_000), cpu_period: Some(100_000), ..Limits::default() };
    let group = Group::new(layout, "quota", &limits);
    let _busy = group.start("while :; do :; done");
    eventually("a period in which it had to wait", || {
        group.stats().unwrap().cpu.unwrap().throttling.throttled_periods > 0
    });
}

pub(crate) fn a_cpuset_is_where_it_runs(layout: &Layout) {
    if !require::met(layout.cpus.count() > 1, "two CPUs") {
        return;
    }
    let limits = Limits { cpuset_cpus: Some("1".into()), ..Limits::default() };
    let group = Group::new(layout, "cpuset", &limits);
    let (status, text) = group.start("grep Cpus_allowed_list /proc/self/status").end();
    assert!(status.success(), "{text}");
    assert_eq!(text, "Cpus_allowed_list:\t1\n");
}

pub(crate) fn a_device_may_be_made_but_not_opened(layout: &Layout) {
    let scratch = tempfile::tempdir().unwrap();
    let (log, null) = (scratch.path().join("log"), scratch.path().join("null"));
    let script = format!(
        "mknod {log} c 1 11 && mknod {null} c 1 3 && echo > {null} && echo usable; : < {log}",
        log = log.display(),
        null = null.display()
    );
    let limits = Limits { devices: default_devices(), ..Limits::default() };
    let group = Group::new(layout, "devices", &limits);
    let (status, text) = group.start(&script).end();
    assert!(!status.success());
    assert!(text.contains("usable"), "{text}");
    assert!(text.contains("Operation not permitted"), "{text}");
    // Outside of the cgroup the same file opens.
    std::fs::File::open(&log).unwrap();
}

pub(crate) fn a_frozen_cgroup_stands_still(layout: &Layout) {
    let group = Group::new(layout, "freeze", &Limits::default());
    let _busy = group.start("while :; do :; done");
    let used = || group.stats().unwrap().cpu.unwrap().total_ns;
    eventually("it runs", || used() > 0);
    assert!(!group.is_frozen().unwrap());
    group.freeze().unwrap();
    assert!(group.is_frozen().unwrap());
    // What it used up to that moment may be counted a little later.
    let mut before = used();
    eventually("it stands still", || {
        sleep(Duration::from_millis(100));
        std::mem::replace(&mut before, used()) == before
    });
    group.thaw().unwrap();
    assert!(!group.is_frozen().unwrap());
    eventually("it runs again", || used() > before);
}

pub(crate) fn kill_all_kills_a_tree_that_forks(layout: &Layout) {
    let limits = Limits { pids: Some(100), ..Limits::default() };
    let group = Group::new(layout, "kill", &limits);
    let tree = "while :; do (sleep 0.01 &); done";
    let _shell = group.start(&format!("({tree}) & ({tree}) & {tree}"));
    eventually("it forks", || group.pids().unwrap().len() > 5);
    group.kill_all().unwrap();
    assert_eq!(group.pids().unwrap(), []);
    sleep(Duration::from_millis(100));
    assert_eq!(group.pids().unwrap(), []);
}

pub(crate) fn kill_all_reaches_the_frozen(layout: &Layout) {
    let group = Group::new(layout, "kill-frozen", &Limits::default());
    let shell = group.start("while :; do :; done");
    group.freeze().unwrap();
    group.kill_all().unwrap();
    assert_eq!(shell.end().0.signal(), Some(9));
}

pub(crate) fn remove_leaves_nothing(layout: &Layout) {
    let name = name("remove");
    let group = Cgroup::create(layout, &name, &Limits::default()).unwrap();
    for directory in group.directories() {
        std::fs::create_dir_all(directory.join("inner/most")).unwrap();
    }
    group.remove().unwrap();
    let again = Cgroup::open(layout, &name).unwrap();
    assert!(!again.exists());
    // What is gone can be removed once more.
    group.remove().unwrap();
    again.remove().unwrap();
}

pub(crate) fn remove_says_what_is_in_the_way(layout: &Layout) {
    let group = Group::new(layout, "busy", &Limits::default());
    let _shell = group.start("sleep 1000");
    let error = group.remove().unwrap_err();
    assert_eq!(error.failures.len(), group.directories().count());
    let text = error.to_string();
    assert!(text.starts_with("remove the cgroup `test-") && text.contains("busy"), "{text}");
}

pub(crate) fn the_shared_parent_goes_with_the_last_cgroup(layout: &Layout) {
    // A layout of its own, whose `mini-docker` no other test uses.
    let base = name("parent");
    let mut own = layout.clone();
    own.hierarchies.retain(|it| !it.controllers.contains(&mini_cgroups::Controller::Cpuset));
    for Hierarchy { directory, .. } in &mut own.hierarchies {
        directory.push(&base);
        std::fs::create_dir(&*directory).unwrap();
    }
    if let Some(Unified { directory, offered, .. }) = &mut own.unified {
        directory.push(&base);
        offered.clear();
        std::fs::create_dir(&*directory).unwrap();
    }
    let (one, two) =
        (Cgroup::create(&own, "one", &Limits::default()), Cgroup::create(&own, "two", &Limits::default()));
    let parents: Vec<_> =
        one.as_ref().unwrap().directories().map(|it| it.parent().unwrap().to_owned()).collect();
    one.unwrap().remove().unwrap();
    let stayed = parents.iter().all(|parent| parent.is_dir());
    two.unwrap().remove().unwrap();
    let gone = parents.iter().all(|parent| !parent.exists());
    let bases =
        own.hierarchies.iter().map(|it| &it.directory).chain(own.unified.iter().map(|it| &it.directory));
    for base in bases {
        std::fs::remove_dir(base).unwrap();
    }
    assert!(stayed && gone, "{stayed} {gone}");
}

pub(crate) fn cgroups_come_and_go_at_once(layout: &Layout) {
    let limits = Limits { memory: Some(64 * MIB), pids: Some(50), ..Limits::default() };
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let limits = &limits;
            threads.spawn(move || {
                for round in 0..10 {
                    let group = Group::new(layout, &format!("race-{thread}-{round}"), limits);
                    assert_eq!(group.stats().unwrap().memory.unwrap().limit, Some(64 * MIB as u64));
                }
            });
        }
    });
}

pub(crate) fn a_failed_step_leaves_nothing(layout: &Layout) {
    let no_disk = IoThrottle { major: 4095, minor: 99, read_bps: Some(1), ..IoThrottle::default() };
    let limits = Limits { io_throttles: vec![no_disk], ..Limits::default() };
    let name = name("failed");
    let error = Cgroup::create(layout, &name, &limits).unwrap_err();
    assert_eq!(error.to_string(), format!("limit the resources of `{name}`"));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("write \"4095:99 ") && cause.contains(&name), "{cause}");
    assert!(!Cgroup::open(layout, &name).unwrap().exists());
}

pub(crate) fn a_cgroup_of_that_name_is_not_taken_over(layout: &Layout) {
    let group = Group::new(layout, "twice", &Limits::default());
    let error = Cgroup::create(layout, &name("twice"), &Limits::default()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.ends_with("File exists"), "{cause}");
    assert!(group.directories().all(Path::is_dir));
}

pub(crate) fn stats_move(layout: &Layout) {
    let scratch = tempfile::tempdir().unwrap();
    let device = file::statat(file::CWD, scratch.path()).unwrap().st_dev;
    let (major, minor) = file::device_numbers(device);
    let throttle = IoThrottle { major, minor, write_bps: Some(1 << 40), ..IoThrottle::default() };
    let limits = Limits { io_throttles: vec![throttle], ..Limits::default() };
    let group = Group::new(layout, "stats", &limits);
    let path = scratch.path().join("file");
    let shell = group.start(&format!(
        "dd if=/dev/zero of={} bs=1M count=2 oflag=direct 2>&1 && exec sleep 1000",
        path.display()
    ));
    eventually("two megabytes are written", || {
        group.stats().unwrap().io.iter().any(|io| io.write_bytes >= 2 << 20)
    });
    let stats = group.stats().unwrap();
    let (memory, cpu) = (stats.memory.unwrap(), stats.cpu.unwrap());
    assert!(memory.charged > 0 && memory.used() <= memory.charged, "{memory:?}");
    assert!(memory.limit.is_none(), "{memory:?}");
    assert!(cpu.total_ns > 0, "{cpu:?}");
    assert!(stats.pids.unwrap().current >= 1);
    let writes = stats.io.iter().find(|io| (io.major, io.minor) == (major, minor)).unwrap();
    assert!(writes.writes > 0);
    drop(shell);
}

pub(crate) fn weights_are_taken(layout: &Layout) {
    let limits = Limits { cpu_shares: Some(512), io_weight: Some(100), ..Limits::default() };
    let group = Group::new(layout, "weights", &limits);
    let read = |file: &str| group.directories().find_map(|it| file::read_text(&it.join(file)).ok());
    let cpu = read("cpu.shares").or_else(|| read("cpu.weight")).unwrap();
    assert!(["512\n", "59\n"].contains(&cpu.as_str()), "{cpu}");
    let io = ["blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight"]
        .into_iter()
        .find_map(read)
        .unwrap();
    assert!(["100\n", "default 100\n", "default 910\n"].contains(&io.as_str()), "{io}");
}

pub(crate) fn limits_change_while_it_runs(layout: &Layout) {
    let limits = Limits { memory: Some(32 * MIB), ..Limits::default() };
    let mut group = Group::new(layout, "update", &limits);
    let shell = group.start("sleep 1000");
    let limit = |group: &Group| group.stats().unwrap().memory.unwrap().limit;
    let both = |memory: i64, sum: i64| Limits {
        memory: Some(memory * MIB),
        memory_swap: Some(sum * MIB),
        ..Limits::default()
    };
    group.update(&both(128, 256)).unwrap();
    assert_eq!(limit(&group), Some(128 << 20));
    group.update(&both(16, 16)).unwrap();
    assert_eq!(limit(&group), Some(16 << 20));
    let error = group.update(&Limits { memory: Some(64 * MIB), ..Limits::default() }).unwrap_err();
    assert!(error.to_string().contains("`--memory-swap 16777216` is less than"), "{error}");
    group.update(&Limits { memory: Some(-1), ..Limits::default() }).unwrap();
    assert_eq!(limit(&group), None);

    // Controllers that it did not need so far hold for the processes that are there.
    let limits = Limits { cpuset_cpus: Some("0".into()), cpu_shares: Some(512), ..Limits::default() };
    group.update(&limits).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", shell.pid())).unwrap();
    assert!(status.contains("Cpus_allowed_list:\t0\n"), "{status}");
    let read = |file: &str| group.directories().find_map(|it| file::read_text(&it.join(file)).ok());
    let shares = read("cpu.shares").or_else(|| read("cpu.weight")).unwrap();
    assert!(["512\n", "59\n"].contains(&shares.as_str()), "{shares}");
    group.update(&Limits { pids: Some(7), ..Limits::default() }).unwrap();
    assert_eq!(group.stats().unwrap().pids.unwrap().limit, Some(7));
}

pub(crate) fn limits_are_in_force_before_the_first_instruction(_layout: &Layout) {
    // A process with threads cannot clone itself, so this is the demonstration's part.
    let demo = std::env::current_exe().unwrap().with_file_name("../examples/limit");
    if !require::met(demo.exists(), "the example `limit`, which a plain `cargo test` builds") {
        return;
    }
    let output = std::process::Command::new(demo).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("a child that takes 100 MB ended with Signal(9)"), "{text}");
    assert!(text.contains("killed for lack of memory: 1"), "{text}");
    assert!(text.ends_with("removed: true\n"), "{text}");
}
