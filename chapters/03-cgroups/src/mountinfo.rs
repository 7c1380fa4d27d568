//! Where the cgroup hierarchies are mounted, read from `/proc/self/mountinfo`: proc_pid_mountinfo(5).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use crate::controller::Controller;

/// A mounted cgroup hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Which cgroup of the hierarchy lies at the mount point: `/` unless it is a part of the tree.
    pub(crate) root: PathBuf,
    /// Where it is mounted.
    pub(crate) point: PathBuf,
    /// What kind it is.
    pub(crate) kind: Kind,
}

/// What a mounted hierarchy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Version 2: one tree, all controllers.
    Unified,
    /// Version 1: a tree for these controllers.
    Separate(Vec<Controller>),
}

/// The cgroup mounts in the text of a mountinfo file, one for each hierarchy: where one is mounted several
/// times, the one beneath `/sys/fs/cgroup`, else the first. Hierarchies without a controller that we use
/// (`name=systemd`, `net_cls`) and mounts that another mount covers are left out.
pub(crate) fn parse(mountinfo: &str) -> Vec<Mount> {
    let lines: Vec<Line<'_>> = mountinfo.lines().filter_map(Line::parse).collect();
    let is_covered = |line: &Line<'_>| {
        lines.iter().any(|above| above.parent == line.id && above.point == line.point && above.id != line.id)
    };
    let mut found: Vec<Mount> = Vec::new();
    for line in lines.iter().filter(|line| !is_covered(line)) {
        let Some(kind) = line.kind() else { continue };
        let mount = Mount { root: unescape(line.root), point: unescape(line.point), kind };
        match found.iter_mut().find(|other| other.kind == mount.kind) {
            None => found.push(mount),
            Some(other) if is_usual(&mount) && !is_usual(other) => *other = mount,
            Some(_) => {}
        }
    }
    found
}

fn is_usual(mount: &Mount) -> bool {
    mount.point.starts_with("/sys/fs/cgroup")
}

struct Line<'a> {
    id: &'a str,
    parent: &'a str,
    root: &'a str,
    point: &'a str,
    fstype: &'a str,
    options: &'a str,
}

impl<'a> Line<'a> {
    /// `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: the number of
    /// fields before the lone `-` varies.
    fn parse(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ');
        let mut after = after.split(' ');
        Some(Self {
            id: before.next()?,
            parent: before.next()?,
            root: before.nth(1)?,
            point: before.next()?,
            fstype: after.next()?,
            options: after.nth(1).unwrap_or_default(),
        })
    }

    fn kind(&self) -> Option<Kind> {
        match self.fstype {
            "cgroup2" => Some(Kind::Unified),
            "cgroup" => {
                let controllers: Vec<_> =
                    self.options.split(',').filter_map(Controller::from_v1_name).collect();
                (!controllers.is_empty()).then_some(Kind::Separate(controllers))
            }
            _ => None,
        }
    }
}

/// Undoes the octal escapes that stand for space, tab, newline and backslash.
fn unescape(field: &str) -> PathBuf {
    let bytes = field.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let digits =
            tail.get(..3).filter(|_| first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[3..];
            }
            None => {
                plain.push(first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(plain).into()
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn found(mountinfo: &str) -> Vec<String> {
        parse(mountinfo)
            .iter()
            .map(|mount| format!("{} {} {:?}", mount.point.display(), mount.root.display(), mount.kind))
            .collect()
    }

    #[test]
    fn plain_v2_is_one_mount() {
        let text = "28 1 252:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n\
                    35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 \
                    rw,nsdelegate,memory_recursiveprot\n";
        assert_eq!(found(text), ["/sys/fs/cgroup / Unified"]);
    }

    #[test]
    fn controllers_mounted_together_are_one_hierarchy() {
        let text = "32 25 0:27 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755\n\
            33 32 0:28 / /sys/fs/cgroup/systemd rw,nosuid shared:10 - cgroup cgroup rw,xattr,name=systemd\n\
            37 32 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct\n\
            38 32 0:33 / /sys/fs/cgroup/net_cls,net_prio rw shared:16 - cgroup cgroup rw,net_cls,net_prio\n\
            40 32 0:35 / /sys/fs/cgroup/perf_event rw shared:18 - cgroup cgroup rw,perf_event\n\
            39 32 0:34 / /sys/fs/cgroup/memory rw,nosuid shared:17 - cgroup cgroup rw,memory\n";
        assert_eq!(
            found(text),
            [
                "/sys/fs/cgroup/cpu,cpuacct / Separate([Cpu, Cpuacct])",
                "/sys/fs/cgroup/net_cls,net_prio / Separate([NetCls, NetPrio])",
                "/sys/fs/cgroup/memory / Separate([Memory])"
            ]
        );
    }

    #[test]
    fn a_hybrid_has_both_kinds() {
        let text = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
            38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        assert_eq!(
            found(text),
            [
                "/sys/fs/cgroup/memory / Separate([Memory])",
                "/sys/fs/cgroup/blkio / Separate([Io])",
                "/sys/fs/cgroup/unified / Unified"
            ]
        );
    }

    #[test]
    fn a_container_without_a_cgroup_namespace_sees_a_part_of_the_tree() {
        let text = "700 690 0:32 /docker/4f5e /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n";
        assert_eq!(found(text), ["/sys/fs/cgroup/memory /docker/4f5e Separate([Memory])"]);
    }

    #[test]
    fn a_second_mount_elsewhere_does_not_count() {
        let text = "50 1 0:30 / /run/host/cg\\040roups rw - cgroup2 cgroup2 rw\n\
                    51 1 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(found(text), ["/sys/fs/cgroup / Unified"]);
        let first = text.lines().next().unwrap();
        assert_eq!(found(first), ["/run/host/cg roups / Unified"]);
    }

    #[test]
    fn a_mount_that_another_covers_does_not_count() {
        let text = "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
                    60 35 0:50 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n";
        assert_eq!(found(text), [""; 0]);
    }

    #[test]
    fn no_cgroups_are_none() {
        assert_eq!(found("22 27 0:21 / /proc rw,relatime - proc proc rw\n"), [""; 0]);
        assert_eq!(found(""), [""; 0]);
    }
}
