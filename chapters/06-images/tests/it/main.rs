//! Images on a real file system, and on their way to a real registry.
//!
//! - `inputs`: names, manifests and archives as they are, to be spoiled.
//! - `hostile`: what the fuzz targets promise (`fuzz/src/entry.rs`), over those, spoiled at random.
//! - `pushing`: layers in pieces, and a connection that breaks between them. Needs `docker-registry`.
//!
//! `cargo +nightly fuzz run TARGET` goes on for as long as it is left alone.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and says what it skips"
)]

#[path = "../../../../fuzz/src/entry.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets are crates of their own")]
mod entry;
mod hostile;
mod inputs;
mod pushing;

/// A child holds our locks between fork(2) and execve(2), and a store that somebody holds is not cleared. So who looks
/// at what is left takes this for reading, and who starts a program for writing.
static FORKS: std::sync::RwLock<()> = std::sync::RwLock::new(());
