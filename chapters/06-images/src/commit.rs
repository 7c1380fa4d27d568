//! `commit`: an image with one layer more, which a container made. docker-commit(1); book ch. 6, 10.

use std::io::Read;

use jiff::Timestamp;
use mini_layers::Digest;
use mini_layers::blobs::BlobError;
use mini_layers::compression::Compression;

use crate::change::{self, ChangeError};
use crate::config::{History, ImageConfig, RunConfig};
use crate::reference::Reference;
use crate::store::{Image, Images, NewLayer, StoreError};
use crate::unpack::UnpackError;

/// What an image is made of besides the new layer.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The id of the image that the container was made from.
    pub base: Digest,
    /// What the container runs.
    pub config: RunConfig,
    /// Lines of a Dockerfile to apply to that.
    pub changes: Vec<String>,
    /// The image's name; none leaves it without.
    pub name: Option<Reference>,
    /// Who made it.
    pub author: String,
    /// What to write into its history.
    pub message: String,
}

/// An image that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A change that is none.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The layer's tar.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The layer's tree.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The image it is based on, or the list of images.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration cannot be written as JSON.
    #[error("write the image's configuration")]
    Config(#[source] serde_json::Error),
}

impl Commit {
    /// Finds out what is wrong before anything is done.
    ///
    /// # Errors
    /// A change that is none, a reserved name.
    pub fn check(&self) -> Result<(), CommitError> {
        Images::refuse_reserved(self.name.as_slice())?;
        self.changed().map(|_| ())
    }

    fn changed(&self) -> Result<RunConfig, CommitError> {
        let mut config = self.config.clone();
        self.changes.iter().try_for_each(|line| change::apply(&mut config, line))?;
        Ok(config)
    }
}

impl Images {
    /// Makes the image that `commit` describes, with `layer`, an uncompressed tar, on top; without one when the
    /// container changed nothing.
    ///
    /// # Errors
    /// What [`CommitError`] lists. Nothing is left then.
    pub fn commit(&self, commit: &Commit, layer: Option<&mut impl Read>) -> Result<Image, CommitError> {
        commit.check()?;
        self.while_held(|| {
            let base = self.find(&commit.base.to_string())?;
            let mut layers = self.stored_layers(&base)?;
            let mut config = base.config.clone();
            if let Some(content) = layer {
                // A tar that is not compressed has the same digest as blob and as layer.
                let (blob, size) = self.blobs.put(content)?;
                self.unpack(&blob, base.chain_ids().last(), Some(&blob))?;
                layers.push(NewLayer { blob, size, compression: Compression::Plain });
                config.rootfs.diff_ids.push(blob);
            }
            let is_empty = config.rootfs.diff_ids.len() == base.config.rootfs.diff_ids.len();
            describe(&mut config, commit, commit.changed()?, is_empty);
            let text = serde_json::to_vec(&config).map_err(CommitError::Config)?;
            Ok(self.add(&text, &layers, commit.name.as_slice())?)
        })
    }
}

/// The base's configuration with what is new. What a container cannot know of its image's is kept.
fn describe(config: &mut ImageConfig, commit: &Commit, run: RunConfig, is_empty: bool) {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let now = Timestamp::now().to_string();
    let old = std::mem::take(&mut config.config);
    config.history.push(History {
        created: Some(now.clone()),
        author: some(&commit.author),
        // Docker's words: the command alone, as the container had it.
        created_by: commit.config.cmd.as_ref().map(|words| words.join(" ")),
        comment: some(&commit.message),
        empty_layer: is_empty.then_some(true),
    });
    config.config = RunConfig {
        exposed_ports: merged(old.exposed_ports, run.exposed_ports.clone()),
        shell: old.shell,
        ..run
    };
    config.created = Some(now);
    config.author = some(&commit.author);
}

fn merged<T>(
    old: Option<std::collections::BTreeMap<String, T>>,
    new: Option<std::collections::BTreeMap<String, T>>,
) -> Option<std::collections::BTreeMap<String, T>> {
    match (old, new) {
        (Some(mut old), Some(new)) => {
            old.extend(new);
            Some(old)
        }
        (old, new) => new.or(old),
    }
}
