//! The mount tree of the box, as a list of steps.
//!
//! The whole machine is there to be read, with one attribute on all of its mounts that forbids writing. What a
//! program must have for itself is mounted over that: its own `/proc`, an empty `/tmp` and `/run`, its own part
//! of `/sys/fs/cgroup`. Copies of what stays writable are taken before everything is made read-only, and put
//! back after. mount_setattr(2), open_tree(2), move_mount(2).

use std::collections::VecDeque;
use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use mini_security::paths;
use mini_sys::mount::{self, MntFlags, MsFlags};
use mini_sys::mount_api::{self, FsContext, MountAttr, MountAttrFlags, OpenTreeFlags};
use mini_sys::{Error, Result};

use crate::seal;

/// What the plan depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Root of the machine, not of a user namespace.
    pub(crate) is_root: bool,
    /// Which of [`OPTIONAL`] are there.
    pub(crate) present: Vec<PathBuf>,
    /// The box's cgroups and where the box sees them. Without any, it sees the machine's.
    pub(crate) cgroups: Vec<(PathBuf, PathBuf)>,
    /// Directories that stay writable.
    pub(crate) writable: Vec<PathBuf>,
    /// Directories that stay visible where something fresh would cover them.
    pub(crate) readable: Vec<PathBuf>,
    /// Bytes that may be in one fresh file system.
    pub(crate) size: u64,
}

/// Directories that get something fresh if they are there: nothing can be made on a read-only machine.
const OPTIONAL: [&str; 6] =
    ["/var/tmp", "/var/lib/mini-docker", "/dev/shm", "/dev/mqueue", "/dev/pts", CGROUPS];

/// Fresh, empty, writable directories, in which a file that appears is a leak.
pub(crate) const FRESH: [&str; 4] = ["/tmp", "/run", "/var/tmp", "/dev/shm"];

const CGROUPS: &str = "/sys/fs/cgroup";

/// A `/proc` that nothing covers. Without one in sight the kernel mounts no other for a user namespace.
/// user_namespaces(7); "mount_too_revealing" in the kernel's fs/namespace.c.
pub(crate) const WHOLE_PROC: &str = "/run/outer-box/proc";

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Cuts all mounts off from the machine's.
    Private,
    /// Takes a copy of the mounts at and below a path; attached nowhere yet.
    Copy(PathBuf),
    /// The same, and the copy is read-only.
    CopyReadOnly(PathBuf),
    /// Makes a file system that is attached nowhere yet; if the kernel will not and it is not `needed`, then the
    /// box does without.
    Make { fstype: &'static str, attributes: MountAttrFlags, needed: bool },
    /// Makes all mounts read-only.
    ReadOnly,
    /// Takes away what the machine has mounted there, so that the list of mounts is easy to read.
    Detach(PathBuf),
    /// Locks what there is: nothing in the box can take the read-only attribute away.
    Seal,
    /// Mounts something fresh.
    Mount { fstype: &'static str, target: PathBuf, flags: MsFlags, data: String },
    /// Makes a directory, and those on the way to it.
    Directory(PathBuf),
    /// Attaches the oldest of what was made or copied and is left.
    Attach(PathBuf),
    /// Makes a part of `/proc` read-only.
    Cover(paths::Step),
    /// Mounts made in the box are seen in namespaces made from it, as on most machines.
    Share,
}

impl Machine {
    /// Looks which of the optional directories there are.
    pub(crate) fn look(self) -> Self {
        let present = OPTIONAL.into_iter().map(PathBuf::from).filter(|path| path.is_dir()).collect();
        Self { present, ..self }
    }

    fn has(&self, path: &str) -> bool {
        self.present.iter().any(|present| present == Path::new(path))
    }
}

/// The steps that turn the mounts of a new mount namespace into those of the box.
pub(crate) fn plan(machine: &Machine) -> Vec<Step> {
    let (cgroup_copies, cgroup_mounts) = cgroups(machine);
    let (kept_copies, kept_mounts) = kept(machine);

    let mut steps = vec![Step::Private];
    // While the machine's own are in sight and writable: see WHOLE_PROC.
    steps.push(Step::Make { fstype: "proc", attributes: safe_attributes(), needed: true });
    let attributes = safe_attributes() | MountAttrFlags::MOUNT_ATTR_RDONLY;
    steps.push(Step::Make { fstype: "sysfs", attributes, needed: false });
    steps.extend(cgroup_copies);
    steps.extend(kept_copies);
    steps.push(Step::ReadOnly);
    if machine.is_root {
        // For others these mounts are locked.
        let below_dev = machine.present.iter().filter(|path| path.starts_with("/dev")).cloned();
        steps.extend(["/proc".into(), "/sys".into()].into_iter().chain(below_dev).map(Step::Detach));
    }
    steps.push(Step::Seal);

    steps.extend([Step::Attach("/proc".into()), Step::Attach("/sys".into())]);
    if machine.is_root {
        // An ordinary user may not write there anyway.
        steps.extend(paths::READ_ONLY.map(|path| Step::Cover(paths::Step::ReadOnly(path.into()))));
    }
    steps.extend(devices(machine));
    steps.extend(cgroup_mounts);
    steps.extend(fresh_directories(machine));
    steps.extend(kept_mounts);
    steps.push(Step::Share);
    steps
}

/// Copies of the directories that stay as they are, and how they come back. One that lies in another comes after
/// it.
fn kept(machine: &Machine) -> (Vec<Step>, Vec<Step>) {
    let writable = machine.writable.iter().map(|path| (path, true));
    let mut kept: Vec<_> = writable.chain(machine.readable.iter().map(|path| (path, false))).collect();
    kept.sort_by_key(|(path, writable)| (*path, !writable));
    kept.dedup_by(|second, first| second.0 == first.0);
    let (mut copies, mut mounts) = (Vec::new(), Vec::new());
    for (path, writable) in kept {
        copies.push(if writable { Step::Copy(path.clone()) } else { Step::CopyReadOnly(path.clone()) });
        if FRESH.iter().any(|fresh| path.starts_with(fresh)) {
            mounts.push(Step::Directory(path.clone()));
        }
        mounts.push(Step::Attach(path.clone()));
    }
    (copies, mounts)
}

const SAFE: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

fn safe_attributes() -> MountAttrFlags {
    MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC
}

fn mount(fstype: &'static str, target: &str, flags: MsFlags, data: &str) -> Step {
    Step::Mount { fstype, target: target.into(), flags, data: data.to_owned() }
}

/// The terminals and message queues of the box.
fn devices(machine: &Machine) -> Vec<Step> {
    let mut steps = Vec::new();
    if machine.has("/dev/pts") {
        // The group `tty` of the machine, whose number nobody has changed for decades.
        let group = if machine.is_root { ",gid=5" } else { "" };
        let options = format!("newinstance,ptmxmode=0666,mode=0620{group}");
        steps.push(mount("devpts", "/dev/pts", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, &options));
    }
    if machine.has("/dev/mqueue") {
        steps.push(mount("mqueue", "/dev/mqueue", SAFE, ""));
    }
    steps
}

/// Copies of the cgroups to take, and how they become `/sys/fs/cgroup`.
fn cgroups(machine: &Machine) -> (Vec<Step>, Vec<Step>) {
    let top = Path::new(CGROUPS);
    if machine.cgroups.is_empty() {
        if !machine.has(CGROUPS) {
            return (Vec::new(), Vec::new());
        }
        return (vec![Step::CopyReadOnly(top.into())], vec![Step::Attach(top.into())]);
    }
    let copies = machine.cgroups.iter().map(|(from, _)| Step::Copy(from.clone())).collect();
    let attach = machine.cgroups.iter().map(|(_, to)| Step::Attach(to.clone()));
    if machine.cgroups.iter().any(|(_, to)| to == top) {
        return (copies, attach.collect());
    }
    // Several trees, each in a directory of its own.
    let mut steps = vec![mount("tmpfs", CGROUPS, SAFE, "mode=755")];
    steps.extend(machine.cgroups.iter().map(|(_, to)| Step::Directory(to.clone())));
    steps.extend(attach);
    steps.push(mount("", CGROUPS, SAFE | MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY, ""));
    (copies, steps)
}

/// The empty directories. Devices and set-user-id programs work in them: root file systems are built there.
fn fresh_directories(machine: &Machine) -> Vec<Step> {
    let tmpfs = |target: &str, mode: &str| {
        mount("tmpfs", target, MsFlags::empty(), &format!("mode={mode},size={}", machine.size))
    };
    let mut steps = vec![tmpfs("/tmp", "1777"), tmpfs("/run", "755")];
    for (path, mode) in [("/var/tmp", "1777"), ("/dev/shm", "1777"), ("/var/lib/mini-docker", "711")] {
        if machine.has(path) {
            steps.push(tmpfs(path, mode));
        }
    }
    // Programs expect the one, and mount(8) makes the other and leaves it.
    steps.extend(["/run/lock", "/run/mount"].map(|path| Step::Directory(path.into())));
    // ip-netns(8) wants a mount here, makes it if there is none, and never takes it away.
    steps.push(Step::Directory("/run/netns".into()));
    steps.push(tmpfs("/run/netns", "755"));
    if machine.is_root {
        steps.push(Step::Directory(WHOLE_PROC.into()));
        steps.push(mount("proc", WHOLE_PROC, SAFE, ""));
    }
    steps
}

/// Performs the steps.
///
/// # Errors
/// The first call that fails.
pub(crate) fn perform(steps: &[Step]) -> Result<()> {
    // In the order in which they are attached; none for what the box does without.
    let mut ready: VecDeque<Option<OwnedFd>> = VecDeque::new();
    for step in steps {
        match step {
            Step::Copy(path) => ready.push_back(Some(copy(path)?)),
            Step::CopyReadOnly(path) => {
                let copy = copy(path)?;
                read_only(&copy)?;
                ready.push_back(Some(copy));
            }
            Step::Make { fstype, attributes, needed } => match make(fstype, *attributes) {
                Err(error) if *needed => return Err(error),
                made => ready.push_back(made.ok()),
            },
            Step::Attach(target) => {
                if let Some(mount) = ready.pop_front().flatten() {
                    mount_api::move_mount(mount.as_fd(), target)?;
                }
            }
            step => step.perform()?,
        }
    }
    Ok(())
}

impl Step {
    /// Does what needs nothing but itself; the loop does the others.
    fn perform(&self) -> Result<()> {
        match self {
            Self::Private => change("/", MsFlags::MS_REC | MsFlags::MS_PRIVATE),
            Self::Share => change("/", MsFlags::MS_REC | MsFlags::MS_SHARED),
            Self::ReadOnly => {
                let root = mount_api::open_tree(Path::new("/"), OpenTreeFlags::empty())?;
                read_only(&root)
            }
            Self::Detach(path) => {
                // As often as something is mounted there; then the kernel says that there is no mount.
                while mount::umount2(path, MntFlags::MNT_DETACH).is_ok() {}
                Ok(())
            }
            Self::Mount { fstype, target, flags, data } => mount::mount(fstype, target, fstype, *flags, data),
            Self::Directory(path) => {
                let call = || format!("mkdir {}", path.display());
                fs::create_dir_all(path).map_err(|error| Error::from_io(call(), &error))
            }
            Self::Cover(step) => step.perform(),
            Self::Seal => seal::seal(),
            Self::Copy(_) | Self::CopyReadOnly(_) | Self::Make { .. } | Self::Attach(_) => Ok(()),
        }
    }
}

fn change(path: &str, propagation: MsFlags) -> Result<()> {
    mount::mount("", Path::new(path), "", propagation, "")
}

/// Named in the list of mounts as mount(8) would.
fn make(fstype: &str, attributes: MountAttrFlags) -> Result<OwnedFd> {
    let context = FsContext::fsopen(fstype)?;
    context.set_string("source", fstype)?;
    context.fsmount(attributes)
}

fn copy(path: &Path) -> Result<OwnedFd> {
    mount_api::open_tree(path, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE)
}

fn read_only(mount: &OwnedFd) -> Result<()> {
    let change = MountAttr { set: mount_api::RDONLY, recursive: true, ..MountAttr::default() };
    mount_api::mount_setattr(mount, change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(steps: &[Step], is_it: impl Fn(&Step) -> bool) -> usize {
        steps.iter().position(is_it).unwrap()
    }

    fn machine() -> Machine {
        Machine {
            is_root: true,
            present: vec!["/dev/pts".into(), CGROUPS.into()],
            cgroups: vec![("/sys/fs/cgroup/pids/x/box".into(), "/sys/fs/cgroup/pids".into())],
            writable: vec!["/tmp/work/target".into(), "/srv".into()],
            readable: vec!["/tmp/work".into()],
            size: 1 << 20,
        }
    }

    /// What is made or copied, in order, as what it is for.
    fn taken(steps: &[Step]) -> Vec<String> {
        let of = |step: &Step| match step {
            Step::Copy(path) | Step::CopyReadOnly(path) => Some(path.display().to_string()),
            Step::Make { fstype: "proc", .. } => Some("/proc".to_owned()),
            Step::Make { .. } => Some("/sys".to_owned()),
            _ => None,
        };
        steps.iter().filter_map(of).collect()
    }

    #[test]
    fn copies_are_taken_before_everything_is_read_only_and_after_it_is_private() {
        let steps = plan(&machine());
        assert_eq!(steps[0], Step::Private);
        let last = steps.iter().rposition(|step| matches!(step, Step::Copy(_) | Step::CopyReadOnly(_)));
        assert!(last.unwrap() < position(&steps, |step| *step == Step::ReadOnly));
    }

    #[test]
    fn what_is_taken_is_attached_in_the_same_order() {
        let steps = plan(&machine());
        let attached: Vec<String> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Attach(path) => Some(path.display().to_string()),
                _ => None,
            })
            .collect();
        let taken = taken(&steps);
        assert_eq!(taken[2], "/sys/fs/cgroup/pids/x/box");
        assert_eq!(attached[2], "/sys/fs/cgroup/pids");
        assert_eq!((&taken[..2], &taken[3..]), (&attached[..2], &attached[3..]));
    }

    #[test]
    fn a_writable_directory_in_a_readable_one_is_put_back_last() {
        let steps = plan(&machine());
        let at = |path: &str| position(&steps, |step| *step == Step::Attach(path.into()));
        assert!(at("/tmp/work") < at("/tmp/work/target"));
    }

    #[test]
    fn the_machines_mounts_are_locked_and_those_of_the_box_are_not() {
        let steps = plan(&machine());
        let seal = position(&steps, |step| *step == Step::Seal);
        assert!(position(&steps, |step| *step == Step::ReadOnly) < seal);
        assert!(seal < position(&steps, |step| matches!(step, Step::Attach(_) | Step::Mount { .. })));
        assert_eq!(steps.last(), Some(&Step::Share));
    }

    #[test]
    fn a_directory_asked_for_twice_is_writable_once() {
        let twice =
            Machine { readable: vec!["/srv".into()], writable: vec!["/srv".into()], ..Machine::default() };
        let steps = plan(&twice);
        assert!(steps.contains(&Step::Copy("/srv".into())));
        assert!(!steps.contains(&Step::CopyReadOnly("/srv".into())));
    }
}
