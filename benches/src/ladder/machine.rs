//! Where and when: a time says nothing without.

use std::fs;

use serde::Serialize;

/// The machine, its kernel, and the day.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The day in UTC, as `2026-11-23`.
    pub date: String,
    /// The processor, and how many of it we may use.
    pub machine: String,
    /// The kernel's name and release.
    pub kernel: String,
}

impl Machine {
    /// This one, now. What cannot be found out is left empty.
    pub fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpus = std::thread::available_parallelism().map_or(1, |count| count.get());
        let processor = processor(&read("/proc/cpuinfo"));
        let now = jiff::Timestamp::now().to_string();
        Self {
            date: now.split('T').next().unwrap_or_default().to_owned(),
            machine: format!("{processor}, {cpus} CPU{}", if cpus == 1 { "" } else { "s" }),
            kernel: format!("{} {}", read("/proc/sys/kernel/ostype"), read("/proc/sys/kernel/osrelease")),
        }
    }
}

/// The name of the processor, without the marks of its trade. aarch64 names none there, so it is the
/// architecture that we say.
fn processor(cpuinfo: &str) -> String {
    let name = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    match name {
        Some((_, name)) => name.replace("(R)", "").replace("(TM)", ""),
        None => std::env::consts::ARCH.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::processor;

    #[test]
    fn the_processor_is_named_as_its_maker_does() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: Some(R) CPU @ 2.00GHz\n"), "Some CPU @ 2.00GHz");
        assert_eq!(processor("processor\t: 0\nBogoMIPS\t: 50.00\n"), std::env::consts::ARCH);
    }
}
