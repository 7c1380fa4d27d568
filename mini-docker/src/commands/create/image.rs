//! The image of a new container: one that is here, one that is made, or one that is pulled.

use mini_engine::Home;
use mini_images::{Image, Images, Reference, StoreError};

use crate::cli::{Ask, Make};
use crate::commands::pull;
use crate::progress::To;

/// The image: the reserved one is made from this machine's programs on first use, `hello-world` when nobody has brought
/// one, and any other that is not here is pulled.
pub(crate) fn find_image(home: &Home, args: &Make, name: &str) -> anyhow::Result<Image> {
    let images = home.images()?;
    if mini_images::reserved::is_host(name) {
        return Ok(images.host()?);
    }
    if mini_images::hello::is_hello(name) && args.pull != Ask::Always {
        return Ok(images.hello_world()?);
    }
    let missing = match args.pull {
        Ask::Always => None,
        Ask::Missing | Ask::Never => match find_here(&images, name)? {
            Ok(image) => return Ok(image),
            Err(missing) if args.pull == Ask::Missing => Some(missing),
            Err(missing) => return Err(missing.into()),
        },
    };
    // What looks like an id and is none here is a name to a registry.
    let reference: Reference = name.parse()?;
    let to = if args.quiet { To::Nobody } else { To::Error };
    if missing.is_some() {
        to.line(&format!("Unable to find image '{}' locally", reference.familiar()));
    }
    // The monitor is forked from this process, and would keep the heaps of the threads that unpack for its whole life.
    mini_sys::memory::share_one_heap();
    let pulled = pull::pull(home, &reference, args.platform.as_ref(), to);
    match missing {
        // Two ways to have it, and why neither is one.
        Some(missing) => pulled.map_err(|error| error.context(missing)),
        None => pulled,
    }
    .map(|pulled| pulled.image)
}

/// The image of this name, ready to run; or that there is none. One that somebody removes while it is looked at is half
/// there for a moment: only what is wrong with it again and again is wrong.
fn find_here(images: &Images, name: &str) -> anyhow::Result<Result<Image, StoreError>> {
    let mut looks = 0;
    loop {
        let error: anyhow::Error = match images.find(name) {
            Err(missing @ StoreError::NotFound { .. }) => return Ok(Err(missing)),
            Err(error) => error.into(),
            Ok(image) => match images.prepare(&image) {
                Ok(()) => return Ok(Ok(image)),
                Err(error) => error.into(),
            },
        };
        looks += 1;
        if looks == LOOKS {
            return Err(error);
        }
    }
}

/// How often an image that seems damaged is looked at.
const LOOKS: usize = 5;
