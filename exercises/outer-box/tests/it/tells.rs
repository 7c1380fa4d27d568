//! What is told of what a program left.

use crate::boxed::{Ran, run, with_engine};
use crate::needs;

/// Runs `script`, which leaves one thing.
#[track_caller]
fn one_leak(script: &str) -> String {
    let ran = run(&[], script);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let leaks = ran.leaks();
    assert_eq!(leaks.len(), 1, "{ran:#?}");
    leaks[0].to_owned()
}

#[test]
fn who_leaves_nothing_is_told_nothing() {
    if !needs::a_box() {
        return;
    }
    let ran: Ran = run(&[], "true");
    ran.is_clean();
    assert_eq!(ran.ended(), "exited with 0");
    run(&[], "touch /tmp/a; mkdir /run/b; rm /tmp/a; rmdir /run/b; mount -t tmpfs x /mnt; umount /mnt")
        .is_clean();
    run(&[], "(sleep 0.2) &").is_clean();
}

#[test]
fn a_mount_is_told() {
    if !needs::a_box() {
        return;
    }
    let leak = one_leak("mount -t tmpfs x /mnt");
    assert!(leak.starts_with("mount: tmpfs is mounted on /mnt (`umount /mnt`"), "{leak}");
}

#[test]
fn a_mount_in_a_namespace_that_shares_it_is_told() {
    if !needs::a_box() || !needs::root() {
        return;
    }
    let leak = one_leak("unshare -m --propagation unchanged mount -t tmpfs x /mnt");
    assert!(leak.starts_with("mount: tmpfs is mounted on /mnt"), "{leak}");
    run(&[], "unshare -m mount -t tmpfs x /mnt").is_clean();
}

#[test]
fn a_mount_that_was_taken_away_is_told() {
    if !needs::a_box() {
        return;
    }
    let leak = one_leak("umount -l /proc");
    assert!(leak.starts_with("unmount: the machine's proc on /proc is gone"), "{leak}");
}

#[test]
fn a_process_is_told_with_its_command_line() {
    if !needs::a_box() {
        return;
    }
    let leak = one_leak("setsid -f sleep 1234");
    assert!(leak.starts_with("process: process ") && leak.contains("still runs: `sleep 1234`"), "{leak}");
}

#[test]
fn a_process_in_another_pid_namespace_is_told() {
    if !needs::a_box() {
        return;
    }
    let ran = run(&[], "setsid unshare -Urpf --kill-child sleep 1234 & sleep 0.5");
    assert!(ran.leaks().iter().any(|leak| leak.contains("`sleep 1234`")), "{ran:#?}");
}

#[test]
fn a_cgroup_is_told_once_for_all_trees() {
    if !needs::a_box() || !needs::cgroups() {
        return;
    }
    let leak = one_leak(
        "cd /sys/fs/cgroup; if [ -d memory ]; then mkdir -p memory/left/over pids/left; else mkdir -p left/over; fi",
    );
    assert!(leak.starts_with("cgroup: the cgroup /left is left"), "{leak}");
}

#[test]
fn a_network_interface_is_told() {
    if !needs::a_box() || !needs::program("ip") {
        return;
    }
    let ran =
        run(&[], "ip link add left type veth peer name right 2>/dev/null || ip link add left type bridge");
    if ran.code != Some(1) {
        needs::need("veth or bridge interfaces", false);
        return;
    }
    assert!(ran.leaks()[0].starts_with("link: the network interface left is left"), "{ran:#?}");
}

#[test]
fn a_file_is_told_and_of_a_tree_the_top() {
    if !needs::a_box() {
        return;
    }
    let leak = one_leak("mkdir -p /tmp/a/b; touch /tmp/a/b/c");
    assert!(leak.starts_with("file: the directory /tmp/a is left (`rm -r /tmp/a`"), "{leak}");
    let leak = one_leak("touch /run/x");
    assert!(leak.starts_with("file: the file /run/x is left (`rm /run/x`"), "{leak}");
}

#[test]
fn a_container_is_told_and_images_are_not() {
    let Some(mini_docker) = needs::mini_docker() else { return };
    if !needs::a_box() {
        return;
    }
    let ran = run(&with_engine(&mini_docker), &format!("{} run host true", mini_docker.display()));
    assert_eq!(ran.leaks().len(), 1, "{ran:#?}");
    assert!(ran.leaks()[0].starts_with("container: mini-docker keeps the container "), "{ran:#?}");
}

#[test]
fn what_is_allowed_is_not_told() {
    if !needs::a_box() {
        return;
    }
    let script = "touch /tmp/image-1 /tmp/image-2; mount -t tmpfs x /mnt";
    run(&["--allow", "file:/tmp/image*", "--allow", "mount:/mnt"], script).is_clean();
    let ran = run(&["--allow", "file:/tmp/image-1", "--allow", "mount:/mnt"], script);
    assert_eq!(ran.leaks().len(), 1, "{ran:#?}");
}
