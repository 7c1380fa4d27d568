//! `prune`: removing the images that nobody needs, and the containers that do not run. docker-image-prune(1),
//! docker-container-prune(1); book ch. 10.
//!
//! What a container was made of stays, whether it runs or not. An image gets its name last, so one that is being made
//! is not listed yet; for containers that are being made see [`crate::guard`].

use mini_images::filter::{self, Filter};
use mini_images::{Image, Removed};
use mini_layers::Digest;

use crate::find::{self, FindError};
use crate::guard;
use crate::home::Home;
use crate::record::{self, ProcessId, Record};
use crate::remove::{self, RemoveError};
use crate::usage::{self, UnknownImage, UsageError, used_images};

/// What was removed.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Names, images and layers.
    pub removed: Vec<Removed>,
    /// The bytes of blobs and of the layers' files.
    pub reclaimed: u64,
    /// Containers for whose sake nothing was removed: what they need is not known.
    pub unknown: Vec<UnknownImage>,
}

/// Removes the images that no container needs and all filters let through, or none while it is not known what a container
/// needs: with `all`, or the filter that they need
/// not be dangling, every one, else those without a name.
///
/// # Errors
/// Images or containers that cannot be listed; a file that cannot be removed.
pub fn images(home: &Home, all: bool, filters: &[Filter]) -> Result<Pruned, UsageError> {
    let images = home.images()?;
    let _removing = guard::removing(home)?;
    let before = images.taken()?;
    let all = all || filters.contains(&Filter::Dangling(false));
    let (_, filters): (Vec<Filter>, Vec<Filter>) =
        filters.iter().cloned().partition(|filter| matches!(filter, Filter::Dangling(_)));
    let mut unneeded: Vec<Image> = images.select(&filters)?;
    unneeded.retain(|image| all || filter::is_dangling(image));
    let used = used_images(home)?;
    unneeded.retain(|image| !used.images.contains_key(&image.id));
    if unneeded.is_empty() {
        return Ok(Pruned::default());
    }
    if !used.unknown.is_empty() {
        return Ok(Pruned { unknown: used.unknown, ..Pruned::default() });
    }
    let ids: Vec<Digest> = unneeded.iter().map(|image| image.id).collect();
    let removed = images.remove_images(&ids)?;
    Ok(Pruned { removed, reclaimed: before.saturating_sub(images.taken()?), unknown: Vec::new() })
}

/// The containers that were removed.
#[derive(Debug, Default)]
pub struct PrunedContainers {
    /// Their ids.
    pub removed: Vec<String>,
    /// The bytes that they had written.
    pub reclaimed: u64,
    /// What went wrong with others.
    pub failures: Vec<RemoveError>,
}

/// Removes the containers that do not run and that all filters let through: labels, and the moment before which they
/// were made. A container that is being made or started is not one of them, however short the look at it.
///
/// # Errors
/// Containers that cannot be listed.
pub fn containers(home: &Home, filters: &[Filter]) -> Result<PrunedContainers, FindError> {
    let mut pruned = PrunedContainers::default();
    for id in find::ids(home).map_err(FindError::List)? {
        match container(home, &id, filters) {
            Ok(None) => {}
            Ok(Some(written)) => {
                pruned.removed.push(id);
                pruned.reclaimed += written;
            }
            Err(error) => pruned.failures.push(error),
        }
    }
    Ok(pruned)
}

/// Removes one, if it is not needed, and tells what it had written. Whoever starts it has its lock, so that it is looked
/// at and put out of sight in one go.
fn container(home: &Home, id: &str, filters: &[Filter]) -> Result<Option<u64>, RemoveError> {
    let Some(lock) = record::try_lock(home, id)? else { return Ok(None) };
    // Who cannot read a record does not know whether it is needed.
    let Ok(Some(record)) = Record::load(home, id) else { return Ok(None) };
    let is_being_made = record.maker.as_ref().is_some_and(ProcessId::is_alive);
    if record.state.status.is_active() || is_being_made || !passes(&record, filters) {
        return Ok(None);
    }
    let written = usage::written_by(home, &record);
    let Some(trash) = remove::hide_locked(home, &record)? else { return Ok(None) };
    drop(lock);
    remove::delete(&trash)?;
    Ok(Some(written))
}

/// Whether the filters let the container through, as far as they are about containers.
fn passes(record: &Record, filters: &[Filter]) -> bool {
    let has = |label: &String, value: &Option<String>| {
        let own = record.config.labels.get(label);
        own.is_some_and(|own| value.as_ref().is_none_or(|value| own == value))
    };
    filters.iter().all(|filter| match filter {
        Filter::Label(label, value) => has(label, value),
        Filter::NotLabel(label, value) => !has(label, value),
        Filter::Until(moment) => record.created < *moment,
        _ => true,
    })
}
