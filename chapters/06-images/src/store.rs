//! The images of one machine: an OCI image layout for what was received, and unpacked layers to run from.
//!
//! An image is a manifest, which names a configuration and layers, each by its digest. The configuration's digest
//! is the image's id, as Docker shows it. Layers are shared: an image that is removed takes only what no
//! other image names. OCI image spec; book ch. 6.

use std::path::Path;

use mini_layers::blobs::BlobError;
use mini_layers::compression::Compression;
use mini_layers::layers::LayerError;
use mini_layers::{Blobs, Bounds, Digest, Layers, Owners};
use mini_sys::file::{self, Lock};
use oci_spec::image::{Descriptor, ImageManifest, ImageManifestBuilder, MediaType};

use crate::config::ImageConfig;
use crate::index::{Index, IndexError, Listed};
use crate::reference::{Reference, ReferenceError};
use crate::reserved;
use crate::suggest::closest;

/// The images of one machine.
#[derive(Debug)]
pub struct Images {
    layout: std::path::PathBuf,
    pub(crate) index: Index,
    /// What was received, by digest.
    pub blobs: Blobs,
    /// Unpacked layers.
    pub layers: Layers,
    /// Who owns unpacked files.
    pub owners: Owners,
    /// How much may come out of a compressed layer.
    pub bounds: Bounds,
}

/// An image that is here.
#[derive(Debug, Clone)]
pub struct Image {
    /// The digest of its configuration: what Docker calls the image id.
    pub id: Digest,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// Its names; none for an image whose name has gone to another.
    pub names: Vec<Reference>,
    /// The same as the registries of these names know it, by digest; none for an image that never met one.
    pub digests: Vec<Reference>,
    /// When it got the last of its names, RFC 3339.
    pub named: Option<String>,
    /// What it says about itself.
    pub config: ImageConfig,
}

impl Image {
    /// The chain ids of its layers, lowest first.
    pub fn chain_ids(&self) -> Vec<Digest> {
        let mut chain: Vec<Digest> = Vec::new();
        for diff_id in &self.config.rootfs.diff_ids {
            chain.push(mini_layers::chain_id(chain.last(), diff_id));
        }
        chain
    }

    /// The digest by which the registry of this name knows it.
    pub fn known_as(&self, name: &Reference) -> Option<Digest> {
        name.digest().or_else(|| self.digests.iter().find(|known| known.is_beside(name))?.digest()).copied()
    }

    /// Its names as they are shown: of a repository in which it has a tag, the tags alone.
    pub fn shown_names(&self) -> impl Iterator<Item = &Reference> {
        let has_tag = |name: &Reference| {
            self.names.iter().any(|other| other.digest().is_none() && other.is_beside(name))
        };
        self.names.iter().filter(move |name| name.digest().is_none() || !has_tag(name))
    }

    fn take(&mut self, line: Listed) {
        let Some(name) = line.name else { return };
        if let Some(digest) = line.known_as.map(|digest| name.with_digest(digest))
            && !self.digests.contains(&digest)
        {
            self.digests.push(digest);
        }
        self.named = std::mem::take(&mut self.named).max(line.named);
        self.names.push(name);
    }
}

/// What went wrong with the images.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such image.
    #[error("no image named `{name}`{}", suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    NotFound {
        /// What was asked for.
        name: String,
        /// A name that is here and looks like it.
        suggestion: Option<String>,
    },
    /// What was asked for can be no image's name.
    #[error(transparent)]
    Name(#[from] ReferenceError),
    /// The name of the image that is made here.
    #[error("`host` is reserved for the image made from this machine's programs: choose another name")]
    Reserved,
    /// The start of an id that several images share.
    #[error("`{0}` is the start of more than one image's id")]
    Ambiguous(String),
    /// The list of images.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A blob.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A layer.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A manifest or configuration that is not what the specification says.
    #[error("{what} {digest} is not what the OCI image specification says")]
    Malformed {
        /// Manifest or configuration.
        what: &'static str,
        /// Which.
        digest: Digest,
        /// Why.
        source: serde_json::Error,
    },
    /// The lock of the store.
    #[error("lock the images")]
    Lock(#[source] mini_sys::Error),
    /// A digest that the library of OCI types does not take.
    #[error("no descriptor for {0}")]
    Descriptor(Digest),
}

/// A layer of an image to be: the blob as it was received, and how it was packed.
#[derive(Debug, Clone, Copy)]
pub struct NewLayer {
    /// The digest of the blob.
    pub blob: Digest,
    /// Its length.
    pub size: u64,
    /// How it is compressed.
    pub compression: Compression,
}

impl Images {
    /// The images whose layout is at `layout` and whose unpacked layers are at `layers`.
    ///
    /// # Errors
    /// A directory that cannot be made or written.
    pub fn open(layout: &Path, layers: &Path, owners: Owners) -> Result<Self, StoreError> {
        let blobs = Blobs::open(layout)?;
        Ok(Self {
            layout: layout.to_owned(),
            index: Index::open(layout, blobs.clone())?,
            blobs,
            layers: Layers::open(layers)?,
            owners,
            bounds: Bounds::default(),
        })
    }

    /// The directory of the layout.
    pub(crate) fn layout(&self) -> &Path {
        &self.layout
    }

    /// All images, the last made first. One that is here under several manifests, compressed and not, is one image.
    ///
    /// # Errors
    /// A list or an image that cannot be read.
    pub fn list(&self) -> Result<Vec<Image>, StoreError> {
        let mut images: Vec<Image> = Vec::new();
        for line in self.index.list()? {
            let known = images.iter().position(|image| image.manifest == line.manifest);
            let position = match known {
                Some(position) => position,
                None => {
                    let Some(image) = self.read_listed(&line.manifest)? else { continue };
                    images.iter().position(|other| other.id == image.id).unwrap_or_else(|| {
                        images.push(image);
                        images.len() - 1
                    })
                }
            };
            images[position].take(line);
        }
        images.sort_by(|a, b| b.config.created.cmp(&a.config.created));
        Ok(images)
    }

    /// The image that `text` means: a name, an id, or the start of one that no other image has.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with a name that looks alike, [`StoreError::Ambiguous`].
    pub fn find(&self, text: &str) -> Result<Image, StoreError> {
        let lines = self.index.list()?;
        let reference = text.parse::<Reference>();
        if let Ok(reference) = &reference
            && let Some(line) = lines.iter().find(|line| line.is(reference))
            && let Some(mut image) = self.read_listed(&line.manifest)?
        {
            for line in lines {
                if line.manifest == image.manifest {
                    image.take(line);
                }
            }
            return Ok(image);
        }
        if let Some(image) = self.find_by_id(text)? {
            return Ok(image);
        }
        let reference = reference?;
        // A name that has just been taken away is no suggestion.
        let others = lines.iter().filter(|line| !line.is(&reference));
        let suggestion = closest(text, others.filter_map(|line| line.name.as_ref()));
        Err(StoreError::NotFound { name: text.to_owned(), suggestion })
    }

    fn find_by_id(&self, text: &str) -> Result<Option<Image>, StoreError> {
        let start = text.strip_prefix("sha256:").unwrap_or(text);
        if start.is_empty() || !start.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let mut found = self.list()?;
        found.retain(|image| image.id.hex().starts_with(start));
        // One image may have come with two manifests, from an archive and from a registry: what has a name counts.
        found.sort_by_key(|image| image.names.is_empty());
        match found.first() {
            Some(first) if found.iter().any(|other| other.id != first.id) => {
                Err(StoreError::Ambiguous(text.to_owned()))
            }
            _ => Ok(found.into_iter().next()),
        }
    }

    /// An image that was listed a moment ago; none when somebody has removed it since.
    fn read_listed(&self, manifest: &Digest) -> Result<Option<Image>, StoreError> {
        match self.read(manifest) {
            Err(StoreError::Blob(BlobError::Missing(..)))
                if !self.index.list()?.iter().any(|line| line.manifest == *manifest) =>
            {
                Ok(None)
            }
            image => image.map(Some),
        }
    }

    pub(crate) fn read(&self, digest: &Digest) -> Result<Image, StoreError> {
        let manifest = self.manifest(digest)?;
        let id = digest_of(manifest.config())?;
        let config = serde_json::from_slice(&self.blobs.read(&id)?)
            .map_err(|source| StoreError::Malformed { what: "configuration", digest: id, source })?;
        Ok(Image { id, manifest: *digest, names: Vec::new(), digests: Vec::new(), named: None, config })
    }

    pub(crate) fn manifest(&self, digest: &Digest) -> Result<ImageManifest, StoreError> {
        serde_json::from_slice(&self.blobs.read(digest)?).map_err(|source| StoreError::Malformed {
            what: "manifest",
            digest: *digest,
            source,
        })
    }

    /// Does `work`, which puts an image together, while nobody clears away what is not listed yet. When it fails,
    /// what it has stored so far is cleared away, unless others are at work too: then the next who clears does.
    ///
    /// # Errors
    /// Those of `work`, and of open(2).
    pub(crate) fn while_held<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let path = self.layout.join("store.lock");
        let held = file::lock(&path, Lock::Shared).map_err(StoreError::Lock)?;
        let result = work();
        drop(held);
        if result.is_err()
            && let Ok(Some(_alone)) = file::try_lock(&path, Lock::Exclusive)
        {
            // The error that matters is the one of the work.
            let _ = self.clear_unlisted();
        }
        result
    }

    /// Refuses names that are not for images from elsewhere.
    pub(crate) fn refuse_reserved(names: &[Reference]) -> Result<(), StoreError> {
        match names.iter().find(|name| reserved::is_host(&name.familiar())) {
            Some(_) => Err(StoreError::Reserved),
            None => Ok(()),
        }
    }

    /// Adds the image of this configuration (the bytes as they are) and these layers under these names. An
    /// image that had one of the names keeps none, or its others.
    ///
    /// # Errors
    /// A full disk; the list stays as it was.
    pub fn add(&self, config: &[u8], layers: &[NewLayer], names: &[Reference]) -> Result<Image, StoreError> {
        let id = self.blobs.put_bytes(config)?;
        let described =
            layers.iter().map(|layer| descriptor(media_type(layer.compression), layer.blob, layer.size));
        let manifest = ImageManifestBuilder::default()
            .schema_version(2u32)
            .media_type(MediaType::ImageManifest)
            .config(descriptor(MediaType::ImageConfig, id, config.len() as u64)?)
            .layers(described.collect::<Result<Vec<_>, _>>()?)
            .build()
            .map_err(|_| StoreError::Descriptor(id))?;
        let text = serde_json::to_vec(&manifest).map_err(|source| StoreError::Malformed {
            what: "manifest",
            digest: id,
            source,
        })?;
        self.add_manifest(&text, names)
    }

    /// Adds the image of this manifest (the bytes as they are), whose configuration and layers are here.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub(crate) fn add_manifest(&self, manifest: &[u8], names: &[Reference]) -> Result<Image, StoreError> {
        self.add_known(manifest, names, None)
    }

    /// As [`Self::add_manifest`], of an image that the registry of its name knows by the digest `known_as`.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub(crate) fn add_known(
        &self,
        manifest: &[u8],
        names: &[Reference],
        known_as: Option<Digest>,
    ) -> Result<Image, StoreError> {
        let digest = self.blobs.put_bytes(manifest)?;
        self.list_under(digest, manifest.len() as u64, names, known_as)?;
        let mut image = self.read(&digest)?;
        image.names = names.to_vec();
        Ok(image)
    }

    fn list_under(
        &self,
        manifest: Digest,
        size: u64,
        names: &[Reference],
        known_as: Option<Digest>,
    ) -> Result<(), StoreError> {
        let line = |name| Listed::new(manifest, size, name).ok_or(StoreError::Descriptor(manifest));
        let mut new = names.iter().map(|name| line(Some(name.clone()))).collect::<Result<Vec<_>, _>>()?;
        if new.is_empty() {
            new.push(line(None)?);
        }
        if let Some(digest) = known_as {
            new.iter_mut().for_each(|line| line.set_known_as(digest));
        }
        // A list that survives a loss of power may not speak of blobs that do not.
        self.blobs.settle()?;
        self.index.change(|lines| {
            // Who has the name already keeps the time when it was given.
            let is_new = |new: &Listed| !lines.iter().any(|line| line.says_the_same(new));
            new.retain(is_new);
            for name in new.iter().filter_map(|line| line.name.clone()) {
                take_name(lines, &name);
            }
            lines.retain(|line| line.manifest != manifest || line.name.is_some());
            if names.is_empty() && lines.iter().any(|line| line.manifest == manifest) {
                return;
            }
            lines.append(&mut new);
        })?;
        Ok(())
    }

    /// The layers of an image that is here, as they are stored.
    pub(crate) fn stored_layers(&self, image: &Image) -> Result<Vec<NewLayer>, StoreError> {
        let manifest = self.manifest(&image.manifest)?;
        let layer = |descriptor: &Descriptor| {
            let kind = descriptor.media_type().to_string();
            let compression = match () {
                () if kind.ends_with("gzip") => Compression::Gzip,
                () if kind.ends_with("zstd") => Compression::Zstd,
                () => Compression::Plain,
            };
            Ok(NewLayer { blob: digest_of(descriptor)?, size: descriptor.size(), compression })
        };
        manifest.layers().iter().map(layer).collect()
    }

    /// Clears away what killed commands left half-made. What is in use by others is locked by them, and stays.
    pub fn sweep(&self) {
        // Nothing depends on it: what cannot be cleared now is cleared the next time.
        let _ = self.blobs.sweep();
        let _ = self.blobs.sweep_parts(false);
        let _ = self.layers.sweep();
        self.index.sweep();
        if let Ok(Some(_alone)) = file::try_lock(&self.layout.join(reserved::LOCK), Lock::Exclusive) {
            reserved::sweep(&self.layout);
        }
    }
}

/// Frees the name for another image; the one that had it stays listed, without a name if it has no other.
pub(crate) fn take_name(lines: &mut Vec<Listed>, name: &Reference) {
    let Some(position) = lines.iter().position(|line| line.name.as_ref() == Some(name)) else { return };
    let old = lines.remove(position);
    if !lines.iter().any(|line| line.manifest == old.manifest) {
        lines.push(old.unnamed());
    }
}

pub(crate) fn digest_of(descriptor: &Descriptor) -> Result<Digest, StoreError> {
    let text = descriptor.digest().to_string();
    text.parse().map_err(|_| StoreError::NotFound { name: text, suggestion: None })
}

fn descriptor(kind: MediaType, digest: Digest, size: u64) -> Result<Descriptor, StoreError> {
    let parsed =
        digest.to_string().parse::<oci_spec::image::Digest>().map_err(|_| StoreError::Descriptor(digest))?;
    Ok(Descriptor::new(kind, size, parsed))
}

fn media_type(compression: Compression) -> MediaType {
    match compression {
        Compression::Gzip => MediaType::ImageLayerGzip,
        Compression::Zstd => MediaType::ImageLayerZstd,
        _ => MediaType::ImageLayer,
    }
}
