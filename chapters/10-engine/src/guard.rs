//! Keeps the making of a container and the removal of its image apart.
//!
//! Who removes images looks first which of them containers need. A container that is being made has no record yet, so
//! the look must not fall between its image being found and its record being written. Makers share one lock and
//! removers have it alone. Either holds it for one change, never while a container runs. flock(2); book ch. 10.

use std::fs::File;
use std::path::PathBuf;

use mini_sys::file::{self, Lock};

use crate::home::Home;

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("keep images and containers apart")]
pub struct GuardError(#[source] mini_sys::Error);

/// Held until the record of a new container is written.
pub(crate) fn making(home: &Home) -> Result<File, GuardError> {
    file::lock(&path(home), Lock::Shared).map_err(GuardError)
}

/// To be held from the look at which images containers need until those that none needs are gone.
///
/// # Errors
/// Those of open(2).
pub fn removing(home: &Home) -> Result<File, GuardError> {
    file::lock(&path(home), Lock::Exclusive).map_err(GuardError)
}

fn path(home: &Home) -> PathBuf {
    home.path().join("images.lock")
}
