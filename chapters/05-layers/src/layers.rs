//! Keeps the tree of each layer, unpacked once and shared by every image and container above it.
//!
//! A tree is `<chain id>/diff`, with `layer.json` beside it. It is unpacked under a temporary name and gets
//! its own when it is whole and its digest is the expected one, so a tree that can be seen is complete, and
//! two processes that unpack the same layer end with one tree and no quarrel. Nothing is ever changed in a
//! tree after that: containers write into an upper directory of their own (see [`crate::overlay`]).
//!
//! Trees are not synced file by file: they can be unpacked again from the blob, which is.
//! OCI image-spec, layer.md and config.md; book ch. 5.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use mini_sys::{Errno, file};
use serde::{Deserialize, Serialize};

use crate::apply::{ApplyError, fill, paint};
use crate::claim::{self, Claim};
use crate::digest::{Digest, chain_id};
use crate::directories::Directories;
use crate::look::Owners;
use crate::readahead;
use crate::stack::{self, Stack, StackError};
use crate::tree::Tree;

const STAGING: &str = ".staging-";

/// The directory that holds the layers.
#[derive(Debug, Clone)]
pub struct Layers {
    directory: PathBuf,
}

/// A layer that is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name: that of the stack it is the top of.
    pub chain_id: Digest,
    /// The digest of its uncompressed tar.
    pub diff_id: Digest,
    /// The chain id of the stack below it, none at the bottom.
    pub parent: Option<Digest>,
    /// The size of its regular files in bytes.
    pub size: u64,
}

/// A tree that is filled, and has no name yet.
#[derive(Debug)]
pub struct Unpacked {
    claim: Claim,
    root: OwnedFd,
    directories: Directories,
    /// The digest of its uncompressed tar.
    pub diff_id: Digest,
    /// The size of its regular files in bytes.
    pub size: u64,
}

/// What `layer.json` says.
#[derive(Serialize, Deserialize)]
struct Record {
    diff_id: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Digest>,
    size: u64,
}

/// What can go wrong with a layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The layer, or one below it, is not unpacked.
    #[error("layer `{0}` is not unpacked")]
    Missing(Digest),
    /// The tar is not the one asked for.
    #[error("layer: expected the diff id `{expected}`, unpacked `{actual}`")]
    Mismatch {
        /// The diff id asked for.
        expected: Digest,
        /// The digest of what was read.
        actual: Digest,
    },
    /// The tar could not be applied.
    #[error("unpack a layer")]
    Apply(#[source] ApplyError),
    /// A stack could not be looked into.
    #[error("read layers")]
    Stack(#[source] StackError),
    /// A record is damaged.
    #[error("read {}", path.display())]
    Record {
        /// The record's file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A file of the store could not be made, read or removed.
    #[error("store layers")]
    Store(#[source] mini_sys::Error),
}

impl Layers {
    /// Opens the store in `directory`, and makes it where it is missing.
    ///
    /// # Errors
    /// Those of mkdir(2).
    pub fn open(directory: &Path) -> Result<Self, LayerError> {
        fs::create_dir_all(directory).map_err(failed("mkdir", directory))?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// Unpacks the uncompressed `tar` on top of the stack `parent`, unless that layer is there already.
    ///
    /// `tar` is read to its end on a second thread, which ends with this call. When `expected` is there, a
    /// tar with another digest is refused after it was read.
    ///
    /// # Errors
    /// When the parent is missing, the tar is refused (see `apply`) or is not the expected one, or the disk
    /// is full; nothing is left behind then.
    pub fn apply(
        &self,
        parent: Option<&Digest>,
        expected: Option<&Digest>,
        tar: impl Read + Send,
        owners: Owners,
    ) -> Result<Layer, LayerError> {
        if let Some(diff_id) = expected {
            let chain = chain_id(parent, diff_id);
            if self.contains(&chain) {
                return self.get(&chain);
            }
        }
        if let Some(parent) = parent {
            self.get(parent)?;
        }
        let unpacked = self.unpack(tar, owners)?;
        match expected {
            Some(&expected) if expected != unpacked.diff_id => {
                Err(LayerError::Mismatch { expected, actual: unpacked.diff_id })
            }
            _ => self.place(parent, unpacked),
        }
    }

    /// Unpacks the uncompressed `tar` without a place in a stack yet, so that the layers of an image can be unpacked
    /// at the same time. To be followed by [`Layers::place`], from the lowest layer upwards; dropped, it is
    /// gone.
    ///
    /// # Errors
    /// As [`Layers::apply`].
    pub fn unpack(&self, tar: impl Read + Send, owners: Owners) -> Result<Unpacked, LayerError> {
        let claim = Claim::directory(&self.directory, STAGING).map_err(LayerError::Store)?;
        let tree = make_tree(&claim)?;
        let root = file::open_directory(&tree).map_err(LayerError::Store)?;
        let (filled, diff_id, _) = readahead::digested(tar, |tar| {
            let tree = Tree::new(root.as_fd(), owners).map_err(ApplyError::Target)?;
            fill(tar, tree, true)
        });
        let (applied, directories) = filled.map_err(LayerError::Apply)?;
        Ok(Unpacked { claim, root, directories, diff_id, size: applied.bytes })
    }

    /// Gives an unpacked layer its place on top of the stack `parent`.
    ///
    /// # Errors
    /// When the parent is missing, and those of rename(2).
    pub fn place(&self, parent: Option<&Digest>, unpacked: Unpacked) -> Result<Layer, LayerError> {
        let Unpacked { claim, root, directories, diff_id, size } = unpacked;
        let lower = parent.map(|parent| self.stack(parent)).transpose()?;
        paint(directories, root.as_fd(), lower.as_ref()).map_err(LayerError::Apply)?;
        self.keep(&claim, &Record { diff_id, parent: parent.copied(), size })
    }

    /// Takes over a tree that is unpacked already, by renaming it: `tree` must be on the same file system.
    /// The caller vouches for `diff_id` being the digest of its tar and `size` that of its files in bytes.
    ///
    /// # Errors
    /// When the parent is missing, and those of rename(2); `tree` stays where it is then.
    pub fn adopt(
        &self,
        parent: Option<&Digest>,
        tree: &Path,
        diff_id: &Digest,
        size: u64,
    ) -> Result<Layer, LayerError> {
        let chain = chain_id(parent, diff_id);
        if let Some(parent) = parent {
            self.get(parent)?;
        }
        if self.contains(&chain) {
            claim::remove(tree).map_err(LayerError::Store)?;
            return self.get(&chain);
        }
        let claim = Claim::directory(&self.directory, STAGING).map_err(LayerError::Store)?;
        fs::rename(tree, claim.path().join("diff")).map_err(failed("rename", tree))?;
        self.keep(&claim, &Record { diff_id: *diff_id, parent: parent.copied(), size })
    }

    /// Whether a layer is unpacked.
    pub fn contains(&self, chain: &Digest) -> bool {
        self.path(chain).is_dir()
    }

    /// What is known of a layer.
    ///
    /// # Errors
    /// [`LayerError::Missing`], and when its record is damaged.
    pub fn get(&self, chain: &Digest) -> Result<Layer, LayerError> {
        let path = self.path(chain).join("layer.json");
        let text = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => LayerError::Missing(*chain),
            _ => failed("read", &path)(error),
        })?;
        let record: Record =
            serde_json::from_slice(&text).map_err(|source| LayerError::Record { path, source })?;
        Ok(Layer { chain_id: *chain, diff_id: record.diff_id, parent: record.parent, size: record.size })
    }

    /// The root of a layer's tree, what is above the layers below it: unpacked or not.
    pub fn diff_path(&self, chain: &Digest) -> PathBuf {
        self.path(chain).join("diff")
    }

    /// The layers of the stack `chain`, topmost first.
    ///
    /// # Errors
    /// [`LayerError::Missing`] for the stack or any below it.
    pub fn chain(&self, chain: &Digest) -> Result<Vec<Layer>, LayerError> {
        let mut layers = Vec::new();
        let mut next = Some(*chain);
        while let Some(chain) = next {
            let layer = self.get(&chain)?;
            next = layer.parent;
            layers.push(layer);
        }
        Ok(layers)
    }

    // ANCHOR: trees
    /// The trees that an overlay of the stack `chain` needs, topmost first. Overlay does not heed an opaque
    /// mark on the root of a tree, so what is below such a one is left out here.
    ///
    /// # Errors
    /// [`LayerError::Missing`] for the stack or any below it.
    pub fn trees(&self, chain: &Digest) -> Result<Vec<PathBuf>, LayerError> {
        let mut trees = Vec::new();
        for layer in self.chain(chain)? {
            let path = self.diff_path(&layer.chain_id);
            let root = file::open_directory(&path).map_err(LayerError::Store)?;
            trees.push(path);
            if stack::is_opaque(&root).map_err(LayerError::Store)? {
                break;
            }
        }
        Ok(trees)
    }
    // ANCHOR_END: trees

    /// The stack `chain`, opened for looking up files in it.
    ///
    /// # Errors
    /// [`LayerError::Missing`] for the stack or any below it.
    pub fn stack(&self, chain: &Digest) -> Result<Stack, LayerError> {
        Stack::open(&self.trees(chain)?).map_err(LayerError::Stack)
    }

    /// Opens a regular file as the stack `chain` shows it; none when there is none at `path`.
    ///
    /// # Errors
    /// As [`Layers::stack`] and [`Stack::open_file`].
    pub fn find_file(&self, chain: &Digest, path: &Path) -> Result<Option<fs::File>, LayerError> {
        self.stack(chain)?.open_file(path).map_err(LayerError::Stack)
    }

    /// All layers, ordered by chain id.
    ///
    /// # Errors
    /// Those of reading the directory and the records.
    pub fn list(&self) -> Result<Vec<Layer>, LayerError> {
        let entries = fs::read_dir(&self.directory).map_err(failed("read directory", &self.directory))?;
        let mut layers = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed("read directory", &self.directory))?.file_name();
            let Some(chain) = name.to_str().and_then(|name| Digest::from_hex(name).ok()) else { continue };
            match self.get(&chain) {
                // Somebody removed it between the two looks.
                Err(LayerError::Missing(_)) => {}
                layer => layers.push(layer?),
            }
        }
        layers.sort_by_key(|layer| layer.chain_id);
        Ok(layers)
    }

    /// Removes a layer; says whether it was there. Whether an image or a layer above still needs it is the
    /// caller's to know.
    ///
    /// # Errors
    /// Those of rename(2) and of removing its files: the layer is gone then, and [`Layers::sweep`] takes the
    /// rest.
    pub fn remove(&self, chain: &Digest) -> Result<bool, LayerError> {
        // It loses its name first, so that nobody finds half of it.
        let claim = Claim::directory(&self.directory, STAGING).map_err(LayerError::Store)?;
        let path = self.path(chain);
        match fs::rename(&path, claim.path().join("removed")) {
            Ok(()) => claim::remove(claim.path()).map(|()| true).map_err(LayerError::Store),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("rename", &path)(error)),
        }
    }

    /// Removes what processes that were killed while they unpacked or removed a layer left behind; says how
    /// many trees.
    ///
    /// # Errors
    /// Those of reading the directory and of removing files; the others are removed all the same.
    pub fn sweep(&self) -> Result<usize, LayerError> {
        claim::sweep(&self.directory, STAGING).map_err(LayerError::Store)
    }

    fn path(&self, chain: &Digest) -> PathBuf {
        self.directory.join(chain.hex())
    }

    /// Gives a finished tree its name. Where another process was faster, its tree is as good as ours.
    fn keep(&self, claim: &Claim, record: &Record) -> Result<Layer, LayerError> {
        let chain = chain_id(record.parent.as_ref(), &record.diff_id);
        let path = claim.path().join("layer.json");
        let text = serde_json::to_vec(record);
        let text = text.map_err(|source| LayerError::Record { path: path.clone(), source })?;
        fs::write(&path, text).map_err(failed("write", &path))?;
        match file::rename_new(claim.path(), &self.path(&chain)) {
            Err(error) if error.errno() != Errno::EEXIST => Err(LayerError::Store(error)),
            _ => self.get(&chain),
        }
    }
}

/// The root of a tree is open to all unless its tar says otherwise, whatever the umask.
fn make_tree(claim: &Claim) -> Result<PathBuf, LayerError> {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = claim.path().join("diff");
    fs::create_dir(&tree).map_err(failed("mkdir", &tree))?;
    fs::set_permissions(&tree, fs::Permissions::from_mode(0o755)).map_err(failed("chmod", &tree))?;
    Ok(tree)
}

fn failed(call: &'static str, path: &Path) -> impl Fn(io::Error) -> LayerError {
    let path = path.to_owned();
    move |error| LayerError::Store(mini_sys::Error::from_io(format!("{call} \"{}\"", path.display()), &error))
}
