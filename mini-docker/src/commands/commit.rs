//! `commit`: an image of what a container has changed. docker-commit(1).

use anyhow::{Context as _, bail};
use mini_engine::events::{self, Event};
use mini_engine::{Home, find};
use mini_images::Reference;
use mini_images::commit::Commit;

use crate::cli;
use crate::commands::print;

pub(crate) fn run(home: &Home, args: &cli::Commit) -> anyhow::Result<u8> {
    let name = args.name.as_ref().map(|text| text.parse::<Reference>()).transpose()?;
    if name.as_ref().is_some_and(|name| name.digest().is_some()) {
        bail!("refusing to create a tag with a digest reference");
    }
    let named = name.as_ref().map(Reference::familiar);
    super::repair(home);
    let record = find(home, &args.container)?;
    let images = home.images()?;
    images.sweep();
    let request = Commit {
        base: record.image,
        config: Default::default(),
        changes: args.change.clone(),
        name,
        author: args.author.clone().unwrap_or_default(),
        message: args.message.clone().unwrap_or_default(),
    };
    let image = mini_engine::commit(home, &images, &record, args.pause, request);
    let image = image.with_context(|| format!("cannot commit `{}`", args.container))?;
    let event =
        Event::container(&record, "commit").with("comment", &args.message.as_deref().unwrap_or_default());
    let id = image.id.to_string();
    events::emit(home, &Event::image("create", &id, &id));
    if let Some(name) = &named {
        events::emit(home, &Event::image("tag", &id, name));
    }
    events::emit(home, &event);
    print(&format!("{}\n", image.id))
}
