//! The claims on cgroup v1: separate hierarchies, or a hybrid.

use crate::{claims, require};

macro_rules! on_v1 {
    ($($claim:ident)*) => { $(
        #[test]
        fn $claim() {
            let Some(layout) = require::v1() else { return };
            claims::$claim(&layout);
        }
    )* };
}

on_v1! {
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

/// As on a machine without a v2 tree, where the freezer controller stops and kills.
#[test]
fn the_freezer_controller_does_without_v2() {
    let Some(mut layout) = require::v1() else { return };
    layout.unified = None;
    claims::a_frozen_cgroup_stands_still(&layout);
    claims::kill_all_kills_a_tree_that_forks(&layout);
    claims::kill_all_reaches_the_frozen(&layout);
    claims::remove_leaves_nothing(&layout);
}
