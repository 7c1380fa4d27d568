//! That nothing of a container outlives it: no mount, no process, no cgroup.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::eventually;

/// How long the kernel and a monitor may take to clear away.
const PATIENCE: Duration = Duration::from_secs(30);

/// The cgroups of containers that have no process.
pub(crate) struct Cgroups(HashSet<PathBuf>);

impl Cgroups {
    pub(crate) fn now() -> Self {
        Self(all_cgroups().into_iter().filter(|path| is_empty(path)).collect())
    }
}

/// Fails unless all that had to do with the state directory `root` goes away, and every cgroup that is empty now
/// and was not there `before`. (Which container a cgroup was of is not known any more; that of a container of
/// another test is not empty for long.)
pub(crate) fn assert_none(root: &Path, before: &Cgroups) {
    let begun = Instant::now();
    let mut cgroups: Vec<PathBuf> = Cgroups::now().0.difference(&before.0).cloned().collect();
    loop {
        let mut left = mounts(root);
        left.extend(processes(root));
        cgroups.retain(|path| is_empty(path));
        left.extend(cgroups.iter().map(|path| format!("cgroup {}", path.display())));
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "left behind: {left:#?}");
        sleep(Duration::from_millis(20));
    }
}

/// The mounts of the host that have to do with `root`.
fn mounts(root: &Path) -> Vec<String> {
    let all = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let root = root.to_string_lossy();
    all.lines().filter(|line| line.contains(root.as_ref())).map(|line| format!("mount {line}")).collect()
}

/// The processes whose command line or whose own mounts name `root`: monitors and programs of containers.
fn processes(root: &Path) -> Vec<String> {
    let root = root.to_string_lossy();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let read = |name: &str| {
            String::from_utf8_lossy(&fs::read(entry.path().join(name)).unwrap_or_default()).into_owned()
        };
        let command = read("cmdline");
        if command.contains(root.as_ref()) || read("mountinfo").contains(root.as_ref()) {
            found.push(format!("process {pid} {}", command.replace('\0', " ")));
        }
    }
    found
}

/// The cgroups of containers, of any engine.
fn all_cgroups() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let of_cgroups = mounts.lines().filter(|line| line.contains(" - cgroup"));
    let trees =
        of_cgroups.filter_map(|line| line.split(' ').nth(4)).map(|path| Path::new(path).join("mini-docker"));
    trees
        .flat_map(|tree| fs::read_dir(tree).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn is_empty(cgroup: &Path) -> bool {
    fs::read_to_string(cgroup.join("cgroup.procs")).is_ok_and(|pids| pids.is_empty())
}

/// Removes the cgroup of this name at the top of every tree, with those below it: what another engine made for a test
/// and leaves to the next.
pub(crate) fn remove_groups(name: &str) {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for line in mounts.lines().filter(|line| line.contains(" - cgroup")) {
        let top = Path::new(line.split(' ').nth(4).unwrap_or_default()).join(name);
        if std::thread::panicking() {
            remove_tree(&top);
        } else {
            eventually("nobody is in the other engine's cgroups", || remove_tree(&top));
        }
    }
}

/// False while one is in use.
fn remove_tree(top: &Path) -> bool {
    for entry in std::fs::read_dir(top).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    let _ = std::fs::remove_dir(top);
    !top.exists()
}
