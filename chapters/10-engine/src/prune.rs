//! `image prune`: removing the images that nobody needs. docker-image-prune(1); book ch. 10.
//!
//! What a container was made of stays, whether it runs or not. An image gets its name last, so one that is being made
//! is not listed yet; for containers that are being made see [`crate::guard`].

use mini_images::filter::{self, Filter};
use mini_images::{Image, Removed};
use mini_layers::Digest;

use crate::guard;
use crate::home::Home;
use crate::usage::{UsageError, used_images};

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Names, images and layers.
    pub removed: Vec<Removed>,
    /// The bytes of blobs and of the layers' files.
    pub reclaimed: u64,
}

/// Removes the images that no container needs and all filters let through: with `all`, or the filter that they need
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
    unneeded.retain(|image| !used.contains_key(&image.id));
    if unneeded.is_empty() {
        return Ok(Pruned::default());
    }
    let ids: Vec<Digest> = unneeded.iter().map(|image| image.id).collect();
    let removed = images.remove_images(&ids)?;
    Ok(Pruned { removed, reclaimed: before.saturating_sub(images.taken()?) })
}
