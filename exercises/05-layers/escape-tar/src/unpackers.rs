//! Three unpackers, each more careful than the one before. Your archives have to get out of all of them.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path};

use crate::archive::Entry;

/// Believes every name.
pub fn trusting(entries: &[Entry], tree: &Path) -> io::Result<()> {
    entries.iter().try_for_each(|entry| make(entry, tree))
}

/// Refuses names that are absolute or have a `..`.
pub fn reads_names(entries: &[Entry], tree: &Path) -> io::Result<()> {
    for entry in entries {
        if !stays_below(name(entry)) {
            return Err(io::Error::other(format!("`{}` leads out", name(entry))));
        }
        make(entry, tree)?;
    }
    Ok(())
}

/// As [`reads_names`], and refuses links that lead out: it puts a link's directory and its target together and counts
/// how deep each component is.
pub fn reads_links(entries: &[Entry], tree: &Path) -> io::Result<()> {
    for entry in entries {
        if !stays_below(name(entry)) {
            return Err(io::Error::other(format!("`{}` leads out", name(entry))));
        }
        if let Entry::Link { name, target } = entry {
            let directory = Path::new(name).parent().unwrap_or(Path::new(""));
            if !leads_below(&directory.join(target)) {
                return Err(io::Error::other(format!("the link `{name}` leads out, to `{target}`")));
            }
        }
        make(entry, tree)?;
    }
    Ok(())
}

fn name(entry: &Entry) -> &str {
    let (Entry::Directory { name } | Entry::File { name, .. } | Entry::Link { name, .. }) = entry;
    name
}

/// Nothing but names, and `.`.
fn stays_below(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Never above where it begins.
fn leads_below(path: &Path) -> bool {
    let mut depth = 0_usize;
    for part in path.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

fn make(entry: &Entry, tree: &Path) -> io::Result<()> {
    let path = tree.join(name(entry));
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    match entry {
        Entry::Directory { .. } => fs::create_dir_all(path),
        Entry::File { text, .. } => fs::write(path, text),
        Entry::Link { target, .. } => symlink(target, path),
    }
}
