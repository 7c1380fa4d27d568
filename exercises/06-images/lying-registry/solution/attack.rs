//! Three registries that lie. A client asks for the image `real` by its manifest's digest; in the end it shall have read
//! `text` in `motd`.

use mini_layers::Digest;

use crate::image::{Answer, Answers, Image};

/// Deceives `clients::trusting`, which checks nothing.
pub fn another_layer(real: &Image, text: &str) -> Answers {
    // ANCHOR: another-layer
    let content = Image::with(text).layer;
    let mut answers = real.answers();
    answers.insert(real.layer_digest(), Answer { says: Digest::of(&content), content });
    answers
    // ANCHOR_END: another-layer
}

/// Deceives `clients::reads_labels`, which wants the header to have the digest that it asked for.
pub fn with_a_label(real: &Image, text: &str) -> Answers {
    // ANCHOR: with-a-label
    let content = Image::with(text).layer;
    let mut answers = real.answers();
    answers.insert(real.layer_digest(), Answer { says: real.layer_digest(), content });
    answers
    // ANCHOR_END: with-a-label
}

/// Deceives `clients::hashes_layers`, which computes the digest of each layer as well.
pub fn from_the_top(real: &Image, text: &str) -> Answers {
    // ANCHOR: from-the-top
    // The layer has to be the one that the manifest names, and nobody checks that the manifest is.
    let mine = Image::with(text);
    let mut answers = mine.answers();
    answers.insert(real.manifest_digest(), Answer { says: real.manifest_digest(), content: mine.manifest });
    answers
    // ANCHOR_END: from-the-top
}
