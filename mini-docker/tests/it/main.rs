//! mini-docker as its users meet it: the real binary on the real kernel, nothing else assumed.
//!
//! `harness` gives each test an engine of its own and `leaks` sees that nothing is left of it; `needs` says what a
//! test requires, `host_image` shares the image `host` between tests, `tars` and `pty` make archives and
//! terminals. The rest are claims, a module for what they are about.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and says what it skips"
)]

mod crash;
mod environment;
mod exits;
mod explain;
mod files;
mod harness;
mod help;
mod host_image;
mod hostile;
mod images;
mod import;
mod in_the_vm;
mod init;
mod inspect;
mod interrupted;
mod isolation;
mod leaks;
mod lifecycle;
mod limits;
mod listing;
mod load;
mod logs;
mod machine;
mod naming;
mod needs;
mod ordinary;
mod parallel;
mod pty;
mod pull;
mod registry;
mod streams;
mod tars;
mod terminal;
mod way;
