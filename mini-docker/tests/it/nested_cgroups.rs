//! A container that has made cgroups of its own, as an init system does, and what is run in it then. Requires cgroup v2.

use std::fs;
use std::path::Path;

use mini_cgroups::Layout;

use crate::harness::{Engine, eventually};
use crate::needs::need;

#[test]
fn a_program_joins_a_container_whose_own_cgroup_takes_no_process() {
    let is_v2 = Layout::detect().unwrap().is_unified_alone();
    if !is_v2 || !need("the cgroup controller `pids`", offers_pids()) {
        // Where this machine has v1, `in_the_vm` runs this.
        return;
    }
    let Some(engine) = Engine::new() else { return };
    let id = engine.detached("--name web", "sleep 1000");
    let own = Path::new("/sys/fs/cgroup/mini-docker").join(id);
    fs::create_dir_all(own.join("init/deep")).unwrap();
    eventually("it has no process of its own", || {
        let left = fs::read_to_string(own.join("cgroup.procs")).unwrap();
        // One that has ended meanwhile needs no move.
        left.lines().for_each(|pid| drop(fs::write(own.join("init/deep/cgroup.procs"), pid)));
        left.is_empty()
    });
    for directory in [own.clone(), own.join("init")] {
        fs::write(directory.join("cgroup.subtree_control"), "+pids").unwrap();
    }
    let refused = fs::write(own.join("cgroup.procs"), std::process::id().to_string()).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(mini_sys::Errno::EBUSY as i32));

    let script = "cat /proc/self/cgroup; exit 3";
    let done = engine.with("exec web sh -c", &[script]);
    assert_eq!((done.exits(3).as_str(), done.err().as_str()), ("0::/init/deep", ""));
    engine.call("stop -t 0 web").ok();
    assert!(!own.exists());
    engine.call("start web").ok();
    assert_eq!(engine.with("exec web cat", &["/proc/self/cgroup"]).ok(), "0::/");
}

fn offers_pids() -> bool {
    let offered = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    offered.split_whitespace().any(|word| word == "pids")
}
