//! What the box keeps in, what it allows, and what it tells, on the running kernel.
//!
//! `survives` runs what would harm a machine, `allows` what the chapters teach, `tells` looks at the leaks.
//! `needs` says what a test needs; `boxed` drives the program, because libtest has threads; `host` proves that
//! the machine is as it was.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests fail loudly and say what they skip")]

mod allows;
mod boxed;
mod host;
mod needs;
mod survives;
mod tells;
