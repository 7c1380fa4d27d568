//! A tar read by name: where each file lies, and links between them followed inside the archive alone.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Component, Path, PathBuf};

use mini_layers::Digest;
use serde::de::DeserializeOwned;

use crate::archive::LoadError;
use crate::save::blob_name;

/// No manifest or configuration is longer, in bytes; what is cut here is no JSON any more.
const LARGEST: u64 = 16 << 20;

/// Where a file's content lies in the archive.
#[derive(Debug, Clone)]
enum Place {
    Bytes { at: u64, length: u64 },
    Link(PathBuf),
}

/// A file's content in the archive. It is read by position, so several can be read at a time.
pub(super) struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Section<'_> {
    /// How many bytes are unread.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The same without its first bytes.
    pub(super) fn skip(self, count: u64) -> Self {
        let count = count.min(self.left);
        Self { at: self.at + count, left: self.left - count, ..self }
    }
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        (self.at, self.left) = (self.at + count as u64, self.left - count as u64);
        Ok(count)
    }
}

/// An archive that has been listed.
pub(super) struct Archive {
    file: File,
    places: HashMap<PathBuf, Place>,
}

impl Archive {
    /// Finds out what is where in the uncompressed tar `file`.
    pub(super) fn list(file: File) -> Result<Self, LoadError> {
        let mut places = HashMap::new();
        let mut tar = tar::Archive::new(io::BufReader::new(&file));
        for entry in tar.entries_with_seek().map_err(LoadError::Read)? {
            let entry = entry.map_err(LoadError::Read)?;
            let name = plain(&entry.path().map_err(LoadError::Read)?);
            let kind = entry.header().entry_type();
            let place = match entry.link_name().map_err(LoadError::Read)? {
                // A symbolic link says where to go from its own directory, a hard link from the top.
                Some(to) if kind.is_symlink() => {
                    Place::Link(plain(&name.parent().unwrap_or(Path::new("")).join(to)))
                }
                Some(to) if kind.is_hard_link() => Place::Link(plain(&to)),
                _ => Place::Bytes { at: entry.raw_file_position(), length: entry.size() },
            };
            places.insert(name, place);
        }
        Ok(Self { file, places })
    }

    /// Whether there is a file of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(Path::new(name))
    }

    /// The content of a file, to be read.
    pub(super) fn open(&self, name: &str) -> Result<Section<'_>, LoadError> {
        let mut path = plain(Path::new(name));
        // More links in a row than files means a circle.
        for _ in 0..=self.places.len() {
            match self.places.get(&path) {
                Some(Place::Link(to)) => path = to.clone(),
                Some(&Place::Bytes { at, length }) => {
                    return Ok(Section { file: &self.file, at, left: length });
                }
                None => break,
            }
        }
        Err(LoadError::Missing(name.to_owned()))
    }

    /// The content of a small file.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        let mut content = Vec::new();
        self.open(name)?.take(LARGEST).read_to_end(&mut content).map_err(LoadError::Read)?;
        Ok(content)
    }

    /// A small file as JSON.
    pub(super) fn parse<T: DeserializeOwned>(&self, name: &str) -> Result<T, LoadError> {
        let text = self.read(name)?;
        serde_json::from_slice(&text).map_err(|source| LoadError::Malformed { name: name.to_owned(), source })
    }

    /// A blob of an OCI layout, to be read: not verified.
    pub(super) fn open_blob(&self, digest: &Digest) -> Result<Section<'_>, LoadError> {
        self.open(&blob_name(digest)).map_err(|error| match error {
            LoadError::Missing(_) => LoadError::NoBlob(*digest),
            other => other,
        })
    }

    /// A small blob of an OCI layout, verified.
    pub(super) fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>, LoadError> {
        let mut content = Vec::new();
        self.open_blob(digest)?.take(LARGEST).read_to_end(&mut content).map_err(LoadError::Read)?;
        match Digest::of(&content) {
            actual if actual == *digest => Ok(content),
            actual => Err(LoadError::Damaged { digest: *digest, actual }),
        }
    }
}

/// The path without `.` and with `..` taken back: a name in the archive, nothing on any disk.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => drop(plain.pop()),
            _ => {}
        }
    }
    plain
}
