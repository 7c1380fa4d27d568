//! What a bundle asks for beside mounts, powers and limits: clocks, schedulers, a personality, rare limits. What the
//! program gets is asked of the kernel.

use std::fs;

use serde_json::{Value, json};

use crate::bundles::{Runtime, run_script};
use crate::needs;

/// What the script prints in a container whose spec is changed so.
fn inside(runtime: &Runtime, name: &str, script: &str, change: impl FnOnce(&mut Value)) -> String {
    let bundle = runtime.bundle(name, |config| {
        run_script(config, script);
        config["root"]["readonly"] = json!(false);
        change(config);
    });
    runtime.call(&format!("run -b {} {name}", bundle.display())).ok()
}

/// Fields 19 and 41 of /proc/self/stat: the nice value and the policy. proc_pid_stat(5).
const SCHEDULED: &str = "cat /proc/self/stat | busybox cut -d' ' -f19,41";

#[test]
fn a_program_is_scheduled_and_sees_a_kernel_as_asked_for() {
    let Some(runtime) = Runtime::new() else { return };
    let script =
        format!("{SCHEDULED}; busybox ionice -p $$; busybox uname -m; cat /proc/sys/kernel/domainname");
    let change = |config: &mut Value| {
        config["process"]["scheduler"] = json!({ "policy": "SCHED_BATCH", "nice": 5 });
        config["process"]["ioPriority"] = json!({ "class": "IOPRIO_CLASS_BE", "priority": 6 });
        config["linux"]["personality"] = json!({ "domain": "LINUX32" });
        config["domainname"] = json!("mine");
    };
    let shown = inside(&runtime, "box", &script, change);
    let machine = if cfg!(target_arch = "aarch64") { "armv8l" } else { "i686" };
    // SCHED_BATCH is 3.
    assert_eq!(shown, format!("5 3\nbest-effort: prio 6\n{machine}\nmine"));
}

#[test]
fn who_joins_is_scheduled_as_the_container_is() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("box", |config| {
        run_script(config, "exec sleep 1000");
        config["process"]["scheduler"] = json!({ "policy": "SCHED_IDLE" });
        config["linux"]["personality"] = json!({ "domain": "LINUX32" });
    });
    runtime.apart(&format!("run -d -b {} box", bundle.display()));
    assert_ne!(runtime.call("exec box busybox uname -m").ok(), std::env::consts::ARCH);
    let stat = runtime.call("exec box cat /proc/self/stat").ok();
    assert_eq!(stat.split(' ').nth(40), Some("5"), "SCHED_IDLE");
}

#[test]
fn clocks_are_ahead_by_seconds_and_nanoseconds() {
    let Some(runtime) = Runtime::new() else { return };
    if !needs::need("time namespaces", fs::exists("/proc/self/ns/time").unwrap_or(false)) {
        return;
    }
    let change = |config: &mut Value| {
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "time" }));
        let offset = |secs: u32| json!({ "secs": secs, "nanosecs": 7 });
        config["linux"]["timeOffsets"] =
            json!({ "monotonic": offset(10), "boottime": offset(1_000_000_000) });
    };
    let shown = inside(&runtime, "box", "cat /proc/self/timens_offsets /proc/uptime", change);
    let words: Vec<&str> = shown.split_whitespace().collect();
    assert_eq!(words[..6], ["monotonic", "10", "7", "boottime", "1000000000", "7"]);
    assert!(words[6].parse::<f64>().unwrap() > 1e9, "{shown}");
}

#[test]
fn a_tmpfs_begins_with_what_it_covers_where_that_is_asked_for() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("box", |config| {
        run_script(
            config,
            "cat /etc/deep/file; readlink /etc/link; stat -c '%a %u %g' /etc/deep /etc/deep/file; touch /etc/new; \
             touch /srv/x 2>/dev/null || echo read-only; ls /srv",
        );
        config["root"]["readonly"] = json!(true);
        let mounts = config["mounts"].as_array_mut().unwrap();
        for (target, options) in [("/etc", json!(["tmpcopyup", "nosuid"])), ("/srv", json!(["tmpcopyup", "ro"]))] {
            mounts.push(json!({ "destination": target, "type": "tmpfs", "source": "tmpfs", "options": options }));
        }
    });
    let root = bundle.join("rootfs");
    fs::create_dir_all(root.join("etc/deep")).unwrap();
    fs::create_dir_all(root.join("srv")).unwrap();
    fs::write(root.join("srv/own"), "").unwrap();
    fs::write(root.join("etc/deep/file"), "of the image\n").unwrap();
    std::os::unix::fs::symlink("/nowhere/../etc", root.join("etc/link")).unwrap();
    std::os::unix::fs::chown(root.join("etc/deep/file"), Some(7), Some(8)).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(root.join("etc/deep"), fs::Permissions::from_mode(0o710)).unwrap();
    fs::set_permissions(root.join("etc/deep/file"), fs::Permissions::from_mode(0o4644)).unwrap();
    let shown = runtime.call(&format!("run -b {} box", bundle.display())).ok();
    assert_eq!(shown, "of the image\n/nowhere/../etc\n710 0 0\n4644 7 8\nread-only\nown");
    assert!(!root.join("etc/new").exists(), "the image is as it was");
}

/// The file of the container's cgroup in a v1 tree, as the host reads it.
fn limit(runtime: &Runtime, name: &str, tree: &str, file: &str) -> String {
    let pid = runtime.state(name)["pid"].clone();
    let own = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let place = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next()?;
        controllers.split(',').any(|one| one == tree).then(|| parts.next()).flatten()
    });
    let point = if tree.is_empty() { "/sys/fs/cgroup/unified" } else { &format!("/sys/fs/cgroup/{tree}") };
    let path = format!("{point}{}/{file}", place.unwrap());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")).trim().to_owned()
}

#[test]
fn rare_limits_are_in_force() {
    let Some(runtime) = Runtime::new() else { return };
    let is_hybrid = ["cpu", "memory", "unified"].map(|tree| format!("/sys/fs/cgroup/{tree}/cgroup.procs"));
    if !needs::need("cgroup v1 beside v2", is_hybrid.iter().all(|path| fs::exists(path).unwrap_or(false))) {
        return;
    }
    let bundle = runtime.bundle("box", |config| {
        run_script(config, "exec sleep 1000");
        config["linux"]["resources"]["memory"] =
            json!({ "limit": 64 << 20, "swappiness": 17, "disableOOMKiller": true });
        config["linux"]["resources"]["cpu"] = json!({ "quota": 50000, "period": 100000, "burst": 20000 });
        config["linux"]["resources"]["unified"] = json!({ "cgroup.max.descendants": "3" });
    });
    runtime.apart(&format!("run -d -b {} box", bundle.display()));
    assert_eq!(limit(&runtime, "box", "memory", "memory.swappiness"), "17");
    assert!(limit(&runtime, "box", "memory", "memory.oom_control").starts_with("oom_kill_disable 1"));
    assert_eq!(limit(&runtime, "box", "cpu", "cpu.cfs_burst_us"), "20000");
    assert_eq!(limit(&runtime, "box", "", "cgroup.max.descendants"), "3");
    let resources = runtime.path("resources.json");
    fs::write(
        &resources,
        json!({ "cpu": { "burst": 0 }, "unified": { "cgroup.max.depth": "2" } }).to_string(),
    )
    .unwrap();
    runtime.call(&format!("update -r {} box", resources.display())).ok();
    assert_eq!(limit(&runtime, "box", "cpu", "cpu.cfs_burst_us"), "0");
    assert_eq!(limit(&runtime, "box", "", "cgroup.max.depth"), "2");
}
