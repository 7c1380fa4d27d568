//! The OCI spec's `linux.resources`, as chapter 3 takes it. OCI runtime spec, "Control groups".

use std::path::PathBuf;

use mini_cgroups::{Access, DeviceKind, DeviceRule, IoThrottle, Limits, Rare};
use oci_spec::runtime::{
    LinuxBlockIo, LinuxDeviceCgroup, LinuxDeviceType, LinuxResources, LinuxThrottleDevice, LinuxWeightDevice,
    Spec,
};

use crate::step::Step;

/// What its cgroup is called, from the top of what is ours.
pub(crate) fn cgroup_name(spec: &Spec) -> Option<String> {
    let path = spec.linux().as_ref()?.cgroups_path().as_ref()?;
    Some(path.to_string_lossy().trim_start_matches('/').to_owned())
}

/// The directories of a cgroup that these steps make.
pub(crate) fn directories(steps: &[Step]) -> Vec<PathBuf> {
    let made = |step: &Step| match step {
        Step::Cgroup(mini_cgroups::Step::MakeDirectory { base, place }) => Some(base.join(place)),
        _ => None,
    };
    steps.iter().filter_map(made).collect()
}

/// The limits that `resources` asks for. Engines write 0 for what they do not limit.
pub fn limits(resources: &LinuxResources) -> Limits {
    let mut limits = Limits::default();
    let signed = |number: Option<i64>| number.filter(|number| *number != 0);
    let unsigned = |number: Option<u64>| number.filter(|number| *number != 0);
    let text = |list: &Option<String>| list.clone().filter(|list| !list.is_empty());
    if let Some(memory) = resources.memory() {
        limits.memory = signed(memory.limit());
        limits.memory_swap = signed(memory.swap());
        limits.memory_reservation = signed(memory.reservation());
    }
    if let Some(cpu) = resources.cpu() {
        limits.cpu_quota = signed(cpu.quota());
        limits.cpu_period = unsigned(cpu.period());
        limits.cpu_shares = unsigned(cpu.shares());
        limits.cpuset_cpus = text(cpu.cpus());
        limits.cpuset_mems = text(cpu.mems());
    }
    limits.pids = signed(resources.pids().as_ref().map(|pids| pids.limit()));
    if let Some(io) = resources.block_io() {
        limits.io_weight = io.weight().filter(|weight| *weight != 0);
        limits.io_throttles = throttles(io);
    }
    limits.rare = rare(resources);
    limits.devices = resources.devices().iter().flatten().filter_map(device).collect();
    limits
}

/// What is 0 when an engine does not mean it is left out here too.
fn rare(resources: &LinuxResources) -> Rare {
    let mut rare = Rare::default();
    if let Some(memory) = resources.memory() {
        // Engines write -1 for what they do not ask for.
        rare.swappiness = memory.swappiness().filter(|swappiness| i64::try_from(*swappiness).is_ok());
        rare.oom_kill_disabled = memory.disable_oom_killer().unwrap_or(false);
        rare.kernel_tcp = memory.kernel_tcp().filter(|bytes| *bytes != 0);
    }
    if let Some(cpu) = resources.cpu() {
        rare.cpu_idle = cpu.idle();
        rare.cpu_burst = cpu.burst();
        rare.realtime_runtime = cpu.realtime_runtime().filter(|time| *time != 0);
        rare.realtime_period = cpu.realtime_period().filter(|time| *time != 0);
    }
    let disks = resources.block_io().iter().flat_map(|io| io.weight_device().iter().flatten());
    let weight = |disk: &LinuxWeightDevice| {
        let weight = disk.weight().filter(|weight| *weight != 0)?;
        Some((disk.major() as u32, disk.minor() as u32, weight))
    };
    rare.io_weights = disks.filter_map(weight).collect();
    let pages = resources.hugepage_limits().iter().flatten();
    rare.huge_pages = pages.map(|limit| (limit.page_size().clone(), limit.limit() as u64)).collect();
    let adapters = resources.rdma().iter().flatten();
    rare.rdma =
        adapters.map(|(name, limit)| (name.clone(), limit.hca_handles(), limit.hca_objects())).collect();
    rare.rdma.sort_unstable();
    if let Some(network) = resources.network() {
        rare.net_class = network.class_id().filter(|class| *class != 0);
        let all = network.priorities().iter().flatten();
        rare.net_priorities = all.map(|one| (one.name().clone(), one.priority())).collect();
    }
    rare.unified =
        resources.unified().iter().flatten().map(|(file, text)| (file.clone(), text.clone())).collect();
    rare.unified.sort_unstable();
    rare
}

fn throttles(io: &LinuxBlockIo) -> Vec<IoThrottle> {
    let list = |devices: &Option<Vec<LinuxThrottleDevice>>, set: fn(&mut IoThrottle, u64)| {
        let throttle = move |device: &LinuxThrottleDevice| {
            let mut throttle = IoThrottle {
                major: device.major() as u32,
                minor: device.minor() as u32,
                ..IoThrottle::default()
            };
            set(&mut throttle, device.rate());
            throttle
        };
        devices.iter().flatten().map(throttle).collect::<Vec<_>>()
    };
    [
        list(io.throttle_read_bps_device(), |throttle, rate| throttle.read_bps = Some(rate)),
        list(io.throttle_write_bps_device(), |throttle, rate| throttle.write_bps = Some(rate)),
        list(io.throttle_read_iops_device(), |throttle, rate| throttle.read_iops = Some(rate)),
        list(io.throttle_write_iops_device(), |throttle, rate| throttle.write_iops = Some(rate)),
    ]
    .concat()
}

/// A negative number, or none, stands for all. Types without a meaning for cgroups are left out.
fn device(rule: &LinuxDeviceCgroup) -> Option<DeviceRule> {
    let kind = match rule.typ().unwrap_or_default() {
        LinuxDeviceType::A => DeviceKind::All,
        LinuxDeviceType::B => DeviceKind::Block,
        LinuxDeviceType::C | LinuxDeviceType::U => DeviceKind::Char,
        LinuxDeviceType::P => return None,
    };
    let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let access = Access::from_letters(rule.access().as_deref().unwrap_or("rwm"))?;
    Some(DeviceRule {
        allow: rule.allow(),
        kind,
        major: number(rule.major()),
        minor: number(rule.minor()),
        access,
    })
}
