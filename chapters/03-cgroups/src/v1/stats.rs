//! Accounting as cgroup v1 tells it: cgroup-v1/memory.rst, cpuacct.rst, blkio-controller.rst.

use std::path::Path;

use mini_sys::Result;
use mini_sys::file::read_text;

use crate::stats::{CpuStats, IoStats, MemoryStats, PidsStats, Throttling, device, keyed, number};

/// A limit that was never set shows as the highest number of whole pages; nothing real comes near it.
const NO_LIMIT: u64 = i64::MAX as u64 / 2;

pub(crate) fn memory(directory: &Path) -> Result<MemoryStats> {
    let stat = read_text(&directory.join("memory.stat"))?;
    Ok(MemoryStats {
        charged: number(&directory.join("memory.usage_in_bytes"))?.unwrap_or_default(),
        inactive_file: keyed(&stat, "total_inactive_file").unwrap_or_default(),
        limit: number(&directory.join("memory.limit_in_bytes"))?.filter(|limit| *limit < NO_LIMIT),
        peak: number(&directory.join("memory.max_usage_in_bytes")).ok().flatten(),
        swap: keyed(&stat, "total_swap"),
    })
}

/// The limit on memory and swap together, if there is one.
pub(crate) fn memory_and_swap(directory: &Path) -> Option<u64> {
    let limit = number(&directory.join("memory.memsw.limit_in_bytes")).ok().flatten();
    limit.filter(|limit| *limit < NO_LIMIT)
}

pub(crate) fn cpuacct(directory: &Path) -> Result<CpuStats> {
    let read = |file: &str| Ok(number(&directory.join(file))?.unwrap_or_default());
    Ok(CpuStats {
        total_ns: read("cpuacct.usage")?,
        user_ns: read("cpuacct.usage_user")?,
        system_ns: read("cpuacct.usage_sys")?,
        throttling: Throttling::default(),
    })
}

pub(crate) fn throttling(directory: &Path) -> Result<Throttling> {
    let stat = read_text(&directory.join("cpu.stat"))?;
    let value = |key| keyed(&stat, key).unwrap_or_default();
    Ok(Throttling {
        periods: value("nr_periods"),
        throttled_periods: value("nr_throttled"),
        throttled_ns: value("throttled_time"),
    })
}

pub(crate) fn pids(directory: &Path) -> Result<PidsStats> {
    Ok(PidsStats {
        current: number(&directory.join("pids.current"))?.unwrap_or_default(),
        limit: number(&directory.join("pids.max"))?,
    })
}

pub(crate) fn io(directory: &Path) -> Result<Vec<IoStats>> {
    let bytes = read_text(&directory.join("blkio.throttle.io_service_bytes_recursive"))?;
    let operations = read_text(&directory.join("blkio.throttle.io_serviced_recursive"))?;
    Ok(parse_io(&bytes, &operations))
}

/// Lines of `254:0 Read 4096`, with a `Total` for each disk and one at the end.
fn parse_io(bytes: &str, operations: &str) -> Vec<IoStats> {
    let mut disks: Vec<IoStats> = Vec::new();
    for (text, is_bytes) in [(bytes, true), (operations, false)] {
        for line in text.lines() {
            let mut words = line.split(' ');
            let (Some(name), Some(kind), Some(value)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let (Some((major, minor)), Ok(value)) = (device(name), value.parse::<u64>()) else { continue };
            let known = disks.iter().position(|disk| (disk.major, disk.minor) == (major, minor));
            let index = known.unwrap_or_else(|| {
                disks.push(IoStats { major, minor, ..IoStats::default() });
                disks.len() - 1
            });
            let disk = &mut disks[index];
            match (kind, is_bytes) {
                ("Read", true) => disk.read_bytes = value,
                ("Write", true) => disk.write_bytes = value,
                ("Read", false) => disk.reads = value,
                ("Write", false) => disk.writes = value,
                _ => {}
            }
        }
    }
    disks
}

#[cfg(test)]
mod tests {
    use super::parse_io;
    use crate::stats::IoStats;

    #[test]
    fn disk_traffic_is_read_per_disk() {
        let bytes = "254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 0\n254:0 Total 12288\nTotal 12288\n";
        let operations = "254:0 Read 1\n254:0 Write 2\n254:0 Total 3\nTotal 3\n";
        let disk = IoStats { major: 254, minor: 0, read_bytes: 4096, write_bytes: 8192, reads: 1, writes: 2 };
        assert_eq!(parse_io(bytes, operations), [disk]);
        assert_eq!(parse_io("Total 0\n", ""), []);
    }
}
