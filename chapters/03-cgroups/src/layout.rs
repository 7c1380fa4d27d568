//! Where on this machine our cgroups go, and what they can limit there.
//!
//! A kernel offers its controllers in one tree (v2), in a tree for each (v1), or in both at once (hybrid);
//! each controller lives in exactly one of them. As root our cgroups lie beneath the root of each tree. A
//! user may only work beneath a cgroup that was handed over to him ("delegated"), which is safe in v2 alone.
//! This module only looks; it makes and changes nothing. cgroups(7), cgroup-v2.rst "Delegation"; book ch. 3.

use std::path::{Path, PathBuf};

use mini_sys::capability::{CapabilitySet, capget};
use mini_sys::file::read_text;
use mini_sys::{Result, access};

use crate::controller::Controller;
use crate::cpu_list::CpuList;
use crate::mountinfo::{self, Kind, Mount};

/// What this process can do with cgroups on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The v2 tree, if we may make cgroups in it.
    pub unified: Option<Unified>,
    /// The v1 trees in which we may make cgroups.
    pub hierarchies: Vec<Hierarchy>,
    /// The CPUs that a container can be given.
    pub cpus: CpuList,
    /// The memory nodes that a container can be given.
    pub mems: CpuList,
    /// Whether this process has `CAP_SYS_ADMIN` outside of any user namespace, and so may load bpf programs.
    pub privileged: bool,
}

/// The v2 tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unified {
    /// The cgroup beneath which ours go.
    pub directory: PathBuf,
    /// The controllers that can be used there; none in a hybrid whose controllers are all in v1 trees.
    pub offered: Vec<Controller>,
    /// Those among them that are already enabled for the children of `directory`.
    pub enabled: Vec<Controller>,
    /// Whether processes are in `directory` itself. Then controllers can be enabled only after these have
    /// moved down: processes are in leaves alone. False at the real root, which is exempt.
    pub occupied: bool,
}

/// A v1 tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// The cgroup beneath which ours go.
    pub directory: PathBuf,
    /// The controllers that share it.
    pub controllers: Vec<Controller>,
}

/// Where a controller lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home<'a> {
    Unified(&'a Unified),
    Separate(&'a Hierarchy),
}

impl Layout {
    /// Looks at this machine.
    ///
    /// # Errors
    /// When `/proc` cannot be read. That there are no cgroups is no error: the layout is empty then.
    pub fn detect() -> Result<Self> {
        let own = read_text(Path::new("/proc/self/cgroup")).unwrap_or_default();
        let mut layout = Self { privileged: is_privileged()?, ..Self::default() };
        for mount in mountinfo::parse(&read_text(Path::new("/proc/self/mountinfo"))?) {
            match &mount.kind {
                Kind::Unified => layout.unified = unified(&mount, &own),
                Kind::Separate(controllers) if is_writable(&mount.point) => layout
                    .hierarchies
                    .push(Hierarchy { directory: mount.point, controllers: controllers.clone() }),
                Kind::Separate(_) => {}
            }
        }
        layout.cpus = layout.available("cpuset.cpus.effective", "cpuset.effective_cpus", "cpu");
        layout.mems = layout.available("cpuset.mems.effective", "cpuset.effective_mems", "node");
        Ok(layout)
    }

    /// Whether rules about devices take effect: by the v1 controller, or by a bpf program, which takes
    /// privileges. An unprivileged container needs none: it opens device files only where the host's
    /// permissions let its user do so, and can make none.
    pub fn enforces_devices(&self) -> bool {
        self.home(Controller::Devices).is_some() || (self.unified.is_some() && self.privileged)
    }

    /// Whether this is a plain v2 machine.
    pub fn is_unified_alone(&self) -> bool {
        self.unified.is_some() && self.hierarchies.is_empty()
    }

    pub(crate) fn home(&self, controller: Controller) -> Option<Home<'_>> {
        let separate = self.hierarchies.iter().find(|it| it.controllers.contains(&controller));
        let unified = || self.unified.as_ref().filter(|it| it.offered.contains(&controller));
        separate.map(Home::Separate).or_else(|| unified().map(Home::Unified))
    }

    fn available(&self, v2_file: &str, v1_file: &str, in_sysfs: &str) -> CpuList {
        let file = match self.home(Controller::Cpuset) {
            Some(Home::Unified(unified)) => unified.directory.join(v2_file),
            Some(Home::Separate(hierarchy)) => hierarchy.directory.join(v1_file),
            None => PathBuf::new(),
        };
        let online = format!("/sys/devices/system/{in_sysfs}/online");
        [file, online.into()]
            .iter()
            .find_map(|file| read_text(file).ok()?.parse().ok().filter(|list: &CpuList| list.count() > 0))
            // A kernel without memory nodes has all memory in node 0, and CPU 0 always runs.
            .unwrap_or_else(|| CpuList::single(0))
    }
}

/// The v2 tree mounted as `mount` says, for a process whose `/proc/self/cgroup` is `own`.
fn unified(mount: &Mount, own: &str) -> Option<Unified> {
    let own = own_directory(mount, own)?;
    let directory = topmost_writable(&mount.point, &own, is_writable)?;
    let read = |file: &str| {
        let text = read_text(&directory.join(file)).unwrap_or_default();
        text.split_ascii_whitespace().filter_map(Controller::from_name).collect()
    };
    // Only the root of all cgroups has no type.
    let is_real_root = !directory.join("cgroup.type").exists();
    Some(Unified {
        offered: read("cgroup.controllers"),
        enabled: read("cgroup.subtree_control"),
        occupied: !is_real_root
            && read_text(&directory.join("cgroup.procs")).is_ok_and(|pids| !pids.is_empty()),
        directory,
    })
}

/// The directory of our own cgroup. The mount may show a part of the tree; a path outside of that part counts
/// as its top.
fn own_directory(mount: &Mount, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(match Path::new(path).strip_prefix(&mount.root) {
        Ok(below) if below != Path::new("") => mount.point.join(below),
        _ => mount.point.clone(),
    })
}

/// The cgroup beneath which ours go: the mount point, or else the topmost cgroup above our own that is ours to
/// change, because a process can only be moved within what was delegated, and the top of that stays when the
/// cgroup of the command that started us goes.
fn topmost_writable(point: &Path, own: &Path, is_writable: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    if is_writable(point) {
        return Some(point.to_owned());
    }
    let up = own.ancestors().take_while(|directory| directory.starts_with(point) && is_writable(directory));
    up.last().map(Path::to_owned)
}

/// Whether we may make cgroups in this one and move processes to and from it.
fn is_writable(cgroup: &Path) -> bool {
    [cgroup, &cgroup.join("cgroup.procs")].iter().all(|path| access::writable(path).is_ok())
}

fn is_privileged() -> Result<bool> {
    let ids = read_text(Path::new("/proc/self/uid_map"))?;
    let is_first_namespace = ids.split_ascii_whitespace().eq(["0", "0", "4294967295"]);
    Ok(is_first_namespace && capget()?.effective.contains(CapabilitySet::SYS_ADMIN))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Hierarchy, Home, Layout, Unified, own_directory, topmost_writable};
    use crate::controller::Controller;
    use crate::mountinfo::{Kind, Mount};

    const POINT: &str = "/sys/fs/cgroup";
    const SCOPE: &str = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope";

    #[test]
    fn root_works_beneath_the_mount_point() {
        let chosen = topmost_writable(Path::new(POINT), Path::new(SCOPE), |_| true);
        assert_eq!(chosen, Some(PathBuf::from(POINT)));
    }

    #[test]
    fn a_user_works_at_the_top_of_what_was_delegated() {
        let delegated = |path: &Path| path.to_string_lossy().contains("user@1000.service");
        let chosen = topmost_writable(Path::new(POINT), Path::new(SCOPE), delegated);
        let top = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service";
        assert_eq!(chosen, Some(PathBuf::from(top)));
    }

    #[test]
    fn a_session_that_owns_no_cgroup_gets_none() {
        let own = Path::new("/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope");
        assert_eq!(topmost_writable(Path::new(POINT), own, |_| false), None);
    }

    #[test]
    fn our_own_cgroup_is_found_through_a_mount_of_a_part_of_the_tree() {
        let mount = |root: &str| Mount { root: root.into(), point: POINT.into(), kind: Kind::Unified };
        let at = |root, own| own_directory(&mount(root), own);
        assert_eq!(at("/", "1:cpu:/\n0::/a/b\n"), Some(PathBuf::from("/sys/fs/cgroup/a/b")));
        assert_eq!(at("/docker/4f5e", "0::/docker/4f5e/init\n"), Some(PathBuf::from("/sys/fs/cgroup/init")));
        // In a cgroup namespace our cgroup is the root of what we see.
        assert_eq!(at("/", "0::/\n"), Some(PathBuf::from(POINT)));
        assert_eq!(at("/", "4:memory:/x\n"), None);
    }

    #[test]
    fn in_a_hybrid_a_controller_lives_where_it_is_mounted() {
        let unified = Unified { offered: vec![Controller::Pids], ..Unified::default() };
        let memory = Hierarchy { directory: "/m".into(), controllers: vec![Controller::Memory] };
        let layout =
            Layout { unified: Some(unified.clone()), hierarchies: vec![memory.clone()], ..Layout::default() };
        assert_eq!(layout.home(Controller::Memory), Some(Home::Separate(&memory)));
        assert_eq!(layout.home(Controller::Pids), Some(Home::Unified(&unified)));
        assert_eq!(layout.home(Controller::Cpu), None);
    }
}
