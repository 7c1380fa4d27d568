//! One more program in a container that runs: the list of things to do, and doing it.
//!
//! A container has no door, and needs none: its rooms are names below `/proc/<pid>/ns`, and setns(2) with a pidfd joins
//! all of them in one call, or none. What that call does not give is what the container's own program got on its
//! way (its cgroup, its limits, fewer capabilities, its user), so the second half of the list is that of a start,
//! and the same loop performs it. setns(2), pidfd_open(2), namespaces(7); book ch. 7.
//!
//! The order is the safety. The pid namespace is joined by the parent, because it holds for children alone, and
//! the rest by the child: a process of the host never stands in the container's mount namespace, and the child is
//! hidden from the container's processes before they can see it (CVE-2019-5736, CVE-2016-9962).

use std::os::fd::OwnedFd;

use mini_cgroups::Layout;
use mini_namespaces::Kind;
use mini_sys::namespace::CloneFlags;
use oci_spec::runtime::{Process, Spec};

use crate::filter::Filters;
use crate::plan::{Plan, PlanError};
use crate::program::Program;
use crate::start::{self, Hands, StartError, Started};
use crate::stdio::ProgramSide;
use crate::step::Step;
use crate::{attributes, last_metres, resources, spec};

/// What the container's spec does not tell of joining it.
#[derive(Debug, Clone, Default)]
pub struct Joining {
    /// How this machine's cgroups are laid out; none where we may not use them.
    pub cgroups: Option<Layout>,
    /// Its user namespace denies setgroups(2), so the supplementary groups stay as they are.
    pub keep_groups: bool,
}

/// The steps that run `process` in the container that `spec` describes.
///
/// # Errors
/// A process that names something unknown, or that lacks a part.
pub fn plan(spec: &Spec, process: &Process, joining: &Joining) -> Result<Plan, PlanError> {
    let namespaces = spec::namespaces(spec);
    let joined = namespaces.join.iter().map(|(kind, _)| *kind);
    let kinds: Vec<Kind> = namespaces.create.iter().copied().chain(joined).collect();
    // Only root of the container's user namespace may join its pid namespace.
    let (first, rest): (Vec<Kind>, Vec<Kind>) =
        kinds.into_iter().partition(|kind| matches!(kind, Kind::User | Kind::Pid));
    let cgroup = resources::cgroup_name(spec).filter(|_| joining.cgroups.is_some());
    let layout = joining.cgroups.as_ref().filter(|_| cgroup.is_some());
    let by_hand = layout.is_some_and(|layout| !layout.hierarchies.is_empty());
    let into_cgroup = layout.is_some_and(|layout| layout.unified.is_some());
    let enter = |kinds: Vec<Kind>| (!kinds.is_empty()).then_some(Step::Enter(kinds));

    let filters = Filters::of(spec, process).map_err(PlanError::Filter)?;

    // ANCHOR: join
    let mut before = vec![Step::Hide];
    before.extend(enter(first));
    before.push(Step::Clone { namespaces: CloneFlags::empty(), into_cgroup });
    let beside = Vec::new();

    let mut inside = vec![Step::NewSession];
    // While the host's files are in sight.
    inside.extend(by_hand.then_some(Step::JoinCgroup));
    inside.extend(enter(rest));
    if process.terminal().unwrap_or(false) {
        let size = process.console_size().map(spec::window_size);
        inside.push(Step::Console { uid: process.user().uid(), size, first: false });
    }
    inside.extend(spec::inherited(process)?.into_iter().map(Step::Limit));
    inside.extend(attributes::plan(spec, process));
    inside.extend(filters.first);
    inside.extend(last_metres::plan(process, joining.keep_groups, false)?);
    // Where it could not be born in its cgroup, the parent puts it there.
    inside.push(Step::AwaitParent);
    inside.extend(filters.last);
    inside.push(Step::Exec(Program::new(process).map_err(PlanError::Program)?));
    // ANCHOR_END: join
    let meanwhile = Vec::new();
    Ok(Plan { before, clone: CloneFlags::empty(), cgroup, beside, meanwhile, inside })
}

/// Runs the program of `plan`, made by [`plan()`], in the container of the process `target`, a pidfd, with these
/// standard streams, and with the `passed` descriptors from 3 on as they are here.
///
/// Children that the caller makes later are born in the container's pid namespace too, and of a container with a
/// user namespace the caller becomes a member: it is to do nothing else but wait.
///
/// # Errors
/// The first step that fails. Nothing is left of the process then; the container is as it was.
pub fn exec(
    plan: &Plan,
    layout: Option<&Layout>,
    target: OwnedFd,
    stdio: ProgramSide,
    passed: u32,
) -> Result<Started, StartError> {
    start::perform(plan, layout, Hands { stdio, target: Some(target), gate: None, passed }, None)
}

#[cfg(test)]
mod tests {
    use mini_cgroups::{Controller, Hierarchy, Unified};
    use mini_security::capabilities;
    use serde_json::json;

    use super::*;

    fn spec(rootless: bool) -> Spec {
        let mut kinds = vec!["mount", "pid", "uts", "ipc", "network", "cgroup"];
        kinds.extend(rootless.then_some("user"));
        let namespaces: Vec<_> = kinds.iter().map(|kind| json!({ "type": kind })).collect();
        serde_json::from_value(json!({
            "ociVersion": "1.1.0",
            "root": { "path": "/merged" },
            "process": {
                "cwd": "/srv", "args": ["sh"], "env": ["PATH=/bin"], "user": { "uid": 7, "gid": 8 },
                "capabilities": { "bounding": ["CAP_KILL"] },
                "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 10, "hard": 20 }],
                "noNewPrivileges": true
            },
            "linux": { "cgroupsPath": "/mini-docker/box", "namespaces": namespaces }
        }))
        .unwrap()
    }

    fn v2() -> Layout {
        Layout { unified: Some(Unified::default()), privileged: true, ..Layout::default() }
    }

    fn lines(plan: &Plan) -> String {
        let line = |step: &Step| format!("{}  # {} (ch. {})", step.call(), step.why(), step.chapter());
        plan.steps().map(line).collect::<Vec<_>>().join("\n")
    }

    fn planned(spec: &Spec, layout: Layout) -> Plan {
        let joining = Joining { cgroups: Some(layout), keep_groups: false };
        plan(spec, spec.process().as_ref().unwrap(), &joining).unwrap()
    }

    #[test]
    fn joining_reads_like_a_story() {
        insta::assert_snapshot!(lines(&planned(&spec(false), v2())));
    }

    #[test]
    fn who_calls_never_stands_in_the_containers_mount_namespace() {
        for spec in [spec(false), spec(true)] {
            let plan = planned(&spec, v2());
            let joins = |step: &Step, kind| matches!(step, Step::Enter(kinds) if kinds.contains(&kind));
            assert!(!plan.before.iter().any(|step| joins(step, Kind::Mount)));
            assert!(plan.before.iter().any(|step| joins(step, Kind::Pid)));
            assert_eq!(plan.before.first(), Some(&Step::Hide));
        }
    }

    #[test]
    fn the_containers_filter_holds_for_who_joins_it_too() {
        let mut spec = spec(false);
        let seccomp = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            { "names": ["reboot"], "action": "SCMP_ACT_ERRNO" }
        ] });
        let mut linux = spec.linux().clone().unwrap();
        linux.set_seccomp(serde_json::from_value(seccomp).unwrap());
        spec.set_linux(Some(linux));
        let mut process = spec.process().clone().unwrap();
        let end = |process: &Process| {
            let joining = Joining { cgroups: Some(v2()), keep_groups: false };
            let inside = plan(&spec, process, &joining).unwrap().inside;
            let filter = inside.iter().position(|step| matches!(step, Step::Filter(_))).unwrap();
            let bound = |step: &Step| matches!(step, Step::Capability(capabilities::Step::Bound(_)));
            (inside.len() - filter, filter < inside.iter().position(bound).unwrap())
        };
        assert_eq!(end(&process), (2, false), "right before the program");
        process.set_no_new_privileges(None);
        assert!(end(&process).1, "while there are capabilities");
    }

    #[test]
    fn with_v1_it_moves_into_its_cgroups_while_they_are_in_sight() {
        let memory = Hierarchy { directory: "/m".into(), controllers: vec![Controller::Memory] };
        let plan = planned(&spec(false), Layout { hierarchies: vec![memory], ..v2() });
        let place = |wanted: &dyn Fn(&Step) -> bool| plan.inside.iter().position(wanted);
        let joins = place(&|step| *step == Step::JoinCgroup);
        assert!(joins.is_some() && joins < place(&|step| matches!(step, Step::Enter(_))));
    }
}
