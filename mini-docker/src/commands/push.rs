//! `push`: an image to a registry. docker-push(1).

use anyhow::Context as _;
use mini_engine::Home;
use mini_engine::events;
use mini_images::Reference;
use mini_images::push::{Push, PushError};

use crate::cli;
use crate::commands::print;
use crate::failure::Failure;
use crate::progress::{Progress, To};
use crate::settings;

pub(crate) fn run(home: &Home, args: &cli::Push) -> anyhow::Result<u8> {
    let name: Reference = args.image.parse()?;
    if name.digest().is_some() {
        return Err(PushError::Digest(name.familiar()).into());
    }
    let has_tag = args.image.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if args.all_tags && has_tag {
        return Err(Failure {
            message: "tag can't be used with --all-tags/-a".to_owned(),
            hint: Some(format!("`push -a {}` pushes all of its tags", name.familiar_repository())),
            status: 1,
        }
        .into());
    }
    if !args.quiet {
        if !args.all_tags && !has_tag {
            print("Using default tag: latest\n")?;
        }
        print(&format!("The push refers to repository [{}/{}]\n", name.registry(), name.repository()))?;
    }
    let images = home.images()?;
    images.sweep();
    let names = if args.all_tags { images.tags_of(&name)? } else { vec![name.clone()] };
    let (settings, credentials) = (settings::registries()?, settings::credentials(name.registry())?);
    for name in &names {
        let push = Push {
            name: name.clone(),
            settings: settings.clone(),
            credentials: credentials.clone(),
            piece: Push::PIECE,
        };
        let tag = name.tag().context("a name without a tag")?;
        let progress = Progress::new(if args.quiet { To::Nobody } else { To::Output });
        let pushed = images.push(&push, &|event| progress.pushed(event))?;
        events::emit(home, &events::Event::image("push", &name.familiar(), &name.familiar_repository()));
        if args.quiet {
            print(&format!("{name}\n"))?;
        } else {
            print(&format!("{tag}: digest: {} size: {}\n", pushed.digest, pushed.size))?;
        }
    }
    Ok(0)
}
