//! How much of the disk images take up: the files of unpacked layers, and the blobs as they came.
//!
//! An image is here twice, packed to be sent on and unpacked to be run, and its removal frees both. Layers and blobs
//! that images share count once. docker-system-df(1).

use std::collections::HashSet;

use mini_layers::Digest;

use crate::store::{Image, Images, StoreError};

impl Images {
    /// The size of the image's files, unpacked, in bytes.
    ///
    /// # Errors
    /// A layer that is not there.
    pub fn size(&self, image: &Image) -> Result<u64, StoreError> {
        image.chain_ids().iter().try_fold(0, |sum, chain| Ok(sum + self.layers.get(chain)?.size))
    }

    /// The files of all layers, and all blobs, in bytes.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn taken(&self) -> Result<u64, StoreError> {
        let layers: u64 = self.layers.list()?.iter().map(|layer| layer.size).sum();
        Ok(layers + self.bytes(self.blobs.list()?))
    }

    /// The same of what these images, by id, have: what is left when all others are removed.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub fn taken_by(&self, ids: &HashSet<Digest>) -> Result<u64, StoreError> {
        let images: Vec<Image> = self.list()?.into_iter().filter(|image| ids.contains(&image.id)).collect();
        let chains: HashSet<Digest> = images.iter().flat_map(Image::chain_ids).collect();
        let layers = chains.iter().filter_map(|chain| self.layers.get(chain).ok());
        let layers: u64 = layers.map(|layer| layer.size).sum();
        let is_of_these = |manifest: &Digest| self.read(manifest).is_ok_and(|image| ids.contains(&image.id));
        let blobs = self.index.reached(|line| line.is_none_or(|line| is_of_these(&line.manifest)))?;
        Ok(layers + self.bytes(blobs))
    }

    fn bytes(&self, blobs: impl IntoIterator<Item = Digest>) -> u64 {
        blobs.into_iter().filter_map(|blob| self.blobs.size(&blob)).sum()
    }
}
