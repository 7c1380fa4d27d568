//! `update`: other limits and another restart policy for a container that is there, whether it runs or not.
//!
//! The kernel's files are written first: a limit that the kernel refuses is not written down. docker-update(1);
//! book ch. 3, 10.

use mini_cgroups::{Cgroup, CgroupError, Layout, LimitError, PlanError};

use crate::config::{HostConfig, RestartPolicy};
use crate::events::{self, Event};
use crate::home::Home;
use crate::places;
use crate::record::{self, Record, RecordError};
use crate::spec;

/// What is to change; what is none stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// Memory in bytes.
    pub memory: Option<i64>,
    /// Memory and swap in bytes; -1: no limit.
    pub memory_swap: Option<i64>,
    /// Memory in bytes that it is pressed back to.
    pub memory_reservation: Option<i64>,
    /// Processors, in billionths.
    pub nano_cpus: Option<u64>,
    /// A part of contended processors.
    pub cpu_shares: Option<u64>,
    /// A period of the processors' time, in microseconds.
    pub cpu_period: Option<u64>,
    /// How much of a period it may use, in microseconds.
    pub cpu_quota: Option<i64>,
    /// The processors it may use.
    pub cpuset_cpus: Option<String>,
    /// The memory nodes it may use.
    pub cpuset_mems: Option<String>,
    /// Its part of a contended disk.
    pub blkio_weight: Option<u16>,
    /// Processes at most.
    pub pids_limit: Option<i64>,
    /// When it is started again.
    pub restart_policy: Option<RestartPolicy>,
}

/// A container that cannot be changed so.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Docker's words for one that is removed at its end.
    #[error("Restart policy cannot be updated because AutoRemove is enabled for the container")]
    AutoRemove,
    /// Docker's words for two ways to say the same at once.
    #[error("Conflicting options: Nano CPUs and {0} cannot both be set")]
    TwoWays(&'static str),
    /// Docker's words for another way to say what has been said.
    #[error("Conflicting options: {0} cannot be updated as {1} has already been set")]
    OtherWay(&'static str, &'static str),
    /// It has been removed.
    #[error("No such container: {0}")]
    Gone(String),
    /// Its cgroups cannot be found out about.
    #[error("look for control groups")]
    Look(#[source] mini_sys::Error),
    /// No cgroup can be like that.
    #[error("Cannot update container {id}")]
    Plan {
        /// The container.
        id: String,
        /// Why.
        source: PlanError,
    },
    /// The kernel refuses.
    #[error("Cannot update container {id}")]
    Cgroup {
        /// The container.
        id: String,
        /// Why.
        source: CgroupError,
    },
    /// Its record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Changes the container.
///
/// # Errors
/// What [`UpdateError`] lists; its record is as before then.
pub fn update(home: &Home, record: &Record, change: &Update) -> Result<(), UpdateError> {
    let gone = || UpdateError::Gone(record.name.clone());
    let _lock = record::lock(home, &record.id)?.ok_or_else(gone)?;
    let mut record = Record::load(home, &record.id)?.ok_or_else(gone)?;
    if change.restart_policy.is_some() && record.host_config.auto_remove {
        return Err(UpdateError::AutoRemove);
    }
    let host = changed(&record.host_config, change)?;
    if limits(&host) != limits(&record.host_config) {
        let layout = Layout::detect().map_err(UpdateError::Look)?;
        let refused = |error: LimitError| UpdateError::Plan { id: record.id.clone(), source: error.into() };
        limits(&host).check(&layout.cpus, &layout.mems).map_err(refused)?;
        if host.nano_cpus > 0 {
            // More than the machine has would be no limit.
            mini_cgroups::Limits::default().set_cpus(host.nano_cpus, layout.cpus.count()).map_err(refused)?;
        }
        if record.state.status.is_up() {
            apply(&record, &layout, &host)?;
        }
    }
    places::UPDATE_APPLIED.pass();
    record.host_config = host;
    record.save(home)?;
    places::UPDATE_SAVED.pass();
    events::emit(home, &Event::container(&record, "update"));
    Ok(())
}

/// Writes the limits to the cgroup of a container that has one.
fn apply(record: &Record, layout: &Layout, host: &HostConfig) -> Result<(), UpdateError> {
    let id = || record.id.clone();
    let cgroup = Cgroup::open(layout, &Home::cgroup(&record.id));
    let mut cgroup = cgroup.map_err(|source| UpdateError::Plan { id: id(), source })?;
    cgroup.update(&limits(host)).map_err(|source| UpdateError::Cgroup { id: id(), source })
}

fn limits(host: &HostConfig) -> mini_cgroups::Limits {
    mini_runtime::limits(&spec::resources(host))
}

/// What `host` is after the change: for a new container, what it is to be.
///
/// # Errors
/// [`UpdateError::TwoWays`] and [`UpdateError::OtherWay`].
pub fn changed(host: &HostConfig, change: &Update) -> Result<HostConfig, UpdateError> {
    let mut host = host.clone();
    check_cpus(&host, change)?;
    let Update { memory, memory_swap, memory_reservation, .. } = change;
    set(&mut host.memory, memory);
    set(&mut host.memory_swap, memory_swap);
    set(&mut host.memory_reservation, memory_reservation);
    set(&mut host.nano_cpus, &change.nano_cpus);
    set(&mut host.cpu_shares, &change.cpu_shares);
    set(&mut host.cpu_period, &change.cpu_period);
    set(&mut host.cpu_quota, &change.cpu_quota);
    set(&mut host.cpuset_cpus, &change.cpuset_cpus);
    set(&mut host.cpuset_mems, &change.cpuset_mems);
    set(&mut host.blkio_weight, &change.blkio_weight);
    set(&mut host.pids_limit, &change.pids_limit);
    set(&mut host.restart_policy, &change.restart_policy);
    Ok(host)
}

/// A number of processors and a part of a period are two ways to say the same, and only one can be meant.
fn check_cpus(host: &HostConfig, change: &Update) -> Result<(), UpdateError> {
    let cpus = change.nano_cpus.is_some_and(|cpus| cpus > 0);
    let period = change.cpu_period.is_some_and(|period| period > 0);
    let quota = change.cpu_quota.is_some_and(|quota| quota > 0);
    let other_way = |new, old| Err(UpdateError::OtherWay(new, old));
    match (host.nano_cpus > 0, host.cpu_period > 0, host.cpu_quota > 0) {
        _ if cpus && period => Err(UpdateError::TwoWays("CPU Period")),
        _ if cpus && quota => Err(UpdateError::TwoWays("CPU Quota")),
        (_, true, _) if cpus => other_way("Nano CPUs", "CPU Period"),
        (_, _, true) if cpus => other_way("Nano CPUs", "CPU Quota"),
        (true, ..) if quota => other_way("CPU Quota", "NanoCPUs"),
        (true, ..) if period => other_way("CPU Period", "NanoCPUs"),
        _ => Ok(()),
    }
}

fn set<T: Clone>(value: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        value.clone_from(new);
    }
}
