//! Layers on a real file system and overlays in a real kernel.
//!
//! - `tars`: archives made for these tests, honest and hostile.
//! - `looks`: what a tree looks like, as a value that two trees can be compared by.
//! - `applying`: what an honest archive becomes.
//! - `hostile`: what a hostile one is told, and that it leaves nothing behind.
//! - `properties`: both again, with random trees and random archives.
//! - `store`: layers that several processes unpack, and processes that die meanwhile.
//! - `overlays`: mounts, made by a probe in a mount namespace of its own.
//! - `rootless`: the same without privileges.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, and says what it skips"
)]

mod applying;
mod hostile;
mod looks;
mod overlays;
mod properties;
mod rootless;
mod store;
mod tars;

use std::process::Command;

/// The program that does what a process with threads must not.
fn probe() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mini-layers-probe"))
}

/// Whether a test can run here. Where it cannot, it says so; with `MINI_REQUIRE_ALL=1` it fails instead.
fn meets(requirement: &str, met: bool) -> bool {
    if !met {
        assert!(std::env::var_os("MINI_REQUIRE_ALL").is_none_or(|all| all != "1"), "needs {requirement}");
        println!("skipped: needs {requirement}");
    }
    met
}

fn is_root() -> bool {
    meets("root", mini_sys::Uid::effective().is_root())
}

fn has_overlay() -> bool {
    let systems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    is_root() && meets("overlay", systems.lines().any(|line| line.ends_with("\toverlay")))
}
