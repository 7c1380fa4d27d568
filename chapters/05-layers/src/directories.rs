//! The looks of a tree's directories, which are set when everything is in them.
//!
//! A read-only directory must be filled first, and filling it moves its time. Nor is it always known before what one
//! looks like: that of one which no entry describes is its look in the layers below, and these may still be on their
//! way when several layers are unpacked at a time. So looks are gathered, and set at the end. Book ch. 5.

use std::collections::{BTreeMap, HashSet};
use std::os::fd::BorrowedFd;
use std::path::Path;

use mini_sys::Error;
use mini_sys::file::{self, Mode, OFlags, Timespec};

use crate::look::{Look, Painter};
use crate::names::path_of;
use crate::stack::{Found, Stack};
use crate::strict::STRICT;

/// Directories by their path. Deeper ones sort behind those that hold them.
#[derive(Debug)]
pub(crate) struct Directories {
    /// None for one that no entry describes.
    looks: BTreeMap<Vec<u8>, Option<Look>>,
    painter: Painter,
}

impl Directories {
    pub(crate) fn new(painter: Painter) -> Self {
        Self { looks: BTreeMap::new(), painter }
    }

    /// An entry says what the directory looks like.
    pub(crate) fn describe(&mut self, path: &[u8], look: Look) {
        self.looks.insert(path.to_vec(), Some(look));
    }

    /// An entry lies in a directory that none has described yet.
    pub(crate) fn imply(&mut self, path: &[u8]) {
        self.looks.insert(path.to_vec(), None);
    }

    /// The directory is gone, and all in it.
    pub(crate) fn forget(&mut self, path: &[u8]) {
        let inside = [path, b"/"].concat();
        self.looks.retain(|each, _| each != path && !each.starts_with(&inside));
    }

    /// Sets the looks, each after those inside it; tells which directory failed.
    pub(crate) fn paint(self, root: BorrowedFd<'_>, lower: Option<&Stack>) -> Result<(), (Vec<u8>, Error)> {
        let looks = settled(self.looks, lower);
        for (path, look) in looks.into_iter().rev() {
            let name = if path.is_empty() { Path::new(".") } else { path_of(&path) };
            let how = OFlags::RDONLY | OFlags::DIRECTORY;
            let painted = file::openat2(root, name, how, Mode::empty(), STRICT)
                .and_then(|directory| self.painter.directory(&directory, &look));
            painted.map_err(|error| (path, error))?;
        }
        Ok(())
    }
}

/// The looks, those of directories that no entry describes included: as the layers below have them, or like most.
fn settled(looks: BTreeMap<Vec<u8>, Option<Look>>, lower: Option<&Stack>) -> Vec<(Vec<u8>, Look)> {
    // What lies in a directory that is not below is not below either, and need not be looked up there.
    let mut not_below: HashSet<Vec<u8>> = HashSet::new();
    let mut settle = |(path, look): (Vec<u8>, Option<Look>)| {
        let look = look.or_else(|| {
            let parent = path.iter().rposition(|&byte| byte == b'/').map(|end| &path[..end]);
            let found = match parent {
                Some(parent) if not_below.contains(parent) => None,
                _ => lower.and_then(|lower| look_in(lower, &path)),
            };
            if found.is_none() {
                not_below.insert(path.clone());
            }
            found
        });
        (path, look.unwrap_or(Look { mode: 0o755, uid: 0, gid: 0, mtime: None, xattrs: Vec::new() }))
    };
    looks.into_iter().map(&mut settle).collect()
}

/// The look of a directory in the layers below, if it is one there.
fn look_in(lower: &Stack, path: &[u8]) -> Option<Look> {
    match lower.find_link(path_of(path)).ok().flatten()? {
        Found::Directory { stat, .. } => Some(Look {
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: Some(Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ }),
            xattrs: Vec::new(),
        }),
        Found::File { .. } => None,
    }
}
