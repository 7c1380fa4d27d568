//! `kill -9` at every place between two changes on the disk: the next command puts right what is left.
//!
//! The places are those that the engine lists, so none is forgotten. Each scenario is tried with each; the process
//! that comes there first dies, be it the command or the monitor.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mini_engine::places::PLACES;
use mini_sys::fault;
use mini_sys::signal::Signal;

use crate::fault_changes;
use crate::harness::{Engine, eventually, finish, is_alive, kill, names};

/// What is there before, and the command that is to die.
struct Scenario {
    before: fn(&Engine),
    line: &'static str,
}

const SCENARIOS: [Scenario; 14] = [
    Scenario { before: nothing, line: "run --name web host true" },
    Scenario { before: nothing, line: "run host true" },
    Scenario { before: nothing, line: "run --rm --name web host true" },
    Scenario { before: nothing, line: "run -d --name web host sleep 1000" },
    Scenario { before: nothing, line: "create --name web host true" },
    Scenario { before: ended, line: "start web" },
    Scenario { before: running, line: "stop -t 0 web" },
    Scenario { before: running, line: "restart -t 0 web" },
    Scenario { before: ended, line: "rm web" },
    Scenario { before: running, line: "rm -f web" },
    Scenario { before: killed, line: "ps -a" },
    Scenario { before: killed_and_to_go, line: "ps -a" },
    Scenario { before: half_made, line: "ps -a" },
    Scenario { before: half_removed, line: "ps -a" },
];

fn nothing(_: &Engine) {}

/// One that has ended, and whose monitor has gone: it looks for what is to be mended too.
fn ended(engine: &Engine) {
    running(engine);
    let monitor = crate::harness::parent(engine.pid("web"));
    engine.call("stop -t 0 web").ok();
    eventually("its monitor is gone", || !is_alive(monitor));
}

fn running(engine: &Engine) {
    engine.call("run -d --name web host sleep 1000").ok();
}

fn killed(engine: &Engine) {
    kill_with_monitor(engine, "run -d --name web host sleep 1000");
}

fn killed_and_to_go(engine: &Engine) {
    kill_with_monitor(engine, "run -d --rm --name web host sleep 1000");
}

fn kill_with_monitor(engine: &Engine, line: &str) {
    engine.call(line).ok();
    let program = engine.pid("web");
    let monitor = crate::harness::parent(program);
    kill(monitor, Signal::SIGKILL);
    // The program dies with its parent.
    eventually("both are dead", || !is_alive(program) && !is_alive(monitor));
}

fn half_made(engine: &Engine) {
    assert!(dies(engine, "create:named", "run host true"));
}

fn half_removed(engine: &Engine) {
    ended(engine);
    assert!(dies(engine, "remove:hidden", "rm web"));
}

/// Whether somebody came to the place and died there, while this command ran.
pub(crate) fn dies(engine: &Engine, place: &str, line: &str) -> bool {
    let file = engine.path("died");
    let mut command = engine.command(line, &[] as &[&str]);
    command.env(fault::VARIABLE, format!("{place} {}", file.display()));
    let done = finish(&mut command, None);
    if line.starts_with("run") && done.code == 0 {
        // The monitor goes on for a moment, to its end or to the place.
        eventually("no monitor of an ended container is left", || {
            file.exists()
                || names(&engine.root().join("containers")).iter().all(|name| !name.starts_with(".trash"))
        });
    }
    std::fs::remove_file(file).is_ok()
}

/// One more command, and all that is there is whole: containers, directories and names are the same. Where the command
/// died and the monitor lives on, that is so once it has come to its end.
#[track_caller]
pub(crate) fn assert_mended(engine: &Engine, what: &str) {
    let begun = Instant::now();
    loop {
        let seen = differences(engine);
        if seen.is_empty() {
            return;
        }
        assert!(begun.elapsed() < SOON, "{what}: {seen}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Longer than anything here takes, and short enough to be waited for in vain.
const SOON: Duration = Duration::from_secs(20);

/// What does not fit together; nothing when all does.
fn differences(engine: &Engine) -> String {
    let listed = engine.call("ps -aq --no-trunc").ok();
    let listed: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    let there: BTreeSet<String> = names(&engine.root().join("containers")).into_iter().collect();
    let links = names(&engine.root().join("names"));
    let owner = |name: &String| std::fs::read_link(engine.root().join("names").join(name)).ok();
    let named: BTreeSet<String> =
        links.iter().filter_map(owner).map(|owner| owner.display().to_string()).collect();
    if there != listed || named != listed {
        return format!("{there:?} are there, {listed:?} are listed, {named:?} have a name");
    }
    let is_said_to_run = |id: &&String| {
        let running = engine.with("inspect --format {{.State.Running}},{{.State.Pid}}", &[id]).out();
        let pid = running.trim().strip_prefix("true,").and_then(|pid| pid.parse().ok());
        pid.is_some_and(|pid| !is_alive(pid))
    };
    match listed.iter().find(is_said_to_run) {
        Some(id) => format!("{id} is said to run"),
        None => String::new(),
    }
}

#[test]
fn whoever_is_killed_anywhere_leaves_nothing_that_the_next_command_does_not_mend() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: a release build has no such places");
        return;
    }
    let Some(engine) = Engine::new() else { return };
    for place in PLACES.iter().filter(|place| !fault_changes::is_of_a_change(place)) {
        let mut reached = false;
        for Scenario { before, line } in &SCENARIOS {
            before(&engine);
            let died = dies(&engine, place, line);
            reached |= died;
            if died {
                assert_mended(&engine, &format!("{line}, killed at {place}"));
            }
            let listed = engine.call("ps -aq").ok();
            let listed: Vec<&str> = listed.lines().collect();
            if !listed.is_empty() {
                engine.with("rm -f", &listed).ok();
            }
            if died {
                engine.call("run --rm --name web host true").ok();
            }
        }
        assert!(reached, "nobody came to {place}");
    }
}
