//! What a program in a box must be able to do: all that the chapters teach.

use crate::boxed::{run, with_engine};
use crate::needs;

#[test]
fn a_program_gets_its_input_and_its_exit_status_comes_back() {
    if !needs::a_box() {
        return;
    }
    let ran = run(&[], "cat; echo out; echo err >&2; exit 42");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(42), "out\n"), "{ran:#?}");
    assert!(ran.stderr.starts_with("err\n"), "{ran:#?}");
    assert_eq!(run(&[], "kill -9 $$").code, Some(137));
}

#[test]
fn a_program_that_is_not_there_is_an_error_of_ours() {
    if !needs::a_box() {
        return;
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_outer-box"));
    let output = command.args(["--", "no-such-program"]).stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "outer-box: in the box: run `no-such-program`: No such file or directory\n");
}

#[test]
fn what_the_kernel_shows_is_of_the_box() {
    if !needs::a_box() {
        return;
    }
    let script = "echo $$; ls /proc | grep -c '^[0-9]'; grep -c : /proc/net/dev; ls /tmp /var/tmp; \
        grep -c ' / /proc ' /proc/self/mountinfo; ls -d /proc/1/ns/pid >/dev/null; readlink /proc/1/ns/pid > /tmp/a; \
        readlink /proc/self/ns/pid > /tmp/b; cmp /tmp/a /tmp/b; rm /tmp/a /tmp/b";
    let ran = run(&[], script);
    let lines: Vec<&str> = ran.is_clean().stdout.lines().collect();
    let (shell, processes) = (lines[0].parse::<u32>().unwrap(), lines[1].parse::<u32>().unwrap());
    assert!(shell < 10 && processes < 10, "{ran:#?}");
    assert!(lines.contains(&"/tmp:") && lines.contains(&"/var/tmp:"), "{ran:#?}");
}

#[test]
fn the_loopback_is_up_and_there_is_no_other_network() {
    if !needs::a_box() || !needs::program("ip") {
        return;
    }
    let ran = run(&[], "ip -br address show up; ping -c1 -W1 127.0.0.1 >/dev/null 2>&1; ip route");
    let ran = ran.is_clean();
    assert!(ran.stdout.contains("127.0.0.1/8"), "{ran:#?}");
    assert_eq!(ran.stdout.lines().count(), 1, "{ran:#?}");
}

#[test]
fn a_program_mounts_and_pivots() {
    if !needs::a_box() {
        return;
    }
    let script = "set -e; mkdir /tmp/root; unshare -m sh -ec 'mount --bind /tmp/root /tmp/root; cd /tmp/root; \
        mkdir old usr proc; mount --rbind /usr usr; for name in bin lib lib64; do [ ! -L /$name ] || ln -s usr/$name $name; done; \
        mount -t proc proc proc; pivot_root . old; umount -l /old; cd /; rmdir /old; ls -d /etc 2>/dev/null || echo pivoted'; \
        rm -r /tmp/root";
    assert_eq!(run(&[], script).is_clean().stdout, "pivoted\n");
}

#[test]
fn a_program_unmounts_what_is_its_own() {
    if !needs::a_box() {
        return;
    }
    run(
        &[],
        "set -e; mount -t tmpfs x /mnt; mkdir /mnt/a; mount --bind /mnt/a /mnt/a; umount /mnt/a; umount /mnt",
    )
    .is_clean();
}

#[test]
fn a_program_makes_namespaces_of_every_kind() {
    if !needs::a_box() {
        return;
    }
    let script = "unshare -muinpfCT --mount-proc sh -c 'echo $$; hostname inner; ls /proc | grep -c \"^[0-9]*$\"'; \
        unshare -Urmpf --mount-proc sh -c 'id -u; echo $$'";
    let ran = run(&[], script);
    assert!(ran.is_clean().stdout.starts_with("1\n"), "{ran:#?}");
    assert!(ran.stdout.ends_with("0\n1\n"), "{ran:#?}");
}

#[test]
fn a_program_stacks_overlays() {
    if !needs::a_box() {
        return;
    }
    let script = "set -e; cd /tmp; mkdir l u w m; echo low > l/a; \
        mount -t overlay o -o $OPTIONS,lowerdir=l,upperdir=u,workdir=w m; \
        echo up > m/b; cat m/a; ls u; umount m; rm -r l u w m";
    let is_root = mini_sys::Uid::effective().is_root();
    let options = if is_root { "index=off" } else { "userxattr" };
    let ran = run(&[], &format!("OPTIONS={options}; {script}"));
    if ran.stderr.contains("unknown filesystem type") || (!is_root && ran.code != Some(0)) {
        needs::need("overlayfs", false);
        return;
    }
    assert_eq!(ran.is_clean().stdout, "low\nb\n");
}

#[test]
fn a_program_makes_cgroups_below_its_own_and_sees_no_others() {
    if !needs::a_box() || !needs::cgroups() {
        return;
    }
    let script = "set -e; cd /sys/fs/cgroup; grep -v name= /proc/self/cgroup | grep -vE ':(/|/command)$' || true; \
        if [ -d memory ]; then \
            for tree in memory pids cpu; do mkdir $tree/inner; done; \
            echo 33554432 > memory/inner/memory.limit_in_bytes; echo 10 > pids/inner/pids.max; \
            echo 50000 > cpu/inner/cpu.cfs_quota_us; \
            sh -c 'for tree in memory pids cpu; do echo 0 > $tree/inner/cgroup.procs; done; grep -c inner /proc/self/cgroup'; \
            for tree in memory pids cpu; do rmdir $tree/inner; done; \
        else \
            mkdir inner; echo 33554432 > inner/memory.max; echo 10 > inner/pids.max; \
            [ ! -e inner/cpu.max ] || echo '50000 100000' > inner/cpu.max; \
            sh -c 'echo 0 > inner/cgroup.procs; cat /proc/self/cgroup >&2; echo 3'; rmdir inner; fi; \
        find . -type d -name 'course-box'";
    assert_eq!(run(&[], script).is_clean().stdout, "3\n");
}

#[test]
fn our_own_chapter_finds_the_boxs_cgroups() {
    let Some(mini_docker) = needs::mini_docker() else { return };
    if !needs::a_box() || !needs::cgroups() {
        return;
    }
    let script = format!(
        "{0} run --rm -m 64m --pids-limit 50 --cpus 0.5 host sh -c 'echo hello; hostname > /tmp/a'",
        mini_docker.display()
    );
    assert_eq!(run(&with_engine(&mini_docker), &script).is_clean().stdout, "hello\n");
}

#[test]
fn mini_docker_works_in_a_root_of_the_callers_choice() {
    let Some(mini_docker) = needs::mini_docker() else { return };
    if !needs::a_box() {
        return;
    }
    let script = format!(
        "export MINI_DOCKER_ROOT=/tmp/engine; {0} run --rm host sh -c 'echo $$'; rm -rf /tmp/engine",
        mini_docker.display()
    );
    assert_eq!(run(&with_engine(&mini_docker), &script).is_clean().stdout, "1\n");
}

#[test]
fn cargo_builds_offline_in_a_writable_directory() {
    if !needs::a_box() || !needs::program("cargo") {
        return;
    }
    // Below /tmp, which the box covers.
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().canonicalize().unwrap();
    let mut make = std::process::Command::new("cargo");
    make.args(["new", "--vcs=none", "-q", "hello"]).current_dir(&directory);
    assert!(make.status().unwrap().success());
    let script = format!("cd {}/hello && cargo run -q --offline", directory.display());
    let options = ["--timeout", "120", "--writable", directory.to_str().unwrap()];
    assert_eq!(run(&options, &script).is_clean().stdout, "Hello, world!\n");
    assert!(directory.join("hello/target").is_dir());
}

#[test]
fn a_readable_directory_below_tmp_stays_in_sight_and_read_only() {
    if !needs::a_box() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().canonicalize().unwrap();
    std::fs::write(directory.join("file"), "seen\n").unwrap();
    let script = format!("cat {0}/file; echo x > {0}/file", directory.display());
    let ran = run(&["--readable", directory.to_str().unwrap()], &script);
    assert_eq!(ran.stdout, "seen\n");
    assert!(ran.stderr.contains("Read-only"), "{ran:#?}");
    assert!(run(&[], &script).stderr.contains("No such file"));
}

#[test]
fn devices_of_the_machine_cannot_be_opened() {
    if !needs::root() || !needs::cgroups() {
        return;
    }
    // Memory, the kernel's log, and whatever disk is there: the numbers are the kernel's.
    let script = "cd /tmp; mknod mem c 1 1; mknod kmsg c 1 11; mknod disk b $(grep -m1 -vE 'loop|major|^$' /proc/partitions | \
        awk '{print $1, $2}'); for file in mem kmsg disk; do head -c1 $file >/dev/null 2>&1 && echo $file; done; \
        mknod null c 1 3; echo x > null && echo null; rm mem kmsg disk null";
    let ran = run(&[], script);
    assert_eq!(ran.stdout, "null\n", "{ran:#?}");
}
