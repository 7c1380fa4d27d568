//! Accounting as cgroup v2 tells it: cgroup-v2.rst, "Controllers".

use std::path::Path;

use mini_sys::Result;
use mini_sys::file::read_text;

use crate::stats::{CpuStats, IoStats, MemoryStats, PidsStats, Throttling, device, keyed, number};

pub(crate) fn memory(directory: &Path) -> Result<MemoryStats> {
    let stat = read_text(&directory.join("memory.stat"))?;
    Ok(MemoryStats {
        charged: number(&directory.join("memory.current"))?.unwrap_or_default(),
        inactive_file: keyed(&stat, "inactive_file").unwrap_or_default(),
        limit: number(&directory.join("memory.max"))?,
        peak: number(&directory.join("memory.peak")).ok().flatten(),
        swap: number(&directory.join("memory.swap.current")).ok().flatten(),
    })
}

/// Every v2 cgroup counts processor time; the lines about throttling need the controller.
pub(crate) fn cpu(directory: &Path) -> Result<CpuStats> {
    Ok(parse_cpu(&read_text(&directory.join("cpu.stat"))?))
}

fn parse_cpu(stat: &str) -> CpuStats {
    let value = |key| keyed(stat, key).unwrap_or_default();
    let nanoseconds = |key| value(key).saturating_mul(1_000);
    CpuStats {
        total_ns: nanoseconds("usage_usec"),
        user_ns: nanoseconds("user_usec"),
        system_ns: nanoseconds("system_usec"),
        throttling: Throttling {
            periods: value("nr_periods"),
            throttled_periods: value("nr_throttled"),
            throttled_ns: nanoseconds("throttled_usec"),
        },
    }
}

pub(crate) fn pids(directory: &Path) -> Result<PidsStats> {
    Ok(PidsStats {
        current: number(&directory.join("pids.current"))?.unwrap_or_default(),
        limit: number(&directory.join("pids.max"))?,
    })
}

pub(crate) fn io(directory: &Path) -> Result<Vec<IoStats>> {
    Ok(parse_io(&read_text(&directory.join("io.stat"))?))
}

/// Lines of `254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0`; a disk without traffic may have a
/// line that ends after its number.
fn parse_io(stat: &str) -> Vec<IoStats> {
    let disk = |line: &str| {
        let (name, values) = line.split_once(' ')?;
        let (major, minor) = device(name)?;
        let value = |wanted: &str| {
            let pairs = values.split(' ').filter_map(|pair| pair.split_once('='));
            let found = pairs.into_iter().find(|(key, _)| *key == wanted);
            found.and_then(|(_, value)| value.parse().ok()).unwrap_or_default()
        };
        let (read_bytes, write_bytes) = (value("rbytes"), value("wbytes"));
        Some(IoStats { major, minor, read_bytes, write_bytes, reads: value("rios"), writes: value("wios") })
    };
    stat.lines().filter_map(disk).filter(|disk| disk.reads + disk.writes > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::{parse_cpu, parse_io};
    use crate::stats::IoStats;

    #[test]
    fn microseconds_become_nanoseconds() {
        let stats = parse_cpu(
            "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 2\n\
                               throttled_usec 7\n",
        );
        assert_eq!((stats.total_ns, stats.user_ns, stats.system_ns), (30_000, 20_000, 10_000));
        assert_eq!((stats.throttling.throttled_periods, stats.throttling.throttled_ns), (2, 7_000));
    }

    #[test]
    fn disk_traffic_is_read_per_disk() {
        let disk = IoStats { major: 254, minor: 0, read_bytes: 4096, write_bytes: 8192, reads: 1, writes: 2 };
        let stat = "7:0 \n254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n";
        assert_eq!(parse_io(stat), [disk]);
    }
}
