//! Which rooms a process is in.
//!
//! A namespace is a private instance of something that processes otherwise share: the mount tree, the pid
//! numbers, the host name, the network. A process is in exactly one of each kind; clone3(2) puts a new process
//! into new ones, setns(2) moves a process into those of another. This module only says which, it never
//! starts a process (see `mini-runtime`). namespaces(7), clone(2), setns(2), time_namespaces(7); book ch. 2.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use mini_sys::file::{self, CWD, Mode, OFlags, ResolveFlags};
use mini_sys::namespace::{self, CloneFlags};
use mini_sys::{Result, process};

// ANCHOR: kinds
/// The eight kinds of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Which file systems are mounted where. mount_namespaces(7).
    Mount,
    /// Which processes there are, and their numbers. pid_namespaces(7).
    Pid,
    /// The host name. uts_namespaces(7).
    Uts,
    /// System V IPC and POSIX message queues. ipc_namespaces(7).
    Ipc,
    /// Interfaces, addresses, routes, ports. network_namespaces(7).
    Net,
    /// Users, groups and capabilities. user_namespaces(7).
    User,
    /// Where `/sys/fs/cgroup` seems to begin. cgroup_namespaces(7).
    Cgroup,
    /// What the monotonic clocks say. time_namespaces(7).
    Time,
}
// ANCHOR_END: kinds

impl Kind {
    // ANCHOR: order
    /// All of them, in the order in which setns(2) can join them one by one: `User` first, because the
    /// rights for the others come with it; `Mount` last, because after it `/proc` is another one.
    pub const ALL: [Self; 8] =
        [Self::User, Self::Cgroup, Self::Ipc, Self::Uts, Self::Net, Self::Pid, Self::Time, Self::Mount];
    // ANCHOR_END: order

    /// Its bit in clone(2), unshare(2) and setns(2).
    pub fn flag(self) -> CloneFlags {
        match self {
            Self::Mount => CloneFlags::CLONE_NEWNS,
            Self::Pid => CloneFlags::CLONE_NEWPID,
            Self::Uts => CloneFlags::CLONE_NEWUTS,
            Self::Ipc => CloneFlags::CLONE_NEWIPC,
            Self::Net => CloneFlags::CLONE_NEWNET,
            Self::User => CloneFlags::CLONE_NEWUSER,
            Self::Cgroup => CloneFlags::CLONE_NEWCGROUP,
            Self::Time => CloneFlags::from_bits_retain(NEWTIME),
        }
    }

    /// The name of its bit.
    pub fn flag_name(self) -> String {
        if self == Self::Time { "CLONE_NEWTIME".to_owned() } else { mini_sys::flags::names(&self.flag()) }
    }

    /// Its link in `/proc/<pid>/ns`.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Mount => "mnt",
            Self::Pid => "pid",
            Self::Uts => "uts",
            Self::Ipc => "ipc",
            Self::Net => "net",
            Self::User => "user",
            Self::Cgroup => "cgroup",
            Self::Time => "time",
        }
    }
}

/// `CLONE_NEWTIME`, which nix does not know. clone(2), Linux 5.6.
const NEWTIME: i32 = 0x80;

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.file_name())
    }
}

/// The namespaces that a container gets: new ones, and those of others that it joins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// Kinds to create.
    pub create: Vec<Kind>,
    /// Kinds to join, each by a path such as `/proc/<pid>/ns/net`.
    pub join: Vec<(Kind, PathBuf)>,
    /// The host name in a new uts namespace.
    pub hostname: Option<String>,
    /// The NIS domain name in a new uts namespace.
    pub domainname: Option<String>,
    /// How far the clocks of a new time namespace are ahead.
    pub time_offsets: Option<Offsets>,
}

/// How far clocks are ahead of the host's: seconds, and nanoseconds on top of them. time_namespaces(7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    /// The clock that begins with the machine.
    pub monotonic: (i64, u32),
    /// The same clock, which also counts while the machine sleeps.
    pub boottime: (i64, u32),
}

/// One thing to do about namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Gives the next child's clocks their offsets; the caller's own clocks stay as they are.
    TimeOffsets(Offsets),
    /// Moves into the namespace of this kind that the path names.
    Join(Kind, PathBuf),
    /// Moves into a cgroup namespace whose root is the cgroup that this process is in by now.
    UnshareCgroup,
    /// Sets the host name.
    Hostname(String),
    /// Sets the NIS domain name.
    Domainname(String),
}

impl Offsets {
    /// As the kernel takes them: a line for each clock.
    fn lines(&self) -> String {
        let Self { monotonic: (seconds, nanos), boottime: (boot_seconds, boot_nanos) } = self;
        format!("monotonic {seconds} {nanos}\nboottime {boot_seconds} {boot_nanos}\n")
    }
}

impl Namespaces {
    // ANCHOR: clone-flags
    /// The flags that clone3(2) makes the new process with.
    ///
    /// Not the cgroup namespace: its root is the cgroup that the process is in when it is made, which for a
    /// new process is still its parent's. And not the time namespace, whose clocks must be set before
    /// anything runs in it.
    pub fn clone_flags(&self) -> CloneFlags {
        let at_once = |kind: &&Kind| !matches!(kind, Kind::Cgroup | Kind::Time);
        self.create.iter().filter(at_once).map(|kind| kind.flag()).collect()
    }
    // ANCHOR_END: clone-flags

    /// What the parent does before it clones.
    pub fn before_clone(&self) -> Vec<Step> {
        let offsets = self.time_offsets.unwrap_or_default();
        let time = self.create.contains(&Kind::Time).then_some(Step::TimeOffsets(offsets));
        // Who joins one of these stays where it is; its children are born there.
        let parents = self.join.iter().filter(|(kind, _)| *kind == Kind::Pid);
        let join = parents.map(|(kind, path)| Step::Join(*kind, path.clone()));
        time.into_iter().chain(join).collect()
    }

    // ANCHOR: inside
    /// What the new process does, once it is in its cgroup.
    pub fn inside(&self) -> Vec<Step> {
        let mut join = self.join.clone();
        join.retain(|(kind, _)| *kind != Kind::Pid);
        join.sort_by_key(|(kind, _)| Kind::ALL.iter().position(|other| other == kind));
        let mut steps: Vec<Step> = join.into_iter().map(|(kind, path)| Step::Join(kind, path)).collect();
        if self.create.contains(&Kind::Cgroup) {
            steps.push(Step::UnshareCgroup);
        }
        steps.extend(self.hostname.clone().map(Step::Hostname));
        steps.extend(self.domainname.clone().map(Step::Domainname));
        steps
    }
    // ANCHOR_END: inside
}

impl Step {
    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        match self {
            Self::TimeOffsets(offsets) => format!(
                "unshare(CLONE_NEWTIME); write(\"{}\", timens_offsets)",
                offsets.lines().trim_end().replace('\n', ", ")
            ),
            Self::Join(kind, path) => {
                format!("setns(open(\"{}\"), {})", path.display(), kind.flag_name())
            }
            Self::UnshareCgroup => "unshare(CLONE_NEWCGROUP)".to_owned(),
            Self::Hostname(name) => format!("sethostname(\"{name}\")"),
            Self::Domainname(name) => format!("setdomainname(\"{name}\")"),
        }
    }

    /// Why it is done, and why here.
    pub fn why(&self) -> &'static str {
        match self {
            Self::TimeOffsets(_) => "clocks are set before anything runs by them",
            Self::Join(..) => "shares this with another process",
            Self::UnshareCgroup => "its own cgroup becomes the root of what it sees",
            Self::Hostname(_) => "the name in its own uts namespace",
            Self::Domainname(_) => "the NIS domain in its own uts namespace",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// The first system call that fails, with its operands.
    pub fn perform(&self) -> Result<()> {
        match self {
            Self::TimeOffsets(offsets) => {
                namespace::unshare(Kind::Time.flag())?;
                file::write_existing(Path::new("/proc/self/timens_offsets"), &offsets.lines())
            }
            Self::Join(kind, path) => namespace::setns(open(path)?, kind.flag()),
            Self::UnshareCgroup => namespace::unshare(CloneFlags::CLONE_NEWCGROUP),
            Self::Hostname(name) => process::sethostname(name),
            Self::Domainname(name) => process::setdomainname(name),
        }
    }
}

// ANCHOR: join
/// Moves this process into all of `kinds` of the namespaces that the process of `pidfd` is in, in one call. Children
/// made from here on are in its pid namespace; this process itself stays in its own. setns(2).
///
/// # Errors
/// `EPERM` without the rights in the other's user namespace, `ESRCH` when it has ended, `EINVAL` for its own
/// user namespace.
pub fn join(pidfd: impl AsFd, kinds: &[Kind]) -> Result<()> {
    namespace::setns(pidfd, kinds.iter().map(|kind| kind.flag()).collect())
}
// ANCHOR_END: join

fn open(path: &Path) -> Result<OwnedFd> {
    file::openat2(CWD, path, OFlags::RDONLY, Mode::empty(), ResolveFlags::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cgroup_namespace_waits_until_the_process_is_in_its_cgroup() {
        let all = Namespaces { create: Kind::ALL.to_vec(), ..Namespaces::default() };
        assert!(!all.clone_flags().intersects(CloneFlags::CLONE_NEWCGROUP | Kind::Time.flag()));
        assert_eq!(all.inside(), [Step::UnshareCgroup]);
        assert_eq!(all.before_clone(), [Step::TimeOffsets(Offsets::default())]);
    }

    #[test]
    fn the_user_namespace_is_joined_first_and_the_mount_namespace_last() {
        let path = |kind: Kind| (kind, PathBuf::from(format!("/proc/1/ns/{kind}")));
        let both = Namespaces { join: vec![path(Kind::Mount), path(Kind::User)], ..Namespaces::default() };
        assert!(matches!(both.inside()[..], [Step::Join(Kind::User, _), Step::Join(Kind::Mount, _)]));
    }
}
