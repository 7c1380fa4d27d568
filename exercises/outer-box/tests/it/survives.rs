//! What would harm a machine.

use std::time::Duration;

use crate::boxed::{self, run};
use crate::{host, needs};

/// A box on a slow machine needs a moment; a fork bomb or a hang that is not ended takes for ever.
const SOON: Duration = Duration::from_secs(100);

#[test]
fn a_program_that_hangs_is_ended_with_its_children() {
    if !needs::a_box() {
        return;
    }
    let ran = run(&["--timeout", "0.5"], "(trap '' TERM HUP; sleep 1000) & setsid sleep 1000 & sleep 1000");
    assert_eq!((ran.code, ran.ended()), (Some(124), "ran out of time"), "{ran:#?}");
    assert!(ran.took >= Duration::from_millis(500) && ran.took < SOON, "{ran:#?}");
}

#[test]
fn a_fork_bomb_meets_a_limit_and_the_clock() {
    if !needs::a_box() {
        return;
    }
    let ran = run(
        &["--timeout", "2", "--pids", "100"],
        "exec 2>/dev/null; f() { f | f & }; while :; do f & done; sleep 1000",
    );
    assert!(ran.took < SOON, "{ran:#?}");
    assert_ne!(ran.code, Some(125), "{ran:#?}");
}

#[test]
fn a_fork_bomb_that_outlives_its_shell_is_told() {
    if !needs::a_box() {
        return;
    }
    let bomb = "i=0; while [ $i -lt 200 ]; do sleep 1000 <&- >&- 2>&- & i=$((i+1)); done";
    let ran = run(&["--pids", "60", "--timeout", "120"], bomb);
    assert!(ran.took < SOON, "{ran:#?}");
    assert!(ran.leaks().iter().any(|leak| leak.contains("more of the kind `process`")), "{ran:#?}");
}

#[test]
fn output_without_end_is_cut() {
    if !needs::a_box() {
        return;
    }
    let ran =
        run(&["--output", "64", "--timeout", "30"], "head -c 100000000 /dev/zero | tr '\\0' x; yes >&2");
    assert_eq!((ran.code, ran.ended()), (Some(137), "wrote too much"), "{}", ran.stderr.len());
    assert_eq!(ran.stdout.len(), 64 << 10);
    assert!(ran.took < SOON);
}

#[test]
fn output_that_ends_at_the_limit_is_whole() {
    if !needs::a_box() {
        return;
    }
    let ran = run(&["--output", "64"], "head -c 65536 /dev/zero | tr '\\0' x");
    assert_eq!(ran.is_clean().stdout.len(), 64 << 10);
}

#[test]
fn memory_without_end_is_told_as_such() {
    if !needs::a_box() || !needs::cgroups() {
        return;
    }
    let ran = run(&["--memory", "64", "--timeout", "60"], "exec tail /dev/zero");
    assert_eq!((ran.code, ran.ended()), (Some(137), "ran out of memory"), "{ran:#?}");
    let ran = run(&["--memory", "64", "--timeout", "60"], "cat /dev/zero > /tmp/full");
    assert_eq!((ran.code, ran.ended()), (Some(137), "ran out of memory"), "{ran:#?}");
}

#[test]
fn a_limit_that_the_program_set_itself_is_not_the_boxs() {
    if !needs::a_box() || !needs::cgroups() {
        return;
    }
    let script = "cd /sys/fs/cgroup; file=memory.max; \
        if [ -d memory ]; then cd memory; file=memory.limit_in_bytes; fi; \
        mkdir inner; echo 16777216 > inner/$file; \
        sh -c 'echo 0 > inner/cgroup.procs; exec tail /dev/zero'; echo $?; rmdir inner; exit 7";
    let ran = run(&["--timeout", "60"], script);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), "137\n"), "{ran:#?}");
    assert!(ran.leaks().is_empty(), "{ran:#?}");
}

#[test]
fn killing_everybody_leaves_the_supervisor() {
    if !needs::a_box() {
        return;
    }
    let ran = run(&[], "kill -9 1; kill 1; kill -9 -1; echo alive");
    assert_eq!(ran.is_clean().stdout, "alive\n");
}

#[test]
fn a_mount_over_proc_is_told_and_harms_nobody() {
    if !needs::a_box() {
        return;
    }
    let ran = run(&[], "mount -t tmpfs none /proc; mount -t tmpfs none /tmp; touch /tmp/x");
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.leaks().len(), 2, "{ran:#?}");
    assert!(ran.leaks().iter().all(|leak| leak.starts_with("mount: tmpfs is mounted on /")), "{ran:#?}");
}

#[test]
fn what_the_machine_has_cannot_be_removed() {
    if !needs::a_box() {
        return;
    }
    // Where the box has nothing of its own.
    let home = std::env::var("HOME").unwrap_or_default();
    let places = [env!("CARGO_TARGET_TMPDIR"), &home, "/var/lib"];
    let scratch = places.iter().find_map(|place| tempfile::tempdir_in(place).ok());
    if !needs::need("a writable directory that is not below /tmp", scratch.is_some()) {
        return;
    }
    let scratch = scratch.unwrap();
    std::fs::write(scratch.path().join("file"), "precious").unwrap();
    let script = format!("rm -rf {0}; echo x > {0}/file; touch /x /etc/x /usr/x", scratch.path().display());
    let ran = run(&[], &script);
    assert!(ran.stderr.contains("Read-only file system"), "{ran:#?}");
    assert_eq!(std::fs::read_to_string(scratch.path().join("file")).unwrap(), "precious");
}

#[test]
fn the_machine_does_not_become_writable_again() {
    if !needs::a_box() {
        return;
    }
    let script = "mount -o remount,bind,rw /; mount -o remount,rw /; touch /x && echo written; \
        unshare -m sh -c 'mount -o remount,bind,rw /; touch /x' && echo written; \
        mkdir /tmp/b; mount --rbind / /tmp/b; mount -o remount,bind,rw /tmp/b; touch /tmp/b/x && echo written; \
        umount -R -l /tmp/b; rmdir /tmp/b";
    let ran = run(&[], script);
    assert_eq!(ran.stdout, "", "{ran:#?}");
}

#[test]
fn what_changes_the_whole_machine_is_read_only() {
    if !needs::a_box() {
        return;
    }
    let script = "for file in /proc/sys/kernel/pid_max /proc/sys/vm/swappiness /proc/sysrq-trigger /sys/power/state; do \
        if [ -e $file ] && echo 60 > $file; then echo $file; fi; done 2>/dev/null; \
        [ $(id -u) != 0 ] || modprobe nosuchmodule 2>/dev/null && echo loaded";
    assert_eq!(run(&[], script).stdout, "");
}

#[test]
fn a_killed_runner_takes_its_box_with_it() {
    if !needs::a_box() {
        return;
    }
    let word = boxed::word();
    let script = "setsid sleep 1000 & setsid -f sleep 1000; sleep 1000";
    let pid = host::unchanged(&word, || {
        let mut runner = boxed::command(&["--timeout", "600"], script, &word).spawn().unwrap();
        // The runner, the shell, and what it started; process 1 of a user's box does not show its environment.
        host::eventually("the box is full", || host::processes_with(&word).len() >= 5);
        runner.kill().unwrap();
        runner.wait().unwrap();
        host::eventually("the box is empty", || host::processes_with(&word).is_empty());
        runner.id()
    });
    let had_cgroups = !host::cgroups_of(pid).is_empty();
    let restore =
        std::process::Command::new(env!("CARGO_BIN_EXE_outer-box")).arg("--restore").output().unwrap();
    assert!(restore.status.success(), "{restore:?}");
    assert_eq!(host::cgroups_of(pid), [""; 0].map(std::path::PathBuf::from));
    // Another test's box may have tidied up in between.
    let told = String::from_utf8_lossy(&restore.stderr).contains(&format!("course-box/{pid}-"));
    assert!(!told || had_cgroups);
}

#[test]
fn a_box_leaves_no_cgroup() {
    if !needs::a_box() {
        return;
    }
    let word = boxed::word();
    let script = "cd /sys/fs/cgroup; mkdir -p a/b unified/a/b memory/a/b 2>/dev/null; setsid -f sleep 1000";
    let mut runner = boxed::command(&[], script, &word).stderr(std::process::Stdio::null()).spawn().unwrap();
    let pid = runner.id();
    runner.wait().unwrap();
    assert_eq!(host::cgroups_of(pid), [""; 0].map(std::path::PathBuf::from));
}
