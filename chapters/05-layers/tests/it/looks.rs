//! What a tree looks like: a value, so that two trees can be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// One name of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    /// Seconds and nanoseconds; the second is left out where only seconds are kept.
    pub(crate) mtime: (i64, i64),
    pub(crate) device: u64,
    /// A file's content, a link's text.
    pub(crate) content: Vec<u8>,
    /// The first name of the same file.
    pub(crate) same_as: Option<PathBuf>,
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
}

/// All names below `tree`, itself included.
pub(crate) fn looks(tree: &Path) -> BTreeMap<PathBuf, Look> {
    let mut looks = BTreeMap::new();
    let mut inodes = BTreeMap::new();
    let mut names = vec![PathBuf::new()];
    while let Some(name) = names.pop() {
        // An empty name would not be a directory's with a slash behind it.
        let path = if name.as_os_str().is_empty() { tree.to_owned() } else { tree.join(&name) };
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        if kind.is_dir() {
            let mut inside: Vec<_> =
                fs::read_dir(&path).unwrap().map(|entry| name.join(entry.unwrap().file_name())).collect();
            inside.sort();
            names.extend(inside.into_iter().rev());
        }
        let content = if kind.is_file() {
            fs::read(&path).unwrap()
        } else if kind.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        let same_as = if !kind.is_dir() && metadata.nlink() > 1 {
            Some(inodes.entry(metadata.ino()).or_insert_with(|| name.clone()).clone())
        } else {
            None
        };
        let is_device = kind.is_block_device() || kind.is_char_device();
        let look = Look {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
            device: if is_device { metadata.rdev() } else { 0 },
            content,
            same_as,
            xattrs: xattrs(&path),
        };
        looks.insert(name, look);
    }
    looks
}

fn xattrs(path: &Path) -> Vec<(String, Vec<u8>)> {
    let names = mini_sys::xattr::llist(path).unwrap_or_default();
    let mut all: Vec<_> = names
        .iter()
        .map(|name| {
            let value = mini_sys::xattr::lget(path, name).unwrap().unwrap_or_default();
            (name.to_string_lossy().into_owned(), value)
        })
        .collect();
    all.sort();
    all
}
