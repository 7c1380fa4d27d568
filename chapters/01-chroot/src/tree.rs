//! A root filesystem as a list of entries, and the loop that makes it.
//!
//! The list comes from [`crate::assemble`] and is complete: every directory, every link and every file, with
//! its mode and its time, parents first. So it can be printed, compared and tested without making anything,
//! and the same list makes the same tree. Nothing in it lies below a link, so making the tree never leaves
//! its root. Set-user-id bits are not in it: what the host trusts, a container need not.
//!
//! copy_file_range(2), utimensat(2); book ch. 1.

use std::fmt;
use std::fs::{self, DirBuilder, File, FileTimes, Permissions};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mini_sys::file::{self, Timespec, Timestamps};

/// One thing of the new root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it will be: an absolute path inside the new root.
    pub path: PathBuf,
    /// What it will be.
    pub what: What,
    /// The time of its last change that it will show.
    pub modified: SystemTime,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A directory.
    Directory {
        /// Permission bits, such as `0o755`.
        mode: u32,
    },
    /// A copy of a file of the host.
    File {
        /// The host's file, as this process sees it.
        source: PathBuf,
        /// Permission bits.
        mode: u32,
        /// Length in bytes, when it was looked at.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// What it says.
        to: PathBuf,
    },
    /// A file that we write.
    Text {
        /// Its content.
        content: Vec<u8>,
        /// Permission bits.
        mode: u32,
    },
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.what {
            What::Directory { mode } => write!(formatter, "directory {path} ({mode:04o})"),
            What::File { source, mode, .. } if *source == self.path => {
                write!(formatter, "copy {path} ({mode:04o})")
            }
            What::File { source, mode, .. } => {
                write!(formatter, "copy {path} ({mode:04o}) from {}", source.display())
            }
            What::Symlink { to } => write!(formatter, "link {path} -> {}", to.display()),
            What::Text { content, mode } => {
                write!(formatter, "write {path} ({mode:04o}, {} bytes)", content.len())
            }
        }
    }
}

/// An entry that contradicts another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Something would lie below what is no directory.
    #[error("`{}` would lie below `{}`, which is no directory", .path.display(), .above.display())]
    NoDirectory {
        /// The entry.
        path: PathBuf,
        /// What is above it.
        above: PathBuf,
    },
    /// A path that is not absolute, or has `..` in it.
    #[error("`{}` is not a plain absolute path", .path.display())]
    NotPlain {
        /// The entry.
        path: PathBuf,
    },
}

/// A whole root filesystem, as data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    entries: Vec<Entry>,
}

impl Tree {
    /// Puts `entries` in order and adds the directories that they lie in (mode 0755). Of two entries for one
    /// path, the first stays.
    ///
    /// # Errors
    /// When an entry lies below a link or a file, or its path is not plain.
    pub fn new(entries: Vec<Entry>) -> Result<Self, TreeError> {
        let mut by_path = std::collections::BTreeMap::new();
        for entry in entries {
            by_path.entry(entry.path.clone()).or_insert(entry);
        }
        let paths: Vec<PathBuf> = by_path.keys().cloned().collect();
        for path in paths {
            use std::path::Component::{Normal, RootDir};
            if !path.is_absolute() || !path.components().all(|part| matches!(part, RootDir | Normal(_))) {
                return Err(TreeError::NotPlain { path });
            }
            for above in path.ancestors().skip(1).filter(|above| above.parent().is_some()) {
                let entry = by_path.entry(above.to_owned()).or_insert_with(|| Entry::directory(above, 0o755));
                if !matches!(entry.what, What::Directory { .. }) {
                    let above = above.to_owned();
                    return Err(TreeError::NoDirectory { path, above });
                }
            }
        }
        by_path.remove(Path::new("/"));
        Ok(Self { entries: by_path.into_values().collect() })
    }

    /// The entries, parents before what lies in them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is at `path`, an absolute path without links.
    pub fn get(&self, path: &Path) -> Option<&What> {
        self.entries.iter().find(|entry| entry.path == path).map(|entry| &entry.what)
    }

    /// How many bytes all files have together.
    pub fn size(&self) -> u64 {
        let sizes = self.entries.iter().map(|entry| match &entry.what {
            What::File { size, .. } => *size,
            What::Text { content, .. } => content.len() as u64,
            What::Directory { .. } | What::Symlink { .. } => 0,
        });
        sizes.sum()
    }
}

impl Entry {
    /// A directory of ours. Like all that we do not copy it is from the beginning of time, 1970: a tree that
    /// is made twice shall not differ.
    pub fn directory(path: impl Into<PathBuf>, mode: u32) -> Self {
        Self { path: path.into(), what: What::Directory { mode }, modified: SystemTime::UNIX_EPOCH }
    }

    /// A file of ours.
    pub fn text(path: impl Into<PathBuf>, content: impl Into<Vec<u8>>, mode: u32) -> Self {
        let what = What::Text { content: content.into(), mode };
        Self { path: path.into(), what, modified: SystemTime::UNIX_EPOCH }
    }

    /// A link of ours.
    pub fn symlink(path: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Self {
        let what = What::Symlink { to: to.into() };
        Self { path: path.into(), what, modified: SystemTime::UNIX_EPOCH }
    }
}

/// Why a tree could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PerformError {
    /// The directory holds something already, and a mixture of two roots would be neither.
    #[error("cannot make a root in `{}`: it is not empty", .root.display())]
    NotEmpty {
        /// The directory.
        root: PathBuf,
    },
    /// The directory itself could not be made or read.
    #[error("cannot make a root in `{}`", .root.display())]
    Root {
        /// The directory.
        root: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// One entry failed.
    #[error("cannot make a root in `{}`: {entry}", .root.display())]
    Entry {
        /// The directory.
        root: PathBuf,
        /// The entry, as it displays itself.
        entry: String,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
}

/// Makes `tree` in the directory `root`, which must be empty or not there yet. Everything belongs to this
/// process's user.
///
/// # Errors
/// For a directory that is not empty, and when the kernel refuses an entry; what was made so far then stays
/// for the caller to remove.
pub fn perform(tree: &Tree, root: &Path) -> Result<(), PerformError> {
    let directory = prepare(root)?;
    let failed = |entry: &Entry, source| {
        let root = root.to_owned();
        PerformError::Entry { root, entry: entry.to_string(), source }
    };
    for entry in tree.entries() {
        make(entry, root, &directory).map_err(|source| failed(entry, source))?;
    }
    // Directories get their mode and time last: making something inside needs the one and changes the other.
    for entry in tree.entries() {
        if let What::Directory { mode } = entry.what {
            let settled = settle(&inside(root, &entry.path), mode, entry.modified);
            settled.map_err(|source| failed(entry, source))?;
        }
    }
    settle(root, 0o755, SystemTime::UNIX_EPOCH)
        .map_err(|source| PerformError::Root { root: root.to_owned(), source })
}

fn prepare(root: &Path) -> Result<OwnedFd, PerformError> {
    let failed = |source| PerformError::Root { root: root.to_owned(), source };
    match fs::create_dir(root) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    if fs::read_dir(root).map_err(failed)?.next().is_some() {
        return Err(PerformError::NotEmpty { root: root.to_owned() });
    }
    file::open_directory(root).map_err(|error| failed(error.errno().into()))
}

fn make(entry: &Entry, root: &Path, directory: &OwnedFd) -> io::Result<()> {
    let path = inside(root, &entry.path);
    match &entry.what {
        What::Directory { .. } => DirBuilder::new().mode(0o700).create(path),
        What::File { source, mode, .. } => {
            let mut from = File::open(source)?;
            // copy_file_range(2): no byte passes through this process, and where the file system can, the
            // two files share their blocks.
            write(&path, *mode, entry.modified, |to| io::copy(&mut from, to).map(drop))
        }
        What::Text { content, mode } => write(&path, *mode, entry.modified, |to| to.write_all(content)),
        What::Symlink { to } => {
            symlink(to, &path)?;
            let since = entry.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
            let time =
                Timespec { tv_sec: since.as_secs().cast_signed(), tv_nsec: since.subsec_nanos().into() };
            let times = Timestamps { last_access: time, last_modification: time };
            let relative = entry.path.strip_prefix("/").unwrap_or(&entry.path);
            Ok(file::utimensat(directory, relative, &times).map_err(|error| error.errno())?)
        }
    }
}

fn write(
    path: &Path,
    mode: u32,
    modified: SystemTime,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(mode).open(path)?;
    fill(&mut file)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.set_times(FileTimes::new().set_accessed(modified).set_modified(modified))
}

fn settle(directory: &Path, mode: u32, modified: SystemTime) -> io::Result<()> {
    let open = File::open(directory)?;
    open.set_permissions(Permissions::from_mode(mode))?;
    open.set_times(FileTimes::new().set_accessed(modified).set_modified(modified))
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parents_are_added_and_come_first() {
        let tree = Tree::new(vec![Entry::text("/a/b/c", "", 0o644), Entry::directory("/a", 0o700)]).unwrap();
        let lines: Vec<String> = tree.entries().iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["directory /a (0700)", "directory /a/b (0755)", "write /a/b/c (0644, 0 bytes)"]);
    }

    #[test]
    fn nothing_lies_below_a_link() {
        let entries = vec![Entry::symlink("/etc", "/somewhere"), Entry::text("/etc/passwd", "", 0o644)];
        let error = Tree::new(entries).unwrap_err().to_string();
        assert_eq!(error, "`/etc/passwd` would lie below `/etc`, which is no directory");
    }

    #[test]
    fn a_directory_with_something_in_it_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("mine"), "precious").unwrap();
        let error = perform(&Tree::default(), root.path()).unwrap_err();
        assert!(matches!(error, PerformError::NotEmpty { .. }), "{error}");
    }

    #[test]
    fn a_failure_names_the_entry() {
        let root = tempfile::tempdir().unwrap();
        let what = What::File { source: "/no/such/file".into(), mode: 0o755, size: 0 };
        let entry = Entry { path: "/ls".into(), what, modified: SystemTime::UNIX_EPOCH };
        let error = perform(&Tree::new(vec![entry]).unwrap(), root.path()).unwrap_err().to_string();
        assert!(error.ends_with("copy /ls (0755) from /no/such/file"), "{error}");
    }

    proptest! {
        #[test]
        fn every_entry_of_a_tree_lies_in_a_directory_of_it(
            paths in prop::collection::vec("(/[a-c]{1,2}){1,4}|[a-c]|/\\.\\./x", 1..12),
        ) {
            let entries = paths.iter().map(|path| Entry::text(path, "", 0o644)).collect();
            let Ok(tree) = Tree::new(entries) else { return Ok(()) };
            for entry in tree.entries() {
                prop_assert!(entry.path.is_absolute());
                let parent = entry.path.parent().unwrap();
                let is_directory = matches!(tree.get(parent), Some(What::Directory { .. }));
                prop_assert!(is_directory || parent == Path::new("/"));
            }
        }
    }
}
