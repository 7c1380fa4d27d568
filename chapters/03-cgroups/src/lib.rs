//! Limits what a container may use, counts what it uses, and stops it, with control groups.
//!
//! Start with [`plan()`], in a file of its own: a cgroup is a directory, a limit is a file in it, and joining is
//! writing a pid to `cgroup.procs`. [`Layout`] finds out where on this machine that is; [`Cgroup`] is one in
//! use. The kernel has two interfaces, v2 (one tree) and v1 (a tree for each controller); each is a module of
//! its own, and a machine may have both at once. Nothing here starts a process. cgroups(7); book ch. 3.

mod controller;
mod cpu_list;
mod device;
mod group;
mod layout;
mod limits;
mod mountinfo;
mod plan;
mod rare;
mod rare_steps;
mod stats;
mod step;
mod stop;
mod tree;
mod update;
mod v1;
mod v2;

pub use controller::Controller;
pub use cpu_list::{CpuList, CpuListError};
pub use device::{Access, DeviceKind, DeviceRule, default_devices};
pub use group::{Cgroup, CgroupError};
pub use layout::{Hierarchy, Layout, Unified};
pub use limits::{IoThrottle, LimitError, Limits, MEMORY_MINIMUM};
pub use plan::{PlanError, plan};
pub use rare::Rare;
pub use rare_steps::RareError;
pub use stats::{CpuStats, IoStats, MemoryStats, PidsStats, Stats, Throttling};
pub use step::Step;
pub use stop::RemoveError;
pub use update::{Now, plan_update};
