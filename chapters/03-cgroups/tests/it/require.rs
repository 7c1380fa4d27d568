//! What a test needs. Without it the test says so and passes; with `MINI_REQUIRE_ALL=1` it fails, except for
//! the layout: a machine has one or the other, and nothing can be done about it.

use mini_cgroups::Layout;

/// A layout with cgroup v1 hierarchies that we may use.
pub(crate) fn v1() -> Option<Layout> {
    let layout = Layout::detect().unwrap();
    if layout.hierarchies.is_empty() {
        eprintln!("skipped: needs root and cgroup v1");
        return None;
    }
    Some(layout)
}

/// A layout with cgroup v2 alone, as root.
pub(crate) fn v2() -> Option<Layout> {
    let layout = Layout::detect().unwrap();
    if layout.is_unified_alone() && layout.privileged {
        return Some(layout);
    }
    eprintln!("skipped: needs root and cgroup v2");
    None
}

/// A layout beneath a cgroup that was delegated to an ordinary user.
pub(crate) fn delegated() -> Option<Layout> {
    let layout = Layout::detect().unwrap();
    if layout.is_unified_alone() && !layout.privileged {
        return Some(layout);
    }
    eprintln!("skipped: needs an ordinary user with a delegated cgroup v2");
    None
}

/// Whether `is_met`; else says what is missing, and fails where everything is required.
pub(crate) fn met(is_met: bool, what: &str) -> bool {
    if !is_met {
        assert!(std::env::var_os("MINI_REQUIRE_ALL").is_none(), "needs {what}");
        eprintln!("skipped: needs {what}");
    }
    is_met
}
