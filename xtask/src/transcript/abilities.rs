//! What a block may ask of the machine, and whether this one has it.

use std::fs;
use std::process::{Command, Stdio};

/// The names that `requires=` knows.
pub const ABILITIES: [&str; 7] =
    ["root", "user-namespaces", "overlay", "cgroups", "cgroup-v1", "cgroup-v2", "memory-limit"];

/// Whether this machine has the ability called `name`; none when there is no such ability.
pub fn has(name: &str) -> Option<bool> {
    Some(match name {
        "root" => ids("Uid:").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0")),
        "user-namespaces" => succeeds("unshare", &["--user", "--map-root-user", "true"]),
        "overlay" => {
            let types = fs::read_to_string("/proc/filesystems").unwrap_or_default();
            types.lines().any(|line| line.ends_with("\toverlay"))
        }
        "cgroups" => !mounts_of("cgroup").is_empty() || has_v2("memory"),
        "cgroup-v1" => !mounts_of("cgroup").is_empty(),
        "cgroup-v2" => has_v2("memory"),
        "memory-limit" => {
            has_v2("memory") || mounts_of("cgroup").iter().any(|mount| mount.contains("memory"))
        }
        _ => return None,
    })
}

/// A machine counts as one of cgroup v2 when its one tree has the controllers; in a hybrid v1 has them.
fn has_v2(controller: &str) -> bool {
    let controllers = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    controllers.split_whitespace().any(|name| name == controller)
}

/// The lines of proc_pid_mountinfo(5) for file systems of the type `kind`.
fn mounts_of(kind: &str) -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_kind = |line: &&str| {
        line.split_once(" - ").is_some_and(|(_, rest)| rest.split_whitespace().next() == Some(kind))
    };
    mounts.lines().filter(is_kind).map(str::to_owned).collect()
}

fn ids(key: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix(key))?.trim().to_owned())
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::{ABILITIES, has};

    #[test]
    fn every_ability_can_be_asked_for_and_no_other() {
        assert!(ABILITIES.iter().all(|name| has(name).is_some()));
        assert_eq!(has("luck"), None);
    }
}
