//! What a bundle may ask for. Whatever is not carried out is refused here, before anything is made: a container that lacks
//! a protection it was promised is worse than none.
//!
//! Each property of the OCI runtime specification 1.2 (config.md, config-linux.md), and what becomes of it:
//!
//! | property | |
//! | --- | --- |
//! | `ociVersion`, `root`, `hostname`, `domainname`, `hooks`, `annotations` | done; annotations are kept and shown |
//! | `mounts`: `type`, `source`, `destination`, `options` | done; an option that a bind mount cannot have is refused, and so are `idmap` and `remount` |
//! | `mounts`: `uidMappings`, `gidMappings` | refused |
//! | `process`: `terminal`, `consoleSize`, `cwd`, `env`, `args`, `user`, `umask`, `rlimits`, `oomScoreAdj` | done |
//! | `process`: `capabilities`, `noNewPrivileges`, `scheduler`, `ioPriority` | done |
//! | `process.apparmorProfile`, `process.selinuxLabel`, `linux.mountLabel` | done; refused where the kernel has them not |
//! | `process.execCPUAffinity` | refused |
//! | `linux.namespaces` | done; a mount namespace must be a new one |
//! | `linux.uidMappings`, `linux.gidMappings`, `linux.timeOffsets` | done; refused without their namespace |
//! | `linux.devices` | done; in a user namespace only the default ones are there |
//! | `linux.cgroupsPath`, `linux.resources` | done; a limit that the machine cannot keep is refused |
//! | `linux.resources.memory`: `kernel`, `useHierarchy` | ignored: no kernel of ours has a choice there |
//! | `linux.resources.blockIO`: `leafWeight` | refused: it went away with Linux 5.0 |
//! | `linux.sysctl` | done, where the container has the namespace that the parameter belongs to; else refused |
//! | `linux.seccomp` | done but for `SCMP_ACT_NOTIFY`, which is refused |
//! | `linux.rootfsPropagation`, `linux.maskedPaths`, `linux.readonlyPaths`, `linux.personality` | done |
//! | `linux.intelRdt`, `linux.memoryPolicy`, `linux.netDevices` | refused |
//! | `solaris`, `windows`, `vm`, `zos` | ignored: they are about other platforms |

use std::collections::HashSet;

use oci_spec::runtime::{Linux, LinuxDeviceCgroup, LinuxNamespaceType, LinuxResources, Mount, Process, Spec};

use super::refused::RefusedError;
use super::sysctl;
use crate::spec::is_known_option;

/// What this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) apparmor: bool,
    pub(super) selinux: bool,
}

impl Machine {
    pub(super) fn this() -> Self {
        Self {
            apparmor: mini_security::labels::has_apparmor(),
            selinux: mini_security::labels::has_selinux(),
        }
    }
}

/// Refuses what would be ignored otherwise, and what would change the host.
pub(super) fn check(spec: &Spec, machine: Machine) -> Result<(), RefusedError> {
    let linux = spec.linux().clone().unwrap_or_default();
    namespaces(spec, &linux)?;
    sysctl::check(&linux)?;
    spec.mounts().iter().flatten().try_for_each(mount)?;
    if let Some(process) = spec.process() {
        self::process(process, machine)?;
    }
    if is_set(linux.mount_label()) && !machine.selinux {
        return Err(RefusedError::Selinux);
    }
    if let Some(word) = linux.rootfs_propagation().as_ref().filter(|word| !is_propagation(word)) {
        return Err(RefusedError::Propagation(word.clone()));
    }
    linux.resources().as_ref().map_or(Ok(()), resources)?;
    let flags = linux.personality().as_ref().and_then(|personality| personality.flags().as_ref());
    for (is_asked, name) in [
        (linux.intel_rdt().is_some(), "linux.intelRdt"),
        (linux.memory_policy().is_some(), "linux.memoryPolicy"),
        (linux.net_devices().as_ref().is_some_and(|all| !all.is_empty()), "linux.netDevices"),
        (flags.is_some_and(|flags| !flags.is_empty()), "linux.personality.flags"),
    ] {
        if is_asked {
            return Err(RefusedError::Unsupported(name));
        }
    }
    Ok(())
}

/// What of a process is refused, one that joins later included.
pub(super) fn process(process: &Process, machine: Machine) -> Result<(), RefusedError> {
    if is_set(process.apparmor_profile()) && !machine.apparmor {
        return Err(RefusedError::AppArmor);
    }
    if is_set(process.selinux_label()) && !machine.selinux {
        return Err(RefusedError::Selinux);
    }
    if !process.cwd().is_absolute() {
        return Err(RefusedError::Relative("Cwd"));
    }
    match process.exec_cpu_affinity() {
        Some(_) => Err(RefusedError::Unsupported("process.execCPUAffinity")),
        None => Ok(()),
    }
}

fn is_set(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

fn is_propagation(word: &str) -> bool {
    let word = word.strip_prefix('r').unwrap_or(word);
    matches!(word, "shared" | "slave" | "private" | "unbindable" | "")
}

fn namespaces(spec: &Spec, linux: &Linux) -> Result<(), RefusedError> {
    let mut seen = HashSet::new();
    for namespace in linux.namespaces().iter().flatten() {
        if !seen.insert(namespace.typ().to_string()) {
            return Err(RefusedError::Twice(namespace.typ()));
        }
        let path = namespace.path().as_ref().filter(|path| !path.as_os_str().is_empty());
        if namespace.typ() == LinuxNamespaceType::Mount && path.is_some() {
            return Err(RefusedError::JoinsMounts);
        }
    }
    let has = |kind: LinuxNamespaceType| seen.contains(&kind.to_string());
    let shared = |what, kind| Err(RefusedError::Shared { what, kind });
    if !has(LinuxNamespaceType::Mount) {
        return shared("mount", "MNT");
    }
    if !has(LinuxNamespaceType::Uts) {
        if is_set(spec.hostname()) {
            return shared("set hostname", "UTS");
        }
        if is_set(spec.domainname()) {
            return shared("set domainname", "UTS");
        }
    }
    ids(linux, has(LinuxNamespaceType::User))?;
    let moves_time = linux.time_offsets().as_ref().is_some_and(|offsets| !offsets.is_empty());
    if moves_time && !has(LinuxNamespaceType::Time) {
        return Err(RefusedError::Unused { what: "time namespace offsets", kind: "time" });
    }
    Ok(())
}

fn ids(linux: &Linux, has_user: bool) -> Result<(), RefusedError> {
    let is_empty = |list: &Option<Vec<_>>| list.as_ref().is_none_or(Vec::is_empty);
    let (no_uids, no_gids) = (is_empty(linux.uid_mappings()), is_empty(linux.gid_mappings()));
    let joins = linux.namespaces().iter().flatten().any(|namespace| {
        namespace.typ() == LinuxNamespaceType::User
            && namespace.path().as_ref().is_some_and(|path| !path.as_os_str().is_empty())
    });
    match has_user {
        false if !(no_uids && no_gids) => {
            Err(RefusedError::Unused { what: "user namespace mappings", kind: "user" })
        }
        // Who joins one has the numbers that it has.
        true if joins => Ok(()),
        true if no_uids => Err(RefusedError::NoIds("uid")),
        true if no_gids => Err(RefusedError::NoIds("gid")),
        _ => Ok(()),
    }
}

/// What a file system does not know it refuses itself; a bind mount has none that would.
fn mount(mount: &Mount) -> Result<(), RefusedError> {
    let words = || mount.options().iter().flatten();
    let is_bind = words().any(|word| word == "bind" || word == "rbind")
        || mount.typ().as_deref().is_none_or(|kind| kind == "bind");
    let mapped = [mount.uid_mappings(), mount.gid_mappings()];
    if mapped.iter().any(|list| list.as_ref().is_some_and(|list| !list.is_empty())) {
        return Err(RefusedError::Unsupported("mounts.uidMappings"));
    }
    match words().find(|word| is_bind && !is_known_option(word)) {
        Some(option) => {
            Err(RefusedError::BindOption { target: mount.destination().clone(), option: option.clone() })
        }
        None => Ok(()),
    }
}

fn resources(resources: &LinuxResources) -> Result<(), RefusedError> {
    resources.devices().iter().flatten().try_for_each(device)?;
    let io = resources.block_io().as_ref();
    let has_leaf = io.is_some_and(|io| {
        let devices = io.weight_device().iter().flatten();
        io.leaf_weight().is_some_and(|weight| weight != 0)
            || devices.into_iter().any(|device| device.leaf_weight().is_some_and(|weight| weight != 0))
    });
    if has_leaf { Err(RefusedError::Unsupported("linux.resources.blockIO.leafWeight")) } else { Ok(()) }
}

/// A rule that is not understood may be one that denies.
fn device(rule: &LinuxDeviceCgroup) -> Result<(), RefusedError> {
    let access = rule.access().as_deref().unwrap_or("rwm");
    if mini_cgroups::Access::from_letters(access).is_none() {
        return Err(RefusedError::Device(format!("access \"{access}\" has other letters than r, w and m")));
    }
    for number in [rule.major(), rule.minor()].into_iter().flatten() {
        if number < -1 || number > u32::MAX.into() {
            return Err(RefusedError::Device(format!("{number} is no device's number")));
        }
    }
    match rule.typ() {
        Some(oci_spec::runtime::LinuxDeviceType::P) => {
            Err(RefusedError::Device("a fifo needs no rule".to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What is said to a usual bundle with these changes: JSON pointers and values.
    fn refused(changes: &[(&str, Value)]) -> String {
        let kinds = ["mount", "pid", "uts", "ipc", "network"];
        let mut spec = json!({
            "ociVersion": "1.2.0",
            "hostname": "box",
            "process": { "cwd": "/", "args": ["sh"], "user": { "uid": 0, "gid": 0 } },
            "linux": { "namespaces": kinds.map(|kind| json!({ "type": kind })), "resources": {} }
        });
        for (pointer, value) in changes {
            let (above, name) = pointer.rsplit_once('/').unwrap();
            spec.pointer_mut(above).unwrap()[name] = value.clone();
        }
        let spec = serde_json::from_value(spec).unwrap();
        match check(&spec, Machine { apparmor: false, selinux: false }) {
            Ok(()) => "fine".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn nothing_that_protects_is_passed_over_in_silence() {
        let one = |pointer: &str, value: Value| refused(&[(pointer, value)]);
        let only = |kinds: &[&str]| {
            let list = kinds.iter().map(|kind| json!({ "type": kind })).collect();
            ("/linux/namespaces", Value::Array(list))
        };
        let ids = json!([{ "containerID": 0, "hostID": 1, "size": 1 }]);
        let bind =
            json!([{ "destination": "/a", "type": "bind", "source": "/b", "options": ["bind", "noexecc"] }]);
        let rule = |rule: Value| one("/linux/resources/devices", json!([rule]));
        let texts = [
            one("/annotations", json!({ "a": "b" })),
            one("/process/apparmorProfile", json!("docker-default")),
            one("/process/selinuxLabel", json!("system_u:system_r:container_t:s0")),
            one("/linux/mountLabel", json!("system_u:object_r:container_file_t:s0")),
            one("/process/execCPUAffinity", json!({ "final": "0" })),
            one("/process/cwd", json!("tmp")),
            one("/linux/intelRdt", json!({ "closID": "x" })),
            one("/linux/memoryPolicy", json!({ "mode": "MPOL_BIND", "nodes": "0" })),
            one("/linux/netDevices", json!({ "eth0": {} })),
            one("/linux/personality", json!({ "domain": "LINUX", "flags": ["X"] })),
            one("/linux/rootfsPropagation", json!("rsomething")),
            one("/linux/resources/blockIO", json!({ "leafWeight": 100 })),
            one("/mounts", bind),
            one(
                "/mounts",
                json!([{ "destination": "/a", "type": "bind", "source": "/b", "uidMappings": ids, "gidMappings": ids }]),
            ),
            rule(json!({ "allow": false, "access": "x" })),
            rule(json!({ "allow": true, "type": "c", "major": -7 })),
            rule(json!({ "allow": false, "type": "p" })),
            refused(&[only(&["pid"])]),
            refused(&[only(&["mount"])]),
            refused(&[only(&["mount", "mount"])]),
            refused(&[only(&["mount", "uts", "user"])]),
            one("/linux/uidMappings", ids.clone()),
            refused(&[only(&["mount", "uts", "user"]), ("/linux/uidMappings", ids)]),
            one("/linux/timeOffsets", json!({ "monotonic": { "secs": 1 } })),
            one("/linux/namespaces", json!([{ "type": "mount", "path": "/proc/1/ns/mnt" }])),
        ];
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[test]
    fn a_parameter_of_the_whole_machine_is_not_set() {
        let with = |name: &str| refused(&[("/linux/sysctl", json!({ name: "1" }))]);
        let shared = |name: &str| {
            let none = json!([{ "type": "mount" }, { "type": "uts" }]);
            refused(&[("/linux/sysctl", json!({ name: "1" })), ("/linux/namespaces", none)])
        };
        let own_network = json!([
            { "type": "mount" }, { "type": "uts" }, { "type": "network", "path": "/proc/self/ns/net" }
        ]);
        let texts = [
            with("net.ipv4.ip_forward"),
            with("net/ipv4/conf/eth0.1/rp_filter"),
            with("kernel.shmmax"),
            with("fs.mqueue.msg_max"),
            with("kernel.domainname"),
            with("kernel.hostname"),
            with("kernel.core_pattern"),
            with("kernel/core_pattern"),
            with("vm.overcommit_memory"),
            shared("net.ipv4.ip_forward"),
            shared("kernel.shmmax"),
            refused(&[
                ("/linux/sysctl", json!({ "net.core.somaxconn": "1" })),
                ("/linux/namespaces", own_network),
            ]),
        ];
        insta::assert_snapshot!(texts.join("\n"));
    }
}
