//! What a container may use: the request, in the words of `docker run`, and what is wrong with it.
//!
//! A number here means what it means in the OCI runtime specification: no value leaves things as they are,
//! -1 lifts a limit. [`Limits::check`] refuses what Docker refuses, so that the kernel's terse `EINVAL` is
//! left for what nobody foresaw. docker-run(1), config-linux.md "Control groups"; book ch. 3.

use crate::cpu_list::{CpuList, CpuListError};
use crate::device::{self, DeviceRule};
use crate::rare::Rare;

/// The least memory that Docker accepts as a limit: 6 MiB. Below it not even a shell starts.
pub const MEMORY_MINIMUM: i64 = 6 * 1024 * 1024;

/// Limits for one container. The default limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; -1 for as much as there is. `--memory`
    pub memory: Option<i64>,
    /// Bytes of memory and swap together; -1 for as much swap as there is. Without it, a container with a
    /// limit on memory gets as much swap again. `--memory-swap`
    pub memory_swap: Option<i64>,
    /// Bytes of memory that are its own when memory is short. `--memory-reservation`
    pub memory_reservation: Option<i64>,
    /// Microseconds of processor time per period, over all CPUs; -1 for all. `--cpu-quota`
    pub cpu_quota: Option<i64>,
    /// The length of that period in microseconds, 1,000 to 1,000,000. `--cpu-period`
    pub cpu_period: Option<u64>,
    /// The container's part when CPUs are contended, 2 to 262,144; 1,024 is the default. `--cpu-shares`
    pub cpu_shares: Option<u64>,
    /// The CPUs it runs on, as `0-2,4`. `--cpuset-cpus`
    pub cpuset_cpus: Option<String>,
    /// The memory nodes it allocates from. `--cpuset-mems`
    pub cpuset_mems: Option<String>,
    /// Processes and threads; -1 for any number. `--pids-limit`
    pub pids: Option<i64>,
    /// The container's part when a disk is contended, 10 to 1,000. `--blkio-weight`
    pub io_weight: Option<u16>,
    /// Upper bounds for single disks. `--device-read-bps` and its like
    pub io_throttles: Vec<IoThrottle>,
    /// Which devices may be used; the last rule that matches decides, and nothing is allowed that none
    /// matches. Without any rule, all devices.
    pub devices: Vec<DeviceRule>,
    /// What few ask for.
    pub rare: Rare,
}

/// How fast one disk may be read and written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IoThrottle {
    /// The driver's number.
    pub major: u32,
    /// The disk's number within its driver.
    pub minor: u32,
    /// Bytes a second. `--device-read-bps`
    pub read_bps: Option<u64>,
    /// Bytes a second. `--device-write-bps`
    pub write_bps: Option<u64>,
    /// Operations a second. `--device-read-iops`
    pub read_iops: Option<u64>,
    /// Operations a second. `--device-write-iops`
    pub write_iops: Option<u64>,
}

/// A limit that makes no sense, on this machine or at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// A limit that nothing could live under.
    #[error("`{flag} 0` leaves nothing to run with")]
    Zero {
        /// Which limit.
        flag: &'static str,
    },
    /// Less memory than [`MEMORY_MINIMUM`].
    #[error("`--memory {bytes}` is below the minimum memory limit of 6MB ({MEMORY_MINIMUM} bytes)")]
    MemoryTooSmall {
        /// What was asked for.
        bytes: i64,
    },
    /// Swap is limited as a part of a limit on memory.
    #[error("`--memory-swap {bytes}` needs `--memory` too: it is the sum of memory and swap")]
    SwapAlone {
        /// What was asked for.
        bytes: i64,
    },
    /// The sum of memory and swap cannot be less than the memory.
    #[error("`--memory-swap {total}` is less than the memory, `--memory {memory}`: it is the sum of both")]
    SwapBelowMemory {
        /// Memory and swap.
        total: i64,
        /// Memory.
        memory: i64,
    },
    /// A reservation is a softer limit below the hard one.
    #[error("`--memory-reservation {reservation}` is more than the limit, `--memory {memory}`")]
    ReservationAboveMemory {
        /// What was asked for.
        reservation: i64,
        /// The hard limit.
        memory: i64,
    },
    /// A number outside of what the kernel takes.
    #[error("`{flag} {value}` is out of range: {range}")]
    OutOfRange {
        /// Which limit.
        flag: &'static str,
        /// What was asked for.
        value: String,
        /// What is possible.
        range: &'static str,
    },
    /// More processors than there are, or next to none.
    #[error("`--cpus {asked}` is out of range: 0.01 to {available}, as this machine has {available} CPUs")]
    TooManyCpus {
        /// What was asked for, in processors.
        asked: String,
        /// How many processors there are.
        available: u64,
    },
    /// Not a list of numbers.
    #[error("read `{flag}`")]
    BadList {
        /// Which limit.
        flag: &'static str,
        /// What is wrong.
        source: CpuListError,
    },
    /// CPUs or memory nodes that the machine does not have or may not use.
    #[error("`{flag} {asked}` is not available: this machine has {available}")]
    NotAvailable {
        /// Which limit.
        flag: &'static str,
        /// What was asked for.
        asked: String,
        /// What there is.
        available: CpuList,
    },
}

impl Limits {
    /// Sets quota and period for `nano_cpus` billionths of a CPU, on a machine with `available` CPUs: what
    /// `--cpus 1.5` means.
    ///
    /// # Errors
    /// [`LimitError::TooManyCpus`] for more than there are and for less than a hundredth of one.
    pub fn set_cpus(&mut self, nano_cpus: u64, available: u64) -> Result<(), LimitError> {
        const PERIOD: u64 = 100_000;
        const NANOS: u64 = 1_000_000_000;
        if nano_cpus < NANOS / 100 || nano_cpus > available.saturating_mul(NANOS) {
            let asked = format!("{}.{:02}", nano_cpus / NANOS, nano_cpus % NANOS / (NANOS / 100));
            return Err(LimitError::TooManyCpus { asked, available });
        }
        self.cpu_period = Some(PERIOD);
        self.cpu_quota = Some((u128::from(nano_cpus) * u128::from(PERIOD) / u128::from(NANOS)) as i64);
        Ok(())
    }

    /// Refuses what Docker refuses, and CPUs or memory nodes other than `cpus` and `mems`.
    ///
    /// # Errors
    /// The first limit that makes no sense.
    pub fn check(&self, cpus: &CpuList, mems: &CpuList) -> Result<(), LimitError> {
        if let (Some(total), None | Some(-1)) = (self.memory_swap.filter(|total| *total > 0), self.memory) {
            return Err(LimitError::SwapAlone { bytes: total });
        }
        self.check_values(cpus, mems)
    }

    /// [`Limits::check`] for a container that may have a limit on memory already.
    pub(crate) fn check_values(&self, cpus: &CpuList, mems: &CpuList) -> Result<(), LimitError> {
        self.check_memory()?;
        let quota = self.cpu_quota.map(i128::from).filter(|quota| *quota != -1);
        between("--cpu-quota", quota, 1_000, i64::MAX.into(), "at least 1000 (1 ms)")?;
        let period = self.cpu_period.map(i128::from);
        between("--cpu-period", period, 1_000, 1_000_000, "1000 (1 ms) to 1000000 (1 s)")?;
        between("--cpu-shares", self.cpu_shares.map(i128::from), 2, 262_144, "2 to 262144")?;
        let weight = self.io_weight.map(i128::from);
        between("--blkio-weight", weight, 10, 1_000, "10 to 1000")?;
        amount("--pids-limit", self.pids)?;
        for (flag, value) in self.io_throttles.iter().flat_map(IoThrottle::values) {
            between(flag, value.map(i128::from), 1, i64::MAX.into(), "at least 1")?;
        }
        listed("--cpuset-cpus", self.cpuset_cpus.as_deref(), cpus)?;
        listed("--cpuset-mems", self.cpuset_mems.as_deref(), mems)
    }

    fn check_memory(&self) -> Result<(), LimitError> {
        amount("--memory", self.memory)?;
        amount("--memory-swap", self.memory_swap)?;
        amount("--memory-reservation", self.memory_reservation)?;
        let Some(memory) = self.memory.filter(|memory| *memory != -1) else { return Ok(()) };
        if memory < MEMORY_MINIMUM {
            return Err(LimitError::MemoryTooSmall { bytes: memory });
        }
        if let Some(total) = self.memory_swap.filter(|total| *total != -1 && *total < memory) {
            return Err(LimitError::SwapBelowMemory { total, memory });
        }
        match self.memory_reservation.filter(|reservation| *reservation > memory) {
            Some(reservation) => Err(LimitError::ReservationAboveMemory { reservation, memory }),
            None => Ok(()),
        }
    }

    /// Memory and swap together for a new container: as asked, else twice the memory, as Docker has it.
    pub(crate) fn memory_and_swap(&self) -> Option<i64> {
        todo!("how much swap comes with a limit on memory")
    }

    /// Whether the devices are limited at all.
    pub(crate) fn restricts_devices(&self) -> bool {
        let (otherwise_allowed, rules) = device::in_effect(&self.devices);
        !otherwise_allowed || !rules.is_empty()
    }
}

impl IoThrottle {
    /// Each bound with its flag.
    pub(crate) fn values(&self) -> [(&'static str, Option<u64>); 4] {
        [
            ("--device-read-bps", self.read_bps),
            ("--device-write-bps", self.write_bps),
            ("--device-read-iops", self.read_iops),
            ("--device-write-iops", self.write_iops),
        ]
    }
}

/// -1 or a positive number.
fn amount(flag: &'static str, value: Option<i64>) -> Result<(), LimitError> {
    let limited = value.filter(|value| *value != -1);
    between(flag, limited.map(i128::from), 1, i64::MAX.into(), "a positive number, or -1 for no limit")
}

fn between(
    flag: &'static str,
    value: Option<i128>,
    least: i128,
    most: i128,
    range: &'static str,
) -> Result<(), LimitError> {
    match value {
        Some(0) => Err(LimitError::Zero { flag }),
        Some(value) if value < least || value > most => {
            Err(LimitError::OutOfRange { flag, value: value.to_string(), range })
        }
        _ => Ok(()),
    }
}

fn listed(flag: &'static str, text: Option<&str>, available: &CpuList) -> Result<(), LimitError> {
    let Some(text) = text else { return Ok(()) };
    let asked: CpuList = text.parse().map_err(|source| LimitError::BadList { flag, source })?;
    if asked.count() == 0 {
        return Err(LimitError::BadList { flag, source: CpuListError::new(text) });
    }
    if !available.contains_all(&asked) {
        return Err(LimitError::NotAvailable { flag, asked: text.to_owned(), available: available.clone() });
    }
    Ok(())
}
