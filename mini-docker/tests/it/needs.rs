//! What a test requires of the machine. An unmet need skips the test, and fails it where `MINI_REQUIRE_ALL=1`
//! says that this machine has everything.

use std::process::{Command, Stdio};

use mini_cgroups::Layout;

/// Whether to go on: when `met`, or else after saying what is missing.
pub(crate) fn need(what: &str, met: bool) -> bool {
    let required = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(met || !required, "needs {what}, and MINI_REQUIRE_ALL is set");
    if !met {
        eprintln!("skipped: needs {what}");
    }
    met
}

pub(crate) fn root() -> bool {
    need("root", mini_sys::Uid::effective().is_root())
}

/// What every container of root needs.
pub(crate) fn containers() -> bool {
    let systems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    root() && need("overlayfs", systems.lines().any(|line| line.ends_with("\toverlay")))
}

/// A cgroup controller that may be used.
pub(crate) fn controller(name: &str) -> bool {
    let v1 = std::fs::read_to_string("/proc/cgroups").unwrap_or_default();
    let v2 = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let found = Layout::detect().is_ok_and(|layout| {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let is_in = |line: &str| {
            line.rsplit(' ').next().is_some_and(|options| options.split(',').any(|option| option == name))
        };
        let separate = !layout.hierarchies.is_empty()
            && mounts.lines().any(|line| line.contains(" - cgroup ") && is_in(line));
        separate || v2.split_whitespace().any(|word| word == name)
    });
    need(&format!("the cgroup controller `{name}`"), found && v1.contains(name))
}

/// Whether limits of swap can be kept.
pub(crate) fn swap_limit() -> bool {
    controller("memory") && {
        let v1 = std::path::Path::new("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes").exists();
        need("swap accounting", v1 || std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists())
    }
}

/// A program of the host that a test (not mini-docker) uses.
pub(crate) fn program(name: &str) -> bool {
    let found =
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    need(&format!("the program `{name}`"), found)
}
