//! What a measurement needs of the machine. Where something is missing, the benchmark says so and is skipped;
//! with `MINI_REQUIRE_ALL=1`, as in CI, that is a failure, so that nothing is skipped unnoticed.
#![allow(clippy::print_stderr, reason = "what is skipped must be seen by whoever runs the benchmarks")]

use std::path::PathBuf;
use std::time::Duration;

use mini_cgroups::Layout;
use mini_layers::{Overlay, Upper};
use mini_sys::Uid;

use crate::apart::apart;
use crate::room::Room;

/// Whether to go on: when `met`, or else after saying what is missing.
///
/// # Panics
/// When `MINI_REQUIRE_ALL=1` says that this machine has everything.
pub fn met(what: &str, met: bool) -> bool {
    if !met {
        let required = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
        assert!(!required, "needs {what}, and MINI_REQUIRE_ALL is set");
        eprintln!("skipped: needs {what}");
    }
    met
}

/// Namespaces and mounts.
pub fn root() -> bool {
    met("root", Uid::effective().is_root())
}

/// A cgroup tree that we may make cgroups in.
pub fn cgroups() -> Option<Layout> {
    let layout = Layout::detect().ok();
    let layout = layout.filter(|layout| layout.unified.is_some() || !layout.hierarchies.is_empty());
    if met("root and a cgroup tree that can be written", layout.is_some()) { layout } else { None }
}

/// An overlay whose upper directory is in the temporary directory: another overlay, as the root of a
/// container usually is, will not do. It is found out by mounting one.
pub fn overlay() -> bool {
    root() && met("the overlay file system, and a TMPDIR that it can write to", can_mount_overlay())
}

fn can_mount_overlay() -> bool {
    let Ok(room) = Room::new() else { return false };
    let directories =
        [room.directory("lower"), room.directory("upper"), room.directory("work"), room.directory("merged")];
    let [Ok(lower), Ok(tree), Ok(work), Ok(merged)] = directories else { return false };
    let overlay = Overlay { lower: vec![lower], upper: Some(Upper { tree, work }), userxattr: false };
    let took = apart(|| {
        Ok(if overlay.mount_at(&merged).is_ok() { Duration::from_nanos(1) } else { Duration::ZERO })
    });
    !took.is_zero()
}

/// The program that users run, built with the same profile as this one; `MINI_DOCKER` names another.
pub fn mini_docker() -> Option<PathBuf> {
    let program = std::env::var_os("MINI_DOCKER").map(PathBuf::from).or_else(built_beside);
    let program = program.filter(|program| program.is_file());
    let what = "mini-docker, from `cargo build` or `cargo build --release`, or named by MINI_DOCKER";
    if root() && met(what, program.is_some()) { program } else { None }
}

/// Programs lie in `target/<profile>`, benchmarks and tests in `deps` below.
fn built_beside() -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let directory = this.parent()?;
    let directory = if directory.ends_with("deps") { directory.parent()? } else { directory };
    Some(directory.join("mini-docker"))
}
