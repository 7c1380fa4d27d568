//! What the kernel and real files say about `mini-chroot`.
//!
//! - `needs`: what a test requires of the machine, and the small programs that tests drive
//! - `fake`: a host in a directory, with programs and libraries that hold nothing but headers
//! - `plans`: what is taken from such a host, and the words of each error; nothing is run
//! - `assembled`: roots made of this machine's programs, which then run inside
//! - `breakout`: the examples `jail` and `breakout`, and that they leave the host alone

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod assembled;
mod breakout;
mod fake;
mod needs;
mod plans;
