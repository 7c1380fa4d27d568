//! `load`: images from an archive, of either kind that there is.
//!
//! Docker's has a `manifest.json` (`docker`), OCI's an `index.json` (`oci`); what [`crate::save`] and newer
//! versions of Docker write has both. Files stand in any order and a layer may be a link to another, so the archive
//! is listed first and read by position after (`listing`). docker-load(1); book ch. 6.

mod docker;
mod listing;
mod oci;

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;

use mini_layers::blobs::BlobError;
use mini_layers::compression::{Compression, CompressionError};
use mini_layers::{Digest, decompress};

use self::listing::Archive;
use crate::config::ImageConfig;
use crate::intake::{Coming, IntakeError};
use crate::platform::Platform;
use crate::reference::ReferenceError;
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
    /// A manifest names a blob that the archive does not have.
    #[error("the archive has no blob `{0}`, which it needs")]
    NoBlob(Digest),
    /// A blob is not what its name says.
    #[error("the archive is damaged: its blob `{digest}` has the digest `{actual}`")]
    Damaged {
        /// Its name.
        digest: Digest,
        /// What its content says.
        actual: Digest,
    },
    /// Indexes lead to indexes without end.
    #[error("the archive's index `{0}` leads from index to index and to no image")]
    Deep(Digest),
    /// There are images, and none for the platform.
    #[error("the archive has no image for {wanted}{}", if found.is_empty() { String::new() } else { format!(", only for {found}") })]
    Platform {
        /// The platform.
        wanted: String,
        /// Those that there are images for.
        found: String,
    },
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

impl Images {
    /// Takes in all images of the archive in `file`, which may be compressed with gzip or zstd, and may be a pipe.
    /// With `platform`, only those for it.
    ///
    /// # Errors
    /// What [`LoadError`] lists. Images that come before the one that fails stay, as with Docker.
    pub fn load(&self, mut file: File, platform: Option<&Platform>) -> Result<Vec<Image>, LoadError> {
        let plain = file.stream_position().is_ok()
            && unpack::compression(&mut file).map_err(LoadError::Read)? == Compression::Plain;
        let file = if plain { file } else { self.spool(file)? };
        let archive = Archive::list(file)?;
        // An archive that is both is read as the one that keeps the manifest, and so the image's digest.
        match oci::is_layout(&archive) {
            true => self.load_layout(&archive, platform),
            false => self.load_docker(&archive, platform),
        }
    }

    /// Takes in the layers that lie in the archive under these names.
    fn take(&self, archive: &Archive, layers: &[(String, Coming)]) -> Result<(), LoadError> {
        let name = |blob: &Digest| {
            let found = layers.iter().find(|(_, layer)| layer.blob == *blob);
            found.map(|(name, _)| name.clone()).unwrap_or_default()
        };
        let open = |layer: &Coming, at| Ok(archive.open(&name(&layer.blob))?.skip(at));
        let all: Vec<Coming> = layers.iter().map(|(_, layer)| *layer).collect();
        self.take_layers(&all, open, &|_| {}).map_err(|error| match error {
            IntakeError::Source(error) => error,
            IntakeError::Blob(_, BlobError::Mismatch { expected, received, .. }) => {
                LoadError::Damaged { digest: expected, actual: received }
            }
            IntakeError::Blob(blob, source) => LoadError::Layer { name: name(&blob), source: source.into() },
            IntakeError::Unpack(blob, source) => LoadError::Layer { name: name(&blob), source },
            IntakeError::Missing(blob) => LoadError::NoBlob(blob),
        })
    }

    /// Copies what cannot be read by position to a file without a name, which is gone when it is closed.
    fn spool(&self, file: File) -> Result<File, LoadError> {
        let directory = self.blobs.path(&Digest::of(b"")).parent().map(Path::to_owned).unwrap_or_default();
        let mut copy = tempfile::tempfile_in(directory).map_err(LoadError::Read)?;
        io::copy(&mut decompress(file)?, &mut copy).map_err(LoadError::Read)?;
        copy.seek(SeekFrom::Start(0)).map_err(LoadError::Read)?;
        Ok(copy)
    }
}

/// A configuration names as many layers as there are.
fn check_count(name: &str, config: &ImageConfig, found: usize) -> Result<(), LoadError> {
    match config.rootfs.diff_ids.len() {
        named if named == found => Ok(()),
        named => Err(LoadError::LayerCount { config: name.to_owned(), named, found }),
    }
}

/// Something must be there of what was asked for.
fn check_platform(
    wanted: Option<&Platform>,
    images: &[Image],
    mut others: Vec<String>,
) -> Result<(), LoadError> {
    match wanted {
        Some(wanted) if images.is_empty() => {
            others.sort();
            others.dedup();
            Err(LoadError::Platform { wanted: wanted.to_string(), found: others.join(", ") })
        }
        _ => Ok(()),
    }
}
