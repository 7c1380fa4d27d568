//! What the benchmarks of all chapters share, and the cost ladder.
//!
//! A benchmark must leave the machine as it found it, however often it runs: what mounts, limits or enters
//! anything happens in a process of its own ([`apart`]), in a directory of its own ([`room`]), and a container
//! is left time to clean up ([`settle`]). What the machine cannot do is said and skipped ([`needs`]). No
//! benchmark asserts a time.
//!
//! What was asked for is known before it is set up ([`mod@chosen`]), and what was found is kept for the book ([`mod@kept`]).
//! [`ladder`] measures what each part of a container adds to the start of a program. Book ch. 7.

pub mod apart;
pub mod chosen;
pub mod kept;
pub mod ladder;
pub mod needs;
pub mod room;
pub mod settle;
