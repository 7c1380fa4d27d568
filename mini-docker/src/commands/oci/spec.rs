//! `oci spec`: a config.json to begin with, as runc(8) writes one.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::show::SPEC_VERSION;
use crate::cli::OciSpec;

pub(super) fn run(args: &OciSpec) -> anyhow::Result<u8> {
    let path = args.bundle.join("config.json");
    if path.exists() {
        bail!("File {} exists. Remove it first", path.display());
    }
    let mut spec = spec();
    if args.rootless {
        make_rootless(&mut spec);
    }
    let text = serde_json::to_string_pretty(&spec)? + "\n";
    std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    Ok(0)
}

fn spec() -> Value {
    let capabilities = json!(["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    json!({
        "ociVersion": SPEC_VERSION,
        "process": {
            "terminal": true,
            "user": { "uid": 0, "gid": 0 },
            "args": ["sh"],
            "env": [format!("PATH={}", mini_runtime::program::DEFAULT_PATH), "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
                "bounding": capabilities, "effective": capabilities, "permitted": capabilities
            },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
            "noNewPrivileges": true
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "mini-docker",
        "mounts": mounts(),
        "linux": {
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": [
                { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" },
                { "type": "cgroup" }
            ],
            "maskedPaths": mini_security::paths::MASKED,
            "readonlyPaths": mini_security::paths::READ_ONLY
        }
    })
}

fn mounts() -> Vec<Value> {
    let mut all = mini_chroot::mounts::standard();
    all.push(mini_chroot::Mount::new(
        "/sys/fs/cgroup",
        "cgroup",
        "cgroup",
        "nosuid,noexec,nodev,relatime,ro",
    ));
    let one = |mount: &mini_chroot::Mount| {
        json!({
            "destination": mount.target, "type": mount.fstype, "source": mount.source, "options": mount.options
        })
    };
    all.iter().map(one).collect()
}

/// The caller is root inside and nobody else exists; the host's network and its /sys are shown, and nothing is limited.
fn make_rootless(spec: &mut Value) {
    let kinds = ["pid", "ipc", "uts", "mount", "user"];
    spec["linux"]["namespaces"] = kinds.iter().map(|kind| json!({ "type": kind })).collect();
    let map = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    spec["linux"]["uidMappings"] = map(mini_sys::Uid::current().as_raw());
    spec["linux"]["gidMappings"] = map(mini_sys::Gid::current().as_raw());
    spec["linux"]["resources"] = Value::Null;
    let mounts = spec["mounts"].as_array_mut().into_iter().flatten().filter_map(|mount| {
        if let Some(options) = mount["options"].as_array_mut() {
            options.retain(|option| option != "gid=5");
        }
        match mount["destination"].as_str() {
            Some("/sys/fs/cgroup") => None,
            Some("/sys") => Some(json!({
                "destination": "/sys", "type": "none", "source": "/sys",
                "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]
            })),
            _ => Some(mount.take()),
        }
    });
    spec["mounts"] = mounts.collect();
}
