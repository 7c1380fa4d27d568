//! What a bundle may not have: it is refused before anything is made, and nothing of the host changes. The rest of what is
//! refused is told by the chapter's own tests.

use std::fs;

use serde_json::{Value, json};

use crate::bundles::{Runtime, run_script};
use crate::needs;

/// The message for a bundle that is changed so.
fn refused(runtime: &Runtime, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let bundle = runtime.bundle(name, |config| {
        run_script(config, "echo started");
        change(config);
    });
    let done = runtime.call(&format!("run -b {} {name}", bundle.display()));
    assert_eq!(done.out(), "", "it does not run");
    done.fails(1)
}

fn without(config: &mut Value, kind: &str) {
    config["linux"]["namespaces"].as_array_mut().unwrap().retain(|namespace| namespace["type"] != kind);
}

#[test]
fn no_setting_of_the_host_is_changed() {
    let Some(runtime) = Runtime::new() else { return };
    let look = || {
        ["hostname", "domainname", "core_pattern", "shmmax"]
            .map(|name| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap())
    };
    let before = look();
    let message = refused(&runtime, "host", |config| without(config, "uts"));
    assert!(message.contains("unable to set hostname without a private UTS namespace"), "{message}");
    let message = refused(&runtime, "domain", |config| {
        without(config, "uts");
        config.as_object_mut().unwrap().remove("hostname");
        config["linux"]["sysctl"] = json!({ "kernel.domainname": "changed" });
    });
    assert!(
        message.contains("sysctl \"kernel.domainname\" is not in a separate kernel namespace"),
        "{message}"
    );
    let message = refused(&runtime, "core", |config| {
        config["linux"]["sysctl"] = json!({ "kernel/core_pattern": "changed" });
    });
    assert!(message.contains("is not in a separate kernel namespace"), "{message}");
    let message = refused(&runtime, "ipc", |config| {
        without(config, "ipc");
        config["linux"]["sysctl"] = json!({ "kernel.shmmax": "4096" });
    });
    assert!(message.contains("not allowed in host ipc namespace"), "{message}");
    assert_eq!(look(), before);
}

#[test]
fn a_container_without_a_mount_namespace_is_none() {
    let Some(runtime) = Runtime::new() else { return };
    let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let message = refused(&runtime, "box", |config| without(config, "mount"));
    assert!(message.contains("unable to mount without a private MNT namespace"), "{message}");
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}

#[test]
fn a_label_of_a_module_that_is_not_there_is_refused() {
    let Some(runtime) = Runtime::new() else { return };
    if needs::need("a kernel without AppArmor", !fs::exists("/sys/module/apparmor").unwrap_or(false)) {
        let message = refused(&runtime, "apparmor", |config| {
            config["process"]["apparmorProfile"] = json!("docker-default");
        });
        assert!(message.contains("apparmor: config provided but apparmor not supported"), "{message}");
        let bundle = runtime.script("box", "exec sleep 1000");
        runtime.apart(&format!("run -d -b {} box", bundle.display()));
        let process = runtime.path("process.json");
        let asked = json!({
            "cwd": "/", "args": ["echo", "started"], "user": { "uid": 0, "gid": 0 }, "apparmorProfile": "docker-default"
        });
        fs::write(&process, asked.to_string()).unwrap();
        let message = runtime.call(&format!("exec -p {} box", process.display()));
        assert_eq!((message.out(), message.code), (String::new(), 1), "{}", message.err());
        assert!(message.err().contains("apparmor not supported"), "{}", message.err());
    }
    if needs::need("a kernel without SELinux", !fs::exists("/sys/fs/selinux/enforce").unwrap_or(false)) {
        for (name, pointer) in [("process", "/process/selinuxLabel"), ("mount", "/linux/mountLabel")] {
            let message = refused(&runtime, name, |config| {
                let (above, key) = pointer.rsplit_once('/').unwrap();
                config.pointer_mut(above).unwrap()[key] = json!("system_u:system_r:container_t:s0");
            });
            assert!(message.contains("selinux is disabled or not supported"), "{message}");
        }
    }
}

#[test]
fn a_bundle_without_rules_about_devices_has_the_default_ones() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("box", |config| {
        // /dev/mem's neighbour: no harm in it, and not among the default devices.
        run_script(
            config,
            "busybox mknod /tmp/x c 1 11 && cat /tmp/x 2>&1 | head -c 60; echo ok > /dev/null && echo null",
        );
        config["root"]["readonly"] = json!(false);
        config["linux"].as_object_mut().unwrap().remove("resources");
        let all = json!(["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_SYSLOG"]);
        config["process"]["capabilities"] = json!({ "bounding": all, "effective": all, "permitted": all });
    });
    let shown = runtime.call(&format!("run -b {} box", bundle.display())).ok();
    assert_eq!(shown, "cat: can't open '/tmp/x': Operation not permitted\nnull");
}

#[test]
fn what_protects_a_mount_is_done_in_each_of_its_words() {
    let Some(runtime) = Runtime::new() else { return };
    let data = runtime.path("data");
    fs::create_dir(&data).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", data.join("link")).unwrap();
    let bundle = runtime.bundle("box", |config| {
        run_script(
            config,
            "touch /data/x 2>/dev/null || echo read-only; cat /data/link 2>/dev/null || echo no links; \
             grep ' /data ' /proc/self/mountinfo | grep -o 'nosuid,nodev,noexec'",
        );
        config["root"]["readonly"] = json!(false);
        config["mounts"].as_array_mut().unwrap().push(json!({
            "destination": "/data", "type": "bind", "source": data,
            "options": ["bind", "rro", "rnosuid", "rnodev", "noexec", "nosymfollow"]
        }));
    });
    let shown = runtime.call(&format!("run -b {} box", bundle.display())).ok();
    assert_eq!(shown, "read-only\nno links\nnosuid,nodev,noexec");
    let message = refused(&runtime, "typo", |config| {
        config["mounts"].as_array_mut().unwrap().push(json!({
            "destination": "/data", "type": "bind", "source": data, "options": ["bind", "readonly"]
        }));
    });
    assert!(message.contains("a bind mount cannot have the option `readonly`"), "{message}");
}
