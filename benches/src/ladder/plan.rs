//! What each rung consists of: the steps of the chapters, as a list.

use std::ffi::CString;
use std::path::PathBuf;

use mini_chroot::{Devices, Step as RootStep, mounts};
use mini_layers::{Overlay, Upper};
use mini_namespaces::{Kind, Namespaces};
use mini_security::capabilities::{self, DEFAULT};
use mini_security::{Capabilities, paths};
use mini_sys::clone::CloneFlags;

use crate::room::TrueRoot;

/// One rung. Each does what the one before does, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// A process that becomes a program.
    Exec,
    /// With another root directory, the weak way.
    Chroot,
    /// With a root mount of its own: a mount namespace and pivot_root(2) in the place of chroot(2).
    Pivot,
    /// In new pid, uts, ipc, network and cgroup namespaces too.
    Namespaces,
    /// In a cgroup of its own.
    Cgroup,
    /// On an overlay in the place of a bind mount.
    Overlay,
    /// With the mounts, masks and capabilities of every container.
    Dress,
    /// All of it as a user has it: image, name, record, log, monitor, and the start of our own program.
    Run,
}

impl Rung {
    /// All of them, lowest first.
    pub const ALL: [Self; 8] = [
        Self::Exec,
        Self::Chroot,
        Self::Pivot,
        Self::Namespaces,
        Self::Cgroup,
        Self::Overlay,
        Self::Dress,
        Self::Run,
    ];

    /// What it adds, in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exec => "fork, exec",
            Self::Chroot => "+ chroot",
            Self::Pivot => "+ pivot_root, own mounts",
            Self::Namespaces => "+ five more namespaces",
            Self::Cgroup => "+ a cgroup of its own",
            Self::Overlay => "+ overlay",
            Self::Dress => "+ /proc /dev /sys, masks",
            Self::Run => "all of mini-docker run",
        }
    }
}

/// The directories that a rung works with.
#[derive(Debug)]
pub(super) struct Places<'a> {
    pub(super) root: &'a TrueRoot,
    pub(super) upper: Upper,
    /// Where the overlay is mounted.
    pub(super) merged: PathBuf,
}

/// One thing that the new process does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Chroot(PathBuf),
    Root(RootStep),
    Overlay(Overlay, PathBuf),
    /// Waits until the parent has put it into its cgroup.
    AwaitParent,
    Namespace(mini_namespaces::Step),
    LoopbackUp,
    Path(paths::Step),
    Capability(capabilities::Step),
    Exec(CString),
}

/// How a rung makes its process, and what that does.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) clone: CloneFlags,
    pub(super) in_cgroup: bool,
    pub(super) inside: Vec<Step>,
}

/// The plan of a rung below [`Rung::Run`]. The order is that of `mini_runtime::plan`.
pub(super) fn plan(rung: Rung, places: &Places<'_>) -> Plan {
    let namespaces = namespaces(rung);
    let mut inside = Vec::new();
    let tree = places.root.directory.clone();
    match rung {
        Rung::Exec => {}
        Rung::Chroot => inside.push(Step::Chroot(tree)),
        _ => own_mounts(rung, places, &namespaces, &mut inside),
    }
    if rung >= Rung::Dress {
        let read_only = paths::READ_ONLY.map(|path| Step::Path(paths::Step::ReadOnly(path.into())));
        let masked = paths::MASKED.map(|path| Step::Path(paths::Step::Mask(path.into())));
        inside.extend(read_only.into_iter().chain(masked));
        inside.push(Step::LoopbackUp);
        let set: Vec<_> = DEFAULT.iter().filter_map(|name| name.parse().ok()).collect();
        let sets = Capabilities {
            bounding: set.clone(),
            effective: set.clone(),
            permitted: set.clone(),
            ..Capabilities::default()
        };
        inside.push(Step::Capability(capabilities::Step::Bound(set)));
        inside.push(Step::Capability(capabilities::Step::Set(sets)));
    }
    let program = if rung == Rung::Exec { &places.root.outside } else { &places.root.inside };
    inside.push(Step::Exec(program.clone()));
    Plan { clone: namespaces.clone_flags(), in_cgroup: rung >= Rung::Cgroup, inside }
}

fn namespaces(rung: Rung) -> Namespaces {
    use Kind::{Cgroup, Ipc, Mount, Net, Pid, Uts};
    let create = match rung {
        Rung::Exec | Rung::Chroot => vec![],
        Rung::Pivot => vec![Mount],
        _ => vec![Mount, Pid, Uts, Ipc, Net, Cgroup],
    };
    Namespaces { create, ..Namespaces::default() }
}

fn own_mounts(rung: Rung, places: &Places<'_>, namespaces: &Namespaces, inside: &mut Vec<Step>) {
    let tree = places.root.directory.clone();
    inside.push(Step::Root(RootStep::KeepPrivate));
    let root = if rung >= Rung::Overlay {
        let overlay = Overlay { lower: vec![tree], upper: Some(places.upper.clone()), userxattr: false };
        inside.push(Step::Overlay(overlay, places.merged.clone()));
        places.merged.clone()
    } else {
        inside.push(Step::Root(RootStep::BindRoot(tree.clone())));
        tree
    };
    if rung >= Rung::Cgroup {
        inside.push(Step::AwaitParent);
    }
    inside.extend(namespaces.inside().into_iter().map(Step::Namespace));
    let standard = if rung >= Rung::Dress { mounts::standard() } else { Vec::new() };
    inside.extend(mini_chroot::plan(&root, &standard, Devices::Make).into_iter().map(Step::Root));
}

#[cfg(test)]
mod tests {
    use mini_layers::Upper;

    use super::{Places, Rung, Step, plan};
    use crate::room::TrueRoot;

    fn plans() -> Vec<super::Plan> {
        let root = TrueRoot {
            directory: "/room/root".into(),
            inside: c"/usr/bin/true".into(),
            outside: c"/room/root/usr/bin/true".into(),
        };
        let upper = Upper { tree: "/room/upper".into(), work: "/room/work".into() };
        let places = Places { root: &root, upper, merged: "/room/merged".into() };
        Rung::ALL[..7].iter().map(|rung| plan(*rung, &places)).collect()
    }

    #[test]
    fn no_rung_does_less_than_the_one_below() {
        for pair in plans().windows(2) {
            assert!(pair[1].clone.contains(pair[0].clone));
            assert!(pair[1].inside.len() >= pair[0].inside.len() && pair[1].in_cgroup >= pair[0].in_cgroup);
        }
    }

    #[test]
    fn every_rung_ends_in_the_program_and_cuts_propagation_before_it_mounts() {
        for plan in plans() {
            assert!(matches!(plan.inside.last(), Some(Step::Exec(_))));
            let private = Step::Root(mini_chroot::Step::KeepPrivate);
            let mounts = plan.inside.iter().any(|step| matches!(step, Step::Root(_) | Step::Overlay(..)));
            assert_eq!(mounts, plan.inside.first() == Some(&private));
        }
    }
}
