//! The controllers: the parts of the kernel that limit or count one kind of thing each. cgroups(7).

use std::fmt;

/// A controller, by its name in cgroup v2 where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    /// Shares and quotas of processor time.
    Cpu,
    /// Counts processor time; v1 only, in v2 every cgroup counts it.
    Cpuacct,
    /// Which CPUs and memory nodes.
    Cpuset,
    /// Which devices; v1 only, in v2 a bpf program decides.
    Devices,
    /// Stops and resumes; v1 only, in v2 every cgroup can.
    Freezer,
    /// Huge pages.
    Hugetlb,
    /// Disk traffic: `io` in v2, `blkio` in v1.
    Io,
    /// Memory and swap.
    Memory,
    /// Marks on packets; v1 only, in v2 a packet filter asks for the cgroup itself.
    NetCls,
    /// Priorities of packets; v1 only, as before.
    NetPrio,
    /// The number of processes and threads.
    Pids,
    /// Adapters for remote memory.
    Rdma,
}

impl Controller {
    /// All of them, in the order in which we work.
    pub(crate) const ALL: [Self; 12] = [
        Self::Devices,
        Self::Memory,
        Self::Pids,
        Self::Cpuacct,
        Self::Cpu,
        Self::Cpuset,
        Self::Io,
        Self::Freezer,
        Self::Hugetlb,
        Self::Rdma,
        Self::NetCls,
        Self::NetPrio,
    ];

    /// The controller that a cgroup v1 mount names so.
    pub(crate) fn from_v1_name(name: &str) -> Option<Self> {
        if name == "blkio" { Some(Self::Io) } else { Self::from_name(name).filter(|it| *it != Self::Io) }
    }

    /// The controller that `cgroup.controllers` names so.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|controller| controller.name() == name)
    }

    /// The name in cgroup v2, and in v1 but for `blkio`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Cpuset => "cpuset",
            Self::Devices => "devices",
            Self::Freezer => "freezer",
            Self::Hugetlb => "hugetlb",
            Self::Io => "io",
            Self::Memory => "memory",
            Self::NetCls => "net_cls",
            Self::NetPrio => "net_prio",
            Self::Pids => "pids",
            Self::Rdma => "rdma",
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
