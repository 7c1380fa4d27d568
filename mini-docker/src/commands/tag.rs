//! `tag`: one more name for an image. docker-tag(1).

use anyhow::Context as _;
use mini_engine::Home;
use mini_engine::events::{self, Event};

use crate::cli;

pub(crate) fn run(home: &Home, args: &cli::Tag) -> anyhow::Result<u8> {
    let target = args.target.parse().with_context(|| {
        format!("Error parsing reference: {:?} is not a valid repository/tag", args.target)
    })?;
    let images = home.images()?;
    if mini_images::reserved::is_host(&args.source) {
        images.host()?;
    }
    images.tag(&args.source, &target)?;
    let id = images.find(&args.target)?.id.to_string();
    events::emit(home, &Event::image("tag", &id, &args.target));
    Ok(0)
}
