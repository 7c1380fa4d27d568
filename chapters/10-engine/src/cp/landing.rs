//! Where something lands, and under which name: Docker's rules, without a file touched. docker-cp(1); book ch. 10.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

/// A path as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// From the root, without `.` and `..`.
    pub path: PathBuf,
    /// It ended in a slash: a directory is meant.
    pub asserts_directory: bool,
    /// It ended in `/.`: what the directory has in it is meant.
    pub contents: bool,
}

impl Typed {
    /// Reads `text`, which begins at `directory` unless it begins with a slash.
    pub fn new(text: &str, directory: &Path) -> Self {
        let mut path = PathBuf::from("/");
        for component in directory.join(text).components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => drop(path.pop()),
                _ => {}
            }
        }
        let contents = text == "." || text.ends_with("/.") || path.parent().is_none();
        Self { path, asserts_directory: contents || text.ends_with('/'), contents }
    }

    /// Its last name; none of the root's.
    pub(super) fn name(&self) -> PathBuf {
        self.path.file_name().unwrap_or(OsStr::from_bytes(b"")).into()
    }
}

/// What is there does not fit what is to come: Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A path that ends in a slash, or goes through a file.
    #[error("not a directory")]
    NotDirectory,
    /// A directory onto a file.
    #[error("cannot copy directory")]
    DirectoryToFile,
    /// A file to a directory that is not there.
    #[error("no such directory")]
    NoSuchDirectory,
    /// An archive to what is no directory.
    #[error("destination \"{container}:{}\" must be a directory", path.display())]
    ArchiveTarget {
        /// The container, as it was named.
        container: String,
        /// The path.
        path: PathBuf,
    },
}

/// What matters of what is copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) is_directory: bool,
    pub(super) asserts_directory: bool,
    pub(super) contents: bool,
}

/// What matters of where it goes; it is nothing if nothing is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Destination {
    pub(super) is_directory: Option<bool>,
    pub(super) asserts_directory: bool,
}

/// What comes where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landing {
    /// What the source has in it comes into the destination.
    Contents,
    /// The source comes into the destination, with its name.
    Inside,
    /// The source becomes the destination.
    Renamed,
}

pub(super) fn landing(source: Source, destination: Destination) -> Result<Landing, Misfit> {
    if source.asserts_directory && !source.is_directory {
        return Err(Misfit::NotDirectory);
    }
    match destination.is_directory {
        Some(true) if source.is_directory && source.contents => Ok(Landing::Contents),
        Some(true) => Ok(Landing::Inside),
        Some(false) if destination.asserts_directory => Err(Misfit::NotDirectory),
        Some(false) if source.is_directory => Err(Misfit::DirectoryToFile),
        None if destination.asserts_directory && !source.is_directory => Err(Misfit::NoSuchDirectory),
        Some(false) | None => Ok(Landing::Renamed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_they_were_meant() {
        let typed = |text: &str| {
            let Typed { path, asserts_directory, contents } = Typed::new(text, Path::new("/work"));
            (path.display().to_string(), asserts_directory, contents)
        };
        assert_eq!(typed("a/./b"), ("/work/a/b".to_owned(), false, false));
        assert_eq!(typed("../../../etc/"), ("/etc".to_owned(), true, false));
        assert_eq!(typed("/a/."), ("/a".to_owned(), true, true));
        assert_eq!(typed("."), ("/work".to_owned(), true, true));
        assert_eq!(typed("/"), ("/".to_owned(), true, true));
        assert_eq!(typed("a/.b"), ("/work/a/.b".to_owned(), false, false));
    }

    #[test]
    fn things_land_where_docker_puts_them() {
        let source = |text: &str| Source {
            is_directory: text.starts_with("dir"),
            asserts_directory: text.contains('/'),
            contents: text.ends_with("/."),
        };
        let destination = |text: &str| Destination {
            is_directory: match text {
                "none" | "none/" => None,
                text => Some(text.starts_with("dir")),
            },
            asserts_directory: text.ends_with('/'),
        };
        for (from, to, expected) in [
            ("file", "none", Ok(Landing::Renamed)),
            ("file", "none/", Err(Misfit::NoSuchDirectory)),
            ("file", "file", Ok(Landing::Renamed)),
            ("file", "file/", Err(Misfit::NotDirectory)),
            ("file", "dir", Ok(Landing::Inside)),
            ("file/", "dir", Err(Misfit::NotDirectory)),
            ("dir", "none", Ok(Landing::Renamed)),
            ("dir", "none/", Ok(Landing::Renamed)),
            ("dir/.", "none", Ok(Landing::Renamed)),
            ("dir", "file", Err(Misfit::DirectoryToFile)),
            ("dir", "dir", Ok(Landing::Inside)),
            ("dir/", "dir/", Ok(Landing::Inside)),
            ("dir/.", "dir", Ok(Landing::Contents)),
        ] {
            assert_eq!(landing(source(from), destination(to)), expected, "{from} to {to}");
        }
    }
}
