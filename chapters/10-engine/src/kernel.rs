//! `inspect --kernel`: what the kernel says about a container's first process, beside what it says about this one.
//!
//! A container is no object of the kernel's: it is a process whose namespaces, mounts, cgroup and credentials differ from
//! ours. All of that stands in `/proc/<pid>`, which is where this reads it; nothing comes from our own records.
//! proc(5), namespaces(7), cgroups(7), capabilities(7); book ch. 10.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use mini_security::capabilities;

use crate::record::Record;

/// What the kernel knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Kernel {
    /// The first process, by its number outside.
    pub pid: i32,
    /// The namespaces that it is in.
    pub namespaces: Vec<Namespace>,
    /// What is mounted at `/`.
    pub root: Option<Mount>,
    /// All that it sees mounted, in the order in which it was.
    pub mounts: Vec<Mount>,
    /// Its cgroup, in each tree in which there is one of its own.
    pub cgroups: Vec<Group>,
    /// Its sets of capabilities.
    pub capabilities: Vec<Set>,
    /// `off`, `strict`, or `filter` with the number of filters.
    pub seccomp: String,
    /// Whether no program that it starts gets more privileges.
    pub no_new_privs: bool,
    /// Its place in the queue of the out-of-memory killer, -1000 to 1000.
    pub oom_score_adj: i32,
    /// Which users inside are whom outside: lines of `uid_map`.
    pub uid_map: Vec<IdRange>,
    /// The same for groups.
    pub gid_map: Vec<IdRange>,
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Namespace {
    /// `pid`, `mnt`, …
    pub kind: String,
    /// The inode that tells it from others.
    pub container: u64,
    /// That of this process.
    pub host: u64,
    /// Whether they are two.
    pub own: bool,
}

/// A line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mount {
    /// Where.
    pub target: String,
    /// The kind of file system.
    pub kind: String,
    /// What it is of: a device, or a word.
    pub source: String,
    /// Which part of that file system: `/` for all of it.
    pub part: String,
    /// Options of the mount.
    pub options: String,
    /// Options of the file system.
    pub of_file_system: String,
}

/// A cgroup and the values in its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Group {
    /// Its directory on this machine.
    pub directory: PathBuf,
    /// Files and what is in them.
    pub values: BTreeMap<String, String>,
}

/// A set of capabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Set {
    /// `CapEff`, …
    pub name: String,
    /// Those of the container's process.
    pub container: Vec<String>,
    /// Those of this process.
    pub host: Vec<String>,
}

/// Ids that are others outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdRange {
    /// The first of them inside.
    pub inside: u32,
    /// The same one outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// There is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// Docker's words for a container without processes.
    #[error("container {0} is not running")]
    NotRunning(String),
    /// A file of the process.
    #[error("read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What the kernel knows of a container that runs.
///
/// # Errors
/// It does not run, or has ended meanwhile.
pub fn look(record: &Record) -> Result<Kernel, KernelError> {
    let process = record.state.process.as_ref().filter(|process| process.is_alive());
    let process = process.ok_or_else(|| KernelError::NotRunning(record.id.clone()))?;
    let proc = PathBuf::from(format!("/proc/{}", process.pid));
    let own = Path::new("/proc/self");
    let status = read(&proc.join("status"))?;
    let own_status = read(&own.join("status"))?;
    let mounts: Vec<Mount> = read(&proc.join("mountinfo"))?.lines().filter_map(mount).collect();
    let looked = Kernel {
        pid: process.pid,
        namespaces: namespaces(&proc, own)?,
        root: mounts.iter().rfind(|mount| mount.target == "/").cloned(),
        mounts,
        cgroups: groups(&read(&proc.join("cgroup"))?, &read(&own.join("mountinfo"))?, &record.id),
        capabilities: SETS.iter().map(|name| set(name, &status, &own_status)).collect(),
        seccomp: seccomp(&status),
        no_new_privs: value(&status, "NoNewPrivs") == "1",
        oom_score_adj: read(&proc.join("oom_score_adj"))?.trim_end().parse().unwrap_or(0),
        uid_map: read(&proc.join("uid_map"))?.lines().filter_map(id_range).collect(),
        gid_map: read(&proc.join("gid_map"))?.lines().filter_map(id_range).collect(),
    };
    // A number means another process once this one is gone.
    if process.is_alive() { Ok(looked) } else { Err(KernelError::NotRunning(record.id.clone())) }
}

fn read(path: &Path) -> Result<String, KernelError> {
    fs::read_to_string(path).map_err(|source| KernelError::Read { path: path.to_owned(), source })
}

const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

fn namespaces(proc: &Path, own: &Path) -> Result<Vec<Namespace>, KernelError> {
    let mut found = Vec::new();
    for kind in KINDS {
        let path = proc.join("ns").join(kind);
        let container = match fs::read_link(&path) {
            // An older kernel has fewer kinds.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            link => link.map_err(|source| KernelError::Read { path, source })?,
        };
        let host = fs::read_link(own.join("ns").join(kind)).unwrap_or_default();
        let (container, host) = (inode(&container), inode(&host));
        found.push(Namespace { kind: kind.to_owned(), container, host, own: container != host });
    }
    Ok(found)
}

/// The number in `pid:[4026531836]`.
fn inode(link: &Path) -> u64 {
    let text = link.to_string_lossy();
    let number = text.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (part, target, options) = (left.next()?, left.next()?, left.next()?);
    let mut right = right.split(' ');
    let (kind, source, of_file_system) = (right.next()?, right.next()?, right.next()?);
    Some(Mount {
        target: unescape(target),
        kind: kind.to_owned(),
        source: unescape(source),
        part: unescape(part),
        options: options.to_owned(),
        of_file_system: unescape(of_file_system),
    })
}

/// The kernel writes a space as `\\040`, and tab, newline and backslash likewise.
pub(crate) fn unescape(text: &str) -> String {
    let pairs = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, letter)| text.replace(escaped, letter))
}

/// Files whose values tell what a container may use, and uses; v2's first.
const FILES: [&str; 22] = [
    "cpu.max",
    "cpu.weight",
    "cpuset.cpus",
    "cpuset.mems",
    "io.weight",
    "memory.current",
    "memory.high",
    "memory.low",
    "memory.max",
    "memory.swap.max",
    "pids.current",
    "pids.max",
    "cgroup.freeze",
    "cpu.cfs_quota_us",
    "cpu.cfs_period_us",
    "cpu.shares",
    "cpuacct.usage",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.soft_limit_in_bytes",
    "memory.usage_in_bytes",
    "freezer.state",
];

/// The directories of the process's cgroups, by its `/proc/<pid>/cgroup` and our mounts. A tree in which it has none of
/// its own is left out.
fn groups(cgroup: &str, mountinfo: &str, id: &str) -> Vec<Group> {
    let trees: Vec<Mount> =
        mountinfo.lines().filter_map(mount).filter(|mount| mount.kind.starts_with("cgroup")).collect();
    let mut groups = Vec::new();
    for line in cgroup.lines().filter(|line| line.contains(id)) {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let is_its = |tree: &&Mount| match controllers {
            "" => tree.kind == "cgroup2",
            names => {
                tree.kind == "cgroup"
                    && names.split(',').all(|name| tree.of_file_system.split(',').any(|own| own == name))
            }
        };
        let Some(tree) = trees.iter().find(is_its) else { continue };
        let below = Path::new(path).strip_prefix(&tree.part).unwrap_or(Path::new(path));
        let directory = Path::new(&tree.target).join(below.strip_prefix("/").unwrap_or(below));
        let values = FILES.iter().filter_map(|file| {
            let text = fs::read_to_string(directory.join(file)).ok()?;
            Some(((*file).to_owned(), text.trim_end().to_owned()))
        });
        groups.push(Group { values: values.collect(), directory });
    }
    groups
}

const SETS: [&str; 5] = ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"];

fn set(name: &str, status: &str, own: &str) -> Set {
    let names = |status| capabilities::names(u64::from_str_radix(value(status, name), 16).unwrap_or(0));
    Set { name: name.to_owned(), container: names(status), host: names(own) }
}

fn seccomp(status: &str) -> String {
    match (value(status, "Seccomp"), value(status, "Seccomp_filters")) {
        ("1", _) => "strict".to_owned(),
        ("2", "" | "1") => "filter".to_owned(),
        ("2", count) => format!("filter ({count})"),
        _ => "off".to_owned(),
    }
}

/// The value of a line `Name:\tvalue`.
fn value<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim()
}

fn id_range(line: &str) -> Option<IdRange> {
    let mut numbers = line.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(IdRange { inside: next()?, outside: next()?, count: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_taken_apart() {
        let line = r"55 126 0:58 /a\040b /proc/ac\134pi ro,relatime shared:7 - tmpfs tmp\040fs ro,size=1k";
        let mount = mount(line).unwrap();
        assert_eq!(
            [mount.target, mount.kind, mount.source, mount.part, mount.options, mount.of_file_system],
            ["/proc/ac\\pi", "tmpfs", "tmp fs", "/a b", "ro,relatime", "ro,size=1k"]
        );
    }

    #[test]
    fn what_stands_in_status_is_told_in_words() {
        let status = "Seccomp:\t2\nSeccomp_filters:\t3\nCapEff:\t0000020000000021\n";
        assert_eq!(seccomp(status), "filter (3)");
        assert_eq!(seccomp("Seccomp:\t0\n"), "off");
        assert_eq!(set("CapEff", status, "").container, ["CAP_CHOWN", "CAP_KILL", "CAP_41"]);
    }
}
