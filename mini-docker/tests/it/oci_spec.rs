//! What a bundle's spec asks for, as its program finds it.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::bundles::{Runtime, run_script};

/// A tmpfs on the host, for as long as a test needs it.
struct Mounted(PathBuf);

impl Mounted {
    fn on(path: &Path) -> Self {
        assert!(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(path).status().unwrap().success());
        Self(path.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a container of a test that failed may still be there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What the script prints in a container whose spec is changed so.
fn inside(runtime: &Runtime, name: &str, script: &str, change: impl FnOnce(&mut Value)) -> String {
    let bundle = runtime.bundle(name, |config| {
        run_script(config, script);
        change(config);
    });
    runtime.call(&format!("run -b {} {name}", bundle.display())).ok()
}

#[test]
fn devices_sysctls_limits_and_the_umask_are_as_asked_for() {
    let Some(runtime) = Runtime::new() else { return };
    let script = "stat -c '%n %A %t:%T %u' /dev/two/x; cat /proc/sys/net/ipv4/ip_forward; umask; ulimit -n; \
                  cat /proc/self/oom_score_adj; id -G";
    let shown = inside(&runtime, "box", script, |config| {
        config["linux"]["devices"] = json!([{ "path": "/dev/two/x", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 7 }]);
        config["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": "1" });
        config["process"]["user"] = json!({ "uid": 0, "gid": 0, "umask": 0o027, "additionalGids": [5, 6] });
        config["process"]["oomScoreAdj"] = json!(321);
        config["process"]["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "hard": 99, "soft": 77 }]);
    });
    assert_eq!(shown, "/dev/two/x crw-r----- 1:5 7\n1\n0027\n77\n321\n0 5 6");
}

#[test]
fn mounts_are_made_with_their_options() {
    let Some(runtime) = Runtime::new() else { return };
    fs::create_dir(runtime.path("data")).unwrap();
    fs::write(runtime.path("data/file"), "of the host\n").unwrap();
    let data = runtime.path("data");
    let script = "cat /data/file; touch /data/x 2>/dev/null || echo read-only; touch /rw/x; touch /y 2>/dev/null || echo root; \
                  grep ' /scratch ' /proc/self/mountinfo | grep -o 'nosuid,nodev,noexec'; ls /sys/fs/cgroup | wc -l";
    let shown = inside(&runtime, "box", script, |config| {
        let mounts = config["mounts"].as_array_mut().unwrap();
        for (target, options) in
            [("/data", json!(["rbind", "rprivate", "ro"])), ("/rw", json!(["bind", "rw"]))]
        {
            mounts.push(json!({ "destination": target, "type": "bind", "source": data, "options": options }));
        }
        mounts.push(json!({
            "destination": "/scratch", "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "nodev", "noexec", "size=64k", "rprivate"]
        }));
        config["root"]["readonly"] = json!(true);
        for directory in ["data", "rw", "scratch"] {
            fs::create_dir(runtime.path("box/rootfs").join(directory)).unwrap();
        }
    });
    let (first, cgroups) = shown.rsplit_once('\n').unwrap();
    assert_eq!(first, "of the host\nread-only\nroot\nnosuid,nodev,noexec");
    assert_ne!(cgroups, "0", "its own cgroups are shown");
    assert!(runtime.path("data/x").exists(), "through the writable one");
}

#[test]
fn mounts_of_the_host_arrive_where_that_is_asked_for() {
    let Some(runtime) = Runtime::new() else { return };
    let shared = runtime.path("shared");
    fs::create_dir(&shared).unwrap();
    let _shared = Mounted::on(&shared);
    assert!(Command::new("mount").arg("--make-shared").arg(&shared).status().unwrap().success());
    fs::create_dir(shared.join("late")).unwrap();
    let bundle = runtime.bundle("bundle", |config| {
        run_script(config, "exec sleep 1000");
        config["linux"]["rootfsPropagation"] = json!("rslave");
        config["mounts"].as_array_mut().unwrap().push(json!({
            "destination": "/tmp", "type": "bind", "source": shared, "options": ["rbind", "rslave"]
        }));
    });
    runtime.apart(&format!("run -d -b {} box", bundle.display()));
    let late = shared.join("late");
    let _late = Mounted::on(&late);
    fs::write(late.join("file"), "").unwrap();
    let seen = runtime.call("exec box ls /tmp/late").ok();
    runtime.call("delete --force box").ok();
    assert_eq!(seen, "file");
}

#[test]
fn on_a_ramdisk_the_root_is_moved() {
    let Some(runtime) = Runtime::new() else { return };
    let script = "ls /; cat /proc/self/mountinfo | busybox cut -d' ' -f5 | busybox sort; test -e /../../rootfs || echo closed";
    let bundle = runtime.script("box", script);
    let pivoted = runtime.call(&format!("run -b {} box", bundle.display())).ok();
    let moved = runtime.call(&format!("run --no-pivot -b {} box", bundle.display())).ok();
    assert!(moved.starts_with("bin\ndev\netc"), "{moved}");
    // The old root lies beneath, and nothing else of the host's mounts.
    let mut lines: Vec<&str> = moved.lines().collect();
    let beneath = lines.iter().position(|line| *line == "/").unwrap();
    lines.remove(beneath);
    let way: Vec<&str> =
        lines.iter().copied().filter(|line| !pivoted.lines().any(|one| one == *line)).collect();
    assert!(way.iter().all(|line| bundle.join("rootfs").starts_with(line)), "{way:?}");
}

#[test]
fn namespaces_are_joined_by_path() {
    let Some(runtime) = Runtime::new() else { return };
    let first = runtime.script("first", "exec sleep 1000");
    runtime.apart(&format!("run -d -b {} first", first.display()));
    let pid = runtime.state("first")["pid"].clone();
    let kinds = ["network", "ipc", "uts", "pid"];
    let script = "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts; \
                  readlink /proc/self/ns/pid; test $$ != 1 && echo not first";
    let shown = inside(&runtime, "second", script, |config| {
        let list = config["linux"]["namespaces"].as_array_mut().unwrap();
        for namespace in list {
            let kind = namespace["type"].as_str().unwrap().to_owned();
            if kinds.contains(&kind.as_str()) {
                let file = if kind == "network" { "net" } else { &kind };
                namespace["path"] = json!(format!("/proc/{pid}/ns/{file}"));
            }
        }
        config.as_object_mut().unwrap().remove("hostname");
    });
    let link = |file: &str| fs::read_link(format!("/proc/{pid}/ns/{file}")).unwrap().display().to_string();
    let expected = ["net", "ipc", "uts", "pid"].map(link).join("\n") + "\nnot first";
    assert_eq!(shown, expected);
}

#[test]
fn a_user_namespace_has_the_ids_of_its_maps() {
    let Some(runtime) = Runtime::new() else { return };
    let script = "id -u; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u /bin/busybox; echo x > /dev/null; \
                  readlink /proc/self/ns/user";
    let shown = inside(&runtime, "box", script, |config| {
        let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
        namespaces.push(json!({ "type": "user" }));
        config["linux"]["uidMappings"] = json!([{ "containerID": 0, "hostID": 70000, "size": 10 }]);
        config["linux"]["gidMappings"] = json!([{ "containerID": 0, "hostID": 80000, "size": 10 }]);
        // Its ids own nothing on the host, and the way to the bundle must be open to it.
        let mounts = config["mounts"].as_array_mut().unwrap();
        for mount in mounts {
            if let Some(options) = mount["options"].as_array_mut() {
                options.retain(|option| option != "gid=5");
            }
        }
    });
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[..4], [vec!["0"], vec!["0", "70000", "10"], vec!["0", "80000", "10"], vec!["65534"]]);
    assert_ne!(lines[4][0], fs::read_link("/proc/self/ns/user").unwrap().display().to_string());
}

#[test]
fn descriptors_are_passed_on_when_asked_for() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.script("bundle", "cat <&3");
    let file = runtime.path("passed");
    fs::write(&file, "by number\n").unwrap();
    // A shell puts the file at number 3, for which Rust would need unsafe code.
    let line = runtime.command(&format!("run --preserve-fds 1 -b {} box", bundle.display()));
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" 3< passed", "sh"]).arg(line.get_program()).args(line.get_args());
    shell.current_dir(line.get_current_dir().unwrap());
    assert_eq!(crate::harness::finish(&mut shell, None).ok(), "by number");
    let open = fs::File::open(&file).unwrap();
    assert!(open.as_raw_fd() > 2);
    let message = runtime.call(&format!("create --preserve-fds 90 -b {} box", bundle.display())).fails(1);
    assert!(message.contains("is not open"), "{message}");
}

#[test]
fn cgroups_go_where_the_spec_says_in_either_manner() {
    let Some(runtime) = Runtime::new() else { return };
    for (name, asked, place) in [
        ("one", "/mini-docker/a-place", "/mini-docker/a-place"),
        ("two", "mini.slice:docker:b", "/mini.slice/docker-b.scope"),
    ] {
        let bundle = runtime.bundle(name, |config| {
            run_script(config, "exec sleep 1000");
            config["linux"]["cgroupsPath"] = json!(asked);
        });
        runtime.apart(&format!("run -d -b {} {name}", bundle.display()));
        let pid = runtime.state(name)["pid"].clone();
        let own = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        assert!(own.lines().any(|line| line.ends_with(&format!(":{place}"))), "{own}");
        runtime.call(&format!("delete -f {name}")).ok();
    }
    // A slice is its maker's to remove, who is us.
    let trees = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let trees = trees.lines().filter(|line| line.contains(" - cgroup"));
    for point in trees.filter_map(|line| line.split(' ').nth(4)) {
        drop(fs::remove_dir(format!("{point}/mini.slice")));
    }
}
