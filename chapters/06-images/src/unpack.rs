//! From the bytes of a layer to a blob and an unpacked tree. Book ch. 5, 6.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use mini_layers::blobs::BlobError;
use mini_layers::bounds::decompress_within;
use mini_layers::compression::{Compression, CompressionError};
use mini_layers::layers::LayerError;
use mini_layers::{Digest, Layer};

use crate::store::{Images, NewLayer};

/// A layer that cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Storing the bytes failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Reading them back failed.
    #[error("read the layer {0}")]
    Read(Digest, #[source] io::Error),
    /// They are compressed in a way that we cannot undo, or damaged.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// They are no layer, or one that must not be unpacked.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl Images {
    /// Takes in a layer on top of `parent`, in [`Images::while_held`].
    ///
    /// # Errors
    /// A full disk, a tar that would write outside its tree, one whose digest is not `expected`.
    pub(crate) fn take_layer(
        &self,
        content: &mut impl Read,
        parent: Option<&Digest>,
        expected: Option<&Digest>,
    ) -> Result<(NewLayer, Layer), UnpackError> {
        let (blob, size) = self.blobs.put(content)?;
        let (compression, layer) = self.unpack(&blob, parent, expected)?;
        Ok((NewLayer { blob, size, compression }, layer))
    }

    /// Unpacks a blob that is here on top of `parent`, in [`Images::while_held`].
    ///
    /// # Errors
    /// As [`Images::take_layer`].
    pub(crate) fn unpack(
        &self,
        blob: &Digest,
        parent: Option<&Digest>,
        expected: Option<&Digest>,
    ) -> Result<(Compression, Layer), UnpackError> {
        let mut file = self.blobs.get(blob)?;
        let compression = compression(&mut file).map_err(|source| UnpackError::Read(*blob, source))?;
        let layer =
            self.layers.apply(parent, expected, decompress_within(file, self.bounds)?, self.owners)?;
        Ok((compression, layer))
    }
}

/// How the file is compressed, from its first bytes; reading goes on at the start.
pub(crate) fn compression(file: &mut File) -> io::Result<Compression> {
    let mut start = Vec::new();
    file.by_ref().take(10).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(Compression::of(&start))
}
