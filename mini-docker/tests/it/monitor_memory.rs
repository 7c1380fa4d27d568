//! What a monitor takes of the machine's memory while it waits, which every container costs: it must not grow with what has
//! happened to the container. A monitor gives memory back once it has been quiet for a while, so that is awaited.

use mini_engine::Home;

use crate::harness::{Engine, eventually, parent};

/// Bytes that a later look may be above an earlier one: some pages of the stack and the heap that were not there yet.
const SLACK: u64 = 64 << 10;

/// The bytes of memory that are the process's alone and hold something.
fn private(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// What the monitor takes at rest: as little as it has taken in a dozen looks at which it was no less.
fn at_rest(pid: i32) -> u64 {
    let (mut least, mut looks) = (u64::MAX, 0);
    eventually("it takes no less memory any more", || {
        let now = private(pid);
        looks = if now < least { 0 } else { looks + 1 };
        least = least.min(now);
        looks > 100
    });
    least
}

/// Does something so many times in each of some rounds, and looks at the monitor's memory after each. What is kept of each
/// time makes every round take more; buffers that have become as large as they get make one round take more or two.
#[track_caller]
fn assert_does_not_grow(pid: i32, times: u32, mut something: impl FnMut(u32)) {
    let mut seen = Vec::new();
    for _ in 0..6 {
        something(times);
        let now = at_rest(pid);
        if seen.last().is_some_and(|before| now <= before + SLACK) {
            return;
        }
        seen.push(now);
    }
    panic!("each {times} times it takes more: {seen:?} bytes");
}

#[test]
fn who_has_come_and_gone_leaves_nothing_in_the_monitors_memory() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("-i --name web", "sleep 1000");
    let home = Home::new(engine.root());
    let record = mini_engine::find(&home, "web").unwrap();
    let attach = |times| {
        for _ in 0..times {
            let socket = mini_engine::attach::attach(&home, &record).unwrap();
            // Its first message tells that the monitor knows of us.
            assert!(mini_sys::ipc::receive(&socket, &mut [0; 64]).unwrap().0 > 0);
        }
    };
    assert_does_not_grow(parent(engine.pid("web")), 2000, attach);
}

#[test]
fn probes_leave_nothing_in_the_monitors_memory() {
    let Some(engine) = Engine::new() else { return };
    let health = "--health-cmd=echo>>/probes --health-interval=10ms --health-start-interval=10ms";
    engine.detached(&format!("{health} --name web"), "sleep 1000");
    let id = engine.inspect("web", ".Id");
    let file = engine.root().join("containers").join(id).join("upper/probes");
    let probes = || std::fs::read(&file).map_or(0, |text| text.len());
    let wait = |times: u32| {
        let before = probes();
        eventually("it is looked after", || probes() >= before + times as usize);
    };
    assert_does_not_grow(parent(engine.pid("web")), 40, wait);
}

#[test]
fn what_the_program_has_written_does_not_stay_in_the_monitors_memory() {
    let Some(engine) = Engine::new() else { return };
    let script = "while :; do until test -f /go; do sleep 0.01; done; rm /go; seq 30000; touch /done; done";
    engine.detached("--name web", script);
    let root = format!("/proc/{}/root", engine.pid("web"));
    let done = std::path::PathBuf::from(format!("{root}/done"));
    let write = |times| {
        for _ in 0..times {
            std::fs::write(format!("{root}/go"), "").unwrap();
            eventually("it has written", || done.exists());
            std::fs::remove_file(&done).unwrap();
        }
    };
    assert_does_not_grow(parent(engine.pid("web")), 10, write);
}
