//! `leaks` and `restore`: what is left on the machine of containers that are gone, and taking it away.
//!
//! By design nothing is ever left: a container's mounts end with its namespace, its processes with their pid 1, and
//! [`crate::repair`] sees to the rest. This looks at the kernel and at the files instead of at the design. Only what
//! bears our mark counts: a mount or a file below the directory of this engine, a process whose root is one of its
//! containers, an empty cgroup below `mini-docker` that no container of any engine can still be about to enter.
//! proc(5), umount2(2), cgroups(7); book ch. 10.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mini_cgroups::{Cgroup, Layout};
use mini_sys::mount::{self, MntFlags};
use mini_sys::pidfd;
use mini_sys::signal::Signal;
use mini_sys::{Errno, Pid};

use crate::create;
use crate::find;
use crate::home::Home;
use crate::kernel::unescape;
use crate::names;
use crate::record::{ProcessId, Record};
use crate::remove::{self, TRASH};
use crate::repair;

/// Something that belongs to no container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leak {
    /// A process, by its number, its start time and what it is called.
    Process(i32, u64, String),
    /// A mount, by its target.
    Mount(PathBuf),
    /// A cgroup, by the id that it is named after.
    Cgroup(String),
    /// A container that says it runs, or is being made, and nobody sees to it: its id and name.
    Record(String, String),
    /// Files of a container that was being made or removed.
    Directory(PathBuf),
    /// A name, and the id of a container that is not there.
    Name(String, String),
}

impl fmt::Display for Leak {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(pid, _, name) => write!(to, "process\t{pid} ({name})"),
            Self::Mount(target) => write!(to, "mount\t{}", target.display()),
            Self::Cgroup(id) => write!(to, "cgroup\t{}", Home::cgroup(id)),
            Self::Record(_, name) => write!(to, "container\t{name}, which nobody sees to any more"),
            Self::Directory(path) => write!(to, "files\t{}", path.display()),
            Self::Name(name, id) => write!(to, "name\t{name} of {id}"),
        }
    }
}

/// It cannot be taken away.
#[derive(Debug, thiserror::Error)]
pub enum LeakError {
    /// A call of the kernel.
    #[error(transparent)]
    Sys(#[from] mini_sys::Error),
    /// A cgroup that is not empty after all.
    #[error(transparent)]
    Cgroup(#[from] mini_cgroups::RemoveError),
    /// Files.
    #[error(transparent)]
    Files(#[from] remove::RemoveError),
    /// A name.
    #[error("release the name {0}")]
    Name(String, #[source] std::io::Error),
    /// It is still there.
    #[error("it is still there")]
    Stays,
}

/// How long a command may have taken to go from one step to the next: what is left for longer is left for good.
const PATIENCE: Duration = Duration::from_millis(300);

/// An empty cgroup that is this old is not about to be entered.
const OLD: Duration = Duration::from_secs(10);

/// What is left now. Looks twice where it finds something, because a container that is being made or removed right now
/// looks like a leak for a moment.
pub fn look(home: &Home, layout: Option<&Layout>) -> Vec<Leak> {
    let first = look_once(home, layout);
    if first.is_empty() {
        return Vec::new();
    }
    std::thread::sleep(PATIENCE);
    look_once(home, layout).intersection(&first).cloned().collect()
}

fn look_once(home: &Home, layout: Option<&Layout>) -> BTreeSet<Leak> {
    let has_record = |id: &String| home.container(id).join("record.json").exists();
    let (ids, others): (BTreeSet<String>, BTreeSet<String>) =
        find::ids(home).unwrap_or_default().into_iter().partition(has_record);
    let mut leaks = BTreeSet::new();
    leaks.extend(processes(home, &ids).into_iter().filter(|leak| exists(layout, leak)));
    leaks.extend(mounts(home, &ids));
    leaks.extend(layout.into_iter().flat_map(|layout| cgroups(layout, &ids)));
    leaks.extend(records(home, &ids));
    leaks.extend(directories(home, &others));
    leaks.extend(names(home, &ids));
    leaks
}

/// Whether the cgroup that is said to be left is there; everything else is.
fn exists(layout: Option<&Layout>, leak: &Leak) -> bool {
    let Leak::Cgroup(id) = leak else { return true };
    let cgroup = layout.and_then(|layout| Cgroup::open(layout, &Home::cgroup(id)).ok());
    cgroup.is_some_and(|cgroup| cgroup.exists())
}

/// Processes that see the files of a container, or watch one, that is not there, and its cgroup.
fn processes(home: &Home, ids: &BTreeSet<String>) -> Vec<Leak> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim_end().to_owned();
        let of = of_root(home, &entry.path()).or_else(|| of_files(home, &entry.path(), &name));
        if let (Some(id), Some(process)) = (of, ProcessId::of(Pid::from_raw(pid)))
            && !ids.contains(&id)
        {
            found.push(Leak::Process(pid, process.start_time, name));
            found.push(Leak::Cgroup(id));
        }
    }
    found
}

/// The container whose upper directory is part of the process's root.
fn of_root(home: &Home, process: &Path) -> Option<String> {
    let mountinfo = fs::read_to_string(process.join("mountinfo")).ok()?;
    let root = mountinfo.lines().rfind(|line| line.split(' ').nth(4) == Some("/"))?;
    let options = root.rsplit(' ').next()?;
    let upper = options.split(',').find_map(|option| option.strip_prefix("upperdir="))?;
    container(home, Path::new(&unescape(upper)))
}

/// The container whose files a monitor holds open.
fn of_files(home: &Home, process: &Path, name: &str) -> Option<String> {
    if !name.starts_with(MONITOR) {
        return None;
    }
    let links = fs::read_dir(process.join("fd")).ok()?.flatten();
    links.filter_map(|link| fs::read_link(link.path()).ok()).find_map(|path| container(home, &path))
}

/// What monitors are called; the kernel cuts names after 15 letters.
const MONITOR: &str = "mini-docker-mon";

/// The id in a path below the directory of containers.
fn container(home: &Home, path: &Path) -> Option<String> {
    let below = path.strip_prefix(home.containers()).ok()?;
    let first = below.iter().next()?.to_str()?;
    let id = first.strip_prefix(TRASH).unwrap_or(first);
    is_id(id).then(|| id.to_owned())
}

/// Whether this is what ids look like.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Mounts of the host in a container's directory. A container's own are in its namespace.
fn mounts(home: &Home, ids: &BTreeSet<String>) -> Vec<Leak> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let targets =
        mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape).map(PathBuf::from);
    let is_left = |target: &PathBuf| container(home, target).is_some_and(|id| !ids.contains(&id));
    targets.filter(is_left).map(Leak::Mount).collect()
}

/// Empty cgroups of containers that are not ours, and can be nobody's.
fn cgroups(layout: &Layout, ids: &BTreeSet<String>) -> BTreeSet<Leak> {
    let trees = layout.unified.iter().map(|tree| &tree.directory);
    let trees = trees.chain(layout.hierarchies.iter().map(|tree| &tree.directory));
    let entries =
        trees.flat_map(|tree| fs::read_dir(tree.join(Home::cgroup(""))).into_iter().flatten().flatten());
    let ids_of_cgroups = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found = BTreeSet::new();
    for id in ids_of_cgroups.filter(|id| is_id(id) && !ids.contains(id)) {
        let Ok(cgroup) = Cgroup::open(layout, &Home::cgroup(&id)) else { continue };
        let is_old = |directory: &Path| {
            let made = fs::metadata(directory).and_then(|metadata| metadata.modified());
            made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age > OLD))
        };
        if cgroup.directories().all(|directory| is_old(directory) && is_empty(directory)) {
            found.insert(Leak::Cgroup(id));
        }
    }
    found
}

/// Whether no process is in the cgroup or below it.
fn is_empty(directory: &Path) -> bool {
    let own = fs::read_to_string(directory.join("cgroup.procs"));
    let below = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut below = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    own.is_ok_and(|pids| pids.is_empty()) && below.all(|entry| is_empty(&entry.path()))
}

fn records(home: &Home, ids: &BTreeSet<String>) -> Vec<Leak> {
    let records = ids.iter().filter_map(|id| Record::load(home, id).ok().flatten());
    let broken = records.filter(repair::is_broken);
    broken.map(|record| Leak::Record(record.id, record.name)).collect()
}

/// Directories that are being made or removed by nobody, and `others`, which have no record.
fn directories(home: &Home, others: &BTreeSet<String>) -> Vec<Leak> {
    let entries = fs::read_dir(home.containers()).into_iter().flatten().flatten();
    let is_left = |name: &str| name.starts_with(TRASH) || create::is_abandoned(name) || others.contains(name);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| is_left(name)).map(|name| Leak::Directory(home.containers().join(name))).collect()
}

fn names(home: &Home, ids: &BTreeSet<String>) -> Vec<Leak> {
    let entries = fs::read_dir(home.names()).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let pairs = names.filter_map(|name| names::owner(home, &name).map(|id| (name, id)));
    pairs.filter(|(_, id)| !ids.contains(id)).map(|(name, id)| Leak::Name(name, id)).collect()
}

/// Takes all of it away, processes first, because they hold the rest. What cannot be taken away comes back with the
/// reason. Records are mended as every command mends them.
pub fn restore(home: &Home, layout: Option<&Layout>, leaks: &[Leak]) -> Vec<(Leak, LeakError)> {
    let mut failures = Vec::new();
    repair::sweep(home, layout);
    let (mounts, others): (Vec<&Leak>, Vec<&Leak>) =
        leaks.iter().partition(|leak| matches!(leak, Leak::Mount(_)));
    let (processes, rest): (Vec<&Leak>, Vec<&Leak>) =
        others.into_iter().partition(|leak| matches!(leak, Leak::Process(..)));
    // Of mounts, the last made is the first to go.
    for leak in processes.into_iter().chain(mounts.into_iter().rev()).chain(rest) {
        if let Err(error) = take_away(home, layout, leak) {
            failures.push((leak.clone(), error));
        }
    }
    failures
}

fn take_away(home: &Home, layout: Option<&Layout>, leak: &Leak) -> Result<(), LeakError> {
    match leak {
        Leak::Process(pid, start_time, _) => kill(*pid, *start_time),
        Leak::Mount(target) => match mount::umount2(target, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
        {
            Err(error) if matches!(error.errno(), Errno::EINVAL | Errno::ENOENT) => Ok(()),
            other => Ok(other?),
        },
        Leak::Cgroup(id) => {
            let cgroup = layout.and_then(|layout| Cgroup::open(layout, &Home::cgroup(id)).ok());
            cgroup.map_or(Ok(()), |cgroup| remove_when_empty(&cgroup))
        }
        Leak::Directory(path) => Ok(remove::delete(path)?),
        Leak::Name(name, id) => {
            names::release(home, name, id).map_err(|source| LeakError::Name(name.clone(), source))
        }
        Leak::Record(id, _) => match Record::load(home, id) {
            Ok(Some(record)) if repair::is_broken(&record) => Err(LeakError::Stays),
            _ => Ok(()),
        },
    }
}

/// A killed process is in its cgroup for a moment longer.
fn remove_when_empty(cgroup: &Cgroup) -> Result<(), LeakError> {
    for _ in 0..ATTEMPTS {
        if cgroup.remove().is_ok() {
            return Ok(());
        }
        std::thread::sleep(MOMENT);
    }
    Ok(cgroup.remove()?)
}

/// How often, and how long apart, the end of something is looked for.
const ATTEMPTS: u32 = 1000;
const MOMENT: Duration = Duration::from_millis(2);

/// Kills the process that had this start time, and waits for its end.
fn kill(pid: i32, start_time: u64) -> Result<(), LeakError> {
    let fd = match pidfd::pidfd_open(Pid::from_raw(pid)) {
        Err(error) if error.errno() == Errno::ESRCH => return Ok(()),
        fd => fd?,
    };
    // The descriptor means that process now; whether it is the one that was found, its start time tells.
    if ProcessId::of(Pid::from_raw(pid)).is_none_or(|process| process.start_time != start_time) {
        return Ok(());
    }
    match pidfd::pidfd_send_signal(&fd, Signal::SIGKILL) {
        Err(error) if error.errno() == Errno::ESRCH => {}
        other => other?,
    }
    for _ in 0..ATTEMPTS {
        if !mini_sys::procfs::is_alive_since(Pid::from_raw(pid), start_time) {
            return Ok(());
        }
        std::thread::sleep(MOMENT);
    }
    Err(LeakError::Stays)
}
