//! `load`: the archive that `docker save` writes.
//!
//! It is a tar with a `manifest.json`, which names the file of each image's configuration and the files of its
//! layers, lowest first. Files stand in any order and a layer may be a link to another, so the archive is
//! listed first and read by position after. docker-load(1), Docker image specification v1.2; book ch. 6.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use mini_layers::compression::{Compression, CompressionError};
use mini_layers::{Digest, decompress};
use serde::Deserialize;

use crate::config::ImageConfig;
use crate::reference::{Reference, ReferenceError};
use crate::store::{Image, Images, StoreError};
use crate::unpack::{self, UnpackError};

/// An archive that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Reading it failed, or it is no tar.
    #[error("read the archive")]
    Read(#[source] io::Error),
    /// It is compressed in a way that we cannot undo.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// It is a tar, but not one that `docker save` writes.
    #[error(
        "the archive has no `{0}`: it was not written by `docker save`; `import` takes a root filesystem"
    )]
    Missing(String),
    /// A file in it holds something else than it should.
    #[error("`{name}` in the archive is not what it should be")]
    Malformed {
        /// The file.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The configuration and the archive do not agree on how many layers there are.
    #[error("`{config}` names {named} layers, the archive has {found}")]
    LayerCount {
        /// The configuration's file.
        config: String,
        /// How many it names.
        named: usize,
        /// How many files there are.
        found: usize,
    },
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] ReferenceError),
    /// A layer.
    #[error("load the layer `{name}`")]
    Layer {
        /// Its file.
        name: String,
        /// Why.
        source: UnpackError,
    },
    /// The list of images.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// No manifest or configuration is longer, in bytes; what is cut here is no JSON any more.
const LARGEST: u64 = 16 << 20;

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Where a file's content lies in the archive.
#[derive(Debug, Clone)]
enum Place {
    Bytes { at: u64, length: u64 },
    Link(PathBuf),
}

/// An archive that has been listed.
struct Archive {
    file: File,
    places: HashMap<PathBuf, Place>,
}

impl Images {
    /// Takes in all images of the archive in `file`, which may be compressed with gzip or zstd, and may be a pipe.
    ///
    /// # Errors
    /// What [`LoadError`] lists. Images that come before the one that fails stay, as with Docker.
    pub fn load(&self, mut file: File) -> Result<Vec<Image>, LoadError> {
        let plain = file.stream_position().is_ok()
            && unpack::compression(&mut file).map_err(LoadError::Read)? == Compression::Plain;
        let file = if plain { file } else { self.spool(file)? };
        let mut archive = Archive::list(file)?;
        let name = "manifest.json";
        let text = archive.read(name)?;
        let entries: Vec<Entry> = serde_json::from_slice(&text)
            .map_err(|source| LoadError::Malformed { name: name.to_owned(), source })?;
        let mut load = |entry| self.while_held(|| self.load_image(&mut archive, entry));
        entries.iter().map(&mut load).collect()
    }

    /// Copies what cannot be read by position to a file without a name, which is gone when it is closed.
    fn spool(&self, file: File) -> Result<File, LoadError> {
        let directory = self.blobs.path(&Digest::of(b"")).parent().map(Path::to_owned).unwrap_or_default();
        let mut copy = tempfile::tempfile_in(directory).map_err(LoadError::Read)?;
        io::copy(&mut decompress(file)?, &mut copy).map_err(LoadError::Read)?;
        copy.seek(SeekFrom::Start(0)).map_err(LoadError::Read)?;
        Ok(copy)
    }

    fn load_image(&self, archive: &mut Archive, entry: &Entry) -> Result<Image, LoadError> {
        let text = archive.read(&entry.config)?;
        let config: ImageConfig = serde_json::from_slice(&text)
            .map_err(|source| LoadError::Malformed { name: entry.config.clone(), source })?;
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != entry.layers.len() {
            let (named, found) = (diff_ids.len(), entry.layers.len());
            return Err(LoadError::LayerCount { config: entry.config.clone(), named, found });
        }
        let tags = entry.repo_tags.iter().flatten();
        let names = tags.map(|tag| tag.parse::<Reference>()).collect::<Result<Vec<_>, _>>()?;
        Self::refuse_reserved(&names)?;
        let mut layers = Vec::new();
        let mut parent = None;
        for (name, diff_id) in entry.layers.iter().zip(diff_ids) {
            let mut content = archive.open(name)?;
            let (new, layer) = self
                .take_layer(&mut content, parent.as_ref(), Some(diff_id))
                .map_err(|source| LoadError::Layer { name: name.clone(), source })?;
            parent = Some(layer.chain_id);
            layers.push(new);
        }
        Ok(self.add(&text, &layers, &names)?)
    }
}

impl Archive {
    fn list(file: File) -> Result<Self, LoadError> {
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

    fn open(&mut self, name: &str) -> Result<io::Take<&File>, LoadError> {
        let mut path = plain(Path::new(name));
        // More links in a row than files means a circle.
        for _ in 0..=self.places.len() {
            match self.places.get(&path) {
                Some(Place::Link(to)) => path = to.clone(),
                Some(&Place::Bytes { at, length }) => {
                    self.file.seek(SeekFrom::Start(at)).map_err(LoadError::Read)?;
                    return Ok((&self.file).take(length));
                }
                None => break,
            }
        }
        Err(LoadError::Missing(name.to_owned()))
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, LoadError> {
        let mut content = Vec::new();
        self.open(name)?.take(LARGEST).read_to_end(&mut content).map_err(LoadError::Read)?;
        Ok(content)
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
