//! How far a pull has come: bars on a terminal, else a line for each change of a layer. docker-pull(1).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mini_images::pull::Event;
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
    /// It has nothing more to tell: it was here before, or is complete.
    told: bool,
}

impl Progress {
    pub(crate) fn new(to: To) -> Self {
        let bars = to.terminal().map(MultiProgress::with_draw_target);
        Self { to, bars, layers: Mutex::default() }
    }

    /// Tells what happens, from whichever thread it comes.
    pub(crate) fn tell(&self, event: Event) {
        let Ok(mut layers) = self.layers.lock() else { return };
        match event {
            Event::Layers(all) => {
                for (digest, is_here) in all {
                    if let Entry::Vacant(new) = layers.entry(digest) {
                        new.insert(Layer { bar: self.begin(&digest), told: false });
                        self.say(&mut layers, &digest, if is_here { HERE } else { "Pulling fs layer" });
                    }
                }
            }
            Event::Received { layer, bytes, of } => {
                if let Some(layer) = layers.get(&layer).filter(|_| self.bars.is_some()) {
                    if layer.bar.length() != Some(of) {
                        layer.bar.set_length(of);
                        layer.bar.set_style(style("{prefix}: Downloading [{bar:50}] {bytes}/{total_bytes}"));
                    }
                    layer.bar.set_position(bytes);
                }
            }
            Event::Downloaded(layer) => self.say(&mut layers, &layer, "Download complete"),
            Event::Complete(layer) => self.say(&mut layers, &layer, COMPLETE),
        }
    }

    fn begin(&self, layer: &Digest) -> ProgressBar {
        let bar = match &self.bars {
            Some(bars) => bars.add(ProgressBar::new(0)),
            None => ProgressBar::hidden(),
        };
        bar.set_prefix(layer.hex()[..12].to_owned());
        bar
    }

    fn say(&self, layers: &mut HashMap<Digest, Layer>, digest: &Digest, what: &'static str) {
        let Some(layer) = layers.get_mut(digest).filter(|layer| !layer.told) else { return };
        layer.told = [HERE, COMPLETE].contains(&what);
        if self.bars.is_none() {
            self.to.line(&format!("{}: {what}", layer.bar.prefix()));
            return;
        }
        layer.bar.set_style(style("{prefix}: {msg}"));
        layer.bar.set_message(what);
        if layer.told {
            layer.bar.abandon();
        } else {
            layer.bar.tick();
        }
    }
}

const HERE: &str = "Already exists";
const COMPLETE: &str = "Pull complete";

/// Docker's look of a bar.
fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
