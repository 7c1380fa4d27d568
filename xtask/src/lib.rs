//! What `cargo x` knows about this workspace, apart from talking to the person who typed it.
//!
//! Two subjects. [`rules`] holds the laws that the compiler does not know: which crate may use which, where
//! `unsafe` may stand, how long a file may grow. Each law is a function from text to a list of complaints, and
//! `tests/layering.rs` applies it to the tree on disk that [`workspace`] reads. [`ladder`] turns the
//! measurements of `mini-benches` into a table and a drawing, [`measured`] those of a chapter into the table of its page. Nothing here prints: the binary does.

pub mod book;
pub mod browser;
pub mod ladder;
pub mod manifest;
pub mod measured;
pub mod rules;
pub mod rust_source;
pub mod transcript;
pub mod workspace;
