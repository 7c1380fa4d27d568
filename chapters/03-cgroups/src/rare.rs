//! Limits for which `docker run` has no flag, or one that few use: what an OCI spec may ask for beside the rest, in either
//! interface. OCI runtime spec, "Control groups"; cgroup-v2.rst.

use crate::controller::Controller;

/// Rare limits for one container. The default limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rare {
    /// 1: it runs when nobody else wants to.
    pub cpu_idle: Option<i64>,
    /// Microseconds that may be saved up in one period for another.
    pub cpu_burst: Option<u64>,
    /// Microseconds of real-time scheduling in a period; v1 only.
    pub realtime_runtime: Option<i64>,
    /// The length of that period in microseconds; v1 only.
    pub realtime_period: Option<u64>,
    /// 0 to 100, how readily its memory is swapped out; v1 only.
    pub swappiness: Option<u64>,
    /// It waits for memory rather than being killed; v1 only.
    pub oom_kill_disabled: bool,
    /// Bytes of memory for buffers of TCP; v1 only.
    pub kernel_tcp: Option<i64>,
    /// The container's part when one disk is contended: major, minor, 10 to 1,000.
    pub io_weights: Vec<(u32, u32, u16)>,
    /// Bytes of huge pages, by the size of a page as the kernel writes it: `2MB`, `1GB`.
    pub huge_pages: Vec<(String, u64)>,
    /// Adapters for remote memory: the name, handles, objects.
    pub rdma: Vec<(String, Option<u32>, Option<u32>)>,
    /// The class that its packets are marked with; v1 only.
    pub net_class: Option<u32>,
    /// The priority of its packets by interface; v1 only.
    pub net_priorities: Vec<(String, u32)>,
    /// Files of the v2 interface and what is written to them, after all other limits.
    pub unified: Vec<(String, String)>,
}

impl Rare {
    /// The first of these limits that needs `controller`, by its name in the OCI spec.
    pub(crate) fn reason(&self, controller: Controller) -> Option<&'static str> {
        let first = |all: &[(bool, &'static str)]| all.iter().find(|(set, _)| *set).map(|(_, name)| *name);
        let own = match controller {
            Controller::Memory => first(&[
                (self.swappiness.is_some(), "memory.swappiness"),
                (self.oom_kill_disabled, "memory.disableOOMKiller"),
                (self.kernel_tcp.is_some(), "memory.kernelTCP"),
            ]),
            Controller::Cpu => first(&[
                (self.cpu_idle.is_some(), "cpu.idle"),
                (self.cpu_burst.is_some(), "cpu.burst"),
                (self.realtime_runtime.is_some(), "cpu.realtimeRuntime"),
                (self.realtime_period.is_some(), "cpu.realtimePeriod"),
            ]),
            Controller::Io => first(&[(!self.io_weights.is_empty(), "blockIO.weightDevice")]),
            Controller::Hugetlb => first(&[(!self.huge_pages.is_empty(), "hugepageLimits")]),
            Controller::Rdma => first(&[(!self.rdma.is_empty(), "rdma")]),
            Controller::NetCls => first(&[(self.net_class.is_some(), "network.classID")]),
            Controller::NetPrio => first(&[(!self.net_priorities.is_empty(), "network.priorities")]),
            _ => None,
        };
        own.or_else(|| {
            let prefix = |(file, _): &(String, String)| {
                file.split_once('.').is_some_and(|(prefix, _)| prefix == controller.name())
            };
            self.unified.iter().any(prefix).then_some("unified")
        })
    }
}
