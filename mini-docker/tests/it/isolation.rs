//! What a container cannot see, reach or change of its host.

use std::fs;

use crate::harness::{Engine, is_alive};

#[test]
fn every_namespace_is_the_containers_own() {
    let Some(engine) = Engine::new() else { return };
    let kinds = ["mnt", "pid", "uts", "ipc", "net", "cgroup"];
    let link =
        |kind: &str| fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().to_string_lossy().into_owned();
    let inside =
        engine.sh("", "for n in mnt pid uts ipc net cgroup user time; do readlink /proc/self/ns/$n; done");
    let inside: Vec<&str> = inside.lines().collect();
    for (kind, inside) in kinds.iter().zip(&inside) {
        assert_ne!(link(kind), *inside);
    }
    assert_eq!([link("user"), link("time")], inside[6..8]);
    // With the host's network only that one is shared.
    let inside = engine.sh("--network host", "for n in net mnt pid; do readlink /proc/self/ns/$n; done");
    let inside: Vec<&str> = inside.lines().collect();
    assert_eq!(link("net"), inside[0]);
    assert!(link("mnt") != inside[1] && link("pid") != inside[2]);
}

#[test]
fn the_program_is_pid_1_and_alone() {
    let Some(engine) = Engine::new() else { return };
    assert_eq!(
        engine.sh("", "echo $$; tr '\\0' ' ' < /proc/1/cmdline"),
        "1\nsh -c echo $$; tr '\\0' ' ' < /proc/1/cmdline "
    );
    let pids = engine.sh("", "echo /proc/[0-9]*");
    assert_eq!(pids, "/proc/1");
}

#[test]
fn a_container_cannot_signal_what_is_outside() {
    let Some(engine) = Engine::new() else { return };
    // A session and a group of its own, or signals to "my group" would reach the monitor.
    let ids = engine.sh("", "grep -E '^NS(pgid|sid)' /proc/self/status | tr -d '\\n'");
    assert_eq!(ids, "NSpgid:\t1NSsid:\t1");
    engine
        .with("run --name web host sh -c", &["trap '' TERM; kill -TERM 0; kill -TERM -1; sleep 0.1; echo on"])
        .ok();
    assert_eq!(engine.call("logs web").ok(), "on");
    engine.with("run --rm --init host sh -c", &["kill -9 0"]).exits(137);
}

#[test]
fn capabilities_are_dockers() {
    let Some(engine) = Engine::new() else { return };
    let caps = engine.sh("", "grep -E '^(Cap|NoNewPrivs)' /proc/self/status");
    let expected = "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0";
    assert_eq!(caps, expected);
    for (script, refused) in [
        ("mount -t tmpfs none /mnt", "mount"),
        ("hostname other", "hostname"),
        ("chroot / sh -c 'mount -t proc none /proc'", "mount"),
        ("unshare -m true", "unshare"),
        ("date -s 2000-01-01", "date"),
        ("ip link set lo down", "ip"),
        ("echo 1 > /proc/sys/kernel/panic", "proc"),
        ("dmesg -C", "dmesg"),
    ] {
        let done = engine.with("run --rm host sh -c", &[script]);
        assert_ne!(done.code, 0, "{refused} worked: {script}");
    }
    engine.sh("", "chown 1:1 /tmp; chmod 4755 /usr/bin/env; mknod /tmp/null c 1 3; echo x > /tmp/null; mkfifo /tmp/p; chroot / true");
}

#[test]
fn devices_of_the_host_cannot_be_opened() {
    let Some(engine) = Engine::new() else { return };
    if !crate::needs::controller("devices")
        && !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
    {
        return;
    }
    for (kind, major, minor) in [
        ("b", 259, 0),
        ("b", 8, 0),
        ("b", 254, 0),
        ("b", 7, 0),
        ("c", 1, 1),
        ("c", 10, 1),
        ("c", 4, 0),
        ("c", 10, 200),
    ] {
        let script = format!("mknod /tmp/d {kind} {major} {minor} && head -c 1 /tmp/d");
        let done = engine.with("run --rm host sh -c", &[script]);
        assert_ne!(done.code, 0, "{kind} {major}:{minor}");
        assert!(done.err().contains("Operation not permitted"), "{kind} {major}:{minor}: {}", done.err());
    }
    engine.sh("", "for d in null zero full random urandom; do head -c 1 /dev/$d >/dev/null || exit 1; done; echo x > /dev/null; ! echo x > /dev/full");
}

#[test]
fn dev_holds_what_dockers_holds() {
    let Some(engine) = Engine::new() else { return };
    let names = "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
    assert_eq!(engine.sh("", "echo $(ls /dev)"), names);
    let nodes = engine
        .sh("", "stat -c '%n %A %t,%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty");
    let expected = "/dev/null crw-rw-rw- 1,3\n/dev/zero crw-rw-rw- 1,5\n/dev/full crw-rw-rw- 1,7\n/dev/random crw-rw-rw- 1,8\n/dev/urandom crw-rw-rw- 1,9\n/dev/tty crw-rw-rw- 5,0";
    assert_eq!(nodes, expected);
    assert_eq!(engine.sh("", "echo $(readlink /dev/ptmx /dev/fd /dev/stdin /dev/stdout /dev/stderr); stat -c %A /dev/shm /dev/mqueue"), "pts/ptmx /proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2\ndrwxrwxrwt\ndrwxrwxrwt");
    assert_eq!(
        engine
            .sh("", "echo into > /dev/shm/f; cat /dev/shm/f; echo err > /dev/stderr; echo out > /dev/stdout"),
        "into\nout"
    );
}

#[test]
fn what_tells_about_the_host_is_hidden_or_read_only() {
    let Some(engine) = Engine::new() else { return };
    let script = "for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do [ ! -e $f ] || wc -c < $f; done; \
                  for d in /proc/acpi /proc/scsi /sys/firmware; do [ ! -e $d ] || ls -A $d; done; \
                  for f in /proc/sys/kernel/domainname /proc/sysrq-trigger /sys/kernel/mm/transparent_hugepage/enabled; do [ ! -e $f ] || { (echo x > $f) 2>&1 | grep -c 'Read-only'; }; done";
    let shown = engine.sh("", script);
    assert!(shown.lines().all(|line| line == "0" || line == "1"), "{shown}");
    assert!(shown.lines().filter(|line| *line == "1").count() >= 2, "{shown}");
    // Hidden things stay hidden: umount takes the capability that is missing.
    assert_ne!(engine.with("run --rm host sh -c", &["umount /proc/keys || umount /proc/kcore"]).code, 0);
}

#[test]
fn the_hosts_files_are_out_of_reach() {
    let Some(engine) = Engine::new() else { return };
    let canary = engine.file("canary", "secret");
    let script = format!(
        "cat {0} /proc/1/root{0} /proc/self/cwd/../../../..{0} 2>/dev/null; ls /.. /../.. | grep -c mini-docker; cd /; cd ..; cd ..; pwd; grep -c {1} /proc/self/mountinfo",
        canary.display(),
        engine.root().display()
    );
    let shown = engine.with("run --rm host sh -c", &[script]).out();
    assert!(!shown.contains("secret") && shown.starts_with("0\n/\n"), "{shown}");
    // Descriptors of the engine are closed: only the three of every program, and that of ls.
    assert_eq!(engine.sh("", "ls /proc/self/fd | wc -l"), "4");
    assert_eq!(engine.call("run --rm --init host ls /proc/1/fd").code, 0);
}

/// CVE-2024-21626: a descriptor of the runtime that is a directory of the host is a way out, if it is open when the
/// working directory is entered.
#[test]
fn no_descriptor_that_is_open_meanwhile_can_be_the_working_directory() {
    let Some(engine) = Engine::new() else { return };
    for number in 3..24 {
        let message = engine.call(&format!("run --rm --workdir /proc/self/fd/{number} host pwd")).fails(125);
        assert!(message.contains(&format!("(\"/proc/self/fd/{number}\")")), "{message}");
    }
}

#[test]
fn the_hosts_mounts_stay_as_they_are() {
    let Some(engine) = Engine::new() else { return };
    let mounts = || {
        let all = fs::read_to_string("/proc/self/mountinfo").unwrap();
        // Other tests and other programs of the machine have mounts of their own.
        all.lines()
            .filter(|line| !line.contains("/netns/") && !line.contains("/tmp"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = mounts();
    engine.detached("--name web --tmpfs /run", "sleep 1000");
    assert_eq!(mounts(), before);
    assert!(
        !fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&engine.root().display().to_string())
    );
    engine.call("rm -f web").ok();
    assert_eq!(mounts(), before);
}

#[test]
fn only_lo_is_there_without_a_network() {
    let Some(engine) = Engine::new() else { return };
    assert_eq!(
        engine.sh(
            "--network none",
            "ls /sys/class/net; cat /sys/class/net/lo/flags; tail -n +3 /proc/net/dev | wc -l"
        ),
        "lo\n0x9\n1"
    );
    assert_eq!(engine.sh("--net=none", "cat /proc/net/route | wc -l"), "1");
    let host = fs::read_dir("/sys/class/net").unwrap().count();
    assert_eq!(
        engine.sh("--network host", "ls /proc/sys/net/ipv4/conf | grep -vE '^(all|default)$' | wc -l"),
        host.to_string()
    );
}

#[test]
fn two_containers_do_not_see_each_other() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name one", "touch /tmp/mine /dev/shm/mine; exec sleep 1234");
    let shown = engine.sh("", "ls /tmp /dev/shm; ps ax | grep -c [1]234; ls /proc | grep -c '^[0-9]'");
    assert!(!shown.contains("mine") && shown.contains("\n0\n"), "{shown}");
    assert!(is_alive(engine.pid("one")));
    // What one writes, the image does not keep.
    assert_eq!(engine.sh("", "ls -A /tmp"), "");
}
