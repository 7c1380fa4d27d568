//! Changes the limits of a running container: the plan of `docker update`.
//!
//! Two things differ from a new container. Limits that depend on each other move in an order that depends on
//! where they stand. And a v1 controller that the container did not need so far has no directory for it yet:
//! it is made and limited, then the processes join it.

use std::path::PathBuf;

use crate::controller::Controller;
use crate::layout::{Home, Layout};
use crate::limits::{LimitError, Limits};
use crate::plan::{self, PlanError};
use crate::step::Step;
use crate::v1::limits::Change;
use crate::{rare_steps, v1, v2};

/// How a cgroup stands before an update.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Now {
    /// Its limit on memory in bytes.
    pub memory: Option<u64>,
    /// Its limit on memory and swap together, in bytes.
    pub memory_and_swap: Option<u64>,
    /// The controllers it is under.
    pub controllers: Vec<Controller>,
    /// A directory of it that all its processes have joined.
    pub joined: Option<PathBuf>,
}

/// The steps that change the limits of the cgroup `name`, which stands as `now` says, to `limits`. Rules about
/// devices are not among them: they are for the life of the container.
///
/// # Errors
/// [`PlanError`], before anything is touched.
pub fn plan_update(layout: &Layout, name: &str, limits: &Limits, now: &Now) -> Result<Vec<Step>, PlanError> {
    limits.check_values(&layout.cpus, &layout.mems)?;
    let mut limits = limits.clone();
    limits.devices.clear();
    let change = memory_change(&mut limits, now)?;
    let place = plan::place(name)?;
    let mut steps = Vec::new();
    for controller in Controller::ALL {
        // A limit that is lifted needs no controller, but has to be written where there is one.
        let is_new = !now.controllers.contains(&controller);
        let reason = plan::reason(controller, &limits);
        if is_new && reason.is_none() {
            continue;
        }
        match (layout.home(controller), reason) {
            (Some(Home::Separate(hierarchy)), _) => {
                let directory = hierarchy.directory.join(&place);
                if is_new {
                    let base = hierarchy.directory.clone();
                    steps.push(Step::MakeDirectory { base, place: place.clone() });
                }
                steps.extend(match (controller, is_new) {
                    (Controller::Cpuset, true) => {
                        v1::limits::fill_cpuset(&hierarchy.directory, &place, &limits, layout)
                    }
                    (Controller::Cpuset, false) => v1::limits::change_cpuset(&directory, &limits),
                    _ => v1::limits::writes(controller, &directory, &limits, change),
                });
                steps.extend(now.joined.clone().filter(|_| is_new).map(|from| Step::MoveProcesses {
                    from,
                    to: directory,
                    why: "a new limit holds for the processes that are there",
                }));
            }
            (Some(Home::Unified(unified)), _) => {
                if is_new {
                    steps.extend(plan::enable(unified, &place, &[controller]));
                }
                let directory = unified.directory.join(&place);
                steps.extend(v2::limits::writes(controller, &directory, &limits, swap(&limits, now)));
            }
            (None, Some(flag)) => return Err(plan::missing(layout, controller, flag)),
            (None, None) => {}
        }
    }
    steps.extend(rare_steps::steps(layout, &place, &limits.rare)?);
    Ok(steps)
}

/// Which way the limits on memory go. Lifting that on memory lifts that on swap with it.
fn memory_change(limits: &mut Limits, now: &Now) -> Result<Change, PlanError> {
    if limits.memory == Some(-1) && limits.memory_swap.is_none() {
        limits.memory_swap = Some(-1);
    }
    let as_limit = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let memory = limits.memory.or(now.memory.map(as_limit)).unwrap_or(-1);
    let sum_now = now.memory_and_swap.map(as_limit);
    match limits.memory_swap {
        Some(total) if total != -1 && memory == -1 => Err(LimitError::SwapAlone { bytes: total }.into()),
        Some(total) if total != -1 && total < memory => {
            Err(LimitError::SwapBelowMemory { total, memory }.into())
        }
        Some(total) => {
            let goes_up = sum_now.is_some_and(|now| total == -1 || total > now);
            Ok(if goes_up { Change::Up } else { Change::Down })
        }
        None => match sum_now.filter(|now| limits.memory.is_some() && *now < memory) {
            Some(total) => Err(LimitError::SwapBelowMemory { total, memory }.into()),
            None => Ok(Change::Down),
        },
    }
}

/// How much swap in v2: it is written anew whenever one of the two numbers it comes from changes.
fn swap(limits: &Limits, now: &Now) -> Option<i64> {
    let as_limit = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let sum = match (limits.memory_swap, limits.memory) {
        (Some(sum), _) => sum,
        (None, Some(_)) => as_limit(now.memory_and_swap?),
        (None, None) => return None,
    };
    let memory = limits.memory.or(now.memory.map(as_limit)).unwrap_or(-1);
    Some(if sum == -1 || memory == -1 { -1 } else { sum - memory })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Hierarchy;

    const MIB: u64 = 1024 * 1024;

    fn v1() -> Layout {
        let tree = |controller: Controller| Hierarchy {
            directory: format!("/{controller}").into(),
            controllers: vec![controller],
        };
        Layout {
            hierarchies: vec![tree(Controller::Memory), tree(Controller::Cpu)],
            cpus: "0-1".parse().unwrap(),
            mems: "0".parse().unwrap(),
            privileged: true,
            ..Layout::default()
        }
    }

    fn now() -> Now {
        Now {
            memory: Some(64 * MIB),
            memory_and_swap: Some(128 * MIB),
            controllers: vec![Controller::Memory],
            joined: Some("/memory/mini-docker/c".into()),
        }
    }

    fn calls(limits: &Limits) -> Vec<String> {
        plan_update(&v1(), "c", limits, &now()).unwrap().iter().map(Step::call).collect()
    }

    fn memory(memory: u64, sum: u64) -> Limits {
        let bytes = |mib: u64| Some((mib * MIB) as i64);
        Limits { memory: bytes(memory), memory_swap: bytes(sum), ..Limits::default() }
    }

    #[test]
    fn raised_limits_begin_with_the_sum_and_lowered_ones_with_the_memory() {
        let sum_first = |calls: Vec<String>| calls[0].contains("memsw");
        assert!(sum_first(calls(&memory(256, 512))));
        assert!(!sum_first(calls(&memory(32, 64))));
        let lifted = Limits { memory: Some(-1), ..Limits::default() };
        assert_eq!(
            calls(&lifted),
            [
                "write \"-1\" to /memory/mini-docker/c/memory.memsw.limit_in_bytes",
                "write \"-1\" to /memory/mini-docker/c/memory.limit_in_bytes"
            ]
        );
    }

    #[test]
    fn memory_above_the_sum_that_stands_is_refused() {
        let limits = Limits { memory: Some(256 << 20), ..Limits::default() };
        let error = plan_update(&v1(), "c", &limits, &now()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`--memory-swap 134217728` is less than the memory, `--memory 268435456`: it is the sum of both"
        );
    }

    #[test]
    fn a_controller_that_was_not_needed_so_far_is_joined_after_it_is_limited() {
        let limits = Limits { cpu_shares: Some(512), ..Limits::default() };
        assert_eq!(
            calls(&limits),
            [
                "mkdir /cpu/mini-docker/c",
                "write \"512\" to /cpu/mini-docker/c/cpu.shares",
                "write each pid of /memory/mini-docker/c/cgroup.procs to /cpu/mini-docker/c/cgroup.procs"
            ]
        );
    }

    #[test]
    fn in_v2_the_swap_follows_the_memory() {
        let limits = memory(100, 150);
        assert_eq!(swap(&limits, &now()), Some((50 * MIB) as i64));
        let limits = Limits { memory: Some((96 * MIB) as i64), ..Limits::default() };
        assert_eq!(swap(&limits, &now()), Some((32 * MIB) as i64));
        assert_eq!(swap(&Limits::default(), &now()), None);
    }
}
