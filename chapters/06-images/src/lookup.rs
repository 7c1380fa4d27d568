//! `manifest inspect`: what a registry has under a name, without pulling it. docker-manifest(1); book ch. 6.
//!
//! What came is kept beside what it was read as: digests are of bytes, and a manifest that was written again is
//! another one.

use std::io::{self, Read as _};

use mini_layers::Digest;
use oci_spec::image::{ImageIndex, ImageManifest};

use crate::config::ImageConfig;
use crate::reference::Reference;
use crate::registry::{Credentials, Manifest, RegistryError, Repository, Settings};

/// No configuration is longer, in bytes.
const LARGEST_CONFIG: u64 = 16 << 20;

/// A manifest that cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Docker's words for a name that leads to nothing.
    #[error("no such manifest: {0}")]
    NotFound(String),
    /// The registry.
    #[error(transparent)]
    Registry(RegistryError),
    /// The configuration broke off.
    #[error("read the configuration of {0}")]
    Config(String, #[source] io::Error),
    /// The configuration is not the one that the manifest names.
    #[error("the configuration of {name} is {received}, not {expected}")]
    Mismatch {
        /// The image.
        name: String,
        /// As the manifest has it.
        expected: String,
        /// Of what came.
        received: Digest,
    },
    /// It is none.
    #[error("the manifest of {name} is not what the OCI image specification says")]
    Malformed {
        /// The image.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// What a manifest turned out to be.
#[derive(Debug, Clone)]
pub enum Content {
    /// That of one image.
    Image(Box<ImageManifest>),
    /// A list of them, for several platforms.
    Index(Box<ImageIndex>),
}

/// Reads a manifest or an index. What has a list of manifests is an index, whatever else it says.
///
/// # Errors
/// What is neither.
pub fn read(content: &[u8]) -> Result<Content, serde_json::Error> {
    let outline: serde_json::Value = serde_json::from_slice(content)?;
    if outline.get("manifests").is_some() {
        return Ok(Content::Index(serde_json::from_slice(content)?));
    }
    Ok(Content::Image(serde_json::from_slice(content)?))
}

/// A repository to look into.
#[derive(Debug)]
pub struct Look {
    repositories: Vec<Repository>,
    name: Reference,
}

impl Look {
    /// Where the image `name` may be: the mirrors, which are sent no password, then the registry.
    pub fn new(name: &Reference, settings: &Settings, credentials: Option<&Credentials>) -> Self {
        let repositories = settings
            .endpoints(name.registry())
            .into_iter()
            .map(|endpoint| {
                let credentials = credentials.filter(|_| !endpoint.is_mirror).cloned();
                Repository::new(endpoint, name.clone(), credentials)
            })
            .collect();
        Self { repositories, name: name.clone() }
    }

    /// What the name leads to.
    ///
    /// # Errors
    /// What [`ManifestError`] lists.
    pub fn first(&mut self) -> Result<(Manifest, Content), ManifestError> {
        let digest = self.name.digest().map(ToString::to_string);
        let what = digest.or(self.name.tag().map(str::to_owned));
        self.get(what.as_deref().unwrap_or("latest"))
    }

    /// The manifest of a tag or digest of the same repository.
    ///
    /// # Errors
    /// What [`ManifestError`] lists.
    pub fn get(&mut self, what: &str) -> Result<(Manifest, Content), ManifestError> {
        let manifest = self.ask(|repository| repository.manifest(what))?;
        let malformed = |source| ManifestError::Malformed { name: self.name.familiar(), source };
        let content = read(&manifest.content).map_err(malformed)?;
        Ok((manifest, content))
    }

    /// The configuration of an image whose manifest came from here.
    ///
    /// # Errors
    /// What [`ManifestError`] lists.
    pub fn config(&mut self, image: &ImageManifest) -> Result<ImageConfig, ManifestError> {
        let name = self.name.familiar();
        let expected = image.config().digest().to_string();
        let Ok(digest) = expected.parse::<Digest>() else { return Err(ManifestError::NotFound(expected)) };
        let mut text = Vec::new();
        let blob = self.ask(|repository| repository.blob(&digest, 0))?;
        let read = blob.take(LARGEST_CONFIG).read_to_end(&mut text);
        read.map_err(|source| ManifestError::Config(name.clone(), source))?;
        let received = Digest::of(&text);
        if received != digest {
            return Err(ManifestError::Mismatch { name, expected, received });
        }
        serde_json::from_slice(&text).map_err(|source| ManifestError::Malformed { name, source })
    }

    /// The first answer: a mirror need not have everything, nor be there.
    fn ask<T>(
        &mut self,
        mut ask: impl FnMut(&mut Repository) -> Result<T, RegistryError>,
    ) -> Result<T, ManifestError> {
        let mut failed = None;
        for repository in &mut self.repositories {
            match ask(repository) {
                Ok(answer) => return Ok(answer),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(RegistryError::NotFound { .. }) | None => Err(ManifestError::NotFound(self.name.familiar())),
            Some(error) => Err(ManifestError::Registry(error)),
        }
    }
}
