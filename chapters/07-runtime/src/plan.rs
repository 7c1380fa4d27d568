//! From an OCI runtime `Spec` to the list of things to do: the whole of starting a container, as data.
//!
//! Three hands work on a container. The **parent** prepares what only the host can (a cgroup with its limits)
//! and clones. **Beside** the new process it then does what needs its pid (id maps, joining the cgroup).
//! **Inside**, the new process turns itself into the container's first program: the mounts, the new root, the
//! name, what it must not do, and execve(2). A step's place in these lists is its place in time, and its
//! `why` says what would go wrong elsewhere.
//!
//! This module reads no file and makes no call. OCI runtime spec, "Lifecycle"; book ch. 7.

use mini_cgroups::Layout;
use mini_chroot::{Devices, Mount};
use mini_layers::Overlay;
use mini_namespaces::idmap;
use mini_namespaces::{Kind, Namespaces};
use mini_security::{Capabilities, Capability, capabilities, limits, paths};
use mini_sys::namespace::CloneFlags;
use oci_spec::runtime::{Capabilities as OciCapabilities, LinuxNamespaceType, Process, Spec};

use crate::program::{Program, ProgramError};
use crate::resources;
use crate::step::Step;

/// What the OCI spec leaves to whoever runs it.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The layers to mount on the spec's root path; none for a bundle whose root filesystem is there already.
    pub overlay: Option<Overlay>,
    /// How this machine's cgroups are laid out; none where we may not use them.
    pub cgroups: Option<Layout>,
    /// Our own pid 1 stands before the program (`--init`).
    pub init: bool,
    /// How the user namespace gets its ids, where the spec asks for one.
    pub id_maps: Vec<idmap::Step>,
}

/// The steps of a start, in three hands.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the parent does before there is a process.
    pub before: Vec<Step>,
    /// The new process's namespaces, as clone3(2) takes them.
    pub clone: CloneFlags,
    /// The cgroup's name, if it gets one.
    pub cgroup: Option<String>,
    /// What the parent does while the new process waits.
    pub beside: Vec<Step>,
    /// What the new process does; the last one does not return.
    pub inside: Vec<Step>,
}

impl Plan {
    /// All steps, in the order of their numbers.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.before.iter().chain(&self.beside).chain(&self.inside)
    }

    /// The number of the first step inside.
    pub fn first_inside(&self) -> usize {
        self.before.len() + self.beside.len()
    }
}

/// A spec that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A part that a container cannot do without.
    #[error("the spec has no `{0}`")]
    Missing(&'static str),
    /// A capability that no kernel knows.
    #[error("cannot set capabilities")]
    Capability(#[source] capabilities::UnknownCapability),
    /// A resource limit of a name that setrlimit(2) does not have.
    #[error("unknown resource limit `{0}`")]
    Rlimit(String),
    /// A limit that the machine cannot keep, or that makes no sense.
    #[error("cannot limit the container")]
    Limits(#[source] mini_cgroups::PlanError),
    /// A program or variable that execve(2) cannot take.
    #[error("cannot run the program")]
    Program(#[source] ProgramError),
}

/// The steps that start what `spec` describes.
///
/// # Errors
/// A spec that names something unknown, or that lacks a part.
pub fn plan(spec: &Spec, setting: &Setting) -> Result<Plan, PlanError> {
    let process = spec.process().as_ref().ok_or(PlanError::Missing("process"))?;
    let root = spec.root().as_ref().ok_or(PlanError::Missing("root"))?;
    let linux = spec.linux().clone().unwrap_or_default();
    let namespaces = namespaces(spec);
    let in_user_namespace = namespaces.create.contains(&Kind::User);

    let mut plan = Plan {
        before: Vec::new(),
        clone: namespaces.clone_flags(),
        cgroup: None,
        beside: Vec::new(),
        inside: Vec::new(),
    };
    plan.before.extend(namespaces.before_clone().into_iter().map(Step::Namespace));
    if let (Some(layout), Some(path)) = (&setting.cgroups, linux.cgroups_path()) {
        let name = path.to_string_lossy().trim_start_matches('/').to_owned();
        let limits = linux.resources().as_ref().map(resources::limits).unwrap_or_default();
        let steps = mini_cgroups::plan(layout, &name, &limits).map_err(PlanError::Limits)?;
        // Where no cgroup can be made there are no steps, and a limit would have been an error above.
        plan.cgroup = Some(name).filter(|_| !steps.is_empty());
        plan.before.extend(steps.into_iter().map(Step::Cgroup));
    }
    let layout = setting.cgroups.as_ref().filter(|_| plan.cgroup.is_some());
    let into_cgroup = layout.is_some_and(|layout| layout.unified.is_some());
    plan.before.push(Step::Clone { namespaces: plan.clone, into_cgroup });
    plan.beside.extend(setting.id_maps.iter().cloned().map(Step::IdMap));
    if layout.is_some_and(|layout| !layout.hierarchies.is_empty()) {
        plan.beside.push(Step::JoinCgroup);
    }

    let mounts = mounts(spec);
    // Nothing can be done without ids, a mount of cgroups shows what the cgroup namespace was made of, and
    // namespaces to join are named by the host's /proc.
    let sees_host = !namespaces.join.is_empty();
    let parent_goes_first =
        in_user_namespace || sees_host || mounts.iter().any(|mount| mount.fstype == "cgroup2");
    let inside = &mut plan.inside;
    inside.extend([Step::NewSession, Step::DieWithParent]);
    if parent_goes_first {
        inside.push(Step::AwaitParent);
        inside.extend(namespaces.inside().into_iter().map(Step::Namespace));
    }
    inside.push(Step::Root(mini_chroot::Step::KeepPrivate));
    let devices = if in_user_namespace { Devices::Bind } else { Devices::Make };
    match &setting.overlay {
        Some(overlay) => inside.push(Step::Overlay(overlay.clone(), root.path().clone())),
        None => inside.push(Step::Root(mini_chroot::Step::BindRoot(root.path().clone()))),
    }
    inside.extend(mini_chroot::plan(root.path(), &mounts, devices).into_iter().map(Step::Root));
    if process.terminal().unwrap_or(false) {
        inside.push(Step::Console { uid: process.user().uid() });
    }
    let masked = linux.masked_paths().iter().flatten().map(|path| paths::Step::Mask(path.into()));
    let read_only = linux.readonly_paths().iter().flatten().map(|path| paths::Step::ReadOnly(path.into()));
    inside.extend(read_only.chain(masked).map(Step::Path));
    if root.readonly().unwrap_or(false) {
        inside.push(Step::Root(mini_chroot::Step::ReadOnlyRoot));
    }
    if namespaces.create.contains(&Kind::Net) {
        inside.push(Step::LoopbackUp);
    }
    if !parent_goes_first {
        // Joining cgroups takes the kernel long, and the mounts above did not have to wait for it.
        inside.push(Step::AwaitParent);
        inside.extend(namespaces.inside().into_iter().map(Step::Namespace));
    }
    let groups_are_denied = setting.id_maps.contains(&idmap::Step::DenySetgroups);
    let mut limits = inherited(process)?;
    if !setting.init {
        inside.extend(limits.drain(..).map(Step::Limit));
    }
    become_user(process, groups_are_denied, inside)?;
    let program = Program::new(process).map_err(PlanError::Program)?;
    inside.push(if setting.init { Step::Init { program, limits } } else { Step::Exec(program) });
    Ok(plan)
}

/// What the program passes on to those it runs.
fn inherited(process: &Process) -> Result<Vec<limits::Step>, PlanError> {
    let mut steps = Vec::new();
    for limit in process.rlimits().iter().flatten() {
        let name = limit.typ().to_string();
        let resource = limits::resource(&name).ok_or(PlanError::Rlimit(name))?;
        steps.push(limits::Step::Rlimit(resource, limit.soft(), limit.hard()));
    }
    steps.extend(process.oom_score_adj().map(|score| limits::Step::OomScoreAdj(score.into())));
    Ok(steps)
}

/// The last metres: capabilities, user, directory. Each line here would be refused one line later,
/// or would undo the one before.
fn become_user(process: &Process, keep_groups: bool, inside: &mut Vec<Step>) -> Result<(), PlanError> {
    let sets = capability_sets(process)?;
    if let Some(sets) = &sets {
        inside.push(Step::Capability(capabilities::Step::Bound(sets.bounding.clone())));
        inside.push(Step::Capability(capabilities::Step::Keep));
    }
    let user = process.user();
    let groups = if keep_groups { None } else { Some(user.additional_gids().clone().unwrap_or_default()) };
    inside.push(Step::WorkingDirectory(process.cwd().clone()));
    inside.push(Step::User { uid: user.uid(), gid: user.gid(), groups });
    inside.extend(sets.map(|sets| Step::Capability(capabilities::Step::Set(sets))));
    if process.no_new_privileges().unwrap_or(false) {
        inside.push(Step::Capability(capabilities::Step::NoNewPrivileges));
    }
    // The kernel forgets the request at a change of user, so it is made again.
    inside.push(Step::DieWithParent);
    Ok(())
}

fn namespaces(spec: &Spec) -> Namespaces {
    let mut all = Namespaces {
        hostname: spec.hostname().clone(),
        domainname: spec.domainname().clone(),
        ..Namespaces::default()
    };
    let wanted = spec.linux().as_ref().and_then(|linux| linux.namespaces().clone());
    for namespace in wanted.into_iter().flatten() {
        let kind = match namespace.typ() {
            LinuxNamespaceType::Mount => Kind::Mount,
            LinuxNamespaceType::Cgroup => Kind::Cgroup,
            LinuxNamespaceType::Uts => Kind::Uts,
            LinuxNamespaceType::Ipc => Kind::Ipc,
            LinuxNamespaceType::User => Kind::User,
            LinuxNamespaceType::Pid => Kind::Pid,
            LinuxNamespaceType::Network => Kind::Net,
            LinuxNamespaceType::Time => Kind::Time,
        };
        match namespace.path() {
            Some(path) => all.join.push((kind, path.clone())),
            None => all.create.push(kind),
        }
    }
    all
}

fn mounts(spec: &Spec) -> Vec<Mount> {
    let convert = |mount: &oci_spec::runtime::Mount| Mount {
        target: mount.destination().clone(),
        fstype: mount.typ().clone().unwrap_or_else(|| "bind".to_owned()),
        source: mount.source().clone().unwrap_or_default().to_string_lossy().into_owned(),
        options: mount.options().clone().unwrap_or_default(),
    };
    spec.mounts().iter().flatten().map(convert).collect()
}

fn capability_sets(process: &Process) -> Result<Option<Capabilities>, PlanError> {
    let Some(sets) = process.capabilities() else { return Ok(None) };
    let list = |set: &Option<OciCapabilities>| {
        let mut list = set
            .iter()
            .flatten()
            .map(|capability| capability.to_string().parse())
            .collect::<Result<Vec<Capability>, _>>()
            .map_err(PlanError::Capability)?;
        // The library keeps sets without an order; ours is the kernel's.
        list.sort_unstable();
        Ok(list)
    };
    Ok(Some(Capabilities {
        bounding: list(sets.bounding())?,
        effective: list(sets.effective())?,
        permitted: list(sets.permitted())?,
        inheritable: list(sets.inheritable())?,
        ambient: list(sets.ambient())?,
    }))
}

#[cfg(test)]
mod tests {
    use mini_cgroups::{Controller, Unified};
    use mini_layers::Upper;
    use serde_json::json;

    use super::*;

    fn spec() -> Spec {
        let value = json!({
            "ociVersion": "1.1.0",
            "hostname": "box",
            "root": { "path": "/data/merged" },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"] },
                { "destination": "/etc/hosts", "type": "bind", "source": "/data/hosts", "options": ["bind"] }
            ],
            "process": {
                "cwd": "/", "args": ["sh"], "env": ["PATH=/bin"], "user": { "uid": 7, "gid": 8, "additionalGids": [9] },
                "capabilities": { "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"] },
                "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 10, "hard": 20 }],
                "noNewPrivileges": true
            },
            "linux": {
                "cgroupsPath": "/mini-docker/box",
                "resources": { "memory": { "limit": 67108864 } },
                "namespaces": [
                    { "type": "mount" }, { "type": "pid" }, { "type": "uts" }, { "type": "ipc" },
                    { "type": "network" }, { "type": "cgroup" }
                ],
                "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"]
            }
        });
        serde_json::from_value(value).unwrap()
    }

    fn setting() -> Setting {
        let controllers = vec![Controller::Cpu, Controller::Io, Controller::Memory, Controller::Pids];
        let unified = Unified {
            directory: "/sys/fs/cgroup".into(),
            offered: controllers.clone(),
            enabled: controllers,
            occupied: false,
        };
        let layout = Layout {
            unified: Some(unified),
            cpus: "0-3".parse().unwrap(),
            privileged: true,
            ..Layout::default()
        };
        let upper = Upper { tree: "/data/upper".into(), work: "/data/work".into() };
        let overlay = Overlay { lower: vec!["/layers/a/diff".into()], upper: Some(upper), userxattr: false };
        Setting { overlay: Some(overlay), cgroups: Some(layout), ..Setting::default() }
    }

    fn lines(plan: &Plan) -> String {
        let line = |step: &Step| format!("{}  # {} (ch. {})", step.call(), step.why(), step.chapter());
        plan.steps().map(line).collect::<Vec<_>>().join("\n")
    }

    fn place(plan: &Plan, wanted: impl Fn(&Step) -> bool) -> usize {
        plan.steps().position(wanted).unwrap()
    }

    #[test]
    fn a_start_reads_like_a_story() {
        insta::assert_snapshot!(lines(&plan(&spec(), &setting()).unwrap()));
    }

    #[test]
    fn limits_are_there_before_the_process_and_powers_go_last() {
        let plan = plan(&spec(), &setting()).unwrap();
        let cloned = place(&plan, |step| matches!(step, Step::Clone { into_cgroup: true, .. }));
        let last_limit =
            plan.steps().collect::<Vec<_>>().iter().rposition(|step| matches!(step, Step::Cgroup(_)));
        assert!(last_limit.is_some_and(|last| last < cloned));
        let user = place(&plan, |step| matches!(step, Step::User { .. }));
        let capset = place(&plan, |step| matches!(step, Step::Capability(capabilities::Step::Set(_))));
        let masked = place(&plan, |step| matches!(step, Step::Path(_)));
        assert!(masked < user && user < capset);
        assert!(matches!(plan.inside.last(), Some(Step::Exec(_))));
    }

    #[test]
    fn with_an_init_limits_are_the_programs_alone() {
        let plan = plan(&spec(), &Setting { init: true, ..setting() }).unwrap();
        assert!(!plan.steps().any(|step| matches!(step, Step::Limit(_))));
        assert!(matches!(plan.inside.last(), Some(Step::Init { limits, .. }) if limits.len() == 1));
    }

    #[test]
    fn what_cannot_be_done_is_refused_before_anything_is() {
        let mut no_process = spec();
        no_process.set_process(None);
        let text = |spec: &Spec, setting: &Setting| {
            let error = plan(spec, setting).unwrap_err();
            std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": ")
        };
        let no_cgroups = Setting { cgroups: Some(Layout::default()), ..setting() };
        insta::assert_snapshot!([text(&no_process, &setting()), text(&spec(), &no_cgroups)].join("\n"));
    }
}
