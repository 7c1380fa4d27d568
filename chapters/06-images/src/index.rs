//! The list of images: `index.json` of an OCI image layout.
//!
//! An image may stand in it several times, once a name; an image without a name stands in it once. The file
//! is replaced whole (written beside, synced, renamed), so a reader never waits and never sees half of it;
//! writers take turns on a lock. OCI image spec "Image Layout"; book ch. 6.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mini_layers::{Blobs, Digest};
use mini_sys::file::{self, Lock};
use oci_spec::image::{Descriptor, ImageIndex, MediaType};

use crate::choice;
use crate::reference::Reference;

/// The annotation that holds an image's full name: containerd's, which other tools read too.
pub(crate) const NAME: &str = "io.containerd.image.name";

/// The annotation that OCI foresees, by which other tools find an image in a layout. In an archive it holds the tag, by
/// custom; here it holds the name as people write it, as many images have the tag `latest`.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The annotation that holds the digest by which a registry knows the image: of an index, or of the manifest itself.
const KNOWN_AS: &str = "mini-docker.registry.digest";

/// The annotation that holds when the image got this name.
const NAMED: &str = "mini-docker.named";

/// The list of images of one layout.
#[derive(Debug)]
pub struct Index {
    layout: PathBuf,
    blobs: Blobs,
}

/// The list cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Reading failed.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is no OCI image index", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Writing failed.
    #[error(transparent)]
    Write(mini_sys::Error),
    /// Its directory cannot be made.
    #[error("make {}", path.display())]
    Make {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock cannot be had.
    #[error("lock the list of images")]
    Lock(#[source] mini_sys::Error),
}

/// One line of the list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The manifest; where the line is about an image for several platforms, that for this machine.
    pub manifest: Digest,
    /// The name, if this line has one.
    pub name: Option<Reference>,
    /// The digest by which the registry of this name knows the image; none for one that never met it.
    pub known_as: Option<Digest>,
    /// When it got this name, RFC 3339.
    pub named: Option<String>,
    descriptor: Descriptor,
}

impl Listed {
    /// A line for the manifest of `size` bytes, which gets its name now.
    pub fn new(manifest: Digest, size: u64, name: Option<Reference>) -> Option<Self> {
        let digest = manifest.to_string().parse::<oci_spec::image::Digest>().ok()?;
        let descriptor = Descriptor::new(MediaType::ImageManifest, size, digest);
        let line = Self { manifest, name: None, known_as: None, named: None, descriptor };
        Some(match name {
            Some(name) => line.renamed(name),
            None => line,
        })
    }

    /// The same image under this name, from now on.
    pub(crate) fn renamed(mut self, name: Reference) -> Self {
        self.known_as = name.digest().copied();
        // Whole seconds, so that a name that is given again leaves a file of the same length.
        self.named = Some(Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        self.name = Some(name);
        self.annotate();
        self
    }

    /// The same image without its name.
    pub(crate) fn unnamed(mut self) -> Self {
        (self.name, self.known_as, self.named) = (None, None, None);
        self.annotate();
        self
    }

    /// Notes the digest by which the registry of its name knows the image.
    pub(crate) fn set_known_as(&mut self, digest: Digest) {
        self.known_as = Some(digest);
        self.annotate();
    }

    /// Whether the line is about what `wanted` names. A digest counts before a tag, and who asked for a digest
    /// has not given the tag beside it to anything.
    pub(crate) fn is(&self, wanted: &Reference) -> bool {
        self.name.as_ref().is_some_and(|name| {
            name.is_beside(wanted)
                && wanted.digest().map_or_else(
                    || name.digest().is_none() && name.tag() == wanted.tag(),
                    |digest| *digest == self.manifest || Some(digest) == self.known_as.as_ref(),
                )
        })
    }

    /// Whether both lines give the same image the same name.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.name.is_some()
            && (&self.manifest, &self.name, &self.known_as) == (&other.manifest, &other.name, &other.known_as)
    }

    fn annotate(&mut self) {
        let name = self.name.as_ref();
        let all = [
            (NAME, name.map(ToString::to_string)),
            (REF_NAME, name.map(Reference::familiar)),
            (KNOWN_AS, self.known_as.map(|digest| digest.to_string())),
            (NAMED, self.named.clone()),
        ];
        let all = all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
        self.descriptor.set_annotations(name.map(|_| all));
    }

    fn read(blobs: &Blobs, descriptor: &Descriptor) -> Option<Self> {
        let manifest = choice::choose(blobs, descriptor)?;
        let annotation = |key: &str| descriptor.annotations().as_ref().and_then(|all| all.get(key)).cloned();
        // Who copied an image with all its platforms copied it from where it is known by the index's digest.
        let is_theirs = choice::is_index(descriptor) && annotation(NAMED).is_none();
        let theirs = choice::digest_of(descriptor).filter(|_| is_theirs);
        Some(Self {
            manifest,
            name: name_of(descriptor).and_then(|name| name.parse().ok()),
            known_as: annotation(KNOWN_AS).and_then(|digest| digest.parse().ok()).or(theirs),
            named: annotation(NAMED),
            descriptor: descriptor.clone(),
        })
    }
}

/// The name in a line's annotations: containerd's, which is whole, or the specification's own, which other tools write
/// into our list too. That one may be a mere tag: `latest` names no image.
pub(crate) fn name_of(descriptor: &Descriptor) -> Option<&str> {
    let annotations = descriptor.annotations().as_ref()?;
    let text = |key| annotations.get(key).map(String::as_str);
    let name = text(NAME).or_else(|| text(REF_NAME).filter(|name| *name != "latest"));
    name.filter(|name| !name.is_empty())
}

impl Index {
    /// The list of the layout at `layout`, which is made when it is missing, about these blobs.
    ///
    /// # Errors
    /// A directory that cannot be made or written.
    pub fn open(layout: &Path, blobs: Blobs) -> Result<Self, IndexError> {
        let marker = layout.join("oci-layout");
        if !marker.exists() {
            fs::create_dir_all(layout)
                .map_err(|source| IndexError::Make { path: layout.to_owned(), source })?;
            let _lock = lock(layout)?;
            file::replace(&marker, b"{\"imageLayoutVersion\":\"1.0.0\"}", true).map_err(IndexError::Write)?;
        }
        Ok(Self { layout: layout.to_owned(), blobs })
    }

    /// All lines that are about images.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else.
    pub fn list(&self) -> Result<Vec<Listed>, IndexError> {
        Ok(self.read()?.manifests().iter().filter_map(|line| Listed::read(&self.blobs, line)).collect())
    }

    /// The blobs to which those lines lead that are `wanted`, images for other platforms included. One that is about
    /// no image is asked for as none.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub(crate) fn reached(
        &self,
        wanted: impl Fn(Option<&Listed>) -> bool,
    ) -> Result<HashSet<Digest>, IndexError> {
        let mut reached = HashSet::new();
        for line in self.read()?.manifests() {
            if wanted(Listed::read(&self.blobs, line).as_ref()) {
                choice::reach(&self.blobs, line, &mut reached);
            }
        }
        Ok(reached)
    }

    /// Changes the list, alone. A list that is to stay as it is is not written.
    ///
    /// # Errors
    /// As [`Self::list`]; a full disk, which leaves the old list as it was.
    pub fn change<T>(&self, change: impl FnOnce(&mut Vec<Listed>) -> T) -> Result<T, IndexError> {
        let _lock = lock(&self.layout)?;
        let old = self.read()?;
        // What other tools list and we do not understand stays.
        let (mut lines, mut others) = (Vec::new(), Vec::new());
        for line in old.manifests() {
            match Listed::read(&self.blobs, line) {
                Some(line) => lines.push(line),
                None => others.push(line.clone()),
            }
        }
        let before = lines.clone();
        let result = change(&mut lines);
        if lines.iter().map(|line| &line.descriptor).eq(before.iter().map(|line| &line.descriptor)) {
            return Ok(result);
        }
        let mut index = ImageIndex::default();
        index.set_schema_version(2);
        index.set_media_type(Some(MediaType::ImageIndex));
        index.set_manifests(lines.into_iter().map(|line| line.descriptor).chain(others).collect());
        let path = self.path();
        let text = serde_json::to_vec_pretty(&index)
            .map_err(|source| IndexError::Parse { path: path.clone(), source })?;
        file::replace(&path, &text, true).map_err(IndexError::Write)?;
        Ok(result)
    }

    /// Removes what a killed writer left beside the list. Whoever has the lock is the only writer.
    pub(crate) fn sweep(&self) {
        let Ok(Some(_lock)) = file::try_lock(&self.layout.join(LOCK), Lock::Exclusive) else {
            return;
        };
        for entry in fs::read_dir(&self.layout).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "new") {
                // What cannot be removed now is removed the next time.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn read(&self) -> Result<ImageIndex, IndexError> {
        let path = self.path();
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|source| IndexError::Parse { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(ImageIndex::default()),
            Err(source) => Err(IndexError::Read { path, source }),
        }
    }

    fn path(&self) -> PathBuf {
        self.layout.join("index.json")
    }
}

/// The file whose lock every writer of the layout's own files holds.
const LOCK: &str = "index.lock";

fn lock(layout: &Path) -> Result<fs::File, IndexError> {
    file::lock(&layout.join(LOCK), Lock::Exclusive).map_err(IndexError::Lock)
}
