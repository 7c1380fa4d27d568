//! The image `host`: this machine's own programs, for those who have no network and no image yet.
//!
//! The name is reserved, as `scratch` is. The image is made on first use: chapter 1 assembles the tree, chapter 5
//! turns it into a layer, and from then on it is an image like any other, which `rmi` removes. Book ch. 1, 6.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use mini_chroot::host_image::{self, HostImageError};
use mini_layers::Packing;
use mini_layers::blobs::BlobError;
use mini_layers::compression::Compression;
use mini_layers::diff::DiffError;
use mini_layers::layers::LayerError;
use mini_sys::file::{self, Lock};

use crate::config::{History, ImageConfig, RootFs, RunConfig, architecture};
use crate::reference::Reference;
use crate::reserved::{HOST, LOCK, WORK};
use crate::store::{Image, Images, NewLayer, StoreError};

/// The image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Its programs cannot be gathered.
    #[error(transparent)]
    Assemble(#[from] HostImageError),
    /// There is no place to work in.
    #[error("make a directory to assemble the image `host` in")]
    Directory(#[source] io::Error),
    /// The tree cannot be read back as a layer.
    #[error("make a layer of the image `host`")]
    Diff(#[from] DiffError),
    /// The layer's blob.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The layer's tree.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The list of images.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration cannot be written as JSON.
    #[error("write the configuration of the image `host`")]
    Config(#[source] serde_json::Error),
    /// Two first uses at once: the second one waits.
    #[error("wait for the image `host`")]
    Lock(#[source] mini_sys::Error),
}

impl Images {
    /// The image `host`, made if it is not there.
    ///
    /// # Errors
    /// What [`HostError`] lists. Nothing is left then.
    pub fn host(&self) -> Result<Image, HostError> {
        match self.find(HOST) {
            Err(StoreError::NotFound { .. }) => {}
            other => return Ok(other?),
        }
        let _alone = file::lock(&self.layout().join(LOCK), Lock::Exclusive).map_err(HostError::Lock)?;
        match self.find(HOST) {
            Err(StoreError::NotFound { .. }) => self.make_host(),
            other => Ok(other?),
        }
    }

    fn make_host(&self) -> Result<Image, HostError> {
        self.while_held(|| self.assemble_host())
    }

    fn assemble_host(&self) -> Result<Image, HostError> {
        let work =
            tempfile::Builder::new().prefix(WORK).tempdir_in(self.layout()).map_err(HostError::Directory)?;
        let tree = work.path().join("tree");
        std::fs::create_dir(&tree).map_err(HostError::Directory)?;
        let assembled = host_image::host_image(&tree)?;
        let (blob, size) = self.pack(&tree, work.path())?;
        let layer = self.layers.adopt(None, &tree, &blob, assembled.tree.size())?;
        let now = Timestamp::now().to_string();
        let config = ImageConfig {
            created: Some(now.clone()),
            architecture: architecture().to_owned(),
            os: "linux".to_owned(),
            config: RunConfig {
                cmd: Some(vec!["sh".to_owned()]),
                env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()],
                ..RunConfig::default()
            },
            rootfs: RootFs { diff_ids: vec![layer.diff_id], ..RootFs::default() },
            history: vec![History {
                created: Some(now),
                created_by: Some("mini-docker: this machine's programs".to_owned()),
                ..History::default()
            }],
            ..ImageConfig::default()
        };
        let text = serde_json::to_vec(&config).map_err(HostError::Config)?;
        let name: Vec<Reference> = HOST.parse().into_iter().collect();
        let layer = NewLayer { blob, size, compression: Compression::Plain };
        Ok(self.add(&text, &[layer], &name)?)
    }

    /// The tree as a tar, stored as a blob: its digest is the layer's diff id, as it is not compressed.
    fn pack(&self, tree: &Path, work: &Path) -> Result<(mini_layers::Digest, u64), HostError> {
        let path = work.join("layer.tar");
        let file = std::fs::File::create(&path).map_err(HostError::Directory)?;
        mini_layers::write_tar(tree, file, Packing::default())?;
        let mut file = std::fs::File::open(&path).map_err(HostError::Directory)?;
        Ok(self.blobs.put(&mut file)?)
    }
}
