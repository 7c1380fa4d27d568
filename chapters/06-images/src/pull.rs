//! `pull`: an image from a registry.
//!
//! A tag leads to a manifest, or to an index that has one for each platform; the manifest names a configuration and
//! layers, each by its digest. Layers come several at a time and are unpacked in their order, each as soon as it is
//! there. Everything is checked against its digest as it arrives, and the image gets its name last: whatever fails
//! before leaves the store as it was. OCI distribution spec, "Pulling manifests"; docker-pull(1); book ch. 6.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use mini_layers::Digest;
use mini_layers::blobs::BlobError;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};

use crate::config::ImageConfig;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::{Credentials, Manifest, RegistryError, Repository, Settings};
use crate::store::{Image, Images, StoreError};
use crate::unpack::UnpackError;

/// How many layers come at a time: Docker's number.
const AT_A_TIME: usize = 3;

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

/// What happens while an image is pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These layers are wanted, lowest first, and those among them are here already.
    Layers(Vec<(Digest, bool)>),
    /// So much of a layer is here.
    Received {
        /// The layer.
        layer: Digest,
        /// How many bytes of it.
        bytes: u64,
        /// How many there are.
        of: u64,
    },
    /// All of it is here.
    Downloaded(Digest),
    /// It is unpacked.
    Complete(Digest),
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

/// One layer on its way.
struct Wanted {
    blob: Digest,
    size: u64,
}

impl Images {
    /// Pulls an image; `tell` hears what happens, from several threads.
    ///
    /// # Errors
    /// What [`PullError`] lists. Nothing is left then.
    pub fn pull(&self, pull: &Pull, tell: &(dyn Fn(Event) + Sync)) -> Result<Pulled, PullError> {
        Self::refuse_reserved(std::slice::from_ref(&pull.name))?;
        let mut endpoints = pull.settings.endpoints(pull.name.registry()).into_iter().peekable();
        loop {
            let endpoint = endpoints.next().unwrap_or_else(|| pull.settings.endpoint(pull.name.registry()));
            let credentials = pull.credentials.clone().filter(|_| !endpoint.is_mirror);
            let repository = Repository::new(endpoint, pull.name.clone(), credentials);
            match self.while_held(|| self.pull_from(repository, pull, tell)) {
                // A mirror need not have everything, nor be there.
                Err(PullError::Registry(_)) if endpoints.peek().is_some() => {}
                result => return result,
            }
        }
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
        let image = self.add_manifest(&manifest.content, std::slice::from_ref(&pull.name))?;
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
            let mut content = from.clone().blob(&id)?.take(LARGEST_CONFIG);
            self.blobs.put_expected(&mut content, &id).map_err(|source| blob(id, source))?;
        }
        let text = self.blobs.read(&id).map_err(|source| blob(id, source))?;
        let config: ImageConfig = parse("configuration", &name, &text)?;
        let wanted = manifest
            .layers()
            .iter()
            .map(|layer| Ok(Wanted { blob: digest_of(layer, &name)?, size: layer.size() }))
            .collect::<Result<Vec<_>, PullError>>()?;
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != wanted.len() {
            return Err(PullError::LayerCount { name, layers: wanted.len(), named: diff_ids.len() });
        }
        tell(Event::Layers(
            wanted.iter().map(|layer| (layer.blob, self.blobs.contains(&layer.blob))).collect(),
        ));
        let next = AtomicUsize::new(0);
        let (arrived, arrivals) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..AT_A_TIME.min(wanted.len()) {
                let (arrived, wanted, next, mut from) = (arrived.clone(), &wanted, &next, from.clone());
                scope.spawn(move || self.fetch(&mut from, wanted, next, &arrived, tell));
            }
            drop(arrived);
            let unpacked = self.unpack_in_order(&name, &wanted, diff_ids, &arrivals, tell);
            // Whoever fetches still stops at the next layer.
            next.store(wanted.len(), Ordering::Relaxed);
            unpacked
        })
    }

    /// One of several who fetch layers, each the next that nobody has begun.
    fn fetch(
        &self,
        from: &mut Repository,
        wanted: &[Wanted],
        next: &AtomicUsize,
        arrived: &Sender<(usize, Result<(), FetchError>)>,
        tell: &(dyn Fn(Event) + Sync),
    ) {
        while let Some((index, layer)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            wanted.get(index).map(|layer| (index, layer))
        } {
            let result = self.fetch_one(from, layer, tell);
            let failed = result.is_err();
            if arrived.send((index, result)).is_err() || failed {
                return;
            }
        }
    }

    fn fetch_one(
        &self,
        from: &mut Repository,
        layer: &Wanted,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<(), FetchError> {
        if !self.blobs.contains(&layer.blob) {
            let content = from.blob(&layer.blob).map_err(FetchError::Registry)?;
            let mut counted = Counted { content, layer, received: 0, tell };
            self.blobs.put_expected(&mut counted, &layer.blob).map_err(FetchError::Blob)?;
        }
        tell(Event::Downloaded(layer.blob));
        Ok(())
    }

    /// Unpacks each layer once it and all below it are there.
    fn unpack_in_order(
        &self,
        name: &str,
        wanted: &[Wanted],
        diff_ids: &[Digest],
        arrivals: &Receiver<(usize, Result<(), FetchError>)>,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<(), PullError> {
        let mut here = HashMap::new();
        let mut parent = None;
        for (index, (layer, diff_id)) in wanted.iter().zip(diff_ids).enumerate() {
            while !here.contains_key(&index) {
                match arrivals.recv() {
                    Ok((index, Ok(()))) => drop(here.insert(index, ())),
                    Ok((index, Err(error))) => return Err(error.of(name, wanted[index].blob)),
                    // Who fetches ends only after all have come, or after telling a failure.
                    Err(_) => return Err(PullError::Missing { name: name.to_owned(), layer: layer.blob }),
                }
            }
            let unpacked = self.unpack_blob(&layer.blob, parent.as_ref(), diff_id);
            let failed = |source| PullError::Unpack {
                name: name.to_owned(),
                layer: layer.blob,
                source: Box::new(source),
            };
            parent = Some(unpacked.map_err(failed)?.chain_id);
            tell(Event::Complete(layer.blob));
        }
        Ok(())
    }
}

/// Why a layer has not come.
enum FetchError {
    Registry(RegistryError),
    Blob(BlobError),
}

impl FetchError {
    fn of(self, name: &str, layer: Digest) -> PullError {
        match self {
            Self::Registry(error) => PullError::Registry(error),
            Self::Blob(source) => PullError::Blob { name: name.to_owned(), layer, source: Box::new(source) },
        }
    }
}

/// A layer that tells how far it has come, and is never longer than it was said to be by more than a byte: enough
/// for its digest to be wrong.
struct Counted<'a, R> {
    content: R,
    layer: &'a Wanted,
    received: u64,
    tell: &'a (dyn Fn(Event) + Sync),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.layer.size.saturating_add(1) - self.received).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let count = self.content.read(&mut buffer[..length])?;
        self.received += count as u64;
        let (layer, bytes, of) = (self.layer.blob, self.received.min(self.layer.size), self.layer.size);
        (self.tell)(Event::Received { layer, bytes, of });
        Ok(count)
    }
}

/// The manifest for the platform, where the first answer was an index.
fn chosen(from: &mut Repository, first: Manifest, pull: &Pull) -> Result<Manifest, PullError> {
    let name = pull.name.familiar();
    match kind(&first) {
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
            match kind(&manifest) {
                Kind::Manifest => Ok(manifest),
                _ => Err(PullError::Kind { name, media_type: manifest.media_type }),
            }
        }
    }
}

/// What a registry may send where an image is asked for.
enum Kind {
    Index,
    Manifest,
    Schema1,
    Other,
}

/// What it says it is; registries that answer `application/json` leave it to the content.
fn kind(manifest: &Manifest) -> Kind {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outline {
        schema_version: Option<u32>,
        media_type: Option<String>,
        manifests: Option<serde_json::Value>,
        config: Option<serde_json::Value>,
    }
    let outline: Option<Outline> = serde_json::from_slice(&manifest.content).ok();
    let Some(outline) = outline else { return Kind::Other };
    let says = outline.media_type.as_deref().unwrap_or(&manifest.media_type);
    match says {
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => Kind::Index,
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => Kind::Manifest,
        _ if outline.schema_version == Some(1) => Kind::Schema1,
        _ if outline.schema_version == Some(2) && outline.manifests.is_some() => Kind::Index,
        _ if outline.schema_version == Some(2) && outline.config.is_some() => Kind::Manifest,
        _ => Kind::Other,
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

fn digest_of(descriptor: &Descriptor, name: &str) -> Result<Digest, PullError> {
    let text = descriptor.digest().to_string();
    text.parse().map_err(|_| PullError::Kind { name: name.to_owned(), media_type: text })
}
