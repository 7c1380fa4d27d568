//! What the kernel says about `mini-security`. The test drives the example, because libtest has threads.
//! Requires root.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod seccomp;

use std::process::Command;

#[test]
fn a_containers_root_may_do_what_is_left_to_it_and_no_more() {
    if !mini_sys::process::is_root() {
        assert!(std::env::var_os("MINI_REQUIRE_ALL").is_none_or(|value| value != "1"), "needs root");
        eprintln!("skipped: needs root");
        return;
    }
    let before = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    // The tests are in target/<profile>/deps, the examples beside that.
    let example = std::env::current_exe().unwrap().parent().unwrap().join("../examples/powerless");
    let output = Command::new(example).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (all, few) = text.split_once("a container's: ").unwrap();
    assert_eq!(all.matches("yes").count() + all.matches("no").count(), 4, "{text}");
    assert!(all.contains("host name: yes") && all.contains("mount:             yes"), "{text}");
    assert!(few.starts_with("00000000a80425fb\n"), "{text}");
    assert_eq!((few.matches(" yes").count(), few.matches(" no").count()), (0, 4), "{text}");
    assert_eq!(std::fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}
