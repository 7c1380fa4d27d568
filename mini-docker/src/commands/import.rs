//! `import`: an image from a tar of a root filesystem. docker-import(1).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use mini_engine::Home;
use mini_engine::events::{self, Event};
use mini_images::Reference;
use mini_images::import::Import;

use crate::cli;
use crate::commands::print;
use crate::settings;

/// What the history says where nobody says anything else. Docker's command reads a file too as if it were `-`.
const SOURCE: &str = "Imported from -";

pub(crate) fn run(home: &Home, args: &cli::Import) -> anyhow::Result<u8> {
    let name = args.name.as_ref().map(|text| text.parse::<Reference>()).transpose()?;
    let path = args.file.display().to_string();
    let mut content = open(&args.file).with_context(|| format!("cannot import `{path}`"))?;
    let message = args.message.clone().unwrap_or_else(|| SOURCE.to_owned());
    let mut images = home.images()?;
    images.bounds = settings::bounds()?;
    images.sweep();
    let request = Import { name, changes: args.change.clone(), message };
    let image = images.import(&mut content, &request).with_context(|| format!("cannot import `{path}`"))?;
    let id = image.id.to_string();
    if let Some(name) = &args.name {
        events::emit(home, &Event::image("tag", &id, name));
    }
    events::emit(home, &Event::image("import", &id, &id));
    print(&format!("{id}\n"))
}

/// The file, or standard input for `-`.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(Box::new(file))
}
