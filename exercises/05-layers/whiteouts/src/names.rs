//! What an entry's name means in a layer: a place in the tree, or a whiteout.
//!
//! A layer can only add, so it says what it takes away with names: `.wh.x` beside `x` removes the `x` of the
//! layers below, and `.wh..wh..opq` in a directory hides all that they have in it. A name is judged as text,
//! before any file is touched, and refused where it could mean a place outside the tree.
//! OCI image-spec, layer.md, "Whiteouts"; book ch. 5.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What a whiteout's name begins with.
pub(crate) const WHITEOUT: &[u8] = b".wh.";
/// The name that makes a directory opaque.
pub(crate) const OPAQUE: &[u8] = b".wh..wh..opq";
/// Deeper names than this are refused, so that a tree can always be removed again: that keeps one
/// descriptor open for each level.
const DEEPEST: usize = 512;

/// Why an entry of a layer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty.
    #[error("its name is empty")]
    Empty,
    /// The name holds a NUL byte.
    #[error("its name holds a NUL byte")]
    Nul,
    /// The name begins with a slash.
    #[error("its name is absolute")]
    Absolute,
    /// The name holds `..`.
    #[error("`..` in its name leads out of the tree")]
    DotDot,
    /// The name has too many components.
    #[error("its name is more than {DEEPEST} directories deep")]
    Deep,
    /// The name is a whiteout's, but of nothing that could be removed.
    #[error("its name is no proper whiteout")]
    Whiteout,
    /// The name has a whiteout where a directory should be.
    #[error("a whiteout is not a directory")]
    BelowWhiteout,
    /// The entry's type does not suit a whiteout.
    #[error("a whiteout is an empty file")]
    WhiteoutType,
    /// Docker's words for a directory that would become something else.
    #[error("cannot overwrite directory with non-directory")]
    OverDirectory,
    /// Docker's words for something that would become a directory.
    #[error("cannot overwrite non-directory with directory")]
    OverFile,
    /// The root of the tree is to become something else.
    #[error("the root of the tree is a directory")]
    Root,
    /// A directory of the name is a symbolic link.
    #[error("`{0}` is a symbolic link, and links are not followed")]
    ThroughLink(String),
    /// A directory of the name is something else.
    #[error("`{0}` is not a directory")]
    NotDirectory(String),
    /// The target of a hard link is no place inside the tree.
    #[error("its hard link to `{target}`: {why}")]
    LinkTarget {
        /// The target as the archive has it.
        target: String,
        /// What is wrong with it.
        why: Box<Refusal>,
    },
    /// The target of a hard link is not there.
    #[error("no such file in this layer")]
    LinkMissing,
    /// The target of a hard link is a directory.
    #[error("it is a directory")]
    LinkDirectory,
    /// A symbolic link says nothing.
    #[error("its target is empty or holds a NUL byte")]
    LinkText,
    /// A numeric owner does not fit the kernel's 32 bits, or is the reserved -1.
    #[error("its owner {0} is no user or group id")]
    Owner(u64),
}

/// A place in the tree, its name cleaned of `.` and of doubled slashes; empty for the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    path: Vec<u8>,
}

/// What an entry's name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Make what the entry describes here.
    Make(Place),
    /// Remove what the layers below have here.
    Remove(Place),
    /// Hide all that the layers below have in this directory.
    Hide(Place),
}

impl Place {
    /// Cleans a name, or says why it is refused.
    pub(crate) fn parse(name: &[u8]) -> Result<Self, Refusal> {
        if name.is_empty() {
            return Err(Refusal::Empty);
        }
        if name.contains(&0) {
            return Err(Refusal::Nul);
        }
        if name[0] == b'/' {
            return Err(Refusal::Absolute);
        }
        let mut path = Vec::with_capacity(name.len());
        let mut depth = 0;
        for component in name.split(|&byte| byte == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err(Refusal::DotDot),
                _ => {}
            }
            depth += 1;
            if depth > DEEPEST {
                return Err(Refusal::Deep);
            }
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(component);
        }
        Ok(Self { path })
    }

    /// The target of a hard link: as [`Place::parse`], but a leading slash stands for the tree's root, for
    /// that is how some builders write it (kaniko).
    pub(crate) fn parse_target(name: &[u8]) -> Result<Self, Refusal> {
        match name.iter().position(|&byte| byte != b'/') {
            Some(start) => Self::parse(&name[start..]),
            None if name.is_empty() => Err(Refusal::Empty),
            None => Ok(Self { path: Vec::new() }),
        }
    }

    /// From the root, without a leading slash.
    pub(crate) fn path(&self) -> &[u8] {
        &self.path
    }

    /// Whether this is the tree's root itself.
    pub(crate) fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// The directory that holds it, and its name there.
    pub(crate) fn split(&self) -> (&[u8], &Path) {
        let (parent, name) = match self.path.iter().rposition(|&byte| byte == b'/') {
            Some(slash) => (&self.path[..slash], &self.path[slash + 1..]),
            None => (&[][..], &self.path[..]),
        };
        (parent, path_of(name))
    }
}

/// Reads an entry's name as a layer means it.
pub(crate) fn meaning(name: &[u8]) -> Result<Meaning, Refusal> {
    todo!("say what an entry's name means in a layer")
}

/// Bytes as a path.
pub(crate) fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// A name as messages show it, whatever bytes it holds.
pub(crate) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}
