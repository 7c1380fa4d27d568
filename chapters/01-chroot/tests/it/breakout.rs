//! The examples `jail` and `breakout`. Requires root. The numbers are those of the invariants in the book's chapter 1.

use std::fs;

use crate::needs;

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// Invariants 1 to 3.
#[test]
fn a_chroot_is_escaped_and_a_pivoted_root_is_not() {
    if !needs::root() {
        return;
    }
    let before = mounts();
    let output = needs::stdout(&needs::example("breakout", &[]));
    let lines: Vec<&str> = output.lines().collect();
    let [chroot, pivoted] = lines[..] else { panic!("{output}") };
    assert!(chroot.starts_with("chroot(2): escaped"), "{chroot}");
    assert!(chroot.contains(" proc "), "the host has /proc: {chroot}");
    assert!(pivoted.starts_with("pivot_root(2): still inside"), "{pivoted}");
    assert!(!pivoted.contains("proc"), "the jail has none: {pivoted}");
    assert_eq!(before, mounts());
}

#[test]
fn a_jail_shows_its_own_files_and_passes_the_exit_code_on() {
    if !needs::root() {
        return;
    }
    let before = mounts();
    let listing = needs::stdout(&needs::example("jail", &["ls", "/"]));
    assert!(listing.contains("usr\n") && !listing.contains("proc"), "{listing}");
    assert_eq!(needs::example("jail", &["sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(before, mounts());
}
