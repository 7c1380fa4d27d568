//! `load`: images from an archive, Docker's or OCI's. docker-load(1).

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, bail};
use mini_engine::Home;
use mini_engine::events::{self, Event};

use crate::cli;
use crate::commands::print;
use crate::settings;

pub(crate) fn run(home: &Home, args: &cli::Load) -> anyhow::Result<u8> {
    let (file, name) = match &args.input {
        Some(path) => {
            let name = path.display().to_string();
            (File::open(path).with_context(|| format!("cannot load `{name}`"))?, name)
        }
        None if crate::terminal::is_terminal() => {
            bail!("requested load from stdin, but stdin is empty: `load -i FILE` reads a file")
        }
        None => (
            File::from(io::stdin().as_fd().try_clone_to_owned().context("read standard input")?),
            "-".to_owned(),
        ),
    };
    let mut images = home.images()?;
    images.bounds = settings::bounds()?;
    images.sweep();
    let loaded = images.load(file, args.platform.as_ref());
    for image in loaded.with_context(|| format!("cannot load `{name}`"))? {
        let (id, name) = (image.id.to_string(), image.names.first());
        events::emit(
            home,
            &Event::image("load", &id, &name.map_or_else(|| id.clone(), |name| name.familiar())),
        );
        if args.quiet {
            continue;
        }
        if image.names.is_empty() {
            print(&format!("Loaded image ID: {}\n", image.id))?;
        }
        for name in &image.names {
            print(&format!("Loaded image: {}\n", name.familiar()))?;
        }
    }
    Ok(0)
}
