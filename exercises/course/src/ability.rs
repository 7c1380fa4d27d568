//! What an exercise may need of a machine, and whether this one has it.

use std::fmt;
use std::fs;

use mini_cgroups::{Controller, Layout};
use serde::{Deserialize, Serialize};

/// Something that not every machine can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// The caller is root.
    Root,
    /// The caller may make user namespaces.
    UserNamespaces,
    /// The kernel has overlayfs.
    Overlay,
    /// Cgroups of any version that the caller may make.
    Cgroups,
    /// Cgroups of version 2 that the caller may make.
    CgroupV2,
    /// Cgroups of version 1 that the caller may make.
    CgroupV1,
    /// A cgroup with a limit on memory.
    MemoryLimit,
    /// A cgroup with a limit on processes.
    PidsLimit,
    /// A cgroup with a limit on processor time.
    CpuLimit,
}

impl Ability {
    /// Those that one may wish for. Version 1 of cgroups is not one of them.
    pub const WISHED: [Self; 8] = [
        Self::Root,
        Self::UserNamespaces,
        Self::Overlay,
        Self::Cgroups,
        Self::CgroupV2,
        Self::MemoryLimit,
        Self::PidsLimit,
        Self::CpuLimit,
    ];

    /// Why this machine lacks it, and the way out; none when it does not.
    pub fn missing(self) -> Option<Missing> {
        match self {
            Self::Root => (!mini_sys::process::is_root()).then(|| {
                Missing::new(
                    "you are not root",
                    "`sudo -E $(command -v cargo) course check`, or work in a virtual machine",
                )
            }),
            Self::UserNamespaces if mini_sys::process::is_root() => None,
            Self::UserNamespaces => mini_namespaces::why_no_user_namespaces()
                .map(|reason| Missing::new(reason, "the reason names the switch")),
            Self::Overlay => (!has_overlay()).then(|| {
                Missing::new(
                    "the kernel does not list overlay in /proc/filesystems",
                    "as root: `modprobe overlay`",
                )
            }),
            Self::Cgroups => without("a cgroup that you may change", |layout| {
                layout.unified.is_some() || !layout.hierarchies.is_empty()
            }),
            Self::CgroupV2 => without("cgroup v2 alone, without v1 beside it", Layout::is_unified_alone),
            Self::CgroupV1 => without("cgroup v1", |layout| !layout.hierarchies.is_empty()),
            Self::MemoryLimit => without("the memory controller", |layout| has(layout, Controller::Memory)),
            Self::PidsLimit => without("the pids controller", |layout| has(layout, Controller::Pids)),
            Self::CpuLimit => without("the cpu controller", |layout| has(layout, Controller::Cpu)),
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Root => "root",
            Self::UserNamespaces => "user-namespaces",
            Self::Overlay => "overlay",
            Self::Cgroups => "cgroups",
            Self::CgroupV2 => "cgroup-v2",
            Self::CgroupV1 => "cgroup-v1",
            Self::MemoryLimit => "memory-limit",
            Self::PidsLimit => "pids-limit",
            Self::CpuLimit => "cpu-limit",
        })
    }
}

/// Why an ability is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What was found.
    pub reason: String,
    /// What to do about it, in a line.
    pub fix: String,
}

impl Missing {
    fn new(reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { reason: reason.into(), fix: fix.into() }
    }
}

fn has_overlay() -> bool {
    let listed = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    listed.lines().any(|line| line.split_ascii_whitespace().last() == Some("overlay"))
}

fn without(what: &str, is_there: impl Fn(&Layout) -> bool) -> Option<Missing> {
    // A machine whose cgroups cannot be looked at has none for us.
    let layout = Layout::detect().unwrap_or_default();
    (!is_there(&layout)).then(|| Missing::new(format!("this machine does not give you {what}"), way_out()))
}

fn way_out() -> &'static str {
    if mini_sys::process::is_root() {
        "boot with `systemd.unified_cgroup_hierarchy=1`, or work in a virtual machine"
    } else {
        "become root, or run the command in `systemd-run --user --scope -p Delegate=yes`"
    }
}

fn has(layout: &Layout, controller: Controller) -> bool {
    let in_v2 = layout.unified.as_ref().is_some_and(|unified| unified.offered.contains(&controller));
    in_v2 || layout.hierarchies.iter().any(|hierarchy| hierarchy.controllers.contains(&controller))
}
