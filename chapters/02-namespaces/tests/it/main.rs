//! What the kernel says about `mini-namespaces`. The tests drive the examples: libtest has threads, and what
//! clones must have none.
//!
//! - `needs`: what a test requires of the machine
//! - `idmap`: maps as the kernel shows them from inside
//! - `init`: pid 1 and its duties
//! - `rooms`: every kind of namespace, made and joined

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod idmap;
mod init;
mod needs;
mod rooms;
