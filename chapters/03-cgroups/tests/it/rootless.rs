//! The claims that hold for an ordinary user too, beneath a cgroup v2 that was delegated to him.

use mini_cgroups::{Cgroup, Limits};

use crate::group::name;
use crate::{claims, require};

macro_rules! as_a_user {
    ($($claim:ident)*) => { $(
        #[test]
        fn $claim() {
            let Some(layout) = require::delegated() else { return };
            claims::$claim(&layout);
        }
    )* };
}

as_a_user! {
    a_frozen_cgroup_stands_still
    a_memory_limit_kills_a_hog
    a_pids_limit_stops_a_fork_bomb
    kill_all_kills_a_tree_that_forks
    limits_are_in_force_before_the_first_instruction
    remove_leaves_nothing
}

#[test]
fn a_controller_that_is_not_delegated_is_named() {
    let Some(mut layout) = require::delegated() else { return };
    assert!(!layout.enforces_devices());
    layout.unified.as_mut().unwrap().offered.clear();
    let limits = Limits { pids: Some(10), ..Limits::default() };
    let error = Cgroup::create(&layout, &name("missing"), &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`--pids-limit` needs the cgroup controller `pids`, which is not available"
    );
}
