//! `diff`: what a container has changed in its image's tree, whether it runs or not.
//!
//! Overlay keeps that apart in the upper directory; what starting the container made there for mounts is not the
//! container's doing, and is left out. docker-diff(1); book ch. 5, 10.

use mini_layers::changes::{Change, ChangesError, changes};
use mini_layers::layers::LayerError;
use mini_layers::stack::StackError;
use mini_layers::{Layers, Stack};

use crate::home::Home;
use crate::record::Record;
use crate::upper::{self, UpperError};

/// Changes that cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// The image's layers cannot be found.
    #[error(transparent)]
    Layers(#[from] LayerError),
    /// The layers cannot be looked into.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The container's own tree cannot be read.
    #[error(transparent)]
    Upper(#[from] UpperError),
    /// The two cannot be compared.
    #[error(transparent)]
    Changes(#[from] ChangesError),
}

/// What `record` has changed, by path.
///
/// # Errors
/// What [`DiffError`] lists.
pub fn diff(home: &Home, record: &Record) -> Result<Vec<Change>, DiffError> {
    let trees = match &record.layer {
        Some(top) => Layers::open(&home.layers())?.trees(top)?,
        None => Vec::new(),
    };
    let image = Stack::open(&trees)?;
    let own = upper::own(home, record, &image)?;
    let mut all = changes(&own.tree, &image)?;
    all.retain(|change| {
        !own.without.iter().any(|path| change.path.strip_prefix("/").is_ok_and(|own| own == path))
    });
    all.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(all)
}
