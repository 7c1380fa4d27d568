//! The list of images: `index.json` of an OCI image layout.
//!
//! An image may stand in it several times, once a name; an image without a name stands in it once. The file
//! is replaced whole (written beside, synced, renamed), so a reader never waits and never sees half of it;
//! writers take turns on a lock. OCI image spec "Image Layout"; book ch. 6.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mini_layers::Digest;
use mini_sys::file::{self, Lock};
use oci_spec::image::{Descriptor, ImageIndex, MediaType};

use crate::reference::Reference;

/// The annotation that holds an image's full name: containerd's, which other tools read too.
const NAME: &str = "io.containerd.image.name";

/// The annotation that OCI foresees; by custom it holds the tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The list of images of one layout.
#[derive(Debug)]
pub struct Index {
    layout: PathBuf,
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
    /// The manifest.
    pub manifest: Digest,
    /// The name, if this line has one.
    pub name: Option<Reference>,
    descriptor: Descriptor,
}

impl Listed {
    /// A line for the manifest of `size` bytes.
    pub fn new(manifest: Digest, size: u64, name: Option<Reference>) -> Option<Self> {
        let digest = manifest.to_string().parse::<oci_spec::image::Digest>().ok()?;
        let mut descriptor = Descriptor::new(MediaType::ImageManifest, size, digest);
        if let Some(name) = &name {
            let mut annotations = std::collections::HashMap::from([(NAME.to_owned(), name.to_string())]);
            annotations.extend(name.tag().map(|tag| (REF_NAME.to_owned(), tag.to_owned())));
            descriptor.set_annotations(Some(annotations));
        }
        Some(Self { manifest, name, descriptor })
    }

    /// The same image without its name.
    pub(crate) fn unnamed(mut self) -> Self {
        self.name = None;
        self.descriptor.set_annotations(None);
        self
    }

    fn read(descriptor: &Descriptor) -> Option<Self> {
        let manifest = descriptor.digest().to_string().parse().ok()?;
        let annotations = descriptor.annotations().as_ref();
        let name = annotations.and_then(|all| all.get(NAME)).and_then(|name| name.parse().ok());
        Some(Self { manifest, name, descriptor: descriptor.clone() })
    }
}

impl Index {
    /// The list of the layout at `layout`, which is made when it is missing.
    ///
    /// # Errors
    /// A directory that cannot be made or written.
    pub fn open(layout: &Path) -> Result<Self, IndexError> {
        let marker = layout.join("oci-layout");
        if !marker.exists() {
            fs::create_dir_all(layout)
                .map_err(|source| IndexError::Make { path: layout.to_owned(), source })?;
            let _lock = lock(layout)?;
            file::replace(&marker, b"{\"imageLayoutVersion\":\"1.0.0\"}", true).map_err(IndexError::Write)?;
        }
        Ok(Self { layout: layout.to_owned() })
    }

    /// All lines.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else.
    pub fn list(&self) -> Result<Vec<Listed>, IndexError> {
        Ok(self.read()?.manifests().iter().filter_map(Listed::read).collect())
    }

    /// Changes the list, alone.
    ///
    /// # Errors
    /// As [`Self::list`]; a full disk, which leaves the old list as it was.
    pub fn change<T>(&self, change: impl FnOnce(&mut Vec<Listed>) -> T) -> Result<T, IndexError> {
        let _lock = lock(&self.layout)?;
        let mut lines = self.list()?;
        let result = change(&mut lines);
        let mut index = ImageIndex::default();
        index.set_schema_version(2);
        index.set_media_type(Some(MediaType::ImageIndex));
        index.set_manifests(lines.into_iter().map(|line| line.descriptor).collect());
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
