//! `manifest inspect`: what a registry has under a name, without pulling it. docker-manifest(1); book ch. 6.
//!
//! What came is kept beside what it was read as: digests are of bytes, and a manifest that was written again is
//! another one.

use oci_spec::image::{ImageIndex, ImageManifest};

use crate::reference::Reference;
use crate::registry::{Credentials, Manifest, RegistryError, Repository, Settings};

/// A manifest that cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
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
        let last = self.repositories.len().saturating_sub(1);
        let mut answer = None;
        for (index, repository) in self.repositories.iter_mut().enumerate() {
            match repository.manifest(what) {
                Ok(manifest) => {
                    answer = Some(manifest);
                    break;
                }
                Err(error) if index == last => return Err(error.into()),
                // A mirror need not have everything, nor be there.
                Err(_) => {}
            }
        }
        let missing = || {
            let reference = self.name.familiar();
            RegistryError::NotFound { reference, message: "there is no registry to ask".to_owned() }
        };
        let manifest = answer.ok_or_else(missing)?;
        let malformed = |source| ManifestError::Malformed { name: self.name.familiar(), source };
        let content = read(&manifest.content).map_err(malformed)?;
        Ok((manifest, content))
    }
}
