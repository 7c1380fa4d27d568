//! The box's cgroups: what limits it from outside, and what it may work in.
//!
//! ```text
//! course-box/<pid>-<start time>/   the limits; not to be seen in the box
//!     box/                         what the box has for /sys/fs/cgroup
//!         command/                 v2: where the program starts, so that `box` may enable controllers
//! ```
//! The two upper levels differ because a program may write to the files of the cgroup that it sees as the top.
//! cgroups(7), cgroup_namespaces(7).

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use mini_cgroups::{
    Cgroup, CgroupError, Controller, Layout, PlanError, RemoveError, Step, default_devices, plan,
};
use mini_sys::file::{self, CWD, Mode, OFlags, ResolveFlags, read_text};
use mini_sys::{Errno, Pid, Result, procfs};

use crate::request::Limits;

/// The cgroup that all boxes of a machine lie in.
const PARENT: &str = "course-box";
const TOP: &str = "box";
const COMMAND: &str = "command";

/// Bytes: who has been that close to a limit has met it. The kernel asks for several pages at once.
const CLOSE: u64 = 1 << 20;

/// The cgroups of a box cannot be made, or be taken away.
#[derive(Debug, thiserror::Error)]
pub enum BoxCgroupError {
    /// Where cgroups are cannot be read.
    #[error("look what this machine can do")]
    Look(#[source] mini_sys::Error),
    /// They cannot be made.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// What is left in them cannot be killed.
    #[error("kill what is left in the box")]
    Kill(#[source] mini_sys::Error),
    /// They cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
}

/// The cgroups of one box, made.
#[derive(Debug)]
pub(crate) struct BoxCgroup {
    layout: Layout,
    name: String,
}

/// How a process of the box gets to its cgroup. Everything is open already: in the box, nothing leads there.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    /// `cgroup.procs` of the top, in each tree.
    pub(crate) top: Vec<OwnedFd>,
    /// `cgroup.procs` of the cgroup of the program, in the v2 tree.
    pub(crate) command: Option<OwnedFd>,
    /// `cgroup.subtree_control` of the top, and the line for it.
    pub(crate) enable: Option<(OwnedFd, String)>,
}

impl BoxCgroup {
    /// Makes them, or none where this machine gives us no cgroups to make.
    ///
    /// # Errors
    /// When a step fails; nothing is left then.
    pub(crate) fn create(limits: &Limits) -> std::result::Result<Option<Self>, BoxCgroupError> {
        let layout = Layout::detect().map_err(BoxCgroupError::Look)?;
        if !is_usable(&layout) {
            return Ok(None);
        }
        let own = Pid::this();
        let name = format!("{PARENT}/{own}-{}", procfs::start_time(own).unwrap_or_default());
        let made = Self { layout, name };
        let failed = |source| BoxCgroupError::Cgroup(CgroupError::Step { name: made.name.clone(), source });
        for step in
            steps(&made.layout, &made.name, limits).map_err(|error| BoxCgroupError::Cgroup(error.into()))?
        {
            if let Err(source) = step.perform() {
                // The failure to report is the first one.
                let _ = made.remove();
                return Err(failed(source));
            }
        }
        Ok(Some(made))
    }

    /// Whether `memory` is limited.
    pub(crate) fn limits_memory(&self) -> bool {
        has(&self.layout, Controller::Memory)
    }

    /// Whether the number of processes is limited.
    pub(crate) fn limits_pids(&self) -> bool {
        has(&self.layout, Controller::Pids)
    }

    /// What the box sees instead of the machine's trees: the directory, and where it goes.
    pub(crate) fn views(&self) -> Vec<(PathBuf, PathBuf)> {
        let usual = Path::new("/sys/fs/cgroup");
        let inside = |point: &Path| match (point.starts_with(usual), point.file_name()) {
            (true, _) | (_, None) => point.to_owned(),
            (false, Some(name)) => usual.join(name),
        };
        let unified = self.layout.unified.iter().map(|unified| {
            let alone = self.layout.is_unified_alone();
            let point = if alone { usual.to_owned() } else { inside(&unified.directory) };
            (self.top(&unified.directory), point)
        });
        let separate = self.layout.hierarchies.iter();
        let separate = separate.map(|it| (self.top(&it.directory), inside(&it.directory)));
        unified.chain(separate).collect()
    }

    /// Opens what a process needs to enter.
    ///
    /// # Errors
    /// Those of open(2).
    pub(crate) fn entrance(&self) -> Result<Entrance> {
        let mut entrance = Entrance::default();
        for base in bases(&self.layout) {
            entrance.top.push(open(&self.top(base).join("cgroup.procs"))?);
        }
        if let Some(unified) = &self.layout.unified {
            let top = self.top(&unified.directory);
            entrance.command = Some(open(&top.join(COMMAND).join("cgroup.procs"))?);
            let offered = read_text(&top.join("cgroup.controllers"))?;
            let line: Vec<String> = offered.split_ascii_whitespace().map(|name| format!("+{name}")).collect();
            if !line.is_empty() {
                entrance.enable = Some((open(&top.join("cgroup.subtree_control"))?, line.join(" ")));
            }
        }
        Ok(entrance)
    }

    /// Whether the box's own limit on memory made the kernel kill. A cgroup within the box that has a limit of
    /// its own, and reaches that, does not count.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        let separate = self.layout.hierarchies.iter().find(|it| it.controllers.contains(&Controller::Memory));
        match (separate, &self.layout.unified) {
            (Some(hierarchy), _) => {
                let directory = hierarchy.directory.join(&self.name);
                let [most, limit] = ["memory.max_usage_in_bytes", "memory.limit_in_bytes"]
                    .map(|file| value(&directory.join(file), "").unwrap_or_default());
                let killed =
                    |group: &PathBuf| value(&group.join("memory.oom_control"), "oom_kill ") > Some(0);
                most + CLOSE >= limit && tree(&directory).iter().any(killed)
            }
            (None, Some(unified)) => {
                let events = unified.directory.join(&self.name).join("memory.events.local");
                value(&events, "oom ") > Some(0)
            }
            (None, None) => false,
        }
    }

    /// Ends what is in them and removes them, and the parent with the last box.
    ///
    /// # Errors
    /// What is in the way.
    pub(crate) fn remove(&self) -> std::result::Result<(), BoxCgroupError> {
        remove(&self.layout, &self.name)
    }

    fn top(&self, base: &Path) -> PathBuf {
        base.join(&self.name).join(TOP)
    }
}

/// Takes away what killed boxes left, and says what that was: their cgroups, and with them their processes.
///
/// # Errors
/// What could not be taken away; the rest has been.
pub fn restore() -> std::result::Result<Vec<String>, BoxCgroupError> {
    let layout = Layout::detect().map_err(BoxCgroupError::Look)?;
    let mut left: Vec<String> = Vec::new();
    for base in bases(&layout) {
        let entries = fs::read_dir(base.join(PARENT)).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        left.extend(directories.filter_map(|entry| entry.file_name().into_string().ok()));
    }
    left.sort_unstable();
    left.dedup();
    left.retain(|name| !is_of_a_living_runner(name));
    let mut said = Vec::new();
    let mut first = Ok(());
    for name in left {
        let name = format!("{PARENT}/{name}");
        match remove(&layout, &name) {
            Ok(()) => said.push(format!("removed the cgroup `{name}` of a box whose runner was killed")),
            Err(error) => first = first.and(Err(error)),
        }
    }
    first.map(|()| said)
}

/// Whether the process that made the box `<pid>-<start time>` is still there. Names that we do not give are
/// somebody else's to remove.
fn is_of_a_living_runner(name: &str) -> bool {
    let parts = name.split_once('-').and_then(|(pid, start)| {
        Some((pid.parse::<i32>().ok().map(Pid::from_raw)?, start.parse::<u64>().ok()?))
    });
    let Some((pid, start)) = parts else { return true };
    procfs::is_alive(pid) && procfs::start_time(pid) == Some(start)
}

fn remove(layout: &Layout, name: &str) -> std::result::Result<(), BoxCgroupError> {
    let cgroup = Cgroup::open(layout, name).map_err(|error| BoxCgroupError::Cgroup(error.into()))?;
    if cgroup.exists() {
        cgroup.kill_all().map_err(BoxCgroupError::Kill)?;
        cgroup.remove()?;
    }
    for base in bases(layout) {
        // Another box may be in it, or be about to.
        let _ = fs::remove_dir(base.join(PARENT));
    }
    Ok(())
}

/// The number behind `key` in a file of the kernel; with no key, the first one.
fn value(file: &Path, key: &str) -> Option<u64> {
    let text = read_text(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key))?.trim().parse().ok()
}

/// The directories beneath which our cgroups go, one for each tree.
fn bases(layout: &Layout) -> impl Iterator<Item = &Path> {
    let separate = layout.hierarchies.iter().map(|hierarchy| hierarchy.directory.as_path());
    layout.unified.iter().map(|unified| unified.directory.as_path()).chain(separate)
}

/// As root, wherever there is a tree. As a user, only where that moves no process of the machine.
fn is_usable(layout: &Layout) -> bool {
    let is_free = layout.unified.as_ref().is_some_and(|unified| !unified.occupied);
    if layout.privileged { bases(layout).next().is_some() } else { is_free && layout.is_unified_alone() }
}

fn has(layout: &Layout, controller: Controller) -> bool {
    let separate = layout.hierarchies.iter().any(|it| it.controllers.contains(&controller));
    separate || layout.unified.as_ref().is_some_and(|unified| unified.offered.contains(&controller))
}

/// What makes the cgroups `name`, with these limits where the machine has the controllers.
fn steps(layout: &Layout, name: &str, limits: &Limits) -> std::result::Result<Vec<Step>, PlanError> {
    let bytes = i64::try_from(limits.memory).unwrap_or(i64::MAX);
    let memory = has(layout, Controller::Memory).then_some(bytes);
    let pids = has(layout, Controller::Pids).then(|| i64::try_from(limits.pids).unwrap_or(i64::MAX));
    // These limit nothing: they are there so that the controllers are, for the cgroups in the box.
    let present = mini_cgroups::Limits {
        cpu_shares: has(layout, Controller::Cpu).then_some(1024),
        cpuset_cpus: has(layout, Controller::Cpuset).then(|| layout.cpus.to_string()),
        cpuset_mems: has(layout, Controller::Cpuset).then(|| layout.mems.to_string()),
        ..mini_cgroups::Limits::default()
    };
    let outer = mini_cgroups::Limits {
        memory,
        memory_swap: memory,
        pids,
        devices: if layout.privileged { default_devices() } else { Vec::new() },
        ..present.clone()
    };
    let mut steps = plan(layout, name, &outer)?;
    steps.extend(plan(layout, &format!("{name}/{TOP}"), &present)?);
    let place = Path::new(name).join(TOP);
    let made = |base: &Path, steps: &[Step]| {
        let is_it = |step: &Step| matches!(step, Step::MakeDirectory { base: b, place: p } if b == base && *p == place);
        steps.iter().any(is_it)
    };
    for base in bases(layout) {
        if !made(base, &steps) {
            steps.push(Step::MakeDirectory { base: base.to_owned(), place: place.clone() });
        }
    }
    if let Some(unified) = &layout.unified {
        let place = place.join(COMMAND);
        steps.push(Step::MakeDirectory { base: unified.directory.clone(), place });
    }
    Ok(steps)
}

/// `directory` and the cgroups below it.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![directory.to_owned()];
    let mut next = 0;
    while let Some(directory) = found.get(next) {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let below: Vec<PathBuf> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect();
        found.extend(below);
        next += 1;
    }
    found
}

fn open(file: &Path) -> Result<OwnedFd> {
    file::openat2(CWD, file, OFlags::WRONLY, Mode::empty(), ResolveFlags::empty())
}

impl Entrance {
    /// Moves the calling process in. What it sees as the root of all cgroups is the top from then on.
    ///
    /// # Errors
    /// Those of write(2) and unshare(2).
    pub(crate) fn enter(&self) -> Result<()> {
        for procs in &self.top {
            mini_sys::ipc::write(procs, b"0")?;
        }
        mini_sys::namespace::unshare(mini_sys::namespace::CloneFlags::CLONE_NEWCGROUP)?;
        if let Some(procs) = &self.command {
            mini_sys::ipc::write(procs, b"0")?;
        }
        match &self.enable {
            // A cpuset may not be enabled where the machine's own has no CPUs left to give.
            Some((file, line)) => match mini_sys::ipc::write(file, line.as_bytes()) {
                Err(error) if error.errno() != Errno::ENOENT => Err(error),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_box_tells_who_made_it() {
        let own = Pid::this();
        let start = procfs::start_time(own).unwrap();
        assert!(is_of_a_living_runner(&format!("{own}-{start}")));
        assert!(!is_of_a_living_runner(&format!("{own}-{}", start + 1)));
        assert!(is_of_a_living_runner("somebody-else"));
    }

    #[test]
    fn the_limits_stand_above_what_the_box_sees() {
        let unified = mini_cgroups::Unified {
            directory: "/sys/fs/cgroup".into(),
            offered: vec![Controller::Memory, Controller::Pids],
            enabled: Vec::new(),
            occupied: false,
        };
        let layout = Layout { unified: Some(unified), ..Layout::default() };
        let steps = steps(&layout, "course-box/1-2", &Limits::default()).unwrap();
        let calls: Vec<String> = steps.iter().map(Step::call).collect();
        let writes = |file: &str| calls.iter().any(|call| call.ends_with(file));
        assert!(writes("course-box/1-2/memory.max"), "{calls:#?}");
        assert!(writes("course-box/1-2/pids.max"), "{calls:#?}");
        assert_eq!(calls.last().unwrap(), "mkdir /sys/fs/cgroup/course-box/1-2/box/command");
    }
}
