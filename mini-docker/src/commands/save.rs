//! `save`: images as an archive, for `load` here, and in docker. docker-save(1).

use anyhow::Context as _;
use mini_engine::Home;
use mini_engine::events::{self, Event};

use crate::cli;
use crate::output;

pub(crate) fn run(home: &Home, args: &cli::Save) -> anyhow::Result<u8> {
    let images = home.images()?;
    output::to(args.output.as_deref(), "save", |file| {
        let names = args.images.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        images.save(&args.images, file).with_context(|| format!("cannot save {names}"))
    })?;
    for name in &args.images {
        // Its names may have changed since; what was saved is in the archive.
        if let Ok(image) = images.find(name) {
            events::emit(home, &Event::image("save", &image.id.to_string(), name));
        }
    }
    Ok(0)
}
