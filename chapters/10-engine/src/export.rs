//! `export`: a container's file system as one tar, whether it runs or not.
//!
//! The layers and the container's own tree on top are read as overlay would show them, and nothing is mounted: so
//! nothing stays mounted, whatever happens, and an ordinary user can do it too. What was mounted over the tree while
//! the container ran (`/proc`, `/dev`, …) is not in it; it shows as the empty directories below. docker-export(1);
//! book ch. 10.

use std::io::Write;
use std::path::PathBuf;

use mini_layers::diff::DiffError;
use mini_layers::layers::LayerError;
use mini_layers::{Layers, Packing};

use crate::home::Home;
use crate::record::Record;

/// A container that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Its image's layers cannot be found.
    #[error(transparent)]
    Layers(#[from] LayerError),
    /// A file cannot be read, or the archive cannot be written.
    #[error(transparent)]
    Pack(#[from] DiffError),
}

/// What an exported tree has at least, so that it can be started from after an import elsewhere.
const AT_LEAST: [&str; 3] = ["dev", "proc", "sys"];

/// Writes the file system of the container `record` to `out`.
///
/// # Errors
/// What [`ExportError`] lists. What is removed meanwhile is left out; a file that becomes shorter while it is read
/// is an error.
pub fn export(home: &Home, record: &Record, out: impl Write) -> Result<(), ExportError> {
    let trees = trees(home, record)?;
    Ok(mini_layers::write_merged_tar(&trees, &AT_LEAST, out, packing(&[]))?)
}

/// The container's own tree and the image's, topmost first.
fn trees(home: &Home, record: &Record) -> Result<Vec<PathBuf>, LayerError> {
    let mut trees = vec![home.container(&record.id).join("upper")];
    if let Some(top) = &record.layer {
        trees.extend(Layers::open(&home.layers())?.trees(top)?);
    }
    Ok(trees)
}

/// An ordinary user's container has one user, 0 inside, who is that user outside.
pub(crate) fn packing(without: &[PathBuf]) -> Packing<'_> {
    Packing { latest: None, as_root: !mini_sys::process::is_root(), without }
}
