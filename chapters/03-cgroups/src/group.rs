//! A cgroup in use: made, joined, counted and changed.
//!
//! The handle knows in which trees the cgroup has a directory; on a v2 machine that is one. It keeps no file
//! open and no state: whoever knows the name can open it again, also after a crash.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use mini_sys::Pid;
use mini_sys::file::{read_text, write_existing};

use crate::controller::Controller;
use crate::layout::Layout;
use crate::limits::Limits;
use crate::plan::{self, PlanError};
use crate::stats::{Stats, keyed};
use crate::step::{self, Step};
use crate::update::{self, Now};
use crate::{v1, v2};

/// A cgroup, in all the trees in which it has a directory.
#[derive(Debug, Clone)]
pub struct Cgroup {
    pub(crate) layout: Layout,
    pub(crate) name: String,
    pub(crate) place: PathBuf,
    /// Its directory in the v2 tree.
    pub(crate) unified: Option<PathBuf>,
    /// Its directories in v1 trees.
    pub(crate) separate: Vec<(Vec<Controller>, PathBuf)>,
}

/// Limits that are not in force.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// They cannot be, here or at all.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A step failed. What had been made is removed again.
    #[error("limit the resources of `{name}`")]
    Step {
        /// The cgroup.
        name: String,
        /// The call that failed.
        source: mini_sys::Error,
    },
}

/// Where a controller's files of one cgroup are.
enum At<'a> {
    V1(&'a Path),
    V2(&'a Path),
}

impl Cgroup {
    /// Makes the cgroup `name` with `limits`: [`plan::plan`], performed.
    ///
    /// # Errors
    /// [`CgroupError`]; nothing is left behind.
    pub fn create(layout: &Layout, name: &str, limits: &Limits) -> Result<Self, CgroupError> {
        let steps = plan::plan(layout, name, limits)?;
        let mut made = Self {
            layout: layout.clone(),
            name: name.to_owned(),
            place: plan::place(name)?,
            unified: None,
            separate: Vec::new(),
        };
        for step in &steps {
            if let Err(source) = step.perform() {
                // Only what is ours, which is empty; and the failure to report is the first one.
                let _ = made.remove();
                return Err(CgroupError::Step { name: made.name, source });
            }
            made.separate.extend(step.made().map(|directory| (Vec::new(), directory)));
        }
        Ok(Self::open(layout, name)?)
    }

    /// The cgroup `name`, made by [`Cgroup::create`] or by performing a plan. It is no error that there is
    /// none: see [`Cgroup::exists`].
    ///
    /// # Errors
    /// [`PlanError::BadName`].
    pub fn open(layout: &Layout, name: &str) -> Result<Self, PlanError> {
        let place = plan::place(name)?;
        let directory = |base: &Path| Some(base.join(&place)).filter(|directory| directory.exists());
        let unified = layout.unified.as_ref().and_then(|unified| directory(&unified.directory));
        let separate = layout.hierarchies.iter();
        let separate = separate
            .filter_map(|it| directory(&it.directory).map(|directory| (it.controllers.clone(), directory)))
            .collect();
        Ok(Self { layout: layout.clone(), name: name.to_owned(), place, unified, separate })
    }

    /// Whether there is such a cgroup, in any tree.
    pub fn exists(&self) -> bool {
        self.directories().next().is_some()
    }

    /// Its directories: the v2 one first, then those in v1 trees.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.unified.iter().chain(self.separate.iter().map(|(_, directory)| directory)).map(PathBuf::as_path)
    }

    // ANCHOR: join
    /// The v2 directory, opened for `CLONE_INTO_CGROUP`: a process made with it is in the cgroup before its
    /// first instruction. None where there is no v2 tree. clone(2), Linux 5.7.
    ///
    /// # Errors
    /// `ENOENT` when the cgroup has been removed.
    pub fn directory(&self) -> mini_sys::Result<Option<OwnedFd>> {
        self.unified.as_deref().map(step::open).transpose()
    }

    /// The `cgroup.procs` files of the v1 trees. To be limited from its first instruction on, a process must
    /// wait until its pid stands in each of them.
    pub fn join_files(&self) -> Vec<PathBuf> {
        self.separate.iter().map(|(_, directory)| directory.join("cgroup.procs")).collect()
    }

    /// Puts the process `pid` into the v1 trees: what is left to do after `CLONE_INTO_CGROUP`.
    ///
    /// # Errors
    /// `ESRCH` when the process has ended, `EACCES` when it is not ours to move.
    pub fn join_separate(&self, pid: Pid) -> mini_sys::Result<()> {
        self.join_files().iter().try_for_each(|file| write_existing(file, &pid.to_string()))
    }
    // ANCHOR_END: join

    /// As [`Self::directory`], of the cgroup below this one that the process `pid` is in; none when it is in this one. A
    /// container may make cgroups of its own and enable controllers for them, and then the kernel takes no process into
    /// the one that holds them (`EBUSY`). cgroups(7), "Cgroups v2 no internal processes rule".
    ///
    /// # Errors
    /// `ESRCH` or `ENOENT` when the process has ended, those of open(2).
    pub fn directory_below(&self, pid: Pid) -> mini_sys::Result<Option<OwnedFd>> {
        let Some(own) = &self.unified else { return Ok(None) };
        let text = read_text(Path::new(&format!("/proc/{pid}/cgroup")))?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default();
        let below = path.split_once(&format!("/{}/", self.name)).map(|(_, below)| below);
        below.map(|below| step::open_below(own, Path::new(below))).transpose()
    }

    /// Puts the calling process, of one thread, into the v1 trees. Of a thread that moves itself the kernel need not
    /// fear that it forks or ends meanwhile, and does not wait for all processors as it does for
    /// [`Cgroup::join_separate`]: microseconds in place of milliseconds. Linux 5.5; cgroups(7), `tasks`.
    ///
    /// # Errors
    /// `ENOENT` when the cgroup has been removed, `EACCES` when it is not ours to join.
    pub fn enter_separate(&self) -> mini_sys::Result<()> {
        self.separate.iter().try_for_each(|(_, directory)| write_existing(&directory.join("tasks"), "0"))
    }

    /// Puts the process `pid` into every tree.
    ///
    /// # Errors
    /// As [`Cgroup::join_separate`].
    pub fn join(&self, pid: Pid) -> mini_sys::Result<()> {
        if let Some(unified) = &self.unified {
            write_existing(&unified.join("cgroup.procs"), &pid.to_string())?;
        }
        self.join_separate(pid)
    }

    /// The processes in it and in the cgroups below it.
    ///
    /// # Errors
    /// That of reading a directory or its `cgroup.procs`; a cgroup that is gone has none.
    pub fn pids(&self) -> mini_sys::Result<Vec<Pid>> {
        let mut pids = Vec::new();
        if let Some(directory) = self.directories().next() {
            crate::tree::pids(directory, &mut pids)?;
        }
        Ok(pids)
    }

    /// What it has used.
    ///
    /// # Errors
    /// That of reading a file.
    pub fn stats(&self) -> mini_sys::Result<Stats> {
        let mut stats = Stats::default();
        stats.memory = match self.at(Controller::Memory) {
            Some(At::V1(directory)) => Some(v1::stats::memory(directory)?),
            Some(At::V2(directory)) => Some(v2::stats::memory(directory)?),
            None => None,
        };
        stats.pids = match self.at(Controller::Pids) {
            Some(At::V1(directory)) => Some(v1::stats::pids(directory)?),
            Some(At::V2(directory)) => Some(v2::stats::pids(directory)?),
            None => None,
        };
        stats.cpu = match (self.at(Controller::Cpuacct), &self.unified) {
            (Some(At::V1(directory)), _) => Some(v1::stats::cpuacct(directory)?),
            (_, Some(unified)) => Some(v2::stats::cpu(unified)?),
            (_, None) => None,
        };
        if let (Some(At::V1(directory)), Some(cpu)) = (self.at(Controller::Cpu), &mut stats.cpu) {
            cpu.throttling = v1::stats::throttling(directory)?;
        }
        stats.io = match self.at(Controller::Io) {
            Some(At::V1(directory)) => v1::stats::io(directory)?,
            Some(At::V2(directory)) => v2::stats::io(directory)?,
            None => Vec::new(),
        };
        Ok(stats)
    }

    // ANCHOR: oom-kills
    /// How many of its processes the kernel has killed because the memory ran out; 0 where memory is not
    /// counted.
    ///
    /// # Errors
    /// That of reading a file.
    pub fn oom_kills(&self) -> mini_sys::Result<u64> {
        let text = match self.at(Controller::Memory) {
            Some(At::V1(directory)) => read_text(&directory.join("memory.oom_control"))?,
            Some(At::V2(directory)) => read_text(&directory.join("memory.events"))?,
            None => return Ok(0),
        };
        Ok(keyed(&text, "oom_kill").unwrap_or_default())
    }
    // ANCHOR_END: oom-kills

    /// Changes the limits of a running container; what `limits` does not mention stays as it is.
    ///
    /// # Errors
    /// [`CgroupError`]; steps before the one that failed stay done.
    pub fn update(&mut self, limits: &Limits) -> Result<(), CgroupError> {
        let steps = update::plan_update(&self.layout, &self.name, limits, &self.now())?;
        let failed = |source| CgroupError::Step { name: self.name.clone(), source };
        steps.iter().try_for_each(Step::perform).map_err(failed)?;
        *self = Self::open(&self.layout, &self.name)?;
        Ok(())
    }

    /// What an update must know about it.
    fn now(&self) -> Now {
        let (memory, memory_and_swap) = match self.at(Controller::Memory) {
            Some(At::V1(directory)) => {
                let memory = v1::stats::memory(directory).ok().and_then(|memory| memory.limit);
                (memory, v1::stats::memory_and_swap(directory))
            }
            Some(At::V2(directory)) => {
                let memory = v2::stats::memory(directory).ok().and_then(|memory| memory.limit);
                let swap = crate::stats::number(&directory.join("memory.swap.max")).ok().flatten();
                (memory, memory.zip(swap).map(|(memory, swap)| memory.saturating_add(swap)))
            }
            None => (None, None),
        };
        let controllers = Controller::ALL.into_iter().filter(|controller| self.at(*controller).is_some());
        let joined = self.directories().next().map(Path::to_owned);
        Now { memory, memory_and_swap, controllers: controllers.collect(), joined }
    }

    fn at(&self, controller: Controller) -> Option<At<'_>> {
        let separate = self.separate.iter().find(|(controllers, _)| controllers.contains(&controller));
        if let Some((_, directory)) = separate {
            return Some(At::V1(directory));
        }
        let is_offered = self.layout.unified.as_ref().is_some_and(|it| it.offered.contains(&controller));
        // A controller that is offered is at work only where it is enabled, and then has files.
        let sign = match controller {
            Controller::Memory => "memory.max",
            Controller::Pids => "pids.max",
            Controller::Cpu => "cpu.max",
            Controller::Cpuset => "cpuset.cpus",
            Controller::Io => "io.stat",
            Controller::Rdma => "rdma.max",
            // Its files are named by the sizes of pages, and no limit of another controller depends on it.
            Controller::Hugetlb => return None,
            Controller::Cpuacct | Controller::Devices | Controller::Freezer => return None,
            Controller::NetCls | Controller::NetPrio => return None,
        };
        let unified = self.unified.as_deref().filter(|it| is_offered && it.join(sign).exists());
        unified.map(At::V2)
    }
}
