//! Who is who in a user namespace: which ids inside stand for which ids outside.
//!
//! A user namespace has its own user 0. What that user may do outside is what the id it is mapped to may do:
//! for a rootless container, its own user, who is nobody special. A map is written once, by a process outside,
//! into `/proc/<pid>/uid_map`. The kernel lets an ordinary user write one line, which maps its own id, and
//! only after it has given up setgroups(2) inside: otherwise dropping a group could *gain* access to a file
//! that the group is denied. More takes newuidmap(1) and newgidmap(1).
//!
//! The writing is done by the parent; the new process waits for it. user_namespaces(7); book ch. 2.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mini_sys::capability::{self, CapabilitySet};
use mini_sys::{Errno, Pid, file};

use crate::subids::{Helpers, Range, User};

/// A run of ids that are mapped one to one; a line of `uid_map` or `gid_map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdMap {
    /// The first id inside.
    pub inside: u32,
    /// The id outside that it stands for.
    pub outside: u32,
    /// How many follow, these included.
    pub count: u32,
}

impl fmt::Display for IdMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.inside, self.outside, self.count)
    }
}

/// Both maps of a user namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maps {
    /// User ids.
    pub uids: Vec<IdMap>,
    /// Group ids.
    pub gids: Vec<IdMap>,
}

/// Who makes the user namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Somebody with `CAP_SETUID` and `CAP_SETGID`, who may map any id.
    Privileged,
    /// Anybody else.
    Ordinary(User),
}

impl Caller {
    /// This process. `path` is the search path for newuidmap(1), written as in the environment.
    pub fn this_process(path: &std::ffi::OsStr) -> Self {
        let both = CapabilitySet::SETUID | CapabilitySet::SETGID;
        if capability::capget().is_ok_and(|sets| sets.effective.contains(both)) {
            Self::Privileged
        } else {
            Self::Ordinary(User::of_this_process(path))
        }
    }
}

impl Maps {
    /// What a rootless container gets: the user as 0, and as 1 and onwards the ids that it was given. Without
    /// such ids, or without the programs to map them, 0 is the only id there is.
    pub fn rootless(user: &User) -> Self {
        let usable = user.helpers.is_some() && !user.subuids.is_empty() && !user.subgids.is_empty();
        let map = |own, ranges: &[Range]| {
            let mut map = vec![IdMap { inside: 0, outside: own, count: 1 }];
            let mut inside: u32 = 1;
            for range in ranges.iter().filter(|_| usable) {
                let count = range.count.min(u32::MAX - inside);
                if count > 0 {
                    map.push(IdMap { inside, outside: range.start, count });
                }
                inside += count;
            }
            map
        };
        Self { uids: map(user.uid, &user.subuids), gids: map(user.gid, &user.subgids) }
    }

    /// Whether the kernel lets this user write the maps without anybody's help.
    fn only_own(&self, user: &User) -> bool {
        let only = |map: &[IdMap], own| matches!(map, [IdMap { outside, count: 1, .. }] if *outside == own);
        only(&self.uids, user.uid) && only(&self.gids, user.gid)
    }
}

/// One thing to do about the maps of a new process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Takes setgroups(2) from the namespace, for good.
    DenySetgroups,
    /// Writes the map of user ids.
    WriteUids(Vec<IdMap>),
    /// Writes the map of group ids.
    WriteGids(Vec<IdMap>),
    /// Has newuidmap(1), at this path, write the map of user ids.
    RunNewuidmap(PathBuf, Vec<IdMap>),
    /// Has newgidmap(1), at this path, write the map of group ids.
    RunNewgidmap(PathBuf, Vec<IdMap>),
}

/// The steps that give a new user namespace these maps. Where an ordinary user has no programs that could do
/// it, the steps are the direct ones and the kernel will refuse them.
pub fn plan(caller: &Caller, maps: &Maps) -> Vec<Step> {
    let Maps { uids, .. } = maps.clone();
    match caller {
        Caller::Ordinary(user) if !maps.only_own(user) && user.helpers.is_some() => {
            let gids = maps.gids.clone();
            let helpers = user.helpers.clone();
            let run = |Helpers { newuidmap, newgidmap }| {
                [Step::RunNewuidmap(newuidmap, uids), Step::RunNewgidmap(newgidmap, gids)]
            };
            helpers.map(run).into_iter().flatten().collect()
        }
        Caller::Ordinary(_) => {
            vec![Step::WriteUids(uids.clone()), Step::WriteGids(uids), Step::DenySetgroups]
        }
        Caller::Privileged => vec![Step::WriteUids(uids.clone()), Step::WriteGids(uids)],
    }
}

/// Why a map could not be set.
#[derive(Debug, thiserror::Error)]
pub enum IdMapError {
    /// The kernel refused what we wrote.
    #[error("cannot map ids for process {pid}")]
    Write {
        /// The new process.
        pid: Pid,
        /// The write, and the kernel's answer.
        #[source]
        source: mini_sys::Error,
    },
    /// newuidmap(1) or newgidmap(1) could not be started.
    #[error("cannot run `{}`", .program.display())]
    Run {
        /// Which one.
        program: PathBuf,
        /// The kernel's answer.
        #[source]
        source: std::io::Error,
    },
    /// newuidmap(1) or newgidmap(1) refused.
    #[error("`{command}`: {complaint}")]
    Refused {
        /// The command line.
        command: String,
        /// What it said.
        complaint: String,
    },
}

impl IdMapError {
    /// The way out, where we know one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Write { source, .. } => match source.errno() {
                Errno::EPERM => Some(
                    "an ordinary user may map its own id alone; for more, install newuidmap and newgidmap and \
                     add the user to /etc/subuid and /etc/subgid"
                        .to_owned(),
                ),
                Errno::EINVAL => Some("maps must not overlap, and have at most 340 lines".to_owned()),
                _ => None,
            },
            Self::Refused { .. } => Some(
                "the ids must be given to the user in /etc/subuid and /etc/subgid, and the program must be \
                 set-user-id root or have the file capability"
                    .to_owned(),
            ),
            Self::Run { .. } => None,
        }
    }
}

impl Step {
    /// The write or the command, as a person would do it.
    pub fn call(&self) -> String {
        match self {
            Self::DenySetgroups => "write(\"deny\", /proc/PID/setgroups)".to_owned(),
            Self::WriteUids(map) => format!("write(\"{}\", /proc/PID/uid_map)", join(map, "; ")),
            Self::WriteGids(map) => format!("write(\"{}\", /proc/PID/gid_map)", join(map, "; ")),
            Self::RunNewuidmap(_, map) => format!("newuidmap PID {}", join(map, " ")),
            Self::RunNewgidmap(_, map) => format!("newgidmap PID {}", join(map, " ")),
        }
    }

    /// Why it is done, and why here.
    pub fn why(&self) -> &'static str {
        match self {
            Self::DenySetgroups => "the kernel's condition for a group map by an ordinary user",
            Self::WriteUids(_) => "says whose rights the users inside have outside",
            Self::WriteGids(_) => "says whose rights the groups inside have outside",
            Self::RunNewuidmap(..) => "maps the user ids that /etc/subuid gives to this user",
            Self::RunNewgidmap(..) => "maps the group ids that /etc/subgid gives to this user",
        }
    }

    /// Does it, to the process `pid`, which is in the new user namespace. Called by its parent.
    ///
    /// # Errors
    /// When the kernel or the helper refuses.
    pub fn perform(&self, pid: Pid) -> Result<(), IdMapError> {
        match self {
            Self::DenySetgroups => write(pid, "setgroups", "deny"),
            Self::WriteUids(map) => write(pid, "uid_map", &join(map, "\n")),
            Self::WriteGids(map) => write(pid, "gid_map", &join(map, "\n")),
            Self::RunNewuidmap(program, map) | Self::RunNewgidmap(program, map) => run(program, pid, map),
        }
    }
}

fn join(map: &[IdMap], separator: &str) -> String {
    let lines: Vec<String> = map.iter().map(ToString::to_string).collect();
    lines.join(separator)
}

fn write(pid: Pid, file: &str, text: &str) -> Result<(), IdMapError> {
    let path = PathBuf::from(format!("/proc/{pid}/{file}"));
    file::write_existing(&path, text).map_err(|source| IdMapError::Write { pid, source })
}

fn run(program: &Path, pid: Pid, map: &[IdMap]) -> Result<(), IdMapError> {
    let mut arguments = vec![pid.to_string()];
    for IdMap { inside, outside, count } in map {
        arguments.extend([inside, outside, count].map(ToString::to_string));
    }
    let output = Command::new(program).args(&arguments).output();
    let Output { status, stderr, .. } =
        output.map_err(|source| IdMapError::Run { program: program.to_owned(), source })?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr);
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    // It puts its own name before what it says, and we say it already.
    let said = said.trim().trim_start_matches(&*name).trim_start_matches(':').trim_start();
    let complaint = if said.is_empty() { status.to_string() } else { said.to_owned() };
    Err(IdMapError::Refused { command: format!("{name} {}", arguments.join(" ")), complaint })
}
