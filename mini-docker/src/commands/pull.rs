//! `pull`: an image from a registry. docker-pull(1).

use std::collections::HashMap;
use std::sync::Mutex;

use mini_engine::Home;
use mini_images::Reference;
use mini_images::platform::Platform;
use mini_images::pull::{Event, Pull};

use crate::cli;
use crate::commands::print;
use crate::settings;

pub(crate) fn run(home: &Home, args: &cli::Pull) -> anyhow::Result<u8> {
    let (name, quiet): (Reference, bool) = (args.image.parse()?, args.quiet);
    if !quiet && name.digest().is_none() && !has_tag(&args.image) {
        print("Using default tag: latest\n")?;
    }
    let request = Pull {
        platform: args.platform.clone().unwrap_or_else(Platform::own),
        settings: settings::registries()?,
        credentials: settings::credentials(name.registry())?,
        name: name.clone(),
    };
    let images = home.images()?;
    images.sweep();
    let lines = Lines { quiet, last: Mutex::default() };
    if !quiet {
        let tag = name.digest().map(ToString::to_string).or(name.tag().map(str::to_owned));
        print(&format!("{}: Pulling from {}\n", tag.unwrap_or_default(), name.repository()))?;
    }
    let pulled = images.pull(&request, &|event| lines.tell(event))?;
    if quiet {
        return print(&format!("{name}\n"));
    }
    let status = if pulled.known { "Image is up to date for" } else { "Downloaded newer image for" };
    print(&format!("Digest: {}\nStatus: {status} {}\n{name}\n", pulled.digest, name.familiar()))
}

fn has_tag(text: &str) -> bool {
    text.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// Progress as lines, for what is no terminal: each change of a layer once.
struct Lines {
    quiet: bool,
    last: Mutex<HashMap<String, &'static str>>,
}

impl Lines {
    fn tell(&self, event: Event) {
        match event {
            Event::Layers(layers) => {
                for (layer, here) in layers {
                    self.say(
                        layer.hex()[..12].to_owned(),
                        if here { "Already exists" } else { "Pulling fs layer" },
                    );
                }
            }
            Event::Received { .. } => {}
            Event::Downloaded(layer) => self.say(layer.hex()[..12].to_owned(), "Download complete"),
            Event::Complete(layer) => self.say(layer.hex()[..12].to_owned(), "Pull complete"),
        }
    }

    fn say(&self, layer: String, what: &'static str) {
        if self.quiet {
            return;
        }
        let Ok(mut last) = self.last.lock() else { return };
        // What was here already has nothing more to tell.
        if last.get(&layer) != Some(&"Already exists") {
            // A reader who has gone away does not stop a pull.
            let _ = print(&format!("{layer}: {what}\n"));
            last.insert(layer, what);
        }
    }
}
