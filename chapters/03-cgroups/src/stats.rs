//! What a container has used: the numbers behind `docker stats`.
//!
//! The kernel counts for every cgroup that has the controller; we read the files and add nothing up over time.
//! A part whose controller is missing is none, not zero.

use std::path::Path;

use mini_sys::Result;
use mini_sys::file::read_text;

/// What a cgroup has used so far, and is using now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Memory.
    pub memory: Option<MemoryStats>,
    /// Processor time.
    pub cpu: Option<CpuStats>,
    /// Processes and threads.
    pub pids: Option<PidsStats>,
    /// Disk traffic, an entry for each disk that saw any.
    pub io: Vec<IoStats>,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Everything charged to the cgroup, with its part of the page cache.
    pub charged: u64,
    /// Cached file contents that have not been used lately, which the kernel can drop at any time.
    pub inactive_file: u64,
    /// The limit, if there is one.
    pub limit: Option<u64>,
    /// The highest value of `charged`, where the kernel tells it (v2: Linux 5.19).
    pub peak: Option<u64>,
    /// Swap in use, where the kernel counts it.
    pub swap: Option<u64>,
}

impl MemoryStats {
    /// What Docker shows as memory usage: what is charged, without the cache that can be dropped.
    pub fn used(&self) -> u64 {
        self.charged.checked_sub(self.inactive_file).unwrap_or(self.charged)
    }
}

/// Processor time, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuStats {
    /// All of it.
    pub total_ns: u64,
    /// In the programs.
    pub user_ns: u64,
    /// In the kernel on their behalf.
    pub system_ns: u64,
    /// How the quota was felt, where there is one.
    pub throttling: Throttling,
}

/// How a quota of processor time was felt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Throttling {
    /// Periods in which the container wanted to run.
    pub periods: u64,
    /// Periods in which it used its quota up and had to wait.
    pub throttled_periods: u64,
    /// For how long its threads waited, in sum.
    pub throttled_ns: u64,
}

/// Processes and threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PidsStats {
    /// How many there are.
    pub current: u64,
    /// How many there may be, if that is limited.
    pub limit: Option<u64>,
}

/// What went to and from one disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IoStats {
    /// The driver's number.
    pub major: u32,
    /// The disk's number within its driver.
    pub minor: u32,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
}

/// A number from a file that holds only that; none for `max`.
pub(crate) fn number(file: &Path) -> Result<Option<u64>> {
    Ok(read_text(file)?.trim_end().parse().ok())
}

/// The value of `key` in a file of lines `key value`.
pub(crate) fn keyed(text: &str, key: &str) -> Option<u64> {
    let values = text.lines().filter_map(|line| line.split_once(' '));
    values.into_iter().find(|(name, _)| *name == key).and_then(|(_, value)| value.trim().parse().ok())
}

/// `254:0`.
pub(crate) fn device(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{MemoryStats, device, keyed};

    #[test]
    fn cache_that_can_be_dropped_is_not_used_memory() {
        let stats = MemoryStats { charged: 100, inactive_file: 30, ..MemoryStats::default() };
        assert_eq!(stats.used(), 70);
        // The two are read one after the other and may not fit together.
        let stats = MemoryStats { charged: 100, inactive_file: 130, ..MemoryStats::default() };
        assert_eq!(stats.used(), 100);
    }

    #[test]
    fn a_key_is_matched_as_a_whole() {
        let text = "oom 3\noom_kill 2\n";
        assert_eq!(
            (keyed(text, "oom"), keyed(text, "oom_kill"), keyed(text, "oo")),
            (Some(3), Some(2), None)
        );
        assert_eq!((device("254:0"), device("x")), (Some((254, 0)), None));
    }
}
