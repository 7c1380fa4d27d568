//! Limits as cgroup v2 takes them: cgroup-v2.rst, "Controllers".

use std::path::Path;

use crate::controller::Controller;
use crate::limits::{IoThrottle, Limits};
use crate::step::Step;

/// The writes that limit what `controller` controls, in the cgroup `directory`. `swap` is how much of it the
/// container may use beside its memory; -1 for any amount.
pub(crate) fn writes(
    controller: Controller,
    directory: &Path,
    limits: &Limits,
    swap: Option<i64>,
) -> Vec<Step> {
    let write = |file: &str, text: Option<String>, why| {
        text.map(|text| Step::Write { file: directory.join(file), text, why })
    };
    let steps = match controller {
        Controller::Memory => return memory(directory, limits, swap),
        Controller::Io => return io(directory, limits),
        Controller::Pids => [write("pids.max", limits.pids.map(or_max), "a fork bomb ends here"), None],
        Controller::Cpu => [
            write(
                "cpu.weight",
                limits.cpu_shares.map(|shares| cpu_weight(shares).to_string()),
                "its part when CPUs are contended",
            ),
            write("cpu.max", cpu_max(limits), "processor time in a period"),
        ],
        Controller::Cpuset => [
            write("cpuset.cpus", limits.cpuset_cpus.clone(), "the CPUs it runs on"),
            write("cpuset.mems", limits.cpuset_mems.clone(), "the memory nodes it allocates from"),
        ],
        // These have rare limits alone, if any.
        _ => [None, None],
    };
    steps.into_iter().flatten().collect()
}

// ANCHOR: memory
fn memory(directory: &Path, limits: &Limits, swap: Option<i64>) -> Vec<Step> {
    let memory = limits.memory.map(|bytes| Step::Write {
        file: directory.join("memory.max"),
        text: or_max(bytes),
        why: "more memory than this and a process of the container is killed",
    });
    // The file is missing where the kernel does not count swap; then only an explicit limit is an error.
    let swap = swap.map(|bytes| Step::WriteFirst {
        choices: vec![(directory.join("memory.swap.max"), or_max(bytes))],
        required: limits.memory_swap.is_some_and(|total| total != -1),
        why: "swap beside the memory, which is counted apart",
    });
    let reservation = limits.memory_reservation.map(|bytes| Step::Write {
        file: directory.join("memory.low"),
        text: or_max(bytes),
        why: "what stays when memory is short",
    });
    [memory, swap, reservation].into_iter().flatten().collect()
}
// ANCHOR_END: memory

/// `cpu.max` holds quota and period in one line.
fn cpu_max(limits: &Limits) -> Option<String> {
    match (limits.cpu_quota, limits.cpu_period) {
        (None, None) => None,
        (quota, None) => Some(or_max(quota.unwrap_or(-1))),
        (quota, Some(period)) => Some(format!("{} {period}", or_max(quota.unwrap_or(-1)))),
    }
}

fn io(directory: &Path, limits: &Limits) -> Vec<Step> {
    // Which file there is depends on the scheduler and on the cost model that the kernel was built with.
    let weight = limits.io_weight.map(|weight| Step::WriteFirst {
        choices: vec![
            (directory.join("io.bfq.weight"), weight.to_string()),
            (directory.join("io.weight"), io_weight(weight).to_string()),
        ],
        required: true,
        why: "its part when a disk is contended",
    });
    let throttles = limits.io_throttles.iter().filter_map(|throttle| {
        let bounds = io_max(throttle);
        (!bounds.is_empty()).then(|| Step::Write {
            file: directory.join("io.max"),
            text: format!("{}:{}{bounds}", throttle.major, throttle.minor),
            why: "how fast this disk may be used",
        })
    });
    weight.into_iter().chain(throttles).collect()
}

/// The bounds of one disk: ` rbps=1048576 wiops=120`.
fn io_max(throttle: &IoThrottle) -> String {
    let keys = ["rbps", "wbps", "riops", "wiops"];
    keys.into_iter()
        .zip(throttle.values())
        .filter_map(|(key, (_, value))| value.map(|value| format!(" {key}={value}")))
        .collect()
}

/// Translates shares of v1 (2 to 262,144, default 1,024) to a weight of v2 (1 to 10,000, default 100).
///
/// Both scales are taken as logarithms, and a parabola goes through their two ends and their two defaults, so
/// that the default stays the default. runc since 1.3.2 and crun since 1.23 use the same curve (runc issue
/// 4772); before, a straight line turned 1,024 into 39.
fn cpu_weight(shares: u64) -> u64 {
    match shares {
        0..=2 => 1,
        3..262_144 => {
            let log = libm::log2(shares as f64);
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            // Whole numbers that floating point lands next to are meant to be themselves.
            (libm::pow(10.0, exponent) - 1e-9).ceil() as u64
        }
        _ => 10_000,
    }
}

/// Translates a weight of v1 (10 to 1,000) to one of v2 (1 to 10,000), in a straight line. runc, crun(1).
pub(crate) fn io_weight(weight: u16) -> u32 {
    1 + (u32::from(weight).saturating_sub(10)) * 9_999 / 990
}

fn or_max(value: i64) -> String {
    if value == -1 { "max".to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{cpu_weight, io_weight};

    #[test]
    fn ends_and_defaults_of_the_two_scales_meet() {
        assert_eq!([2, 1024, 262_144].map(cpu_weight), [1, 100, 10_000]);
        // What runc 1.4 writes for `--cpu-shares 2000` (its issue 4896).
        assert_eq!(cpu_weight(2_000), 170);
        assert_eq!([10, 500, 1_000].map(io_weight), [1, 4_950, 10_000]);
    }

    #[test]
    fn more_shares_are_never_less_weight() {
        let weights: Vec<u64> = (2..=262_144).map(cpu_weight).collect();
        assert!(weights.is_sorted());
    }
}
