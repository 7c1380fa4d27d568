//! What a test needs of the machine. An unmet need skips the test, and fails it where `MINI_REQUIRE_ALL=1` says
//! that this machine has everything.

use std::path::{Path, PathBuf};

use mini_cgroups::{Controller, Layout};
use mini_namespaces::subids::User;

/// Whether to go on: when `met`, or else after saying what is missing.
pub(crate) fn need(what: &str, met: bool) -> bool {
    let required = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(met || !required, "needs {what}, and MINI_REQUIRE_ALL is set");
    if !met {
        eprintln!("skipped: needs {what}");
    }
    met
}

/// Root of the machine, or a user who may make user namespaces.
pub(crate) fn a_box() -> bool {
    need("root or user namespaces", is_root() || mini_namespaces::why_no_user_namespaces().is_none())
}

pub(crate) fn root() -> bool {
    need("root", is_root())
}

fn is_root() -> bool {
    mini_sys::Uid::effective().is_root()
}

/// Cgroups of our own that limit memory and processes.
pub(crate) fn cgroups() -> bool {
    let layout = Layout::detect().unwrap();
    let wanted = |offered: &[Controller]| offered.contains(&Controller::Memory);
    let free = |unified: &mini_cgroups::Unified| layout.privileged || !unified.occupied;
    let unified = layout.unified.as_ref().is_some_and(|it| wanted(&it.offered) && free(it));
    let separate = layout.privileged && layout.hierarchies.iter().any(|it| wanted(&it.controllers));
    need("a cgroup of its own with the memory controller", unified || separate)
}

/// A program of the machine.
pub(crate) fn program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    need(name, std::env::split_paths(&path).any(|directory| directory.join(name).is_file()))
}

/// The engine, as it was built last. In a user's box it is root, and its containers have more than one user.
pub(crate) fn mini_docker() -> Option<PathBuf> {
    let user = User::of_this_process(&std::env::var_os("PATH").unwrap_or_default());
    if !need("subordinate ids", is_root() || (user.helpers.is_some() && !user.subuids.is_empty())) {
        return None;
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let built = ["release", "debug"].map(|profile| target.join(profile).join("mini-docker"));
    let found = built.into_iter().find(|file| file.is_file()).and_then(|file| file.canonicalize().ok());
    need("a built mini-docker (`cargo build --release`)", found.is_some()).then_some(found).flatten()
}
