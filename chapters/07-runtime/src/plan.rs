//! From an OCI runtime `Spec` to the list of things to do: the whole of starting a container, as data.
//!
//! Three hands work on a container. The **parent** prepares what a process is born into (its cgroup with the
//! limits) and clones. **Beside** the new process it then does what needs its pid (id maps, the loopback).
//! **Inside**, the new process turns itself into the container's first program: the mounts, the new root, the
//! name, what it must not do, and execve(2). A step's place in these lists is its place in time, and its
//! `why` says what would go wrong elsewhere.
//!
//! This module reads no file and makes no call. OCI runtime spec, "Lifecycle"; book ch. 7.

use std::path::Path;

use mini_cgroups::Layout;
use mini_chroot::{Devices, Mount};
use mini_layers::Overlay;
use mini_namespaces::idmap;
use mini_namespaces::{Kind, Namespaces};
use mini_security::paths;
use mini_sys::mount::MsFlags;
use mini_sys::namespace::CloneFlags;
use oci_spec::runtime::{Linux, Process, Root, Spec, State};

use crate::filter::{FilterError, Filters};
use crate::hooks::{Hooks, Moment};
use crate::program::{Program, ProgramError};
use crate::spec::SpecError;
use crate::step::Step;
use crate::{attributes, furnish, last_metres, resources, spec};

/// What the OCI spec leaves to whoever runs it.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The layers to mount on the spec's root path; none for a bundle whose root filesystem is there already.
    pub overlay: Option<Overlay>,
    /// How this machine's cgroups are laid out; none where we may not use them.
    pub cgroups: Option<Layout>,
    /// The root is moved rather than pivoted to (`--no-pivot`).
    pub no_pivot: bool,
    /// Our own pid 1 stands before the program (`--init`).
    pub init: bool,
    /// How the user namespace gets its ids, where the spec asks for one.
    pub id_maps: Vec<idmap::Step>,
    /// For a container that is created first and started later, by commands that do not stay: what its hooks are told
    /// of it. Its process waits at a fifo, and does not die with its parent.
    pub held: Option<State>,
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
    /// What the parent does when the new process asks for it, before the root is changed.
    pub meanwhile: Vec<Step>,
    /// What the new process does; the last one does not return.
    pub inside: Vec<Step>,
}

impl Plan {
    /// All steps, in the order of their numbers.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.before.iter().chain(&self.beside).chain(&self.meanwhile).chain(&self.inside)
    }

    /// The number of the first step inside.
    pub fn first_inside(&self) -> usize {
        self.before.len() + self.beside.len() + self.meanwhile.len()
    }
}

/// A spec that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A part that a container cannot do without.
    #[error("the spec has no `{0}`")]
    Missing(&'static str),
    /// A part that means nothing.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Its other namespaces would be another user namespace's.
    #[error("joining a user namespace by its path is not supported")]
    JoinsUser,
    /// A profile of system calls that cannot be carried out.
    #[error("cannot filter system calls")]
    Filter(#[source] FilterError),
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
    // ANCHOR: hands
    let planner = Planner::read(spec, setting)?;
    let mut plan = planner.on_the_host()?;
    let (early, late) = if planner.parent_goes_first() {
        (planner.meet_parent(), Vec::new())
    } else {
        // Joining cgroups takes the kernel long, and the mounts need not wait for it.
        (Vec::new(), planner.meet_parent())
    };
    plan.inside = [
        planner.first_words(),
        early,
        planner.move_in(),
        planner.shut_doors(),
        late,
        planner.become_program()?,
    ]
    .concat();
    Ok(plan)
    // ANCHOR_END: hands
}

/// A spec, taken apart.
struct Planner<'a> {
    spec: &'a Spec,
    setting: &'a Setting,
    process: &'a Process,
    root: &'a Root,
    linux: Linux,
    namespaces: Namespaces,
    mounts: Vec<Mount>,
}

impl<'a> Planner<'a> {
    fn read(spec: &'a Spec, setting: &'a Setting) -> Result<Self, PlanError> {
        let mut planner = Self {
            spec,
            setting,
            process: spec.process().as_ref().ok_or(PlanError::Missing("process"))?,
            root: spec.root().as_ref().ok_or(PlanError::Missing("root"))?,
            linux: spec.linux().clone().unwrap_or_default(),
            namespaces: spec::namespaces(spec),
            mounts: Vec::new(),
        };
        let (_, cgroup) = planner.cgroup()?;
        planner.mounts = spec::mounts(spec, setting.cgroups.as_ref(), &resources::directories(&cgroup));
        Ok(planner)
    }

    fn creates(&self, kind: Kind) -> bool {
        self.namespaces.create.contains(&kind)
    }

    /// What the parent does. The limits come first; with cgroup v2 the process is born under them, and with v1 it moves
    /// under them with its first step.
    fn on_the_host(&self) -> Result<Plan, PlanError> {
        let (cgroup, limits) = self.cgroup()?;
        let layout = self.setting.cgroups.as_ref().filter(|_| cgroup.is_some());
        let namespaces = self.namespaces.clone_flags();
        let into_cgroup = layout.is_some_and(|layout| layout.unified.is_some());

        if self.namespaces.join.iter().any(|(kind, _)| *kind == Kind::User) {
            return Err(PlanError::JoinsUser);
        }
        // ANCHOR: on-the-host
        let mut before: Vec<Step> = self.namespaces.before_clone().into_iter().map(Step::Namespace).collect();
        let mut beside: Vec<Step> = self.setting.id_maps.iter().cloned().map(Step::IdMap).collect();
        before.extend(limits);
        before.push(Step::Clone { namespaces, into_cgroup });
        // ANCHOR_END: on-the-host
        // The parent's to do while the new process mounts, but for a user namespace, whose network only its own
        // root may touch.
        beside.extend((self.creates(Kind::Net) && !self.creates(Kind::User)).then_some(Step::LoopbackUp));
        let meanwhile = self.hooks(&[Moment::Prestart, Moment::CreateRuntime]);
        Ok(Plan { before, clone: namespaces, cgroup, beside, meanwhile, inside: Vec::new() })
    }

    /// The cgroup's name and the steps that make it.
    fn cgroup(&self) -> Result<(Option<String>, Vec<Step>), PlanError> {
        let (Some(layout), Some(name)) = (&self.setting.cgroups, resources::cgroup_name(self.spec)) else {
            return Ok((None, Vec::new()));
        };
        let mut limits = self.linux.resources().as_ref().map(resources::limits).unwrap_or_default();
        if self.setting.held.is_some() {
            // What others write of devices is meant on top of those that every container has, and who writes nothing
            // means no others. OCI runtime spec, "Default Devices".
            limits.devices.extend(mini_cgroups::default_devices());
        }
        let steps = mini_cgroups::plan(layout, &name, &limits).map_err(PlanError::Limits)?;
        // Where no cgroup can be made there are no steps, and a limit would have been an error above.
        let name = Some(name).filter(|_| !steps.is_empty());
        Ok((name, steps.into_iter().map(Step::Cgroup).collect()))
    }

    fn first_words(&self) -> Vec<Step> {
        let stays = self.setting.held.is_none().then_some(Step::DieWithParent);
        let trees = self.setting.cgroups.iter().flat_map(|layout| &layout.hierarchies);
        let joins = trees.into_iter().next().map(|_| Step::JoinCgroup);
        std::iter::once(Step::NewSession).chain(stays).chain(joins).collect()
    }

    /// The hooks of these moments.
    fn hooks(&self, moments: &[Moment]) -> Vec<Step> {
        let at = |moment: &Moment| Hooks::at(*moment, self.spec, self.setting.held.as_ref()?);
        moments.iter().filter_map(at).map(Step::Hooks).collect()
    }

    /// Whether nothing inside can be done before the parent's part: without ids there are no rights, a mount of
    /// cgroups shows what the cgroup namespace was made of, namespaces to join are named by the host's /proc, and
    /// hooks want the whole of it.
    fn parent_goes_first(&self) -> bool {
        let shows_cgroups =
            self.mounts.iter().any(|mount| mount.fstype == "cgroup2" || self.is_separate(mount));
        let has_hooks = self.setting.held.is_some() && self.spec.hooks().is_some();
        self.creates(Kind::User) || !self.namespaces.join.is_empty() || shows_cgroups || has_hooks
    }

    /// Whether the mount shows a directory of the container's own cgroups.
    fn is_separate(&self, mount: &Mount) -> bool {
        let trees = self.setting.cgroups.iter().flat_map(|layout| &layout.hierarchies);
        mount.is_bind() && trees.into_iter().any(|tree| Path::new(&mount.source).starts_with(&tree.directory))
    }

    /// Waits for the parent; then what depends on its part.
    fn meet_parent(&self) -> Vec<Step> {
        let after = self.namespaces.inside().into_iter().map(Step::Namespace);
        std::iter::once(Step::AwaitParent).chain(after).collect()
    }

    /// From the host's files to the container's.
    fn move_in(&self) -> Vec<Step> {
        let path = self.root.path();
        // Who is root of a user namespace only, such as the root of a container, can make none either.
        let is_privileged = self.setting.cgroups.as_ref().is_none_or(|layout| layout.privileged);
        let can_make = is_privileged && !self.creates(Kind::User);
        let devices = if can_make { Devices::Make } else { Devices::Bind };
        let spread = spec::propagation(self.linux.rootfs_propagation().as_deref().unwrap_or_default());
        let whole = |flags| Step::Furnish(furnish::Step::Propagate("/".into(), flags));
        let mut steps = vec![match spread {
            // What the host mounts later is to be seen, so the tie is not cut in that direction.
            Some(_) => whole(MsFlags::MS_SLAVE | MsFlags::MS_REC),
            None => Step::Root(mini_chroot::Step::KeepPrivate),
        }];
        steps.push(match &self.setting.overlay {
            Some(overlay) => Step::Overlay(overlay.clone(), path.clone()),
            None => Step::Root(mini_chroot::Step::BindRoot(path.clone())),
        });
        for step in mini_chroot::plan(path, &self.mounts, devices) {
            if matches!(step, mini_chroot::Step::Pivot(_)) {
                steps.extend(self.last_with_the_host());
            }
            let leaves_host = step == mini_chroot::Step::DetachOldRoot;
            steps.extend(self.on_the_way(step).map(Step::Root));
            // Nobody of the host may own a file in what is mounted from here on: its root becomes the container's.
            let changes = leaves_host && self.setting.held.is_some() && self.creates(Kind::User);
            steps.extend(changes.then_some(Step::User { uid: 0, gid: 0, groups: None }));
        }
        steps.extend(spread.map(whole));
        steps.extend(spec::furnishings(self.spec, can_make).into_iter().map(Step::Furnish));
        if self.process.terminal().unwrap_or(false) {
            let size = self.process.console_size().map(spec::window_size);
            steps.push(Step::Console { uid: self.process.user().uid(), size, first: true });
        }
        steps
    }

    /// The step itself, or how it is done without pivot_root(2).
    fn on_the_way(&self, step: mini_chroot::Step) -> Option<mini_chroot::Step> {
        match step {
            mini_chroot::Step::Pivot(path) if self.setting.no_pivot => {
                Some(mini_chroot::Step::MoveRoot(path))
            }
            mini_chroot::Step::DetachOldRoot if self.setting.no_pivot => None,
            other => Some(other),
        }
    }

    /// Hooks, while the host's files are still in sight: the parent's first.
    fn last_with_the_host(&self) -> Vec<Step> {
        let has_parents = !self.hooks(&[Moment::Prestart, Moment::CreateRuntime]).is_empty();
        let asked = has_parents.then_some(Step::AskParent).into_iter();
        asked.chain(self.hooks(&[Moment::CreateContainer])).collect()
    }

    /// Covers what is the host's, while there is still the right to mount.
    fn shut_doors(&self) -> Vec<Step> {
        let read_only =
            self.linux.readonly_paths().iter().flatten().map(|path| paths::Step::ReadOnly(path.into()));
        let masked = self.linux.masked_paths().iter().flatten().map(|path| paths::Step::Mask(path.into()));
        let mut steps: Vec<Step> = read_only.chain(masked).map(Step::Path).collect();
        if self.root.readonly().unwrap_or(false) {
            steps.push(Step::Root(mini_chroot::Step::ReadOnlyRoot));
        }
        if self.creates(Kind::Net) && self.creates(Kind::User) {
            steps.push(Step::LoopbackUp);
        }
        steps
    }

    /// The last metres of a first process: beneath an init, the limits are the program's alone.
    fn become_program(&self) -> Result<Vec<Step>, PlanError> {
        let mut limits = spec::inherited(self.process)?;
        let inherited = if self.setting.init { Vec::new() } else { std::mem::take(&mut limits) };
        let keep_groups = self.setting.id_maps.contains(&idmap::Step::DenySetgroups);
        let filters = Filters::of(self.spec, self.process).map_err(PlanError::Filter)?;
        let mut steps: Vec<Step> = inherited.into_iter().map(Step::Limit).collect();
        steps.extend(attributes::plan(self.spec, self.process));
        steps.extend(filters.first);
        steps.extend(last_metres::plan(self.process, keep_groups, true)?);
        let program = Program::new(self.process).map_err(PlanError::Program)?;
        if self.setting.held.is_some() {
            steps.extend([Step::LookUp(program.clone()), Step::Hide]);
            // While there is somebody to tell that it cannot be loaded.
            steps.extend(filters.last);
            steps.push(Step::AwaitStart);
            steps.extend(self.hooks(&[Moment::StartContainer]));
        } else {
            // The kernel forgets the request at a change of user, so it is made again.
            steps.push(Step::DieWithParent);
            steps.extend(filters.last);
        }
        steps.push(if self.setting.init { Step::Init { program, limits } } else { Step::Exec(program) });
        Ok(steps)
    }
}

#[cfg(test)]
mod tests;
