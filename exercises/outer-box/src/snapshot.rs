//! What there is in the box at one moment, and what is there at a later one that was not there before.
//!
//! The program may mount over `/proc` or pivot away from `/tmp`; process 1 looks through directories that it
//! opened before the program ran. proc(5), proc_pid_mountinfo(5).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use mini_sys::file::{self, CWD, FileType, Mode, OFlags, ResolveFlags};
use mini_sys::{Result, inode};

use crate::leak::{Leak, LeakKind};

/// Of each kind, no more leaks than this are listed one by one.
const MOST: usize = 10;

/// No more files than this are looked at.
const MOST_FILES: usize = 50_000;

/// The notes of mount(8), which it keeps for itself.
const MOUNT_STATE: &str = "/run/mount";

/// What process 1 looks through.
#[derive(Debug)]
pub(crate) struct Eyes {
    proc: OwnedFd,
    cgroups: Vec<OwnedFd>,
    /// Directories, and where they are.
    fresh: Vec<(PathBuf, OwnedFd)>,
    /// The state of mini-docker: not a leak in itself, but its containers are.
    state: PathBuf,
}

/// What there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// By the kernel's number of the mount: its target, its type.
    mounts: BTreeMap<u64, (String, String)>,
    cgroups: BTreeSet<PathBuf>,
    links: BTreeSet<String>,
    /// By pid: the command line.
    processes: BTreeMap<i32, String>,
    /// The path, and whether it is a directory.
    files: BTreeMap<PathBuf, bool>,
    containers: BTreeSet<String>,
}

impl Eyes {
    /// Opens `/proc`, the tops of the box's `cgroups`, and those of the `fresh` directories that are there.
    ///
    /// # Errors
    /// Those of open(2).
    pub(crate) fn open(cgroups: &[PathBuf], fresh: &[&str], state: &Path) -> Result<Self> {
        let fresh = fresh.iter().map(PathBuf::from).filter(|path| path.is_dir());
        Ok(Self {
            proc: open_directory(CWD, Path::new("/proc"), ResolveFlags::empty())?,
            cgroups: cgroups
                .iter()
                .map(|path| open_directory(CWD, path, ResolveFlags::empty()))
                .collect::<Result<_>>()?,
            fresh: fresh
                .map(|path| Ok((path.clone(), open_directory(CWD, &path, ResolveFlags::empty())?)))
                .collect::<Result<_>>()?,
            state: state.to_owned(),
        })
    }

    /// Looks. What cannot be read, because it goes away at this moment, is not there.
    pub(crate) fn look(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            mounts: mounts(&self.read("self/mountinfo")),
            links: links(&self.read("self/net/dev")),
            processes: self.processes(),
            ..Snapshot::default()
        };
        for cgroup in &self.cgroups {
            walk(cgroup, Path::new("/"), &mut |path, is_directory| {
                if is_directory {
                    snapshot.cgroups.insert(path.to_owned());
                }
                true
            });
        }
        for (top, directory) in &self.fresh {
            let mut count = 0;
            walk(directory, top, &mut |path, is_directory| {
                if let Ok(inside) = path.strip_prefix(&self.state) {
                    let mut parts = inside.components().map(|part| part.as_os_str().to_string_lossy());
                    if let (Some("containers"), Some(id)) = (parts.next().as_deref(), parts.next()) {
                        snapshot.containers.insert(id.into_owned());
                        return false;
                    }
                    return true;
                }
                snapshot.files.insert(path.to_owned(), is_directory);
                count += 1;
                count < MOST_FILES && path != Path::new(MOUNT_STATE)
            });
        }
        snapshot
    }

    /// The processes of the box but the first, by pid, with their command lines. Those that have ended and only
    /// wait to be asked for their status do not count.
    pub(crate) fn processes(&self) -> BTreeMap<i32, String> {
        let names = inode::names(&self.proc).unwrap_or_default();
        let pids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        pids.filter(|pid| *pid != 1)
            .filter_map(|pid| {
                let stat = self.read(&format!("{pid}/stat"));
                let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
                if matches!(rest.trim_start().chars().next(), None | Some('Z' | 'X')) {
                    return None;
                }
                let line = self.read(&format!("{pid}/cmdline")).replace('\0', " ");
                let line = if line.trim().is_empty() { name } else { line.trim() };
                Some((pid, line.chars().take(100).collect()))
            })
            .collect()
    }

    fn read(&self, path: &str) -> String {
        let opened =
            file::openat2(&self.proc, Path::new(path), OFlags::RDONLY, Mode::empty(), ResolveFlags::empty());
        let mut bytes = Vec::new();
        if let Ok(fd) = opened {
            let _ = File::from(fd).read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn open_directory(at: impl AsFd, path: &Path, resolve: ResolveFlags) -> Result<OwnedFd> {
    file::openat2(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty(), resolve)
}

/// Tells `found` of all that is below `directory`, which is shown as `shown`, and goes on into a directory where
/// it says so. Goes into no other mount.
fn walk(directory: &OwnedFd, shown: &Path, found: &mut dyn FnMut(&Path, bool) -> bool) {
    for name in inode::names(directory).unwrap_or_default() {
        let path = shown.join(&name);
        let Ok(stat) = file::statat(directory, Path::new(&name)) else { continue };
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if found(&path, is_directory) && is_directory {
            let below = open_directory(directory, Path::new(&name), ResolveFlags::NO_XDEV);
            if let Ok(below) = below {
                walk(&below, &path, found);
            }
        }
    }
}

/// From the text of a mountinfo file: number, target, type.
fn mounts(mountinfo: &str) -> BTreeMap<u64, (String, String)> {
    let line = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ');
        let number = before.next()?.parse().ok()?;
        let target = before.nth(3)?.replace("\\040", " ");
        Some((number, (target, after.split(' ').next()?.to_owned())))
    };
    mountinfo.lines().filter_map(line).collect()
}

/// From the text of `/proc/net/dev`: the names of the interfaces.
fn links(text: &str) -> BTreeSet<String> {
    text.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

impl Snapshot {
    /// What is in `after` and not in this one, and the mounts that are not there any more.
    pub(crate) fn leaks(&self, after: &Self) -> Vec<Leak> {
        let mut leaks = Vec::new();
        leaks.extend(shorten(self.new_processes(after), LeakKind::Process));
        leaks.extend(shorten(self.new_mounts(after), LeakKind::Mount));
        leaks.extend(shorten(self.lost_mounts(after), LeakKind::Unmount));
        leaks.extend(shorten(self.new_cgroups(after), LeakKind::Cgroup));
        leaks.extend(shorten(self.new_links(after), LeakKind::Link));
        leaks.extend(shorten(self.new_containers(after), LeakKind::Container));
        leaks.extend(shorten(self.new_files(after), LeakKind::File));
        leaks
    }

    fn new_processes(&self, after: &Self) -> Vec<Leak> {
        let new = after.processes.iter().filter(|(pid, _)| !self.processes.contains_key(pid));
        new.map(|(pid, line)| Leak {
            kind: LeakKind::Process,
            subject: line.clone(),
            text: format!("process {pid} still runs: `{line}`"),
            mend: format!(
                "`kill {pid}`; a program waits for its children, or has them die with it: PR_SET_PDEATHSIG"
            ),
        })
        .collect()
    }

    fn new_mounts(&self, after: &Self) -> Vec<Leak> {
        let new = after.mounts.iter().filter(|(number, _)| !self.mounts.contains_key(number));
        new.map(|(_, (target, fstype))| Leak {
            kind: LeakKind::Mount,
            subject: target.clone(),
            text: format!("{fstype} is mounted on {target}"),
            mend: format!(
                "`umount {target}`; mounts that are made in a mount namespace of one's own, after MS_PRIVATE, go with it"
            ),
        })
        .collect()
    }

    fn lost_mounts(&self, after: &Self) -> Vec<Leak> {
        let lost = self.mounts.iter().filter(|(number, _)| !after.mounts.contains_key(number));
        let lost: Vec<_> = lost.map(|(_, mount)| mount).collect();
        // Of a tree, only the top.
        let is_below = |target: &str| {
            lost.iter().any(|(above, _)| above != target && Path::new(target).starts_with(above))
        };
        lost.iter().filter(|(target, _)| !is_below(target)).map(|(target, fstype)| Leak {
            kind: LeakKind::Unmount,
            subject: target.clone(),
            text: format!("the machine's {fstype} on {target} is gone"),
            mend: format!(
                "`mount -t {fstype} {fstype} {target}`, or restart; unmount in a mount namespace of one's own, after MS_PRIVATE"
            ),
        })
        .collect()
    }

    fn new_cgroups(&self, after: &Self) -> Vec<Leak> {
        let is_new = |path: &Path| after.cgroups.contains(path) && !self.cgroups.contains(path);
        let new = after.cgroups.iter().filter(|path| is_new(path) && !path.parent().is_some_and(is_new));
        new.map(|path| Leak {
            kind: LeakKind::Cgroup,
            subject: path.display().to_string(),
            text: format!("the cgroup {} is left", path.display()),
            mend: format!("`rmdir` its directories below /sys/fs/cgroup, `find /sys/fs/cgroup -depth -type d -path '*{}*'` lists them; they must be empty", path.display()),
        })
        .collect()
    }

    fn new_links(&self, after: &Self) -> Vec<Leak> {
        let new = after.links.difference(&self.links);
        new.map(|name| Leak {
            kind: LeakKind::Link,
            subject: name.clone(),
            text: format!("the network interface {name} is left"),
            mend: format!("`ip link delete {name}`; it goes with its network namespace, or with its peer"),
        })
        .collect()
    }

    fn new_containers(&self, after: &Self) -> Vec<Leak> {
        let new = after.containers.difference(&self.containers);
        new.map(|id| Leak {
            kind: LeakKind::Container,
            subject: id.clone(),
            text: format!("mini-docker keeps the container {}", id.get(..12).unwrap_or(id)),
            mend: format!(
                "`mini-docker rm -f {}`; `run --rm` removes it at its end",
                id.get(..12).unwrap_or(id)
            ),
        })
        .collect()
    }

    fn new_files(&self, after: &Self) -> Vec<Leak> {
        let is_new = |path: &Path| after.files.contains_key(path) && !self.files.contains_key(path);
        let new = after.files.iter().filter(|(path, _)| is_new(path) && !path.parent().is_some_and(is_new));
        new.map(|(path, is_directory)| {
            let (what, remove) = if *is_directory { ("directory", "rm -r") } else { ("file", "rm") };
            Leak {
                kind: LeakKind::File,
                subject: path.display().to_string(),
                text: format!("the {what} {} is left", path.display()),
                mend: format!("`{remove} {}`", path.display()),
            }
        })
        .collect()
    }
}

/// The first of many, and how many more there are.
fn shorten(mut leaks: Vec<Leak>, kind: LeakKind) -> Vec<Leak> {
    let more = leaks.len().saturating_sub(MOST);
    if more > 0 {
        leaks.truncate(MOST);
        leaks.push(Leak {
            kind,
            subject: "…".to_owned(),
            text: format!("{more} more of the kind `{kind}`"),
            mend: "as those above".to_owned(),
        });
    }
    leaks
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "24 30 0:22 / /proc rw,relatime shared:5 - proc proc rw\n\
        30 1 252:1 / / ro,relatime shared:1 - ext4 /dev/vda1 rw\n";

    #[test]
    fn a_mount_that_came_and_one_that_went_are_told() {
        let before = Snapshot { mounts: mounts(BEFORE), ..Snapshot::default() };
        let after = "30 1 252:1 / / ro,relatime shared:1 - ext4 /dev/vda1 rw\n\
            41 30 0:50 / /tmp/a\\040b rw - tmpfs none rw\n";
        let after = Snapshot { mounts: mounts(after), ..Snapshot::default() };
        let leaks = before.leaks(&after);
        let told: Vec<_> = leaks.iter().map(|leak| (leak.kind, leak.text.as_str())).collect();
        assert_eq!(
            told,
            [
                (LeakKind::Mount, "tmpfs is mounted on /tmp/a b"),
                (LeakKind::Unmount, "the machine's proc on /proc is gone")
            ]
        );
        assert_eq!(before.leaks(&before), []);
    }

    #[test]
    fn of_a_tree_only_the_top_is_told() {
        let files = [("/tmp", true), ("/tmp/a", true), ("/tmp/a/b", false), ("/tmp/c", false)];
        let files = files.map(|(path, is_directory)| (PathBuf::from(path), is_directory));
        let before = Snapshot { files: files[..1].iter().cloned().collect(), ..Snapshot::default() };
        let after = Snapshot { files: files.into_iter().collect(), ..Snapshot::default() };
        let subjects: Vec<String> = before.leaks(&after).into_iter().map(|leak| leak.subject).collect();
        assert_eq!(subjects, ["/tmp/a", "/tmp/c"]);
    }

    #[test]
    fn many_leaks_of_a_kind_are_counted() {
        let links = (0..MOST + 5).map(|number| format!("veth{number:03}")).collect();
        let leaks = Snapshot::default().leaks(&Snapshot { links, ..Snapshot::default() });
        assert_eq!(leaks.len(), MOST + 1);
        assert_eq!(leaks.last().unwrap().text, "5 more of the kind `link`");
    }

    #[test]
    fn interfaces_are_read_from_the_kernels_table() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 0 0\n  eth0: 1 2\n";
        assert_eq!(links(text), BTreeSet::from(["lo".to_owned(), "eth0".to_owned()]));
    }
}
