//! What of a container's upper tree is the container's own doing.
//!
//! A mount needs something to be mounted on. Where an image has no `/proc` or no `/etc/hosts`, starting a container
//! makes an empty one, and overlay keeps it in the upper tree with what the program changed. It was not the program
//! that made it, so no image should have it. kernel documentation, filesystems/overlayfs; book ch. 10.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use mini_layers::Stack;
use mini_layers::stack::{Found, StackError};
use serde::Deserialize;

use crate::home::Home;
use crate::record::Record;

/// An upper tree that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UpperError {
    /// One of its directories.
    #[error("read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The image below.
    #[error(transparent)]
    Image(#[from] StackError),
}

/// An upper tree, and what in it is not the container's.
#[derive(Debug)]
pub(crate) struct Own {
    /// The tree.
    pub(crate) tree: PathBuf,
    /// What was made for mounts, relative to the tree: see [`mini_layers::Packing::without`].
    pub(crate) without: Vec<PathBuf>,
    /// Nothing else is in it.
    pub(crate) is_empty: bool,
}

/// As much of a bundle's configuration as is asked for here.
#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    mounts: Vec<Destination>,
}

#[derive(Deserialize)]
struct Destination {
    destination: PathBuf,
}

/// Looks through what `record` has written, over the layers `image`.
///
/// # Errors
/// What [`UpperError`] lists.
pub(crate) fn own(home: &Home, record: &Record, image: &Stack) -> Result<Own, UpperError> {
    let tree = home.container(&record.id).join("upper");
    let mut without: Vec<PathBuf> = Vec::new();
    for path in candidates(&targets(home, record)) {
        if is_for_mounts(&tree, &path, image, &without)? {
            without.push(path);
        }
    }
    let is_empty = children(&tree)?.iter().all(|name| without.contains(&PathBuf::from(name)));
    Ok(Own { tree, without, is_empty })
}

/// Where things were mounted; nowhere in a container that was never started.
fn targets(home: &Home, record: &Record) -> Vec<PathBuf> {
    let text = fs::read(home.container(&record.id).join("bundle/config.json")).unwrap_or_default();
    let bundle = serde_json::from_slice(&text).unwrap_or(Bundle { mounts: Vec::new() });
    let relative = |mount: &Destination| mount.destination.strip_prefix("/").map(Path::to_owned).ok();
    bundle.mounts.iter().filter_map(relative).collect()
}

/// The targets and the directories they are in, what is inside before what it is in.
fn candidates(targets: &[PathBuf]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        targets.iter().flat_map(|target| target.ancestors()).map(Path::to_owned).collect();
    all.retain(|path| !path.as_os_str().is_empty());
    all.sort_by_key(|path| (std::cmp::Reverse(path.components().count()), path.clone()));
    all.dedup();
    all
}

/// Whether `path` is empty but for what is `without` already, and the image has none or the same.
fn is_for_mounts(tree: &Path, path: &Path, image: &Stack, without: &[PathBuf]) -> Result<bool, UpperError> {
    let full = tree.join(path);
    let Ok(metadata) = fs::symlink_metadata(&full) else { return Ok(false) };
    let below = image.find_link(path)?;
    if metadata.is_file() {
        return Ok(metadata.len() == 0 && below.is_none());
    }
    if !metadata.is_dir() || metadata.file_type().is_char_device() {
        return Ok(false);
    }
    let same = match &below {
        None => true,
        Some(Found::Directory { stat, .. }) => {
            (stat.st_mode, stat.st_uid, stat.st_gid) == (metadata.mode(), metadata.uid(), metadata.gid())
        }
        Some(Found::File { .. }) => false,
    };
    Ok(same && children(&full)?.iter().all(|name| without.contains(&path.join(name))))
}

fn children(directory: &Path) -> Result<Vec<std::ffi::OsString>, UpperError> {
    let names = || fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>();
    names().map_err(|source| UpperError::Read { path: directory.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_looked_at_before_what_it_is_in() {
        let targets = ["proc", "etc/hosts", "etc/hostname", "dev/pts", "dev"].map(PathBuf::from);
        let expected = ["dev/pts", "etc/hostname", "etc/hosts", "dev", "etc", "proc"].map(PathBuf::from);
        assert_eq!(candidates(&targets), expected);
    }
}
