//! What `/proc` tells of a process: proc(5).

use std::sync::OnceLock;

use nix::unistd::Pid;

/// Names a process for good: a pid alone may be given to another process later, a pid with its start time
/// may not, within one boot. The start time is in clock ticks since boot, field 22 of `/proc/<pid>/stat`.
pub fn start_time(pid: Pid) -> Option<u64> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    parse_start_time(&stat)
}

/// Whether the process that `pid` means now runs or sleeps, that is: exists and is not a zombie.
pub fn is_alive(pid: Pid) -> bool {
    read(&format!("/proc/{pid}/stat")).is_some_and(|stat| runs(&stat))
}

/// Whether the process that had this start time runs or sleeps: [`start_time`] and [`is_alive`] by one look.
pub fn is_alive_since(pid: Pid, start_time: u64) -> bool {
    let stat = read(&format!("/proc/{pid}/stat"));
    stat.is_some_and(|stat| parse_start_time(&stat) == Some(start_time) && runs(&stat))
}

fn runs(stat: &str) -> bool {
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !matches!(rest.trim_start().chars().next(), Some('Z' | 'X') | None))
}

/// The identifier of this boot of the machine, `/proc/sys/kernel/random/boot_id`. No process sees another boot, so it
/// is read once.
pub fn boot_id() -> String {
    static BOOT: OnceLock<String> = OnceLock::new();
    let read = || read("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim_end().to_owned();
    BOOT.get_or_init(read).clone()
}

fn read(path: &str) -> Option<String> {
    crate::file::read_text(std::path::Path::new(path)).ok()
}

/// The command's name stands in parentheses and may itself hold spaces and parentheses, so fields are
/// counted from the last one.
fn parse_start_time(stat: &str) -> Option<u64> {
    // ANCHOR: start-time
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
    // ANCHOR_END: start-time
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 0 0";
        assert_eq!(super::parse_start_time(stat), Some(777));
    }
}
