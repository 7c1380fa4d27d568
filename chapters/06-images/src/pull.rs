//! `pull`: an image from a registry.
//!
//! A tag leads to a manifest, or to an index that has one for each platform; the manifest names a configuration and
//! layers, each by its digest (see `intake`). Everything is checked against its digest as it arrives, and the image
//! gets its name last: whatever fails before leaves no image. OCI distribution spec, "Pulling manifests";
//! docker-pull(1); book ch. 6.

use std::io::Read as _;

use mini_layers::Digest;
use mini_layers::blobs::BlobError;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};

use crate::config::ImageConfig;
use crate::intake::{Coming, IntakeError};
use crate::manifest::{Kind, kind};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::{Credentials, Manifest, RegistryError, Repository, Settings};
use crate::store::{Image, Images, StoreError};
use crate::unpack::UnpackError;

pub use crate::intake::Event;

/// No configuration is longer, in bytes.
const LARGEST_CONFIG: u64 = 16 << 20;

/// What to pull, and as whom.
#[derive(Debug, Clone)]
pub struct Pull {
    /// The image's name.
    pub name: Reference,
    /// For which machine.
    pub platform: Platform,
    /// How registries are spoken to.
    pub settings: Settings,
    /// Who asks.
    pub credentials: Option<Credentials>,
}

/// An image that was pulled.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// The image.
    pub image: Image,
    /// The digest of what the name leads to: an index, or the manifest itself.
    pub digest: Digest,
    /// Whether it was here under this name before.
    pub known: bool,
}

/// An image that cannot be pulled. The store is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The index has nothing for the platform: Docker's words.
    #[error("no matching manifest for {platform} in the manifest list entries of {name}; there is {found}")]
    Platform {
        /// What was wanted.
        platform: Platform,
        /// The image.
        name: String,
        /// What there is.
        found: String,
    },
    /// Docker's oldest format, which has no digests to trust.
    #[error(
        "{name} has a manifest of schema 1, which Docker has given up: it must be pushed again by a newer tool"
    )]
    Schema1 {
        /// The image.
        name: String,
    },
    /// Something that is no image.
    #[error("{name} is no image but `{media_type}`")]
    Kind {
        /// The image.
        name: String,
        /// What it says it is.
        media_type: String,
    },
    /// A manifest, index or configuration that cannot be read.
    #[error("the {what} of {name} is not what the OCI image specification says")]
    Malformed {
        /// Which of them.
        what: &'static str,
        /// The image.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The configuration and the manifest do not agree.
    #[error("{name} has {layers} layers and a configuration that names {named}")]
    LayerCount {
        /// The image.
        name: String,
        /// How many the manifest has.
        layers: usize,
        /// How many the configuration names.
        named: usize,
    },
    /// A blob is not the one that was named, or broke off for good.
    #[error("layer {layer} of {name}")]
    Blob {
        /// The image.
        name: String,
        /// The layer, or the configuration.
        layer: Digest,
        /// Why.
        source: Box<BlobError>,
    },
    /// A layer cannot be unpacked.
    #[error("layer {layer} of {name}")]
    Unpack {
        /// The image.
        name: String,
        /// The layer.
        layer: Digest,
        /// Why.
        source: Box<UnpackError>,
    },
    /// A layer that nobody has fetched.
    #[error("layer {layer} of {name} has not come")]
    Missing {
        /// The image.
        name: String,
        /// The layer.
        layer: Digest,
    },
    /// The list of images.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Pull {
    /// The names of all that the repository has a tag for.
    ///
    /// # Errors
    /// A registry that does not tell.
    pub fn all_tags(&self) -> Result<Vec<Reference>, PullError> {
        let tags = self.ask(|mut repository| Ok(repository.tags()?))?;
        // What is no tag to us cannot be asked for.
        let names =
            tags.iter().map(|tag| format!("{}/{}:{tag}", self.name.registry(), self.name.repository()));
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// Asks the mirrors and then the registry, until one gives what is wanted: a mirror need not have everything, nor
    /// be there.
    fn ask<T>(&self, work: impl Fn(Repository) -> Result<T, PullError>) -> Result<T, PullError> {
        let mut endpoints = self.settings.endpoints(self.name.registry()).into_iter().peekable();
        loop {
            let endpoint = endpoints.next().unwrap_or_else(|| self.settings.endpoint(self.name.registry()));
            let credentials = self.credentials.clone().filter(|_| !endpoint.is_mirror);
            match work(Repository::new(endpoint, self.name.clone(), credentials)) {
                Err(PullError::Registry(_)) if endpoints.peek().is_some() => {}
                result => return result,
            }
        }
    }
}

impl Images {
    /// Pulls an image; `tell` hears what happens, from several threads.
    ///
    /// # Errors
    /// What [`PullError`] lists. Nothing is left then.
    pub fn pull(&self, pull: &Pull, tell: &(dyn Fn(Event) + Sync)) -> Result<Pulled, PullError> {
        Self::refuse_reserved(std::slice::from_ref(&pull.name))?;
        pull.ask(|repository| self.while_held(|| self.pull_from(repository, pull, tell)))
    }

    fn pull_from(
        &self,
        mut from: Repository,
        pull: &Pull,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<Pulled, PullError> {
        let name = pull.name.familiar();
        let wanted = pull.name.digest().map(ToString::to_string);
        let first = from.manifest(wanted.as_deref().or(pull.name.tag()).unwrap_or("latest"))?;
        let digest = first.digest;
        let manifest = chosen(&mut from, first, pull)?;
        let parsed: ImageManifest = parse("manifest", &name, &manifest.content)?;
        let known = self.find(&pull.name.to_string()).is_ok_and(|image| image.manifest == manifest.digest);
        if !known {
            self.receive(&from, pull, &parsed, tell)?;
        }
        let image = self.add_known(&manifest.content, std::slice::from_ref(&pull.name), Some(digest))?;
        Ok(Pulled { image, digest, known })
    }

    /// Takes in the configuration and the layers.
    fn receive(
        &self,
        from: &Repository,
        pull: &Pull,
        manifest: &ImageManifest,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<(), PullError> {
        let name = pull.name.familiar();
        let id = digest_of(manifest.config(), &name)?;
        let blob = |layer, source| PullError::Blob { name: name.clone(), layer, source: Box::new(source) };
        if !self.blobs.contains(&id) {
            let mut content = from.clone().blob(&id, 0)?.take(LARGEST_CONFIG);
            self.blobs.put_expected(&mut content, &id).map_err(|source| blob(id, source))?;
        }
        let text = self.blobs.read(&id).map_err(|source| blob(id, source))?;
        let config: ImageConfig = parse("configuration", &name, &text)?;
        let diff_ids = &config.rootfs.diff_ids;
        let layers = manifest.layers();
        if diff_ids.len() != layers.len() {
            return Err(PullError::LayerCount { name, layers: layers.len(), named: diff_ids.len() });
        }
        let layers = layers.iter().zip(diff_ids).map(|(layer, diff_id)| {
            Ok(Coming { blob: digest_of(layer, &name)?, size: layer.size(), diff_id: *diff_id })
        });
        let layers = layers.collect::<Result<Vec<_>, PullError>>()?;
        let open = |layer: &Coming, at| from.clone().blob(&layer.blob, at);
        self.take_layers(&layers, open, tell).map_err(|error| match error {
            IntakeError::Source(error) => PullError::Registry(error),
            IntakeError::Blob(layer, source) => blob(layer, source),
            IntakeError::Unpack(layer, source) => {
                PullError::Unpack { name: name.clone(), layer, source: Box::new(source) }
            }
            IntakeError::Missing(layer) => PullError::Missing { name: name.clone(), layer },
        })
    }
}

/// The manifest for the platform, where the first answer was an index.
fn chosen(from: &mut Repository, first: Manifest, pull: &Pull) -> Result<Manifest, PullError> {
    let name = pull.name.familiar();
    match kind(&first.media_type, &first.content) {
        Kind::Manifest => Ok(first),
        Kind::Schema1 => Err(PullError::Schema1 { name }),
        Kind::Other => Err(PullError::Kind { name, media_type: first.media_type }),
        Kind::Index => {
            let index: ImageIndex = parse("index", &name, &first.content)?;
            let Some(entry) = pull.platform.choose(index.manifests()) else {
                let found = platforms(index.manifests());
                return Err(PullError::Platform { platform: pull.platform.clone(), name, found });
            };
            let manifest = from.manifest(&digest_of(entry, &name)?.to_string())?;
            match kind(&manifest.media_type, &manifest.content) {
                Kind::Manifest => Ok(manifest),
                _ => Err(PullError::Kind { name, media_type: manifest.media_type }),
            }
        }
    }
}

/// `linux/amd64, linux/arm64`.
fn platforms(entries: &[Descriptor]) -> String {
    let texts = entries.iter().filter_map(|entry| entry.platform().as_ref());
    let texts = texts.map(|platform| format!("{}/{}", platform.os(), platform.architecture()));
    texts.filter(|text| text != "unknown/unknown").collect::<Vec<_>>().join(", ")
}

fn parse<T: serde::de::DeserializeOwned>(
    what: &'static str,
    name: &str,
    content: &[u8],
) -> Result<T, PullError> {
    serde_json::from_slice(content).map_err(|source| PullError::Malformed {
        what,
        name: name.to_owned(),
        source,
    })
}

pub(crate) fn digest_of(descriptor: &Descriptor, name: &str) -> Result<Digest, PullError> {
    let text = descriptor.digest().to_string();
    text.parse().map_err(|_| PullError::Kind { name: name.to_owned(), media_type: text })
}
