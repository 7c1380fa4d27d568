//! `rmi`: remove images. docker-rmi(1).

use anyhow::bail;
use mini_engine::events::{self, Event};
use mini_engine::{Home, guard, id, list};
use mini_images::{Image, Reference, Removed, StoreError};

use crate::cli::Rmi;

pub(crate) fn run(home: &Home, args: &Rmi) -> anyhow::Result<u8> {
    let images = home.images()?;
    super::repair(home);
    super::for_each(&args.images, |name| {
        let _removing = guard::removing(home)?;
        let image = match images.find(name) {
            Ok(image) => image,
            // As `rm -f` of a file does: what is not there is gone. Docker says so all the same.
            Err(error @ StoreError::NotFound { .. }) if args.force => {
                crate::failure::report(&error.into());
                return Ok(String::new());
            }
            Err(error) => return Err(error.into()),
        };
        let names_left = images
            .list()?
            .iter()
            .find(|other| other.id == image.id)
            .map_or(0, |image| image.shown_names().count());
        let by_name = name.parse::<Reference>().is_ok_and(|name| image.names.contains(&name));
        if names_left <= 1 || !by_name {
            refuse_used(home, name, &image, by_name, args.force)?;
        }
        if names_left > 1 && !by_name && !args.force {
            bail!(
                "conflict: unable to delete {} (must be forced) - image is referenced in multiple repositories",
                id::short(&image.id.hex())
            );
        }
        let removed = if names_left <= 1 && by_name && is_used(home, &image)? {
            images.untag(name)?
        } else {
            images.remove(name)?
        };
        tell(home, &image, &removed);
        Ok(removed.iter().map(line).collect())
    })
}

/// As Docker does: one event for each name, and one for the image, not for its layers.
fn tell(home: &Home, image: &Image, removed: &[Removed]) {
    let id = image.id.to_string();
    let untagged = removed.iter().filter(|removed| matches!(removed, Removed::Untagged(_)));
    untagged.for_each(|_| events::emit(home, &Event::image("untag", &id, &id)));
    if removed.iter().any(|removed| matches!(removed, Removed::Deleted(_))) {
        events::emit(home, &Event::image("delete", &id, &id));
    }
}

/// Docker's words for an image that containers need. One that runs keeps it whatever is asked for.
fn refuse_used(home: &Home, name: &str, image: &Image, by_name: bool, force: bool) -> anyhow::Result<()> {
    let (records, _) = list::list(home, true, &[])?;
    for record in records.iter().filter(|record| record.image == image.id) {
        let (container, hex) = (id::short(&record.id), image.id.hex());
        let running = record.state.status.is_active();
        let what = if running { "running" } else { "stopped" };
        match (by_name, running, force) {
            (true, _, false) => bail!(
                "conflict: unable to remove repository reference \"{name}\" (must force) - container {container} is using its referenced image {}",
                id::short(&hex)
            ),
            // Only the name goes; the containers keep the image.
            (true, _, true) => {}
            (false, true, true) => bail!(
                "conflict: unable to delete {} (cannot be forced) - image is being used by running container {container}",
                id::short(&hex)
            ),
            (false, _, false) => bail!(
                "conflict: unable to delete {} (must be forced) - image is being used by {what} container {container}",
                id::short(&hex)
            ),
            (false, false, true) => bail!(
                "conflict: unable to delete {} (cannot be forced) - image is being used by stopped container {container}: remove it first",
                id::short(&hex)
            ),
        }
    }
    Ok(())
}

fn is_used(home: &Home, image: &Image) -> anyhow::Result<bool> {
    Ok(list::list(home, true, &[])?.0.iter().any(|record| record.image == image.id))
}

fn line(removed: &Removed) -> String {
    match removed {
        Removed::Untagged(name) => format!("Untagged: {name}\n"),
        Removed::Deleted(digest) => format!("Deleted: {digest}\n"),
    }
}
