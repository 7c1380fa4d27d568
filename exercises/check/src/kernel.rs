//! What the kernel says about a process: typed reads of `/proc/<pid>`.
//!
//! Every function takes a pid and reads now; nothing is kept. proc(5).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file of `/proc` that could not be read, or says what we do not understand.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// It could not be read: the process has ended, or is somebody else's.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// It has no such line, or not in the form that proc(5) describes.
    #[error("{} has no {what}", .path.display())]
    Odd {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: String,
    },
}

/// One line of `/proc/<pid>/mountinfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The mount's number.
    pub id: u32,
    /// The number of the mount that it stands on.
    pub parent: u32,
    /// Which directory of the file system it shows.
    pub root: String,
    /// Where it is, seen from the process's root.
    pub point: String,
    /// Options of this mount, such as `ro,nosuid`.
    pub options: String,
    /// `shared:7`, `master:7`, …; empty for a private mount.
    pub propagation: Vec<String>,
    /// The type of the file system, such as `overlay`.
    pub kind: String,
    /// The device or name that it was mounted from.
    pub source: String,
    /// Options of the file system, such as `lowerdir=…`.
    pub super_options: String,
}

/// The mounts that the process can see, in the order in which they were made. Those outside its root are not
/// listed: the kernel leaves them out.
///
/// # Errors
/// When the process has ended.
pub fn mounts(pid: u32) -> Result<Vec<Mount>, KernelError> {
    let path = PathBuf::from(format!("/proc/{pid}/mountinfo"));
    let text = read(&path)?;
    let odd = |line: &str| KernelError::Odd { path: path.clone(), what: format!("mount in `{line}`") };
    text.lines().map(|line| mount(line).ok_or_else(|| odd(line))).collect()
}

/// The inode number of a namespace: two processes are in the same one when theirs are equal. `kind` is a name below
/// `/proc/<pid>/ns`, such as `mnt`.
///
/// # Errors
/// When the process has ended or is somebody else's.
pub fn namespace(pid: u32, kind: &str) -> Result<u64, KernelError> {
    let path = PathBuf::from(format!("/proc/{pid}/ns/{kind}"));
    fs::metadata(&path).map(|metadata| metadata.ino()).map_err(|source| KernelError::Read { path, source })
}

/// The process's cgroups, as lines of `/proc/<pid>/cgroup`: the controllers (none for v2) and the path.
///
/// # Errors
/// When the process has ended.
pub fn cgroups(pid: u32) -> Result<Vec<(Vec<String>, String)>, KernelError> {
    let path = PathBuf::from(format!("/proc/{pid}/cgroup"));
    let text = read(&path)?;
    let odd = |line: &str| KernelError::Odd { path: path.clone(), what: format!("cgroup in `{line}`") };
    let line = |line: &str| {
        let (_, rest) = line.split_once(':').ok_or_else(|| odd(line))?;
        let (controllers, group) = rest.split_once(':').ok_or_else(|| odd(line))?;
        let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned);
        Ok((controllers.collect(), group.to_owned()))
    };
    text.lines().map(line).collect()
}

/// The value of a line of `/proc/<pid>/status`, such as `CapEff`, `NSpid`, `Uid`.
///
/// # Errors
/// When the process has ended, or there is no such line.
pub fn status(pid: u32, field: &str) -> Result<String, KernelError> {
    let path = PathBuf::from(format!("/proc/{pid}/status"));
    let text = read(&path)?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(name, _)| *name == field).map(|(_, value)| value.trim().to_owned());
    found.ok_or_else(|| KernelError::Odd { path, what: format!("line `{field}`") })
}

/// The command line, words joined by blanks.
///
/// # Errors
/// When the process has ended.
pub fn command(pid: u32) -> Result<String, KernelError> {
    let text = read(Path::new(&format!("/proc/{pid}/cmdline")))?;
    Ok(text.trim_end_matches('\0').replace('\0', " "))
}

/// The children of a process, zombies included.
pub fn children(pid: u32) -> Vec<u32> {
    crate::program::children(pid)
}

/// What tells one file from another: its device and inode.
pub type Identity = (u64, u64);

/// The identity of what `/` means to the process.
///
/// # Errors
/// When the process has ended or is somebody else's.
pub fn root(pid: u32) -> Result<Identity, KernelError> {
    identity(format!("/proc/{pid}/root"))
}

/// The identity of the process's working directory.
///
/// # Errors
/// When the process has ended or is somebody else's.
pub fn working_directory(pid: u32) -> Result<Identity, KernelError> {
    identity(format!("/proc/{pid}/cwd"))
}

/// The identity of a file; links are followed.
///
/// # Errors
/// When there is none.
pub fn identity(path: impl AsRef<Path>) -> Result<Identity, KernelError> {
    let path = path.as_ref();
    let metadata = fs::metadata(path);
    metadata
        .map(|metadata| (metadata.dev(), metadata.ino()))
        .map_err(|source| KernelError::Read { path: path.to_owned(), source })
}

/// The text of a file, such as one of a cgroup.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: impl AsRef<Path>) -> Result<String, KernelError> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|source| KernelError::Read { path: path.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn mount(line: &str) -> Option<Mount> {
    let (mine, of_file_system) = line.split_once(" - ")?;
    let mut mine = mine.split(' ');
    let (id, parent) = (mine.next()?.parse().ok()?, mine.next()?.parse().ok()?);
    mine.next()?; // major:minor
    let (root, point, options) = (plain(mine.next()?), plain(mine.next()?), mine.next()?.to_owned());
    let propagation = mine.map(str::to_owned).collect();
    let mut of_file_system = of_file_system.splitn(3, ' ');
    Some(Mount {
        id,
        parent,
        root,
        point,
        options,
        propagation,
        kind: of_file_system.next()?.to_owned(),
        source: plain(of_file_system.next()?),
        super_options: of_file_system.next().unwrap_or_default().to_owned(),
    })
}

/// The kernel writes blanks and the like as `\040`.
fn plain(text: &str) -> String {
    let mut plain = text.to_owned();
    for (code, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(code, character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{children, mount, mounts, namespace, root, status};

    #[test]
    fn a_line_of_mountinfo_is_taken_apart() {
        let line =
            "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue";
        let mount = mount(line).unwrap();
        assert_eq!((mount.id, mount.parent), (36, 35));
        assert_eq!((mount.root.as_str(), mount.point.as_str()), ("/mnt1", "/mnt 2"));
        assert_eq!(mount.propagation, ["shared:1", "master:2"]);
        assert_eq!((mount.kind.as_str(), mount.super_options.as_str()), ("ext3", "rw,errors=continue"));
        assert!(super::mount("36 35 98:0 / /mnt rw").is_none());
    }

    #[test]
    fn this_process_is_described() {
        let pid = std::process::id();
        assert!(mounts(pid).unwrap().iter().any(|mount| mount.point == "/proc"));
        assert_eq!(status(pid, "Pid").unwrap(), pid.to_string());
        assert_eq!(root(pid).unwrap(), super::identity("/").unwrap());
        assert!(namespace(pid, "mnt").unwrap() > 0);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(children(pid), [child.id()]);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_is_gone_is_an_error_with_its_path() {
        let error = status(u32::MAX / 2, "Pid").unwrap_err();
        assert!(error.to_string().starts_with("cannot read /proc/"), "{error}");
        assert!(status(std::process::id(), "Nothing").unwrap_err().to_string().ends_with("line `Nothing`"));
    }
}
