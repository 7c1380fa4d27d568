//! Looks at the machine that a root is assembled from: what is at a path, and which links lead there.
//!
//! A path on a modern system is seldom what it seems: `/bin/awk` is `/bin` → `usr/bin`, then
//! `/usr/bin/awk` → `/etc/alternatives/awk` → `/usr/bin/mawk`. For the path to work in another root, every
//! one of these links has to be there too. So this module walks a path a component at a time, as the kernel
//! does, and reports each link that it crossed. It only reads. The root it reads from is a directory, so a
//! test can build a small host of its own.
//!
//! path_resolution(7), symlink(7); book ch. 1.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use crate::elf::{self, ElfError, Executable};
use crate::ld_cache::Cache;
use crate::machine::Machine;

/// As many links as the kernel follows before it gives up with `ELOOP`.
const MOST_LINKS: usize = 40;

/// A machine to take programs from, and what is known of it so far: nothing is looked at twice.
#[derive(Debug)]
pub struct Host {
    root: PathBuf,
    nodes: HashMap<PathBuf, Node>,
    executables: HashMap<PathBuf, Rc<Executable>>,
    cache: Rc<Cache>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The links on the way: where each is, what it says, and when it was made.
    pub links: Vec<(PathBuf, PathBuf, SystemTime)>,
    /// The end of the way, a path without links in it.
    pub path: PathBuf,
    /// What is there.
    pub node: Node,
}

/// What a directory entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Nothing, or nothing that we may see.
    Missing,
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Permission bits, `st_mode & 07777`.
        mode: u32,
        /// Length in bytes.
        size: u64,
        /// When its content last changed.
        modified: SystemTime,
    },
    /// A symbolic link; never the end of a walk.
    Link {
        /// What it says.
        to: PathBuf,
        /// When it was made.
        modified: SystemTime,
    },
    /// A device, a fifo or a socket.
    Other,
}

/// Why the host could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// More links in a row than the kernel follows.
    #[error("too many symbolic links on the way to `{}`; they go round in a circle at `{}`", .path.display(), .at.display())]
    Loop {
        /// The path that we were asked for.
        path: PathBuf,
        /// A link of the circle.
        at: PathBuf,
    },
    /// The kernel would not tell.
    #[error("cannot look at `{}`", .path.display())]
    Look {
        /// What we looked at.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
}

impl Host {
    /// The machine whose root directory is `root`: `/` for this one. Its `/etc/ld.so.cache` is read now; one
    /// that is missing or damaged means that libraries are looked for in the default directories alone, which
    /// is what the loader does then.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let mut host =
            Self { root, nodes: HashMap::new(), executables: HashMap::new(), cache: Rc::default() };
        let file = host.read_file(Path::new("/etc/ld.so.cache"));
        host.cache = Rc::new(file.and_then(|bytes| Cache::parse(&bytes).ok()).unwrap_or_default());
        host
    }

    /// The machine's processor. None when this program was built for one that it does not know by name.
    pub fn machine(&self) -> Option<Machine> {
        Machine::native()
    }

    /// The list of libraries that the host's loader uses.
    pub fn cache(&self) -> Rc<Cache> {
        Rc::clone(&self.cache)
    }

    /// Where a path of the host really is, seen from this process.
    pub fn outside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Follows the absolute `path` to its end.
    ///
    /// # Errors
    /// For links that go round in a circle, and when the kernel refuses to tell what something is.
    pub fn walk(&mut self, path: &Path) -> Result<Walk, HostError> {
        let mut links = Vec::new();
        let mut here = PathBuf::from("/");
        let mut node = Node::Directory;
        let mut ahead: VecDeque<OsString> = components(path);
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                here.pop();
                node = Node::Directory;
                continue;
            }
            here.push(&name);
            node = self.look(&here)?.clone();
            match &node {
                // ANCHOR: link
                Node::Link { to, modified } => {
                    if links.len() == MOST_LINKS {
                        return Err(HostError::Loop { path: path.to_owned(), at: here });
                    }
                    links.push((here.clone(), to.clone(), *modified));
                    for name in components(to).into_iter().rev() {
                        ahead.push_front(name);
                    }
                    if to.is_absolute() {
                        here = PathBuf::from("/");
                    } else {
                        here.pop();
                    }
                    node = Node::Directory;
                }
                // ANCHOR_END: link
                Node::Directory => {}
                // Whatever it is, nothing can be below it.
                Node::File { .. } | Node::Other | Node::Missing if ahead.is_empty() => {}
                Node::File { .. } | Node::Other | Node::Missing => {
                    here.extend(ahead.drain(..));
                    node = Node::Missing;
                }
            }
        }
        Ok(Walk { links, path: here, node })
    }

    /// The headers of the program or library at `path`, which must be a walk's end.
    ///
    /// # Errors
    /// When it cannot be read, or is no program.
    pub fn executable(&mut self, path: &Path) -> Result<Rc<Executable>, ElfError> {
        if let Some(known) = self.executables.get(path) {
            return Ok(Rc::clone(known));
        }
        let opened = File::open(self.outside(path));
        let mut file = opened.map_err(|source| ElfError::Read { part: "first bytes", source })?;
        let executable = Rc::new(elf::read(&mut file)?);
        self.executables.insert(path.to_owned(), Rc::clone(&executable));
        Ok(executable)
    }

    /// The content of a small file, or none when there is no such file that we may read.
    pub fn read_file(&mut self, path: &Path) -> Option<Vec<u8>> {
        let walk = self.walk(path).ok()?;
        match walk.node {
            Node::File { .. } => fs::read(self.outside(&walk.path)).ok(),
            _ => None,
        }
    }

    fn look(&mut self, path: &Path) -> Result<&Node, HostError> {
        if !self.nodes.contains_key(path) {
            let node = self.stat(path).map_err(|source| HostError::Look { path: path.to_owned(), source })?;
            self.nodes.insert(path.to_owned(), node);
        }
        Ok(self.nodes.get(path).unwrap_or(&Node::Missing))
    }

    fn stat(&self, path: &Path) -> io::Result<Node> {
        let outside = self.outside(path);
        let metadata = match fs::symlink_metadata(&outside) {
            Ok(metadata) => metadata,
            Err(error) => {
                use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
                // What we may not see is as good as not there: the loader could not open it either.
                return match error.kind() {
                    NotFound | NotADirectory | PermissionDenied => Ok(Node::Missing),
                    _ => Err(error),
                };
            }
        };
        let modified = metadata.modified()?;
        let kind = metadata.file_type();
        Ok(if kind.is_symlink() {
            Node::Link { to: fs::read_link(&outside)?, modified }
        } else if kind.is_dir() {
            Node::Directory
        } else if kind.is_file() {
            Node::File { mode: metadata.mode() & 0o7777, size: metadata.len(), modified }
        } else {
            Node::Other
        })
    }
}

/// The names that a path consists of, without `.` and the leading `/`.
fn components(path: &Path) -> VecDeque<OsString> {
    let kept = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    kept.map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn host(links: &[(&str, &str)], files: &[&str]) -> (tempfile::TempDir, Host) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            fs::create_dir_all(root.path().join(file).parent().unwrap()).unwrap();
            fs::write(root.path().join(file), "").unwrap();
        }
        for (path, to) in links {
            fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
            symlink(to, root.path().join(path)).unwrap();
        }
        let host = Host::new(root.path());
        (root, host)
    }

    fn crossed(walk: &Walk) -> Vec<&str> {
        walk.links.iter().map(|(path, ..)| path.to_str().unwrap()).collect()
    }

    #[test]
    fn every_link_on_the_way_is_reported() {
        let (_root, mut host) = host(
            &[
                ("bin", "usr/bin"),
                ("usr/bin/awk", "/etc/alternatives/awk"),
                ("etc/alternatives/awk", "../../bin/mawk"),
            ],
            &["usr/bin/mawk"],
        );
        let walk = host.walk(Path::new("/bin/awk")).unwrap();
        assert_eq!(walk.path, Path::new("/usr/bin/mawk"));
        assert!(matches!(walk.node, Node::File { .. }));
        assert_eq!(crossed(&walk), ["/bin", "/usr/bin/awk", "/etc/alternatives/awk", "/bin"]);
    }

    #[test]
    fn links_in_a_circle_are_an_error_that_names_one() {
        let (_root, mut host) = host(&[("a", "b"), ("b", "/a")], &[]);
        let error = host.walk(Path::new("/a/x")).unwrap_err().to_string();
        assert!(error.starts_with("too many symbolic links on the way to `/a/x`"), "{error}");
    }

    #[test]
    fn a_link_out_of_the_host_stays_inside() {
        let (_root, mut host) = host(&[("up", "../../../../../etc/passwd")], &["etc/passwd"]);
        assert_eq!(host.walk(Path::new("/up")).unwrap().path, Path::new("/etc/passwd"));
    }

    #[test]
    fn nothing_lies_below_a_file_or_below_nothing() {
        let (_root, mut host) = host(&[], &["etc/passwd"]);
        for path in ["/etc/passwd/x", "/none/x/y", "/none"] {
            let walk = host.walk(Path::new(path)).unwrap();
            assert_eq!((walk.node, walk.path.as_path()), (Node::Missing, Path::new(path)));
        }
    }
}
