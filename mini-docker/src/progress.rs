//! How far a pull or push has come: bars on a terminal, else a line for each change of a layer. docker-pull(1).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mini_images::pull::Event;
use mini_images::push;
use mini_layers::Digest;

/// Where progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Standard output: of `pull`.
    Output,
    /// Standard error: of `run`, whose output is the container's.
    Error,
    /// Nowhere.
    Nobody,
}

impl To {
    /// Writes a line. That its reader has gone away does not stop a pull.
    pub(crate) fn line(self, text: &str) {
        let _ = match self {
            Self::Output => writeln!(io::stdout(), "{text}"),
            Self::Error => writeln!(io::stderr(), "{text}"),
            Self::Nobody => Ok(()),
        };
    }

    fn terminal(self) -> Option<ProgressDrawTarget> {
        match self {
            Self::Output if io::stdout().is_terminal() => Some(ProgressDrawTarget::stdout()),
            Self::Error if io::stderr().is_terminal() => Some(ProgressDrawTarget::stderr()),
            _ => None,
        }
    }
}

/// The layers of one image on their way.
pub(crate) struct Progress {
    to: To,
    bars: Option<MultiProgress>,
    layers: Mutex<HashMap<Digest, Layer>>,
}

struct Layer {
    bar: ProgressBar,
    /// It has nothing more to tell: it was there before, or is complete.
    told: bool,
}

impl Progress {
    pub(crate) fn new(to: To) -> Self {
        let bars = to.terminal().map(MultiProgress::with_draw_target);
        Self { to, bars, layers: Mutex::default() }
    }

    /// Tells what happens to layers that are pulled, from whichever thread it comes.
    pub(crate) fn pulled(&self, event: Event) {
        let Ok(mut layers) = self.layers.lock() else { return };
        match event {
            Event::Layers(all) => {
                for (digest, is_here) in all {
                    self.begin(&mut layers, digest, if is_here { HERE } else { "Pulling fs layer" }, is_here);
                }
            }
            Event::Received { layer, bytes, of } => self.advance(&layers, &layer, "Downloading", bytes, of),
            Event::Downloaded(layer) => self.say(&mut layers, &layer, "Download complete", false),
            Event::Complete(layer) => self.say(&mut layers, &layer, "Pull complete", true),
        }
    }

    /// The same of layers that are pushed.
    pub(crate) fn pushed(&self, event: push::Event) {
        let Ok(mut layers) = self.layers.lock() else { return };
        match event {
            push::Event::Layers(all) => {
                for digest in all {
                    self.begin(&mut layers, digest, "Preparing", false);
                }
            }
            push::Event::Sent { layer, bytes, of } => self.advance(&layers, &layer, "Pushing", bytes, of),
            push::Event::Present(layer) => self.say(&mut layers, &layer, "Layer already exists", true),
            push::Event::Mounted { layer, from } => {
                self.say(&mut layers, &layer, &format!("Mounted from {from}"), true);
            }
            push::Event::Pushed(layer) => self.say(&mut layers, &layer, "Pushed", true),
        }
    }

    fn begin(&self, layers: &mut HashMap<Digest, Layer>, layer: Digest, what: &str, is_last: bool) {
        let Entry::Vacant(new) = layers.entry(layer) else { return };
        let bar = match &self.bars {
            Some(bars) => bars.add(ProgressBar::new(0)),
            None => ProgressBar::hidden(),
        };
        bar.set_prefix(layer.hex()[..12].to_owned());
        new.insert(Layer { bar, told: false });
        self.say(layers, &layer, what, is_last);
    }

    fn advance(
        &self,
        layers: &HashMap<Digest, Layer>,
        layer: &Digest,
        verb: &'static str,
        bytes: u64,
        of: u64,
    ) {
        let Some(layer) = layers.get(layer).filter(|_| self.bars.is_some()) else { return };
        if layer.bar.length() != Some(of) {
            layer.bar.set_length(of);
            layer.bar.set_message(verb);
            layer.bar.set_style(style("{prefix}: {msg} [{bar:50}] {bytes}/{total_bytes}"));
        }
        layer.bar.set_position(bytes);
    }

    fn say(&self, layers: &mut HashMap<Digest, Layer>, digest: &Digest, what: &str, is_last: bool) {
        let Some(layer) = layers.get_mut(digest).filter(|layer| !layer.told) else { return };
        layer.told = is_last;
        if self.bars.is_none() {
            self.to.line(&format!("{}: {what}", layer.bar.prefix()));
            return;
        }
        layer.bar.set_style(style("{prefix}: {msg}"));
        layer.bar.set_message(what.to_owned());
        if layer.told {
            layer.bar.abandon();
        } else {
            layer.bar.tick();
        }
    }
}

const HERE: &str = "Already exists";

/// Docker's look of a bar.
fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
