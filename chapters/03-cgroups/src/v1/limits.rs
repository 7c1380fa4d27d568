//! Limits as cgroup v1 takes them: cgroup-v1/memory.rst, cpusets.rst, devices.rst, blkio-controller.rst.

use std::path::Path;

use crate::controller::Controller;
use crate::device;
use crate::layout::Layout;
use crate::limits::Limits;
use crate::step::Step;

/// How the two limits on memory change, and so in which order: memory alone may never be above memory with
/// swap, not even for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// From nothing: memory first. A limit on memory implies one on the sum.
    New,
    /// Down: memory first.
    Down,
    /// Up: the sum first.
    Up,
}

/// The writes that limit what `controller` controls, in its cgroup `directory`.
pub(crate) fn writes(controller: Controller, directory: &Path, limits: &Limits, change: Change) -> Vec<Step> {
    let write = |file: &str, text: String, why| Step::Write { file: directory.join(file), text, why };
    match controller {
        Controller::Memory => memory(directory, limits, change),
        Controller::Pids => limits
            .pids
            .map(|pids| write("pids.max", or_max(pids), "a fork bomb ends here"))
            .into_iter()
            .collect(),
        Controller::Cpu => {
            let shares = limits
                .cpu_shares
                .map(|shares| write("cpu.shares", shares.to_string(), "its part when CPUs are contended"));
            let period = limits
                .cpu_period
                .map(|period| write("cpu.cfs_period_us", period.to_string(), "the quota is per period"));
            let quota = limits
                .cpu_quota
                .map(|quota| write("cpu.cfs_quota_us", quota.to_string(), "processor time in a period"));
            [shares, period, quota].into_iter().flatten().collect()
        }
        Controller::Io => io(directory, limits),
        Controller::Devices => devices(directory, limits),
        // These have rare limits alone, if any, or are filled apart.
        _ => Vec::new(),
    }
}

fn memory(directory: &Path, limits: &Limits, change: Change) -> Vec<Step> {
    let memory = limits.memory.map(|bytes| Step::Write {
        file: directory.join("memory.limit_in_bytes"),
        text: bytes.to_string(),
        why: "more memory than this and a process of the container is killed",
    });
    // The file is missing where the kernel does not count swap; then only an explicit limit is an error.
    let sum = if change == Change::New { limits.memory_and_swap() } else { limits.memory_swap };
    let sum = sum.map(|bytes| Step::WriteFirst {
        choices: vec![(directory.join("memory.memsw.limit_in_bytes"), bytes.to_string())],
        required: limits.memory_swap.is_some_and(|total| total != -1),
        why: "memory and swap together, never below memory alone",
    });
    let reservation = limits.memory_reservation.map(|bytes| Step::Write {
        file: directory.join("memory.soft_limit_in_bytes"),
        text: bytes.to_string(),
        why: "what stays when memory is short",
    });
    // ANCHOR: pair
    let pair = if change == Change::Up { [sum, memory] } else { [memory, sum] };
    pair.into_iter().chain([reservation]).flatten().collect()
    // ANCHOR_END: pair
}

/// A new cgroup has no CPUs and no memory nodes, and no process can join it before it has both; they come from
/// its parent, which may be as empty. So every cgroup from the top down is filled.
pub(crate) fn fill_cpuset(base: &Path, place: &Path, limits: &Limits, layout: &Layout) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut down: Vec<&Path> = place.ancestors().filter(|it| *it != Path::new("")).collect();
    down.reverse();
    for directory in down {
        let is_ours = directory == place;
        let own = |limit: &Option<String>| limit.clone().filter(|_| is_ours);
        let cpus = own(&limits.cpuset_cpus).unwrap_or_else(|| layout.cpus.to_string());
        let mems = own(&limits.cpuset_mems).unwrap_or_else(|| layout.mems.to_string());
        for (file, text, why) in [
            ("cpuset.cpus", cpus, "no process can join before CPUs are given"),
            ("cpuset.mems", mems, "no process can join before memory nodes are given"),
        ] {
            steps.push(Step::Write { file: base.join(directory).join(file), text, why });
        }
    }
    steps
}

/// The writes that change a cpuset that is filled already.
pub(crate) fn change_cpuset(directory: &Path, limits: &Limits) -> Vec<Step> {
    let write = |file: &str, text: &Option<String>, why| {
        text.clone().map(|text| Step::Write { file: directory.join(file), text, why })
    };
    let cpus = write("cpuset.cpus", &limits.cpuset_cpus, "the CPUs it runs on");
    let mems = write("cpuset.mems", &limits.cpuset_mems, "the memory nodes it allocates from");
    [cpus, mems].into_iter().flatten().collect()
}

fn io(directory: &Path, limits: &Limits) -> Vec<Step> {
    // Two schedulers have known weights; each brings its own file and the newer one is left.
    let weight = limits.io_weight.map(|weight| Step::WriteFirst {
        choices: ["blkio.bfq.weight", "blkio.weight"]
            .map(|file| (directory.join(file), weight.to_string()))
            .into(),
        required: true,
        why: "its part when a disk is contended",
    });
    const FILES: [&str; 4] = ["read_bps", "write_bps", "read_iops", "write_iops"];
    let throttles = limits.io_throttles.iter().flat_map(|throttle| {
        FILES.into_iter().zip(throttle.values()).filter_map(|(file, (_, value))| {
            Some(Step::Write {
                file: directory.join(format!("blkio.throttle.{file}_device")),
                text: format!("{}:{} {}", throttle.major, throttle.minor, value?),
                why: "how fast this disk may be used",
            })
        })
    });
    weight.into_iter().chain(throttles).collect()
}

/// First everything is denied, unless the rules allow it, which is how a new cgroup begins; then the exceptions
/// are made, in their order.
fn devices(directory: &Path, limits: &Limits) -> Vec<Step> {
    let (otherwise_allowed, rules) = device::in_effect(&limits.devices);
    let first = (!otherwise_allowed).then(|| Step::Write {
        file: directory.join("devices.deny"),
        text: "a".to_owned(),
        why: "no device unless a rule allows it",
    });
    let rest = rules.iter().flat_map(device::DeviceRule::by_kind).map(|rule| Step::Write {
        file: directory.join(if rule.allow { "devices.allow" } else { "devices.deny" }),
        text: rule.to_string(),
        why: if rule.allow { "this one may be used" } else { "this one may not be used" },
    });
    first.into_iter().chain(rest).collect()
}

fn or_max(value: i64) -> String {
    if value == -1 { "max".to_owned() } else { value.to_string() }
}
