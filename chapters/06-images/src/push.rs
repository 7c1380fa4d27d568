//! `push`: an image to a registry.
//!
//! The other way round from `pull`: layers first, several at a time, then the configuration, and the manifest last,
//! byte for byte as it is kept here, so that its digest stays. Whoever sees the tag thus sees a whole image. A layer is
//! sent only when the registry does not have it; one that another repository of the same registry is known to have,
//! because an image here has a name in it, is mounted from there. OCI distribution spec, "Push"; docker-push(1).

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use mini_layers::Digest;
use mini_layers::blobs::BlobError;
use oci_spec::image::{Descriptor, ImageManifest, MediaType};

use crate::reference::Reference;
use crate::registry::upload::{Blob, Mount, PIECE};
use crate::registry::{Credentials, RegistryError, Repository, Settings};
use crate::store::{Images, StoreError};

/// How many layers go at a time: Docker's number.
const AT_A_TIME: usize = 5;

/// How many other repositories are asked for a layer.
const OTHERS: usize = 4;

/// What to push, and as whom.
#[derive(Debug, Clone)]
pub struct Push {
    /// The image's name, here and there.
    pub name: Reference,
    /// How registries are spoken to.
    pub settings: Settings,
    /// Who asks.
    pub credentials: Option<Credentials>,
    /// How many bytes are sent at a time; other values than [`Push::PIECE`] are for tests.
    pub piece: u64,
}

impl Push {
    /// How many bytes are sent at a time.
    pub const PIECE: u64 = PIECE;
}

/// What happens while an image is pushed. Layers are called by the digest of their unpacked content, as Docker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These are the layers, topmost first.
    Layers(Vec<Digest>),
    /// The registry has it already.
    Present(Digest),
    /// So much of a layer is there.
    Sent {
        /// The layer.
        layer: Digest,
        /// How many bytes of it.
        bytes: u64,
        /// How many there are.
        of: u64,
    },
    /// It has come from another repository of the registry.
    Mounted {
        /// The layer.
        layer: Digest,
        /// That repository.
        from: String,
    },
    /// All of it is there.
    Pushed(Digest),
}

/// An image that was pushed.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The length of its manifest, in bytes.
    pub size: u64,
}

/// An image that cannot be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Docker's words for a repository of which nothing is here.
    #[error("an image does not exist locally with the tag: {0}")]
    NoImage(String),
    /// Docker's words for a tag that is not here.
    #[error("tag does not exist: {0}")]
    NoTag(String),
    /// Docker's words: content has its digest already, a name is what is pushed.
    #[error("cannot push a digest reference: `{0}`")]
    Digest(String),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A manifest that is kept here and cannot be read.
    #[error("the manifest of {name} is not what the OCI image specification says")]
    Malformed {
        /// The image.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A blob that is not here, or damaged.
    #[error("layer or configuration of {name}")]
    Blob {
        /// The image.
        name: String,
        /// Why.
        source: BlobError,
    },
    /// The list of images.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One layer that is to go.
struct Layer {
    blob: Digest,
    diff_id: Digest,
    /// Repositories that have it, as far as is known here.
    others: Vec<String>,
}

impl Images {
    /// The names in this repository, for `push --all-tags`.
    ///
    /// # Errors
    /// [`PushError::NoImage`]; a list that cannot be read.
    pub fn tags_of(&self, repository: &Reference) -> Result<Vec<Reference>, PushError> {
        let names = self.list()?.into_iter().flat_map(|image| image.names);
        let mut names: Vec<Reference> =
            names.filter(|name| is_of(name, repository) && name.tag().is_some()).collect();
        names.sort();
        if names.is_empty() { Err(PushError::NoImage(repository.familiar_repository())) } else { Ok(names) }
    }

    /// Pushes an image; `tell` hears what happens, from several threads.
    ///
    /// # Errors
    /// What [`PushError`] lists. Layers that are there by then stay there; the tag is as it was.
    pub fn push(&self, push: &Push, tell: &(dyn Fn(Event) + Sync)) -> Result<Pushed, PushError> {
        Self::refuse_reserved(std::slice::from_ref(&push.name))?;
        let Some(tag) = push.name.tag().filter(|_| push.name.digest().is_none()) else {
            return Err(PushError::Digest(push.name.familiar()));
        };
        // Nobody clears away what is on its way.
        self.while_held(|| {
            let named = self.tags_of(&push.name).map_err(|error| match error {
                PushError::NoImage(_) => PushError::NoImage(push.name.familiar()),
                other => other,
            })?;
            if !named.contains(&push.name) {
                return Err(PushError::NoTag(push.name.familiar()));
            }
            self.push_to(push, tag, tell)
        })
    }

    fn push_to(&self, push: &Push, tag: &str, tell: &(dyn Fn(Event) + Sync)) -> Result<Pushed, PushError> {
        let name = push.name.familiar();
        let image = self.find(&push.name.to_string())?;
        let content = self.read_blob(&image.manifest, &name)?;
        let manifest = parse(&content, &name)?;
        let layers = self.layers_of(&manifest, &image.config.rootfs.diff_ids, &push.name)?;
        let others: BTreeSet<String> = layers.iter().flat_map(|layer| layer.others.clone()).collect();
        let others: Vec<String> = others.into_iter().collect();
        let endpoint = push.settings.endpoint(push.name.registry());
        let mut to = Repository::for_push(endpoint, push.name.clone(), push.credentials.clone(), &others);
        // As early as possible: who may not push learns it before anything is sent, and the threads have the token.
        let has_config = to.has_blob(&image.id)?;
        tell(Event::Layers(layers.iter().rev().map(|layer| layer.diff_id).collect()));
        self.send_layers(&to, &layers, push, tell)?;
        if !has_config {
            self.send(&mut to, &image.id, None, push, &|_, _| {})?;
        }
        let media_type = manifest.media_type().clone().unwrap_or(MediaType::ImageManifest).to_string();
        to.put_manifest(tag, &media_type, &content)?;
        self.set_known_as(&push.name, image.manifest)?;
        Ok(Pushed { digest: image.manifest, size: content.len() as u64 })
    }

    /// The layers, lowest first and each once, without those that lie elsewhere by their nature.
    fn layers_of(
        &self,
        manifest: &ImageManifest,
        diff_ids: &[Digest],
        name: &Reference,
    ) -> Result<Vec<Layer>, PushError> {
        let known = self.known_elsewhere(name)?;
        let mut layers: Vec<Layer> = Vec::new();
        for (descriptor, diff_id) in manifest.layers().iter().zip(diff_ids) {
            let Some(blob) = digest_of(descriptor) else { continue };
            if is_foreign(descriptor) || layers.iter().any(|layer| layer.blob == blob) {
                continue;
            }
            let others = known.get(&blob).cloned().unwrap_or_default();
            layers.push(Layer { blob, diff_id: *diff_id, others });
        }
        Ok(layers)
    }

    /// Which other repositories of the registry have which layers, as far as the names of images here tell.
    fn known_elsewhere(&self, name: &Reference) -> Result<HashMap<Digest, Vec<String>>, PushError> {
        let mut known: HashMap<Digest, Vec<String>> = HashMap::new();
        for image in self.list()? {
            let elsewhere: BTreeSet<&str> = image
                .names
                .iter()
                .filter(|other| other.registry() == name.registry() && !is_of(other, name))
                .map(Reference::repository)
                .collect();
            if elsewhere.is_empty() {
                continue;
            }
            let text = name.familiar();
            let manifest = parse(&self.read_blob(&image.manifest, &text)?, &text)?;
            for blob in manifest.layers().iter().filter_map(digest_of) {
                let repositories = known.entry(blob).or_default();
                for repository in &elsewhere {
                    if repositories.len() < OTHERS && !repositories.iter().any(|known| known == repository) {
                        repositories.push((*repository).to_owned());
                    }
                }
            }
        }
        Ok(known)
    }

    fn send_layers(
        &self,
        to: &Repository,
        layers: &[Layer],
        push: &Push,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<(), PushError> {
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<PushError>> = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..AT_A_TIME.min(layers.len()) {
                let (mut to, next, failed) = (to.clone(), &next, &failed);
                scope.spawn(move || {
                    while let Some(layer) = layers.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = self.send_layer(&mut to, layer, push, tell) {
                            // The others stop at the next layer; the first error is the one that is told.
                            next.store(layers.len(), Ordering::Relaxed);
                            if let Ok(mut failed) = failed.lock() {
                                failed.get_or_insert(error);
                            }
                        }
                    }
                });
            }
        });
        match failed.into_inner() {
            Ok(Some(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn send_layer(
        &self,
        to: &mut Repository,
        layer: &Layer,
        push: &Push,
        tell: &(dyn Fn(Event) + Sync),
    ) -> Result<(), PushError> {
        if to.has_blob(&layer.blob)? {
            tell(Event::Present(layer.diff_id));
            return Ok(());
        }
        let mut place = None;
        for from in &layer.others {
            // One that may not be read from is as good as one that does not have it.
            match to.mount(&layer.blob, from) {
                Ok(Mount::Done) => {
                    tell(Event::Mounted { layer: layer.diff_id, from: from.clone() });
                    return Ok(());
                }
                Ok(Mount::SendTo(to)) => place = Some(to),
                Err(RegistryError::Denied { .. } | RegistryError::Status { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.send(to, &layer.blob, place, push, &|bytes, of| {
            tell(Event::Sent { layer: layer.diff_id, bytes, of });
        })?;
        tell(Event::Pushed(layer.diff_id));
        Ok(())
    }

    fn send(
        &self,
        to: &mut Repository,
        digest: &Digest,
        place: Option<String>,
        push: &Push,
        tell: &dyn Fn(u64, u64),
    ) -> Result<(), PushError> {
        let failed = |source| PushError::Blob { name: push.name.familiar(), source };
        let file = self.blobs.get(digest).map_err(failed)?;
        let size = self.blobs.size(digest).unwrap_or_default();
        let blob = Blob { digest, file: &file, size, piece: push.piece.max(1) };
        Ok(to.upload(blob, place, &|sent| tell(sent, size))?)
    }

    fn read_blob(&self, digest: &Digest, name: &str) -> Result<Vec<u8>, PushError> {
        self.blobs.read(digest).map_err(|source| PushError::Blob { name: name.to_owned(), source })
    }
}

fn parse(content: &[u8], name: &str) -> Result<ImageManifest, PushError> {
    serde_json::from_slice(content).map_err(|source| PushError::Malformed { name: name.to_owned(), source })
}

fn is_of(name: &Reference, repository: &Reference) -> bool {
    name.registry() == repository.registry() && name.repository() == repository.repository()
}

/// Whether the layer is not for registries: it is fetched from the place that its maker names.
fn is_foreign(descriptor: &Descriptor) -> bool {
    descriptor.urls().as_ref().is_some_and(|urls| !urls.is_empty())
        || descriptor.media_type().to_string().contains("nondistributable")
}

fn digest_of(descriptor: &Descriptor) -> Option<Digest> {
    descriptor.digest().to_string().parse().ok()
}
