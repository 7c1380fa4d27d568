//! The mount tree of the box, as a list of steps.
//!
//! The whole machine is there to be read, with one attribute on all of its mounts that forbids writing. What a
//! program must have for itself is mounted over that: its own `/proc`, an empty `/tmp` and `/run`, its own part
//! of `/sys/fs/cgroup`. Copies of what stays writable are taken before everything is made read-only, and put
//! back after. mount_setattr(2), open_tree(2), move_mount(2).

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use mini_security::paths;
use mini_sys::mount::{self, MntFlags, MsFlags};
use mini_sys::mount_api::{self, MountAttr, OpenTreeFlags};
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
    Copy { path: PathBuf, writable: bool },
    /// Makes all mounts read-only.
    ReadOnly,
    /// Takes away what the machine has mounted there, so that the list of mounts is easy to read.
    Detach(PathBuf),
    /// Mounts something fresh.
    Mount { fstype: &'static str, target: PathBuf, flags: MsFlags, data: String, needed: bool },
    /// Makes a directory, and those on the way to it.
    Directory(PathBuf),
    /// Attaches the oldest copy that is left.
    Attach(PathBuf),
    /// Makes a part of `/proc` read-only.
    Cover(paths::Step),
    /// Locks what there is: nothing in the box can take the read-only attribute away.
    Seal,
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
    let mut copies: Vec<(PathBuf, bool, PathBuf)> = Vec::new();
    // One that lies in another is put back after it.
    let writable = machine.writable.iter().map(|path| (path, true));
    let mut kept: Vec<_> = writable.chain(machine.readable.iter().map(|path| (path, false))).collect();
    kept.sort_by_key(|(path, writable)| (*path, !writable));
    kept.dedup_by(|second, first| second.0 == first.0);
    copies.extend(kept.iter().map(|(path, writable)| ((*path).clone(), *writable, (*path).clone())));
    let (cgroup_copies, cgroup_mounts) = cgroups(machine);

    let mut steps = vec![Step::Private];
    let all = cgroup_copies.iter().chain(&copies);
    steps.extend(all.map(|(path, writable, _)| Step::Copy { path: path.clone(), writable: *writable }));
    steps.push(Step::ReadOnly);
    if machine.is_root {
        // For others these mounts are locked, and the new ones depend on them.
        steps.extend(covered(machine).map(Step::Detach));
    }
    steps.extend(kernel_file_systems(machine));
    steps.extend(cgroup_mounts);
    steps.extend(fresh_directories(machine));
    for (_, _, target) in copies {
        if FRESH.iter().any(|fresh| target.starts_with(fresh)) {
            steps.push(Step::Directory(target.clone()));
        }
        steps.push(Step::Attach(target));
    }
    steps.extend([Step::Seal, Step::Share]);
    steps
}

/// What something fresh will be mounted on.
fn covered(machine: &Machine) -> impl Iterator<Item = PathBuf> {
    let always = ["/proc", "/sys", "/tmp", "/run"].map(PathBuf::from);
    let below_sys = |path: &PathBuf| path != Path::new(CGROUPS);
    always.into_iter().chain(machine.present.clone().into_iter().filter(below_sys))
}

const SAFE: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

fn mount(fstype: &'static str, target: &str, flags: MsFlags, data: &str) -> Step {
    Step::Mount { fstype, target: target.into(), flags, data: data.to_owned(), needed: true }
}

/// The same, and if the kernel will not, then the box does without.
fn try_mount(fstype: &'static str, target: &str, flags: MsFlags, data: &str) -> Step {
    Step::Mount { fstype, target: target.into(), flags, data: data.to_owned(), needed: false }
}

/// What the kernel shows: of the box's own processes, interfaces, terminals and queues.
fn kernel_file_systems(machine: &Machine) -> Vec<Step> {
    let mut steps = vec![mount("proc", "/proc", SAFE, "")];
    if machine.is_root {
        // An ordinary user may not write there anyway.
        steps.extend(paths::READ_ONLY.map(|path| Step::Cover(paths::Step::ReadOnly(path.into()))));
    }
    steps.push(try_mount("sysfs", "/sys", SAFE | MsFlags::MS_RDONLY, ""));
    if machine.has("/dev/pts") {
        let options = if machine.is_root {
            "newinstance,ptmxmode=0666,mode=0620,gid=5"
        } else {
            "newinstance,ptmxmode=0666,mode=0620"
        };
        steps.push(mount("devpts", "/dev/pts", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, options));
    }
    if machine.has("/dev/mqueue") {
        steps.push(try_mount("mqueue", "/dev/mqueue", SAFE, ""));
    }
    steps
}

/// Copies to take, and how they become `/sys/fs/cgroup`.
fn cgroups(machine: &Machine) -> (Vec<(PathBuf, bool, PathBuf)>, Vec<Step>) {
    let top = Path::new(CGROUPS);
    if machine.cgroups.is_empty() {
        if !machine.has(CGROUPS) {
            return (Vec::new(), Vec::new());
        }
        return (vec![(top.into(), false, top.into())], vec![Step::Attach(top.into())]);
    }
    let copies = machine.cgroups.iter().map(|(from, to)| (from.clone(), true, to.clone())).collect();
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
    steps.push(Step::Directory("/run/lock".into()));
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
    let mut copies = std::collections::VecDeque::new();
    for step in steps {
        match step {
            Step::Copy { path, writable } => copies.push_back(copy(path, *writable)?),
            Step::Attach(target) => {
                let nothing = || Error::new(format!("attach {}", target.display()), mini_sys::Errno::EINVAL);
                let copied: OwnedFd = copies.pop_front().ok_or_else(nothing)?;
                mount_api::move_mount(copied.as_fd(), target)?;
            }
            step => step.perform()?,
        }
    }
    Ok(())
}

impl Step {
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
            Self::Mount { fstype, target, flags, data, needed } => {
                match mount::mount(fstype, target, fstype, *flags, data) {
                    Err(error) if *needed => Err(error),
                    _ => Ok(()),
                }
            }
            Self::Directory(path) => {
                let call = || format!("mkdir {}", path.display());
                fs::create_dir_all(path).map_err(|error| Error::from_io(call(), &error))
            }
            Self::Cover(step) => step.perform(),
            Self::Seal => seal::seal(),
            // Performed by the loop, which holds the copies.
            Self::Copy { .. } | Self::Attach(_) => Ok(()),
        }
    }
}

fn change(path: &str, propagation: MsFlags) -> Result<()> {
    mount::mount("", Path::new(path), "", propagation, "")
}

fn copy(path: &Path, writable: bool) -> Result<OwnedFd> {
    let how = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE;
    let copy = mount_api::open_tree(path, how)?;
    if !writable {
        read_only(&copy)?;
    }
    Ok(copy)
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

    #[test]
    fn copies_are_taken_before_everything_is_read_only_and_after_it_is_private() {
        let steps = plan(&machine());
        let read_only = position(&steps, |step| *step == Step::ReadOnly);
        assert_eq!(steps[0], Step::Private);
        let last = steps.iter().rposition(|step| matches!(step, Step::Copy { .. })).unwrap();
        assert!(last < read_only);
    }

    #[test]
    fn every_copy_is_attached_in_the_order_in_which_it_was_taken() {
        let steps = plan(&machine());
        let copied: Vec<&Path> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Copy { path, .. } => Some(path.as_path()),
                _ => None,
            })
            .collect();
        let attached: Vec<&Path> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Attach(path) => Some(path.as_path()),
                _ => None,
            })
            .collect();
        assert_eq!(copied.len(), attached.len());
        assert_eq!(copied[0], Path::new("/sys/fs/cgroup/pids/x/box"));
        assert_eq!(attached[0], Path::new("/sys/fs/cgroup/pids"));
        assert_eq!(copied[1..], attached[1..]);
    }

    #[test]
    fn a_writable_directory_in_a_readable_one_is_put_back_last() {
        let steps = plan(&machine());
        let at = |path: &str| position(&steps, |step| *step == Step::Attach(path.into()));
        assert!(at("/tmp/work") < at("/tmp/work/target"));
    }

    #[test]
    fn everything_is_in_place_before_it_is_sealed() {
        let steps = plan(&machine());
        assert_eq!(steps[steps.len() - 2..], [Step::Seal, Step::Share]);
    }

    #[test]
    fn a_directory_asked_for_twice_is_writable_once() {
        let twice =
            Machine { readable: vec!["/srv".into()], writable: vec!["/srv".into()], ..Machine::default() };
        let copies = plan(&twice).into_iter().filter(|step| matches!(step, Step::Copy { .. })).count();
        assert_eq!(copies, 1);
        assert!(plan(&twice).contains(&Step::Copy { path: "/srv".into(), writable: true }));
    }
}
