//! Three registries that lie. A client asks for the image `real` by its manifest's digest; in the end it shall have read
//! `text` in `motd`.

use mini_layers::Digest;

use crate::image::{Answer, Answers, Image};

/// Deceives `clients::trusting`, which checks nothing.
pub fn another_layer(real: &Image, text: &str) -> Answers {
    todo!("what is sent when the layer is asked for?")
}

/// Deceives `clients::reads_labels`, which wants the header to have the digest that it asked for.
pub fn with_a_label(real: &Image, text: &str) -> Answers {
    todo!("the same, with words that please")
}

/// Deceives `clients::hashes_layers`, which computes the digest of each layer as well.
pub fn from_the_top(real: &Image, text: &str) -> Answers {
    todo!("where does the chain of digests begin?")
}
