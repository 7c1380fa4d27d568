//! What `/proc` tells of a container's processes: the numbers behind `top`.
//!
//! No program of the host is asked, and none of the container, which may have no ps(1). A pid is only looked at: one
//! that has come to mean another process in the meantime shows up as that process. proc_pid_stat(5); book ch. 10.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use mini_cgroups::{Cgroup, Layout};
use mini_sys::{Pid, file};

use crate::home::Home;
use crate::record::Record;

/// Clock ticks in a second, on every machine that Linux runs on: `USER_HZ`. time(7).
const TICKS: u64 = 100;

/// A process, as the host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent's.
    pub ppid: i32,
    /// Its process group's.
    pub pgid: i32,
    /// Its session's.
    pub sid: i32,
    /// The group in the foreground of its terminal; -1 without one.
    pub foreground: i32,
    /// Its terminal's device number; 0 without one.
    pub tty: u64,
    /// `R`, `S`, `D`, `Z`, `T`, …
    pub state: char,
    /// Its program's name, at most 15 bytes.
    pub name: String,
    /// The program and its arguments; empty for a zombie.
    pub arguments: Vec<String>,
    /// Real and effective user.
    pub uids: [u32; 2],
    /// Real and effective group.
    pub gids: [u32; 2],
    /// Threads.
    pub threads: u64,
    /// -20 to 19.
    pub nice: i64,
    /// The kernel's priority.
    pub priority: i64,
    /// The processor that it ran on last.
    pub processor: i64,
    /// Flags of the kernel.
    pub flags: u64,
    /// Virtual memory, in bytes.
    pub virtual_memory: u64,
    /// Memory that is resident, in bytes.
    pub resident: u64,
    /// Some of it is locked.
    pub locked: bool,
    /// Processor time that it has used.
    pub used: Duration,
    /// How long ago it started.
    pub age: Duration,
}

/// The numbers of all processes of a container, those that were executed in it included.
///
/// # Errors
/// That the kernel does not tell.
pub fn pids(record: &Record) -> mini_sys::Result<Vec<Pid>> {
    let cgroup = Cgroup::open(&Layout::detect()?, &Home::cgroup(&record.id)).ok();
    if let Some(cgroup) = cgroup.filter(Cgroup::exists) {
        return cgroup.pids();
    }
    // Without a cgroup, whoever is in its pid namespace.
    let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = record.state.process.as_ref().and_then(|process| namespace(process.pid));
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.filter(|pid| own.is_some() && namespace(*pid) == own).map(Pid::from_raw).collect())
}

/// What is known of these processes, in the order of their numbers. Those that have ended are left out.
pub fn processes(pids: &[Pid]) -> Vec<Process> {
    let up = uptime();
    let mut pids = pids.to_vec();
    pids.sort_unstable();
    pids.iter().filter_map(|pid| process(*pid, up)).collect()
}

/// When the process started.
pub fn started(process: &Process, now: Timestamp) -> Timestamp {
    now.checked_sub(process.age).unwrap_or(now)
}

fn uptime() -> Duration {
    let text = file::read_text(std::path::Path::new("/proc/uptime")).unwrap_or_default();
    let seconds = text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn process(pid: Pid, up: Duration) -> Option<Process> {
    let read = |name: &str| file::read_text(std::path::Path::new(&format!("/proc/{pid}/{name}"))).ok();
    let (stat, status) = (read("stat")?, read("status")?);
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    parse(pid.as_raw(), &stat, &status, &arguments, up)
}

fn parse(pid: i32, stat: &str, status: &str, arguments: &[u8], up: Duration) -> Option<Process> {
    // The name may hold anything, parentheses too.
    let (before, after) = stat.rsplit_once(") ")?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    // Numbered as in proc_pid_stat(5), where the state is 3.
    let text = |number: usize| fields.get(number - 3).copied();
    let signed = |number: usize| text(number)?.parse::<i64>().ok();
    let unsigned = |number: usize| text(number)?.parse::<u64>().ok();
    let ids = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        let mut numbers = line.split_ascii_whitespace().filter_map(|text| text.parse().ok());
        Some([numbers.next()?, numbers.next()?])
    };
    let kilobytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.split_ascii_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    };
    let ticks = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
    let words = arguments.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    Some(Process {
        pid,
        ppid: signed(4)? as i32,
        pgid: signed(5)? as i32,
        sid: signed(6)? as i32,
        tty: signed(7)? as u32 as u64,
        foreground: signed(8)? as i32,
        state: text(3)?.chars().next()?,
        name,
        arguments: words.map(|word| String::from_utf8_lossy(word).into_owned()).collect(),
        uids: ids("Uid:")?,
        gids: ids("Gid:")?,
        threads: unsigned(20)?,
        nice: signed(19)?,
        priority: signed(18)?,
        processor: signed(39).unwrap_or(0),
        flags: unsigned(9)?,
        virtual_memory: unsigned(23)?,
        resident: kilobytes("VmRSS:") * 1024,
        locked: kilobytes("VmLck:") > 0,
        used: ticks(unsigned(14)? + unsigned(15)?),
        age: up.saturating_sub(ticks(unsigned(22)?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        let stat = "42 (a) b (c) S 1 42 43 34816 44 4194560 1 0 0 0 150 50 0 0 20 5 3 0 1000 2097152 9 1 1 1 1 1 1 1 1 1 1 1 1 1 17 1 0";
        let status = "Name:\ta) b (c\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nVmRSS:\t  64 kB\nVmLck:\t 0 kB\n";
        let process = parse(42, stat, status, b"sleep\x001000\0", Duration::from_secs(70)).unwrap();
        assert_eq!((process.name.as_str(), process.state), ("a) b (c", 'S'));
        assert_eq!((process.ppid, process.sid, process.tty, process.foreground), (1, 43, 34816, 44));
        assert_eq!((process.uids, process.gids), ([1, 2], [5, 6]));
        assert_eq!((process.nice, process.threads, process.resident), (5, 3, 65536));
        assert_eq!((process.used, process.age), (Duration::from_secs(2), Duration::from_secs(60)));
        assert_eq!(process.arguments, ["sleep", "1000"]);
    }

    #[test]
    fn this_process_is_found() {
        let own = processes(&[Pid::this()]);
        assert_eq!(own[0].pid, Pid::this().as_raw());
        assert!(own[0].resident > 0 && own[0].threads > 0);
    }
}
