//! Parameters of the kernel that a bundle may set: those that a namespace of its own has for itself. namespaces(7), sysctl(8).

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use oci_spec::runtime::{Linux, LinuxNamespaceType};

use super::refused::RefusedError;

/// The parameters that an ipc namespace has for itself. ipc_namespaces(7).
const OF_IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// A parameter that no namespace of the container has for itself is the machine's, and the process that sets it is root.
pub(super) fn check(linux: &Linux) -> Result<(), RefusedError> {
    let own = own(linux);
    let has = |kind: LinuxNamespaceType| own.contains(&kind.to_string());
    let mut names: Vec<&String> = linux.sysctl().iter().flatten().map(|(name, _)| name).collect();
    names.sort_unstable();
    for name in names {
        let dotted = dotted(name);
        let host = |kind| Err(RefusedError::HostSysctl { name: name.clone(), kind });
        match dotted.as_str() {
            _ if OF_IPC.contains(&dotted.as_str()) || dotted.starts_with("fs.mqueue.") => {
                if !has(LinuxNamespaceType::Ipc) {
                    return host("ipc");
                }
            }
            _ if dotted.starts_with("net.") => {
                if !has(LinuxNamespaceType::Network) || joins_own_network(linux) {
                    return host("network");
                }
            }
            "kernel.domainname" if has(LinuxNamespaceType::Uts) => {}
            "kernel.hostname" if has(LinuxNamespaceType::Uts) => {
                return Err(RefusedError::HostnameSysctl(name.clone()));
            }
            _ => return Err(RefusedError::Sysctl(name.clone())),
        }
    }
    Ok(())
}

/// A name with dots, of one that may be written with slashes. sysctl(8).
fn dotted(name: &str) -> String {
    match name.find(['.', '/']) {
        Some(first) if name[first..].starts_with('/') => name
            .chars()
            .map(|letter| match letter {
                '/' => '.',
                '.' => '/',
                other => other,
            })
            .collect(),
        _ => name.to_owned(),
    }
}

/// Whether the network namespace that is joined is the one that we are in.
fn joins_own_network(linux: &Linux) -> bool {
    let all = linux.namespaces().iter().flatten();
    let mut networks = all.filter(|namespace| namespace.typ() == LinuxNamespaceType::Network);
    let path = networks.next().and_then(|namespace| namespace.path().clone());
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else { return false };
    let file = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    file(&path).is_some_and(|joined| Some(joined) == file(Path::new("/proc/self/ns/net")))
}

/// The kinds that the container does not share with everybody.
fn own(linux: &Linux) -> HashSet<String> {
    linux.namespaces().iter().flatten().map(|namespace| namespace.typ().to_string()).collect()
}
