//! The claims on cgroup v2 alone, as root.

use mini_cgroups::{Cgroup, Limits};

use crate::group::{Group, name};
use crate::{claims, require};

macro_rules! on_v2 {
    ($($claim:ident)*) => { $(
        #[test]
        fn $claim() {
            let Some(layout) = require::v2() else { return };
            claims::$claim(&layout);
        }
    )* };
}

on_v2! {
    a_cgroup_of_that_name_is_not_taken_over
    a_cpu_quota_throttles
    a_cpuset_is_where_it_runs
    a_device_may_be_made_but_not_opened
    a_failed_step_leaves_nothing
    a_frozen_cgroup_stands_still
    a_memory_limit_kills_a_hog
    a_pids_limit_stops_a_fork_bomb
    cgroups_come_and_go_at_once
    kill_all_kills_a_tree_that_forks
    kill_all_reaches_the_frozen
    limits_are_in_force_before_the_first_instruction
    limits_change_while_it_runs
    remove_leaves_nothing
    remove_says_what_is_in_the_way
    stats_move
    swap_is_limited_together_with_memory
    the_shared_parent_goes_with_the_last_cgroup
    weights_are_taken
}

/// As in a container with a cgroup namespace: what it sees as the root is a cgroup like others, with processes
/// in it, and enables no controller before these have moved down.
#[test]
fn processes_move_down_in_a_container() {
    let Some(layout) = require::v2() else { return };
    let demo = std::env::current_exe().unwrap().with_file_name("../examples/limit");
    if !require::met(demo.exists(), "the example `limit`, which a plain `cargo test` builds") {
        return;
    }
    let path = format!("/{}", name("container"));
    let group = Group(Cgroup::create(&layout, &path, &Limits::default()).unwrap());
    let script = format!(
        "exec unshare --cgroup --mount sh -c \
         'umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec {}'",
        demo.display()
    );
    let (status, text) = group.start(&script).end();
    assert!(status.success(), "{text}");
    assert!(text.contains("write each pid of /sys/fs/cgroup/cgroup.procs"), "{text}");
    assert!(text.contains("killed for lack of memory: 1"), "{text}");
}
