//! Limits what a container may use: the whole idea on a page.
//!
//! A cgroup is a directory; a limit is a file in it; joining is writing a pid to `cgroup.procs`. So a plan is a
//! list of directories to make and lines to write, and it is done before the process is there: a container
//! never runs unlimited, not for its first instruction. This module decides and performs nothing.
//! cgroups(7), cgroup-v2.rst; book ch. 3.

use std::path::{Component, Path, PathBuf};

use crate::controller::Controller;
use crate::layout::{Home, Layout, Unified};
use crate::limits::{LimitError, Limits};
use crate::rare_steps::RareError;
use crate::step::Step;
use crate::v1::limits::Change;
use crate::{rare_steps, v1, v2};

/// The cgroup that all of ours lie in, unless the caller names another place.
pub(crate) const PARENT: &str = "mini-docker";

/// Limits that cannot be put in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A limit makes no sense.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The name of the cgroup would lead elsewhere, or nowhere.
    #[error("`{name}` cannot name a cgroup")]
    BadName {
        /// What was asked for.
        name: String,
    },
    /// A limit needs a controller that we do not have here.
    #[error("`{flag}` needs the cgroup controller `{controller}`, which is not available")]
    Missing {
        /// The limit.
        flag: &'static str,
        /// What it needs.
        controller: Controller,
        /// What can be done about it.
        hint: String,
    },
    /// A rare limit.
    #[error(transparent)]
    Rare(#[from] RareError),
}

impl PlanError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Missing { hint, .. } => Some(hint),
            _ => None,
        }
    }
}

/// The steps that make the cgroup `name` with `limits`.
///
/// A plain name stands for `mini-docker/<name>`; one with slashes is a path from the top of what is ours, as
/// `cgroupsPath` in an OCI specification. On a machine without any cgroups the plan is empty.
///
/// # Errors
/// [`PlanError`], before anything is touched.
pub fn plan(layout: &Layout, name: &str, limits: &Limits) -> Result<Vec<Step>, PlanError> {
    limits.check(&layout.cpus, &layout.mems)?;
    let place = place(name)?;
    let controllers = controllers(layout, limits)?;
    let mut steps = Vec::new();

    // ANCHOR: directories
    // First all directories. Once ours is there, nobody can take its parent away.
    if let Some(unified) = &layout.unified {
        steps.push(Step::MakeDirectory { base: unified.directory.clone(), place: place.clone() });
    }
    for hierarchy in &layout.hierarchies {
        // Controllers that are mounted together share one directory; what nobody needs is not made.
        if controllers.iter().any(|controller| hierarchy.controllers.contains(controller)) {
            steps.push(Step::MakeDirectory { base: hierarchy.directory.clone(), place: place.clone() });
        }
    }
    // ANCHOR_END: directories

    // In v2 a controller works only where every cgroup above has enabled it for its children.
    if let Some(unified) = &layout.unified {
        let at_home = |it: &Controller| matches!(layout.home(*it), Some(Home::Unified(_)));
        let needed: Vec<Controller> = controllers.iter().copied().filter(at_home).collect();
        steps.extend(enable(unified, &place, &needed));
    }

    // ANCHOR: limits
    // Then the limits, before any process is in there.
    for controller in controllers {
        steps.extend(match layout.home(controller) {
            Some(Home::Separate(hierarchy)) if controller == Controller::Cpuset => {
                v1::limits::fill_cpuset(&hierarchy.directory, &place, limits, layout)
            }
            Some(Home::Separate(hierarchy)) => {
                v1::limits::writes(controller, &hierarchy.directory.join(&place), limits, Change::New)
            }
            Some(Home::Unified(unified)) => {
                v2::limits::writes(controller, &unified.directory.join(&place), limits, swap(limits))
            }
            None => Vec::new(),
        });
    }
    steps.extend(rare_steps::steps(layout, &place, &limits.rare)?);
    steps.extend(device_policy(layout, &place, limits));
    Ok(steps)
    // ANCHOR_END: limits
}

/// Enables `controllers` from the top down to the parent of `place`.
pub(crate) fn enable(unified: &Unified, place: &Path, controllers: &[Controller]) -> Vec<Step> {
    if controllers.is_empty() {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let is_missing = controllers.iter().any(|controller| !unified.enabled.contains(controller));
    if is_missing && unified.occupied {
        steps.push(Step::MoveProcesses {
            from: unified.directory.clone(),
            to: unified.directory.join("mini-docker-init"),
            why: "a cgroup enables controllers only when its processes have moved down",
        });
    }
    let mut down: Vec<&Path> = place.ancestors().skip(1).collect();
    down.reverse();
    for above in down.into_iter().filter(|above| is_missing || *above != Path::new("")) {
        let directory =
            if above == Path::new("") { unified.directory.clone() } else { unified.directory.join(above) };
        steps.push(Step::EnableControllers { directory, controllers: controllers.to_owned() });
    }
    steps
}

// ANCHOR: swap
/// In v2 swap is limited for itself, so the memory is taken off the sum.
fn swap(limits: &Limits) -> Option<i64> {
    match (limits.memory_and_swap()?, limits.memory.unwrap_or(-1)) {
        (-1, _) | (_, -1) => Some(-1),
        (sum, memory) => Some(sum - memory),
    }
}
// ANCHOR_END: swap

fn device_policy(layout: &Layout, place: &Path, limits: &Limits) -> Option<Step> {
    let unified = layout.unified.as_ref()?;
    let is_ours = layout.home(Controller::Devices).is_none() && layout.privileged;
    (is_ours && limits.restricts_devices()).then(|| Step::AttachDevicePolicy {
        directory: unified.directory.join(place),
        program: v2::device_program::compile(&limits.devices),
    })
}

/// The controllers that a container with these limits is put under.
fn controllers(layout: &Layout, limits: &Limits) -> Result<Vec<Controller>, PlanError> {
    use Controller::{Cpu, Cpuacct, Devices, Freezer, Io, Memory, Pids};
    let mut wanted = Vec::new();
    for controller in Controller::ALL {
        let reason = reason(controller, limits);
        let is_wanted = match layout.home(controller) {
            // A v1 directory costs time to make and more to remove: only what counts, what makes a container
            // safe, and what stops it where v2 cannot.
            Some(Home::Separate(_)) => match controller {
                Devices | Memory | Pids | Cpuacct => true,
                Freezer => layout.unified.is_none(),
                _ => reason.is_some(),
            },
            Some(Home::Unified(_)) => matches!(controller, Cpu | Io | Memory | Pids) || reason.is_some(),
            None => match reason {
                // A program decides instead, or nothing needs to: see Layout::enforces_devices.
                Some(_) if controller == Devices && (layout.unified.is_some() || !layout.privileged) => false,
                Some(flag) => return Err(missing(layout, controller, flag)),
                None => false,
            },
        };
        if is_wanted {
            wanted.push(controller);
        }
    }
    Ok(wanted)
}

/// The first limit that needs `controller`.
pub(crate) fn reason(controller: Controller, limits: &Limits) -> Option<&'static str> {
    let set = |is_set: bool, flag| is_set.then_some(flag);
    let limited = |value: Option<i64>, flag| set(value.is_some_and(|value| value != -1), flag);
    let usual = match controller {
        Controller::Memory => limited(limits.memory, "--memory")
            .or(limited(limits.memory_swap, "--memory-swap"))
            .or(limited(limits.memory_reservation, "--memory-reservation")),
        Controller::Cpu => limited(limits.cpu_quota, "--cpus")
            .or(set(limits.cpu_shares.is_some(), "--cpu-shares"))
            .or(set(limits.cpu_period.is_some(), "--cpu-period")),
        Controller::Cpuset => set(limits.cpuset_cpus.is_some(), "--cpuset-cpus")
            .or(set(limits.cpuset_mems.is_some(), "--cpuset-mems")),
        Controller::Pids => limited(limits.pids, "--pids-limit"),
        Controller::Io => {
            let throttles = limits.io_throttles.iter().flat_map(|throttle| throttle.values());
            let throttle = throttles.into_iter().find_map(|(flag, value)| value.map(|_| flag));
            set(limits.io_weight.is_some(), "--blkio-weight").or(throttle)
        }
        Controller::Devices => set(limits.restricts_devices(), "--device"),
        _ => None,
    };
    usual.or_else(|| limits.rare.reason(controller))
}

pub(crate) fn missing(layout: &Layout, controller: Controller, flag: &'static str) -> PlanError {
    let is_v2 = layout.is_unified_alone();
    let hint = match (layout.privileged, is_v2, controller) {
        (false, true, _) => {
            "have it delegated once: `sudo systemctl edit user@.service`, add the lines `[Service]` and \
             `Delegate=cpu cpuset io memory pids`, then log in again"
                .to_owned()
        }
        (false, false, _) => {
            "start from a cgroup that is yours: `systemd-run --user --scope --property=Delegate=yes \
             mini-docker …`; on a machine with cgroup v1 only root can set limits"
                .to_owned()
        }
        (true, _, Controller::Memory) => {
            "start the kernel with `cgroup_enable=memory`, or mount the controller".to_owned()
        }
        (true, true, _) => format!("`{controller}` is not in /sys/fs/cgroup/cgroup.controllers"),
        (true, false, _) => {
            let v1 = if controller == Controller::Io { "blkio" } else { controller.name() };
            format!(
                "mount it: `mkdir -p /sys/fs/cgroup/{v1}; mount -t cgroup -o {v1} cgroup /sys/fs/cgroup/{v1}`"
            )
        }
    };
    PlanError::Missing { flag, controller, hint }
}

/// Where the cgroup `name` goes, relative to the top of what is ours.
pub(crate) fn place(name: &str) -> Result<PathBuf, PlanError> {
    let bad = || PlanError::BadName { name: name.to_owned() };
    let path = Path::new(name.trim_start_matches('/'));
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if path == Path::new("") || !is_plain || name.contains(['\n', '\0']) {
        return Err(bad());
    }
    Ok(if name.contains('/') { path.components().collect() } else { Path::new(PARENT).join(path) })
}

#[cfg(test)]
mod tests {
    use super::{PlanError, place, plan};
    use crate::controller::Controller::{self, Cpu, Cpuacct, Cpuset, Devices, Freezer, Io, Memory, Pids};
    use crate::device::default_devices;
    use crate::layout::{Hierarchy, Layout, Unified};
    use crate::limits::{IoThrottle, Limits};
    use crate::rare::Rare;
    use crate::step::Step;

    fn machine(unified: Option<Unified>, hierarchies: Vec<Hierarchy>) -> Layout {
        let (cpus, mems) = ("0-3".parse().unwrap(), "0".parse().unwrap());
        Layout { unified, hierarchies, cpus, mems, privileged: true }
    }

    fn v2() -> Layout {
        let offered = vec![Cpuset, Cpu, Io, Memory, Pids];
        let directory = "/sys/fs/cgroup".into();
        machine(Some(Unified { directory, enabled: vec![Memory, Pids], offered, occupied: false }), vec![])
    }

    fn trees(all: &[&[Controller]]) -> Vec<Hierarchy> {
        let tree = |controllers: &&[Controller]| {
            let names: Vec<&str> = controllers.iter().map(|it| it.name()).collect();
            let directory = format!("/sys/fs/cgroup/{}", names.join(",")).into();
            Hierarchy { directory, controllers: controllers.to_vec() }
        };
        all.iter().map(tree).collect()
    }

    fn v1() -> Layout {
        machine(None, trees(&[&[Cpu, Cpuacct], &[Memory], &[Devices], &[Freezer], &[Io], &[Pids], &[Cpuset]]))
    }

    fn hybrid() -> Layout {
        let unified = Unified { directory: "/sys/fs/cgroup/unified".into(), ..Unified::default() };
        let singles: [&[Controller]; 8] =
            [&[Cpu], &[Cpuacct], &[Cpuset], &[Memory], &[Devices], &[Freezer], &[Io], &[Pids]];
        machine(Some(unified), trees(&singles))
    }

    /// What `docker run` sets without any flag.
    fn default_container() -> Limits {
        Limits { devices: default_devices(), ..Limits::default() }
    }

    fn every_limit() -> Limits {
        Limits {
            memory: Some(64 << 20),
            memory_swap: Some(96 << 20),
            memory_reservation: Some(32 << 20),
            cpu_quota: Some(50_000),
            cpu_period: Some(100_000),
            cpu_shares: Some(512),
            cpuset_cpus: Some("0-1".into()),
            cpuset_mems: None,
            pids: Some(100),
            io_weight: Some(500),
            io_throttles: vec![IoThrottle {
                major: 8,
                read_bps: Some(1 << 20),
                write_iops: Some(50),
                ..IoThrottle::default()
            }],
            devices: Vec::new(),
            rare: Rare::default(),
        }
    }

    fn calls(layout: &Layout, limits: &Limits) -> String {
        let steps = plan(layout, "web", limits).unwrap();
        let calls: Vec<String> = steps.iter().map(Step::call).collect();
        calls.join("\n").replace("/sys/fs/cgroup", "…")
    }

    #[test]
    fn a_default_container() {
        insta::assert_snapshot!("default_v2", calls(&v2(), &default_container()));
        insta::assert_snapshot!("default_v1", calls(&v1(), &default_container()));
        insta::assert_snapshot!("default_hybrid", calls(&hybrid(), &default_container()));
    }

    #[test]
    fn a_container_with_every_limit() {
        insta::assert_snapshot!("every_limit_v2", calls(&v2(), &every_limit()));
        insta::assert_snapshot!("every_limit_v1", calls(&v1(), &every_limit()));
        insta::assert_snapshot!("every_limit_hybrid", calls(&hybrid(), &every_limit()));
    }

    #[test]
    fn every_step_has_a_reason() {
        let steps = plan(&hybrid(), "web", &every_limit()).unwrap();
        assert!(steps.iter().all(|step| !step.why().is_empty()));
    }

    #[test]
    fn processes_move_down_before_a_delegated_cgroup_enables_controllers() {
        let mut layout = v2();
        layout.unified.as_mut().unwrap().occupied = true;
        let calls = calls(&layout, &default_container());
        let at = |text: &str| calls.find(text).unwrap();
        assert!(at("to …/mini-docker-init/cgroup.procs") < at("to …/cgroup.subtree_control"));
    }

    #[test]
    fn an_unprivileged_container_has_no_device_policy() {
        let layout = Layout { privileged: false, ..v2() };
        assert!(!layout.enforces_devices());
        assert!(!calls(&layout, &default_container()).contains("bpf"));
    }

    #[test]
    fn without_cgroups_there_is_nothing_to_do_and_no_limit() {
        let nowhere = Layout { privileged: false, ..machine(None, vec![]) };
        assert_eq!(plan(&nowhere, "web", &default_container()), Ok(vec![]));
        let limits = Limits { memory: Some(64 << 20), ..Limits::default() };
        let error = plan(&nowhere, "web", &limits).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`--memory` needs the cgroup controller `memory`, which is not available"
        );
        assert!(error.hint().unwrap().contains("Delegate=yes"));
    }

    #[test]
    fn root_without_cgroups_is_refused_rather_than_given_every_device() {
        let error = plan(&machine(None, vec![]), "web", &default_container()).unwrap_err();
        assert!(matches!(error, PlanError::Missing { controller: Devices, .. }));
    }

    #[test]
    fn a_controller_that_is_not_delegated_is_named_with_the_way_out() {
        let mut layout = Layout { privileged: false, ..v2() };
        layout.unified.as_mut().unwrap().offered = vec![Memory, Pids];
        let limits = Limits { cpu_shares: Some(512), ..Limits::default() };
        let error = plan(&layout, "web", &limits).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`--cpu-shares` needs the cgroup controller `cpu`, which is not available"
        );
        assert!(error.hint().unwrap().contains("Delegate=cpu cpuset io memory pids"));
    }

    #[test]
    fn a_name_never_leads_out_of_the_tree() {
        for name in ["", "/", "..", "a/../../b", "./a", "a\nb"] {
            assert!(matches!(place(name), Err(PlanError::BadName { .. })), "{name:?}");
        }
        assert_eq!(place("web").unwrap().to_str(), Some("mini-docker/web"));
        assert_eq!(place("/kubepods/pod1//web").unwrap().to_str(), Some("kubepods/pod1/web"));
    }
}
