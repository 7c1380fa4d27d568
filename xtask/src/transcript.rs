//! Transcripts: what a page says that a command prints, held against what it prints.
//!
//! A fenced block marked `console` is a transcript. Its commands run in a box, in the order of the page and in
//! one shell, and their output is compared line by line. Reading blocks, deciding what must be built for them and
//! comparing are functions over text; [`replay`] alone starts something.

mod abilities;
mod bless;
mod block;
mod compare;
mod programs;
mod replay;
mod script;

pub use abilities::{ABILITIES, has};
pub use bless::blessed;
pub use block::{Block, Command, blocks};
pub use compare::{difference, reconcile};
pub use programs::builds;
pub use replay::{Place, Replay, replay};
pub use script::{Answer, answers, script};
