//! Where everything is kept.
//!
//! ```text
//! images/                an OCI image layout
//! layers/<chain id>/     unpacked layers
//! containers/<id>/       record.json, bundle, upper, work, merged, log.json, hosts, hostname, resolv.conf
//! names/<name>           a link that says which container has the name
//! ```
//! ARCHITECTURE.md, "On disk"; book ch. 10.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use mini_images::{Images, StoreError};
use mini_layers::Owners;

/// The directories of one engine.
#[derive(Debug, Clone)]
pub struct Home {
    data: PathBuf,
}

/// The directories cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// One of them cannot be made or written.
    #[error("cannot keep anything in {}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The images cannot be opened.
    #[error(transparent)]
    Images(#[from] StoreError),
}

impl Home {
    /// An engine that keeps everything below `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into() }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.data
    }

    /// Makes the directories that are missing. Others may pass through them, and see nothing in them.
    ///
    /// # Errors
    /// A read-only or full file system, a directory of another user.
    pub fn prepare(&self) -> Result<(), HomeError> {
        if self.names().is_dir() && self.containers().is_dir() {
            return Ok(());
        }
        for path in [self.containers(), self.names()] {
            let made = DirBuilder::new().recursive(true).mode(0o711).create(&path);
            made.map_err(|source| HomeError::Unusable { path, source })?;
        }
        Ok(())
    }

    /// The images of this engine.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn images(&self) -> Result<Images, HomeError> {
        self.prepare()?;
        let owners = if mini_sys::process::is_root() { Owners::Keep } else { Owners::Mine };
        Ok(Images::open(&self.data.join("images"), &self.layers(), owners)?)
    }

    /// Where unpacked layers are.
    pub fn layers(&self) -> PathBuf {
        self.data.join("layers")
    }

    /// Where containers are.
    pub fn containers(&self) -> PathBuf {
        self.data.join("containers")
    }

    /// Where names are.
    pub fn names(&self) -> PathBuf {
        self.data.join("names")
    }

    /// The directory of one container.
    pub fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    /// The name of a container's cgroup.
    pub fn cgroup(id: &str) -> String {
        format!("mini-docker/{id}")
    }
}
