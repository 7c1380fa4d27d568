//! What the limits do on the running kernel.
//!
//! `claims` holds the claims, each for any layout; `v1` makes them on separate hierarchies and hybrids, `v2` on
//! the unified one, `rootless` beneath a delegated cgroup. A machine has one of the two layouts: on a v1
//! machine `in_the_vm` runs this same binary in a small v2 machine. `require` says what a test needs, `group`
//! is a cgroup that removes itself.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests fail loudly and say what they skip")]

mod claims;
mod group;
mod in_the_vm;
mod require;
mod rootless;
mod v1;
mod v2;
