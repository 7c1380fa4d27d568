//! The entries of an archive, and the tar they make.

use std::io;

use tar::{Builder, EntryType, Header};

/// One entry. Names are put into the archive as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A directory.
    Directory {
        /// Its name.
        name: String,
    },
    /// A file.
    File {
        /// Its name.
        name: String,
        /// What is in it.
        text: String,
    },
    /// A symbolic link.
    Link {
        /// Its name.
        name: String,
        /// Where it leads.
        target: String,
    },
}

/// A directory.
pub fn directory(name: impl Into<String>) -> Entry {
    Entry::Directory { name: name.into() }
}

/// A file.
pub fn file(name: impl Into<String>, text: impl Into<String>) -> Entry {
    Entry::File { name: name.into(), text: text.into() }
}

/// A symbolic link.
pub fn link(name: impl Into<String>, target: impl Into<String>) -> Entry {
    Entry::Link { name: name.into(), target: target.into() }
}

/// The archive of these entries, in this order.
pub fn write(entries: &[Entry]) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let (name, kind, target, text) = match entry {
            Entry::Directory { name } => (name, EntryType::Directory, "", ""),
            Entry::File { name, text } => (name, EntryType::Regular, "", text.as_str()),
            Entry::Link { name, target } => (name, EntryType::Symlink, target.as_str(), ""),
        };
        let mut header = Header::new_ustar();
        fill(&mut header.as_old_mut().name, name)?;
        fill(&mut header.as_old_mut().linkname, target)?;
        header.set_entry_type(kind);
        header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
        header.set_size(text.len() as u64);
        header.set_cksum();
        builder.append(&header, text.as_bytes())?;
    }
    builder.into_inner()
}

fn fill(field: &mut [u8; 100], text: &str) -> io::Result<()> {
    let place = field
        .get_mut(..text.len())
        .ok_or_else(|| io::Error::other(format!("`{text}` is longer than 100 bytes")))?;
    place.copy_from_slice(text.as_bytes());
    Ok(())
}

/// The entries of an archive that [`write`] made.
pub fn read(tar: &[u8]) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name = text(&entry.path_bytes());
        entries.push(match entry.header().entry_type() {
            EntryType::Directory => Entry::Directory { name },
            EntryType::Symlink => {
                Entry::Link { name, target: text(&entry.link_name_bytes().unwrap_or_default()) }
            }
            _ => Entry::File { name, text: io::read_to_string(&mut entry)? },
        });
    }
    Ok(entries)
}
