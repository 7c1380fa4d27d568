//! Images on a real file system.
//!
//! - `inputs`: names, manifests and archives as they are, to be spoiled.
//! - `hostile`: what the fuzz targets promise (`fuzz/src/entry.rs`), over those, spoiled at random.
//!
//! Requires nothing. `cargo +nightly fuzz run TARGET` goes on for as long as it is left alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../../../../fuzz/src/entry.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets are crates of their own")]
mod entry;
mod hostile;
mod inputs;
