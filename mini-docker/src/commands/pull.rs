//! `pull`: an image from a registry. docker-pull(1).

use anyhow::bail;
use mini_engine::Home;
use mini_engine::events::{self, Event};
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
    let platform = args.platform.as_ref();
    if args.all_tags {
        return pull_all(home, &name, has_tag(&args.image), platform, to);
    }
    if name.digest().is_none() && !has_tag(&args.image) {
        to.line("Using default tag: latest");
    }
    pull(home, &name, platform, to)?;
    print(&format!("{name}\n"))
}

/// All tags of a repository, each as an image of its own.
fn pull_all(
    home: &Home,
    name: &Reference,
    has_tag: bool,
    platform: Option<&Platform>,
    to: To,
) -> anyhow::Result<u8> {
    if has_tag || name.digest().is_some() {
        bail!("tag can't be used with --all-tags/-a");
    }
    let mut any_new = false;
    for name in request(name, platform)?.all_tags()? {
        any_new |= !fetch(home, &name, platform, to)?.known;
    }
    let repository = name.familiar_repository();
    to.line(&status(!any_new, &repository));
    print(&format!("{}/{}\n", name.registry(), name.repository()))
}

/// Pulls an image, and tells how far it has come in Docker's words.
pub(super) fn pull(
    home: &Home,
    name: &Reference,
    platform: Option<&Platform>,
    to: To,
) -> anyhow::Result<Pulled> {
    let pulled = fetch(home, name, platform, to)?;
    to.line(&status(pulled.known, &name.familiar()));
    Ok(pulled)
}

fn fetch(home: &Home, name: &Reference, platform: Option<&Platform>, to: To) -> anyhow::Result<Pulled> {
    let request = request(name, platform)?;
    let mut images = home.images()?;
    images.bounds = settings::bounds()?;
    images.sweep();
    let what = name.digest().map(ToString::to_string).or(name.tag().map(str::to_owned));
    to.line(&format!("{}: Pulling from {}", what.unwrap_or_default(), name.repository()));
    let progress = Progress::new(to);
    let pulled = images.pull(&request, &|event| progress.pulled(event))?;
    to.line(&format!("Digest: {}", pulled.digest));
    events::emit(home, &Event::image("pull", &name.familiar(), &name.familiar_repository()));
    Ok(pulled)
}

fn request(name: &Reference, platform: Option<&Platform>) -> anyhow::Result<Pull> {
    Ok(Pull {
        platform: platform.cloned().unwrap_or_else(Platform::own),
        settings: settings::registries()?,
        credentials: settings::credentials(name.registry())?,
        name: name.clone(),
    })
}

fn status(known: bool, name: &str) -> String {
    let what = if known { "Image is up to date for" } else { "Downloaded newer image for" };
    format!("Status: {what} {name}")
}

fn has_tag(text: &str) -> bool {
    text.rsplit('/').next().is_some_and(|last| last.contains(':'))
}
