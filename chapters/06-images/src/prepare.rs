//! Sees to it that an image's layers are unpacked before a container is made of it.
//!
//! Whatever takes an image in unpacks it too. But the store is an OCI layout, and other tools may write images into it,
//! which know nothing of trees. OCI image spec, "Image Layout"; book ch. 6.

use mini_layers::Digest;

use crate::intake::{Coming, IntakeError};
use crate::store::{Image, Images, StoreError};
use crate::unpack::UnpackError;

/// An image whose layers cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Its manifest.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration and the manifest do not agree.
    #[error("the configuration of image `{id}` names {named} layers, its manifest {stored}")]
    LayerCount {
        /// The image.
        id: Digest,
        /// How many the configuration names.
        named: usize,
        /// How many the manifest has.
        stored: usize,
    },
    /// A layer.
    #[error("unpack image `{0}`")]
    Unpack(Digest, #[source] UnpackError),
    /// A layer that nobody has unpacked.
    #[error("layer `{1}` of image `{0}` has not been unpacked")]
    Missing(Digest, Digest),
}

impl Images {
    /// Unpacks what is missing of an image's layers: nothing after `pull`, `load` or `import`, all of it when another
    /// tool wrote the image into our layout.
    ///
    /// # Errors
    /// What [`PrepareError`] lists.
    pub fn prepare(&self, image: &Image) -> Result<(), PrepareError> {
        if image.chain_ids().last().is_none_or(|chain| self.layers.contains(chain)) {
            return Ok(());
        }
        let layers = self.stored_layers(image)?;
        let (named, stored) = (image.config.rootfs.diff_ids.len(), layers.len());
        if named != stored {
            return Err(PrepareError::LayerCount { id: image.id, named, stored });
        }
        let layers = layers.iter().zip(&image.config.rootfs.diff_ids);
        let layers =
            layers.map(|(layer, diff_id)| Coming { blob: layer.blob, size: layer.size, diff_id: *diff_id });
        let layers: Vec<Coming> = layers.collect();
        self.while_held(|| {
            let taken = self.take_layers(&layers, |layer, _| self.blobs.get(&layer.blob), &|_| {});
            taken.map_err(|error| match error {
                IntakeError::Source(source) => PrepareError::Unpack(image.id, source.into()),
                IntakeError::Blob(_, source) => PrepareError::Unpack(image.id, source.into()),
                IntakeError::Unpack(_, source) => PrepareError::Unpack(image.id, source),
                IntakeError::Missing(layer) => PrepareError::Missing(image.id, layer),
            })
        })
    }
}
