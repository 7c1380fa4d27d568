//! `stats`: what a container uses, from two looks at what the kernel has counted.
//!
//! Memory and processes are told as they are; a share of processors is a difference over the time between the
//! looks. Docker divides by the processors' time of the whole machine and multiplies by their number, which is the
//! time that has passed. docker-stats(1); proc_pid_net(5); book ch. 10.

use std::fs;
use std::time::{Duration, Instant};

use mini_cgroups::{Cgroup, Layout, Stats};
use mini_sys::Pid;

use crate::home::Home;
use crate::record::Record;

/// What the kernel has counted for a container up to a moment.
#[derive(Debug, Clone)]
pub struct Sample {
    at: Instant,
    stats: Stats,
    network: Traffic,
}

/// Bytes that came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received, or read.
    pub incoming: u64,
    /// Sent, or written.
    pub outgoing: u64,
}

/// What a container uses. Zeros for one that does not run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Of one processor, in percent: two that are busy are 200.
    pub cpu: f64,
    /// Memory in bytes, without the cache that can be dropped.
    pub memory: u64,
    /// How much it may have: its limit, or the machine's memory.
    pub memory_limit: u64,
    /// Over its network, loopback apart, since it was started.
    pub network: Traffic,
    /// To and from disks since it was started.
    pub disks: Traffic,
    /// Processes and threads.
    pub pids: u64,
}

impl Usage {
    /// Memory, in percent of what it may have.
    pub fn memory_percent(&self) -> f64 {
        if self.memory_limit == 0 { 0.0 } else { self.memory as f64 / self.memory_limit as f64 * 100.0 }
    }
}

/// Looks at what has been counted; none for a container that does not run.
pub fn sample(layout: &Layout, record: &Record) -> Option<Sample> {
    let process = record.state.process.as_ref().filter(|_| record.state.status.is_up())?;
    let stats = Cgroup::open(layout, &Home::cgroup(&record.id)).ok()?.stats().ok()?;
    // With the host's network all of the host's traffic would be shown.
    let own = record.host_config.network_mode != "host";
    let network = if own { traffic(process.pid()) } else { Traffic::default() };
    Some(Sample { at: Instant::now(), stats, network })
}

impl Sample {
    /// What has been used since `earlier`.
    pub fn since(&self, earlier: &Self) -> Usage {
        let cpu = |sample: &Self| sample.stats.cpu.map_or(0, |cpu| cpu.total_ns);
        let used = cpu(self).saturating_sub(cpu(earlier));
        let memory = self.stats.memory.unwrap_or_default();
        let machine = machine_memory();
        Usage {
            cpu: percent(used, self.at.duration_since(earlier.at)),
            memory: memory.used(),
            memory_limit: memory.limit.unwrap_or(machine).min(machine),
            network: self.network,
            disks: Traffic {
                incoming: self.stats.io.iter().map(|disk| disk.read_bytes).sum(),
                outgoing: self.stats.io.iter().map(|disk| disk.write_bytes).sum(),
            },
            pids: self.stats.pids.map_or(0, |pids| pids.current),
        }
    }
}

fn percent(used_ns: u64, passed: Duration) -> f64 {
    if passed.is_zero() { 0.0 } else { used_ns as f64 / passed.as_nanos() as f64 * 100.0 }
}

fn machine_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// What has passed the network interfaces that the process sees.
fn traffic(pid: Pid) -> Traffic {
    interfaces(&fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default())
}

/// Adds up a table of interfaces: received bytes are the first column, sent ones the ninth.
fn interfaces(text: &str) -> Traffic {
    let mut sum = Traffic::default();
    for line in text.lines() {
        let Some((name, columns)) = line.split_once(':') else { continue };
        if name.trim() == "lo" {
            continue;
        }
        let columns: Vec<u64> = columns.split_whitespace().filter_map(|text| text.parse().ok()).collect();
        sum.incoming += columns.first().unwrap_or(&0);
        sum.outgoing += columns.get(8).unwrap_or(&0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_that_of_all_interfaces_but_loopback() {
        let text = "Inter-|   Receive            |  Transmit\n \
             face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n    \
             lo: 500 5 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n  \
             eth0: 1000 5 0 0 0 0 0 0 70 5 0 0 0 0 0 0\n  \
             eth1:1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n";
        assert_eq!(interfaces(text), Traffic { incoming: 1001, outgoing: 72 });
    }

    #[test]
    fn two_busy_processors_are_two_hundred_percent() {
        assert!((percent(2_000_000_000, Duration::from_secs(1)) - 200.0).abs() < 0.001);
        assert!(percent(5, Duration::ZERO).abs() < 0.001);
    }
}
