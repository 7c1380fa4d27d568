//! Drives the program `course` as a student does: in a copy that `init` made.
//!
//! - `copies`: making, resetting and updating a copy; commands in wrong places. Nothing is built.
//! - `checks`: what a check says about right, unfinished, broken and hostile work. Requires cargo, and user
//!   namespaces or root.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests fail loudly and say what they skip")]

mod checks;
mod copies;
mod desk;
