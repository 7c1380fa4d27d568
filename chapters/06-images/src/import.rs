//! `import`: a tar of a whole root filesystem becomes an image of one layer. docker-import(1); book ch. 6.

use std::io::Read;

use jiff::Timestamp;

use crate::change::{self, ChangeError};
use crate::config::{History, ImageConfig, RootFs, RunConfig, architecture};
use crate::reference::Reference;
use crate::store::{Image, Images, StoreError};
use crate::unpack::UnpackError;

/// A tar that cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A `--change` that is none.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The tar itself.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The list of images.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration cannot be written as JSON.
    #[error("write the image's configuration")]
    Config(#[source] serde_json::Error),
}

/// What an import makes of a tar.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The image's name; none leaves it without.
    pub name: Option<Reference>,
    /// Lines of a Dockerfile to apply to its configuration.
    pub changes: Vec<String>,
    /// What to write into its history.
    pub message: String,
}

impl Images {
    /// Makes an image of the tar `content`, which may be compressed with gzip or zstd.
    ///
    /// # Errors
    /// A change that is none (before anything is read), and what [`UnpackError`] lists. Nothing is left then.
    pub fn import(&self, content: &mut impl Read, import: &Import) -> Result<Image, ImportError> {
        let mut run = RunConfig::default();
        import.changes.iter().try_for_each(|line| change::apply(&mut run, line))?;
        Self::refuse_reserved(import.name.as_slice())?;
        self.while_held(|| self.import_held(content, import, run))
    }

    fn import_held(
        &self,
        content: &mut impl Read,
        import: &Import,
        run: RunConfig,
    ) -> Result<Image, ImportError> {
        let (new, layer) = self.take_layer(content, None, None)?;
        let now = Timestamp::now().to_string();
        let config = ImageConfig {
            created: Some(now.clone()),
            architecture: architecture().to_owned(),
            os: "linux".to_owned(),
            config: run,
            rootfs: RootFs { diff_ids: vec![layer.diff_id], ..RootFs::default() },
            history: vec![History {
                created: Some(now),
                comment: Some(import.message.clone()),
                ..History::default()
            }],
            ..ImageConfig::default()
        };
        let text = serde_json::to_vec(&config).map_err(ImportError::Config)?;
        Ok(self.add(&text, &[new], import.name.as_slice())?)
    }
}
