//! `pull`: an image from a registry. docker-pull(1).

use anyhow::bail;
use mini_engine::Home;
use mini_images::Reference;
use mini_images::platform::Platform;
use mini_images::pull::{Pull, Pulled};

use crate::cli;
use crate::commands::print;
use crate::progress::{Progress, To};
use crate::settings;

pub(crate) fn run(home: &Home, args: &cli::Pull) -> anyhow::Result<u8> {
    let name: Reference = args.image.parse()?;
    if !args.disable_content_trust {
        bail!("content trust is not supported: digests are always verified, signatures are not");
    }
    let to = if args.quiet { To::Nobody } else { To::Output };
    if name.digest().is_none() && !has_tag(&args.image) {
        to.line("Using default tag: latest");
    }
    pull(home, &name, args.platform.as_ref(), to)?;
    print(&format!("{name}\n"))
}

/// Pulls an image, and tells how far it has come in Docker's words.
pub(super) fn pull(
    home: &Home,
    name: &Reference,
    platform: Option<&Platform>,
    to: To,
) -> anyhow::Result<Pulled> {
    let request = Pull {
        platform: platform.cloned().unwrap_or_else(Platform::own),
        settings: settings::registries()?,
        credentials: settings::credentials(name.registry())?,
        name: name.clone(),
    };
    let mut images = home.images()?;
    images.bounds = settings::bounds()?;
    images.sweep();
    let what = name.digest().map(ToString::to_string).or(name.tag().map(str::to_owned));
    to.line(&format!("{}: Pulling from {}", what.unwrap_or_default(), name.repository()));
    let progress = Progress::new(to);
    let pulled = images.pull(&request, &|event| progress.tell(event))?;
    let status = if pulled.known { "Image is up to date for" } else { "Downloaded newer image for" };
    to.line(&format!("Digest: {}\nStatus: {status} {}", pulled.digest, name.familiar()));
    Ok(pulled)
}

fn has_tag(text: &str) -> bool {
    text.rsplit('/').next().is_some_and(|last| last.contains(':'))
}
