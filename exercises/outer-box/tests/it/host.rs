//! The machine is as it was.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a box must not change.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    mounts: String,
    links: BTreeSet<String>,
    name: String,
    /// Programs in `/dev` and the like: what an escaped `rm` would hit first.
    root: BTreeSet<PathBuf>,
    /// Sysctls that a box could reach for.
    sysctls: Vec<String>,
}

fn look() -> Host {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let names = |path: &str| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    Host {
        mounts: read("/proc/self/mountinfo"),
        links: read("/proc/net/dev")
            .lines()
            .filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned()))
            .collect(),
        name: read("/proc/sys/kernel/hostname"),
        root: names("/").chain(names("/dev")).chain(names("/etc")).collect(),
        sysctls: ["kernel/sysrq", "kernel/pid_max", "vm/swappiness"]
            .map(|name| read(&format!("/proc/sys/{name}")))
            .into(),
    }
}

/// Does `work`, and checks that the machine is the same before and after, and that nothing with `word` in its
/// environment runs.
#[track_caller]
pub(crate) fn unchanged<T>(word: &str, work: impl FnOnce() -> T) -> T {
    let before = look();
    let result = work();
    assert_eq!(look(), before);
    let left = processes_with(word);
    assert!(left.is_empty(), "processes {left:?} are left of {word}");
    result
}

/// The processes that have `word` in their environment.
pub(crate) fn processes_with(word: &str) -> Vec<String> {
    let is_it = |pid: &Path| {
        fs::read(pid.join("environ"))
            .is_ok_and(|text| text.windows(word.len()).any(|window| window == word.as_bytes()))
    };
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    entries.filter(|path| is_it(path)).map(|path| path.display().to_string()).collect()
}

/// The boxes' cgroups that the process `pid` made, in any tree and wherever a user may have them.
pub(crate) fn cgroups_of(pid: u32) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = left.pop() {
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let is_box = directory.ends_with("course-box");
            if is_box && entry.file_name().to_string_lossy().starts_with(&format!("{pid}-")) {
                found.push(entry.path());
            }
            left.push(entry.path());
        }
    }
    found
}

/// Waits until `is_so`.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
