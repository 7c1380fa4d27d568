//! The mounts that make a directory a place where programs feel at home, as data.
//!
//! A container sees `/proc` of its own pid namespace, `/sys` read-only, and a `/dev` with the handful of
//! devices that every program may use, none of which is the host's disk. This module only lists them, in
//! the words of fstab(5) and of the OCI runtime specification; [`crate::step`] performs them.
//! mount(8), proc(5), sysfs(5), devpts in mount(8), OCI runtime spec "Default Filesystems"; book ch. 1.

use std::path::PathBuf;

use mini_sys::mount::MsFlags;

/// One mount: a line of fstab(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The absolute path inside the container.
    pub target: PathBuf,
    /// The file system's type, or `bind` for what is already mounted on the host.
    pub fstype: String,
    /// A path on the host for `bind`, else a name that only shows up in mountinfo.
    pub source: String,
    /// Flags (`ro`, `nosuid`, …) and the file system's own options, mixed as in fstab(5).
    pub options: Vec<String>,
}

impl Mount {
    /// A mount of `source` on `target`, with options separated by commas.
    pub fn new(target: &str, fstype: &str, source: &str, options: &str) -> Self {
        let options = options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        Self { target: target.into(), fstype: fstype.to_owned(), source: source.to_owned(), options }
    }

    /// Whether this shows a part of the host rather than a new file system.
    pub fn is_bind(&self) -> bool {
        self.fstype == "bind" || self.options.iter().any(|option| option == "bind" || option == "rbind")
    }

    /// Whether a tmpfs begins with what the directory below it holds.
    pub(crate) fn copies_up(&self) -> bool {
        self.fstype == "tmpfs" && self.options.iter().any(|option| option == "tmpcopyup")
    }

    /// The options as mount(2) takes them: flags, and the rest as the file system's own text.
    pub fn flags_and_data(&self) -> (MsFlags, String) {
        let mut flags = MsFlags::empty();
        let mut data = Vec::new();
        for option in &self.options {
            match flag(option) {
                Some((bits, true)) => flags |= bits,
                Some((bits, false)) => flags &= !bits,
                None => data.push(option.as_str()),
            }
        }
        (flags, data.join(","))
    }
}

/// Whether a word of fstab(5) is a flag that every file system has.
pub fn is_flag(word: &str) -> bool {
    flag(word).is_some()
}

/// `MS_NOSYMFOLLOW`, which nix does not know. mount(2), Linux 5.10.
pub(crate) const NOSYMFOLLOW: u64 = 0x100;

/// The flag that a word of fstab(5) stands for, and whether the word sets or clears it.
fn flag(word: &str) -> Option<(MsFlags, bool)> {
    Some(match word {
        "ro" => (MsFlags::MS_RDONLY, true),
        "rw" => (MsFlags::MS_RDONLY, false),
        "nosuid" => (MsFlags::MS_NOSUID, true),
        "suid" => (MsFlags::MS_NOSUID, false),
        "nodev" => (MsFlags::MS_NODEV, true),
        "dev" => (MsFlags::MS_NODEV, false),
        "noexec" => (MsFlags::MS_NOEXEC, true),
        "exec" => (MsFlags::MS_NOEXEC, false),
        "nosymfollow" => (MsFlags::from_bits_retain(NOSYMFOLLOW), true),
        "sync" => (MsFlags::MS_SYNCHRONOUS, true),
        "async" => (MsFlags::MS_SYNCHRONOUS, false),
        "noatime" => (MsFlags::MS_NOATIME, true),
        "atime" => (MsFlags::MS_NOATIME, false),
        "nodiratime" => (MsFlags::MS_NODIRATIME, true),
        "relatime" => (MsFlags::MS_RELATIME, true),
        "strictatime" => (MsFlags::MS_STRICTATIME, true),
        "bind" => (MsFlags::MS_BIND, true),
        "rbind" => (MsFlags::MS_BIND.union(MsFlags::MS_REC), true),
        "private" => (MsFlags::MS_PRIVATE, true),
        "rprivate" => (MsFlags::MS_PRIVATE.union(MsFlags::MS_REC), true),
        "slave" => (MsFlags::MS_SLAVE, true),
        "rslave" => (MsFlags::MS_SLAVE.union(MsFlags::MS_REC), true),
        "shared" => (MsFlags::MS_SHARED, true),
        "rshared" => (MsFlags::MS_SHARED.union(MsFlags::MS_REC), true),
        // What is to be in it at first is no matter of the mount itself.
        "tmpcopyup" => (MsFlags::empty(), true),
        "defaults" => (MsFlags::empty(), true),
        _ => return None,
    })
}

/// What every container gets: Docker's list, with its options.
///
/// `/dev` comes before what lies in it. `/sys` is read-only because it is the host's hardware that it shows.
// ANCHOR: standard
pub fn standard() -> Vec<Mount> {
    vec![
        Mount::new("/proc", "proc", "proc", "nosuid,noexec,nodev"),
        Mount::new("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
        Mount::new("/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
        Mount::new("/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"),
        Mount::new("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"),
        Mount::new("/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"),
    ]
}
// ANCHOR_END: standard

// ANCHOR: devices
/// A device that every container may use: its name in `/dev`, major and minor number.
/// OCI runtime spec "Default Devices".
pub const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
// ANCHOR_END: devices

/// The links in `/dev`: name, and where it leads.
/// OCI runtime spec "Dev symbolic links".
pub const DEVICE_LINKS: [(&str, &str); 5] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_split_into_flags_and_data() {
        let mount = Mount::new("/x", "tmpfs", "tmpfs", "ro,nosuid,size=64k,mode=1777,rw");
        assert_eq!(mount.flags_and_data(), (MsFlags::MS_NOSUID, "size=64k,mode=1777".to_owned()));
    }

    #[test]
    fn sys_is_read_only_and_dev_holds_no_disk() {
        let sys = standard().into_iter().find(|mount| mount.target.ends_with("sys"));
        assert!(sys.is_some_and(|mount| mount.options.contains(&"ro".to_owned())));
        assert!(DEVICES.iter().all(|(_, major, _)| matches!(major, 1 | 5)));
    }
}
