//! Runs claims of this very binary in a small machine with cgroup v2, where this one has v1: most users have v2.

use std::path::{Path, PathBuf};
use std::process::Command;

use mini_cgroups::Layout;

/// `vmtest`, from `MINI_VMTEST` or from `shared/vm` beside a directory above this crate.
fn vmtest() -> Option<PathBuf> {
    let named = std::env::var_os("MINI_VMTEST").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    named.or_else(|| above.map(|it| it.join("shared/vm/vmtest")).find(|it| it.is_file()))
}

/// Runs the tests of these modules in the machine. It has root's programs, and time to spare: it is emulated.
fn run(modules: &[&str]) {
    if Layout::detect().unwrap().is_unified_alone() {
        eprintln!("skipped: this machine has cgroup v2 itself");
        return;
    }
    let Some(vmtest) = vmtest() else {
        eprintln!("skipped: needs cgroup v2, or `vmtest` in MINI_VMTEST");
        return;
    };
    let this = std::env::current_exe().unwrap();
    // The engine's binary lies beside the directory of the test binaries.
    let built = this.ancestors().nth(2).unwrap();
    let output = Command::new(vmtest)
        .args(["--timeout", "900", "-e", "MINI_TEST_DIR=/var/tmp", "--share"])
        .arg(format!("{}:ro", built.display()))
        .arg("--")
        .arg(&this)
        .args(modules)
        .args(["--test-threads=1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("test result: ok") && !text.contains("ok. 0 passed"), "{text}");
}

#[test]
fn limits_and_the_rest_of_a_life_hold_with_cgroup_v2() {
    run(&[
        "limits::",
        "environment::",
        "lifecycle::",
        "commit::",
        "pausing::",
        "updating::",
        "nested_cgroups::",
    ]);
}
