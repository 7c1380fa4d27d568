//! `kill -9` of who changes a container that is there: renames it, stops or lets go its processes, limits it. At every
//! place in between there is the old or the new, and what is left over is in nobody's way. See `faults`.

use mini_engine::places::PLACES;

use crate::faults::{assert_mended, dies};
use crate::harness::{Engine, eventually};
use crate::limits::cgroup_file;

/// Whether the place is on the way of one of these changes.
pub(crate) fn is_of_a_change(place: &str) -> bool {
    ["rename:", "pause:", "unpause:", "update:"].iter().any(|way| place.starts_with(way))
}

/// An engine, and the places on this way; none where there are no places.
fn at(way: &str) -> Option<(Engine, Vec<&'static str>)> {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: a release build has no such places");
        return None;
    }
    let places: Vec<&str> = PLACES.iter().copied().filter(|place| place.starts_with(way)).collect();
    assert!(places.len() >= 2, "{way}: {places:?}");
    Some((Engine::new()?, places))
}

/// Counts in a file.
const COUNT: &str = "i=0; while :; do i=$((i + 1)); echo $i > /n; done";

/// Whether the container's program does something.
#[track_caller]
fn assert_goes_on(engine: &Engine) {
    let id = engine.inspect("web", ".Id");
    let file = engine.root().join("containers").join(id).join("upper/n");
    let count = || std::fs::read_to_string(&file).unwrap_or_default();
    let before = count();
    eventually("it goes on", || count() != before);
}

#[test]
fn a_rename_that_is_killed_leaves_one_name_and_the_other_to_whoever_wants_it() {
    let Some((engine, places)) = at("rename:") else { return };
    for place in places {
        let id = engine.call("create --name old host true").ok();
        assert!(dies(&engine, place, "rename old new"), "nobody came to {place}");
        assert_mended(&engine, place);
        let name = engine.inspect(&id, ".Name");
        let other = match name.as_str() {
            "/old" => "new",
            "/new" => "old",
            other => panic!("{place}: it is called {other}"),
        };
        let failed = engine.call(&format!("inspect --type container {other}")).fails(1);
        assert_eq!(failed, format!("No such container: {other}"), "{place}");
        engine.call(&format!("create --name {other} host true")).ok();
        let name = name.trim_start_matches('/');
        assert!(engine.call(&format!("create --name {name} host true")).fails(1).contains("already in use"));
        // And once more, through: both names are whole.
        engine.call(&format!("rename {other} third")).ok();
        engine.call(&format!("rename {name} {other}")).ok();
        engine.call(&format!("rm third {other}")).ok();
    }
}

#[test]
fn a_pause_that_is_killed_leaves_what_stands_still_said_to() {
    let Some((engine, places)) = at("pause:") else { return };
    for place in places {
        engine.detached("--name web", COUNT);
        assert!(dies(&engine, place, "pause web"), "nobody came to {place}");
        assert_mended(&engine, place);
        if engine.inspect("web", ".State.Status") == "paused" {
            engine.call("unpause web").ok();
        }
        assert_goes_on(&engine);
        engine.call("pause web").ok();
        engine.call("stop -t 0 web").ok();
        engine.call("rm web").ok();
    }
}

#[test]
fn an_unpause_that_is_killed_leaves_it_running() {
    let Some((engine, places)) = at("unpause:") else { return };
    for place in places {
        engine.detached("--name web", COUNT);
        engine.call("pause web").ok();
        assert!(dies(&engine, place, "unpause web"), "nobody came to {place}");
        assert_mended(&engine, place);
        assert_eq!(engine.inspect("web", ".State.Status"), "running", "{place}");
        assert_goes_on(&engine);
        engine.call("rm -f web").ok();
    }
}

#[test]
fn an_update_that_is_killed_leaves_the_old_limits_written_down_or_the_new() {
    if !crate::needs::controller("memory") {
        return;
    }
    let Some((engine, places)) = at("update:") else { return };
    let limits = |memory: u64| format!("{} {}", memory << 20, memory << 21);
    for place in places {
        engine.detached("-m 64m --memory-swap 128m --name web", "sleep 1000");
        assert!(dies(&engine, place, "update -m 32m --memory-swap 64m web"), "nobody came to {place}");
        assert_mended(&engine, place);
        let written =
            engine.with("inspect -f", &["{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}", "web"]).ok();
        assert!(written == limits(64) || written == limits(32), "{place}: {written}");
        // Who asks again gets it.
        engine.call("update -m 32m --memory-swap 64m web").ok();
        assert_eq!(engine.inspect("web", ".HostConfig.Memory"), (32_u64 << 20).to_string());
        let kept = cgroup_file(&engine, "web", "memory/memory.limit_in_bytes", "memory.max");
        assert_eq!(kept, (32_u64 << 20).to_string());
        engine.call("rm -f web").ok();
    }
}
