//! Looks into a stack of layer trees as the kernel's overlay would show it, without mounting anything.
//!
//! Overlay's rule fits a sentence: a name means what the topmost tree that has it says, a whiteout says
//! "nothing", and directories of the same name merge downwards until one that is opaque. This module walks
//! by that rule, a component at a time, so that an image's `/etc/passwd` can be read before any container
//! exists. A symbolic link of the image is followed inside the image: `/` is the top of the stack.
//!
//! Kernel documentation, filesystems/overlayfs; path_resolution(7); book ch. 5.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use mini_sys::file::{self, FileType, Mode, OFlags, ResolveFlags, Stat};
use mini_sys::{Errno, xattr};

/// The trees of a stack, opened.
#[derive(Debug)]
pub struct Stack {
    root: Merged,
}

/// The directories that show as one, topmost first.
type Merged = Rc<Vec<OwnedFd>>;

/// What a name means in a stack.
#[derive(Debug)]
pub enum Found {
    /// Directories, which show as one.
    Directory {
        /// What fstat(2) says of the topmost.
        stat: Stat,
        /// The topmost one, opened with `O_PATH`.
        directory: OwnedFd,
    },
    /// Anything else.
    File {
        /// What fstat(2) says of it.
        stat: Stat,
        /// The file, opened with `O_PATH`.
        file: OwnedFd,
    },
}

/// A stack that could not be looked into.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A tree could not be opened.
    #[error("open the layer tree {}", path.display())]
    Tree {
        /// The tree's root.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: mini_sys::Error,
    },
    /// A path could not be resolved.
    #[error("look up `{}` in the image", path.display())]
    Lookup {
        /// The path as asked for.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: mini_sys::Error,
    },
    /// Links lead to links without end.
    #[error("too many symbolic links in `{}`", path.display())]
    Loop {
        /// The path as asked for.
        path: PathBuf,
    },
}

/// The kernel follows as many in one path.
const MOST_LINKS: usize = 40;

impl Stack {
    /// Opens the trees at `paths`, topmost first.
    ///
    /// # Errors
    /// When one of them is not there or not a directory.
    pub fn open(paths: &[PathBuf]) -> Result<Self, StackError> {
        let open = |path: &PathBuf| {
            file::open_directory(path).map_err(|source| StackError::Tree { path: path.clone(), source })
        };
        Ok(Self { root: Rc::new(paths.iter().map(open).collect::<Result<_, _>>()?) })
    }

    /// What `path` means, links followed; none when it means nothing. A link at the very end is followed
    /// too.
    ///
    /// # Errors
    /// When links go round in circles, or a directory cannot be read.
    pub fn find(&self, path: &Path) -> Result<Option<Found>, StackError> {
        self.walk(path, true)
    }

    /// As [`Stack::find`], but a link at the very end is what is found.
    ///
    /// # Errors
    /// As [`Stack::find`].
    pub fn find_link(&self, path: &Path) -> Result<Option<Found>, StackError> {
        self.walk(path, false)
    }

    /// Opens the regular file that `path` means; none when it means nothing, or something else.
    ///
    /// # Errors
    /// As [`Stack::find`].
    pub fn open_file(&self, path: &Path) -> Result<Option<File>, StackError> {
        match self.find(path)? {
            Some(Found::File { stat, file }) if kind(&stat) == FileType::RegularFile => {
                // What O_PATH opened is opened again for reading, by its number: nothing is resolved twice.
                let name = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)));
                let opened = File::open(&name).map_err(|error| StackError::Lookup {
                    path: path.to_owned(),
                    source: mini_sys::Error::from_io("open", &error),
                })?;
                Ok(Some(opened))
            }
            _ => Ok(None),
        }
    }

    fn walk(&self, path: &Path, follow_last: bool) -> Result<Option<Found>, StackError> {
        let failed = |source| StackError::Lookup { path: path.to_owned(), source };
        let mut rest: Vec<OsString> = reversed(path);
        let mut passed: Vec<Merged> = Vec::new();
        let mut here = self.root.clone();
        let mut links = 0;
        while let Some(component) = rest.pop() {
            if component == ".." {
                // Above the root is the root.
                here = passed.pop().unwrap_or_else(|| self.root.clone());
                continue;
            }
            match step(&here, &component).map_err(failed)? {
                Step::Nothing => return Ok(None),
                Step::Into(directories) => passed.push(std::mem::replace(&mut here, Rc::new(directories))),
                Step::At(file, stat)
                    if kind(&stat) == FileType::Symlink && (follow_last || !rest.is_empty()) =>
                {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(StackError::Loop { path: path.to_owned() });
                    }
                    let target = file::readlinkat(&file, Path::new("")).map_err(failed)?;
                    if target.is_absolute() {
                        passed.clear();
                        here = self.root.clone();
                    }
                    rest.extend(reversed(&target));
                }
                Step::At(file, stat) if rest.is_empty() => return Ok(Some(Found::File { stat, file })),
                // A file where a directory should be.
                Step::At(..) => return Ok(None),
            }
        }
        let Some(topmost) = here.first() else { return Ok(None) };
        let stat = file::statat(topmost, Path::new("")).map_err(failed)?;
        let directory = topmost.try_clone();
        let directory = directory.map_err(|error| failed(mini_sys::Error::from_io("dup", &error)))?;
        Ok(Some(Found::Directory { stat, directory }))
    }
}

/// The components of a path, last first; a root or `.` is none.
fn reversed(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

enum Step {
    Nothing,
    Into(Vec<OwnedFd>),
    At(OwnedFd, Stat),
}

// ANCHOR: step
/// Overlay's rule for one name.
fn step(directories: &[OwnedFd], name: &OsStr) -> mini_sys::Result<Step> {
    let mut merged = Vec::new();
    for directory in directories {
        let flags = OFlags::PATH | OFlags::NOFOLLOW;
        let opened = file::openat2(directory, Path::new(name), flags, Mode::empty(), ResolveFlags::BENEATH);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.errno() == Errno::ENOENT => continue,
            Err(error) => return Err(error),
        };
        let stat = file::statat(&file, Path::new(""))?;
        if kind(&stat) == FileType::Directory {
            let opaque = is_opaque(&file)?;
            merged.push(file);
            if opaque {
                break;
            }
        } else if merged.is_empty() {
            return Ok(if is_whiteout(&stat) { Step::Nothing } else { Step::At(file, stat) });
        } else {
            break;
        }
    }
    Ok(if merged.is_empty() { Step::Nothing } else { Step::Into(merged) })
}
// ANCHOR_END: step

/// What sort of file `stat` is of.
pub(crate) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Overlay's mark for "removed": a character device 0:0.
pub(crate) fn is_whiteout(stat: &Stat) -> bool {
    kind(stat) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Overlay's marks for "hides what is below", with privileges and without.
pub(crate) const OPAQUE_ATTRIBUTES: [&std::ffi::CStr; 2] =
    [c"trusted.overlay.opaque", c"user.overlay.opaque"];

/// Whether a directory hides what the trees below have in it. A file system without attributes has none.
pub(crate) fn is_opaque(directory: impl AsFd) -> mini_sys::Result<bool> {
    for name in OPAQUE_ATTRIBUTES {
        match xattr::get(&directory, name) {
            Ok(Some(value)) if value == b"y" => return Ok(true),
            Ok(_) => {}
            Err(error) if error.errno() == Errno::ENOTSUP => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Whether a name is one of overlay's own attributes, which steer a mount and are no content.
pub(crate) fn is_overlay_attribute(name: &std::ffi::CStr) -> bool {
    let name = OsStr::from_bytes(name.to_bytes()).as_bytes();
    name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Two trees, the first one on top.
    fn trees() -> (tempfile::TempDir, Stack) {
        let directory = tempfile::tempdir().unwrap();
        let (top, bottom) = (directory.path().join("top"), directory.path().join("bottom"));
        fs::create_dir_all(top.join("etc")).unwrap();
        fs::create_dir_all(bottom.join("etc/deep")).unwrap();
        (directory, Stack::open(&[top, bottom]).unwrap())
    }

    fn text(stack: &Stack, path: &str) -> Option<String> {
        let file = stack.open_file(Path::new(path)).unwrap()?;
        Some(std::io::read_to_string(file).unwrap())
    }

    #[test]
    fn the_topmost_tree_that_has_a_name_says_what_it_means() {
        let (directory, stack) = trees();
        fs::write(directory.path().join("bottom/etc/passwd"), "old").unwrap();
        fs::write(directory.path().join("bottom/etc/group"), "below").unwrap();
        fs::write(directory.path().join("top/etc/passwd"), "new").unwrap();
        assert_eq!(text(&stack, "/etc/passwd").as_deref(), Some("new"));
        assert_eq!(text(&stack, "etc/group").as_deref(), Some("below"));
        assert_eq!(text(&stack, "etc/../../etc/./deep/../group").as_deref(), Some("below"));
        assert_eq!(text(&stack, "etc/group/x"), None);
        assert_eq!(text(&stack, "etc"), None);
        assert!(matches!(stack.find(Path::new("etc/deep")).unwrap(), Some(Found::Directory { .. })));
    }

    #[test]
    fn links_lead_through_the_stack_and_never_out_of_it() {
        let (directory, stack) = trees();
        fs::write(directory.path().join("secret"), "outside").unwrap();
        fs::write(directory.path().join("bottom/etc/real"), "inside").unwrap();
        symlink("/etc/real", directory.path().join("top/absolute")).unwrap();
        symlink("../../../secret", directory.path().join("top/out")).unwrap();
        symlink("round", directory.path().join("top/round")).unwrap();
        symlink("../etc", directory.path().join("bottom/etc/up")).unwrap();
        assert_eq!(text(&stack, "absolute").as_deref(), Some("inside"));
        assert_eq!(text(&stack, "etc/up/real").as_deref(), Some("inside"));
        assert_eq!(text(&stack, "out"), None);
        assert!(matches!(stack.find(Path::new("round")), Err(StackError::Loop { .. })));
        let link = stack.find_link(Path::new("round")).unwrap();
        assert!(matches!(link, Some(Found::File { stat, .. }) if kind(&stat) == FileType::Symlink));
    }

    #[test]
    fn a_file_on_top_of_a_directory_and_the_other_way_round_do_not_merge() {
        let (directory, stack) = trees();
        fs::write(directory.path().join("top/etc/deep"), "a file now").unwrap();
        fs::create_dir(directory.path().join("top/tmp")).unwrap();
        fs::write(directory.path().join("bottom/tmp"), "was a file").unwrap();
        assert_eq!(text(&stack, "etc/deep").as_deref(), Some("a file now"));
        assert_eq!(text(&stack, "tmp"), None);
    }
}
