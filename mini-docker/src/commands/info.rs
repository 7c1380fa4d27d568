//! `info`: the engine and the machine at a glance. docker-info(1).

use std::fs;

use mini_cgroups::Layout;
use mini_engine::{Home, Status, list};
use serde_json::{Value, json};

use crate::cli::Format;
use crate::commands::print;
use crate::format;

pub(crate) fn run(home: &Home, args: &Format) -> anyhow::Result<u8> {
    super::repair(home);
    let info = gather(home)?;
    if let Some(format) = &args.format {
        return print(&(format::object(&info, format)? + "\n"));
    }
    let line = |name: &str, field: &str| format!(" {name}: {}\n", text(&info[field]));
    let lines = [
        ("Containers", "Containers"),
        (" Running", "ContainersRunning"),
        (" Paused", "ContainersPaused"),
        (" Stopped", "ContainersStopped"),
        ("Images", "Images"),
        ("Server Version", "ServerVersion"),
        ("Storage Driver", "Driver"),
        ("Logging Driver", "LoggingDriver"),
        ("Cgroup Driver", "CgroupDriver"),
        ("Cgroup Version", "CgroupVersion"),
        ("Kernel Version", "KernelVersion"),
        ("Operating System", "OperatingSystem"),
        ("OSType", "OSType"),
        ("Architecture", "Architecture"),
        ("CPUs", "NCPU"),
        ("Total Memory", "MemTotal"),
        ("Name", "Name"),
        ("Docker Root Dir", "DockerRootDir"),
    ];
    let body: String = lines.iter().map(|(name, field)| line(name, field)).collect();
    print(&format!("Server:\n{body}"))
}

fn gather(home: &Home) -> anyhow::Result<Value> {
    let (records, _) = list::list(home, true, &[])?;
    let running = records.iter().filter(|record| record.state.status == Status::Running).count();
    let layout = Layout::detect()?;
    Ok(json!({
        "Containers": records.len(),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": records.len() - running,
        "Images": home.images()?.list()?.len(),
        "Driver": "overlay2",
        "LoggingDriver": "json-file",
        "CgroupDriver": if layout.unified.is_none() && layout.hierarchies.is_empty() { "none" } else { "cgroupfs" },
        "CgroupVersion": if layout.is_unified_alone() { "2" } else { "1" },
        "KernelVersion": kernel(),
        "OperatingSystem": operating_system(),
        "OSType": "linux",
        "Architecture": std::env::consts::ARCH,
        "NCPU": std::thread::available_parallelism().map_or(1, usize::from),
        "MemTotal": memory(),
        "DockerRootDir": home.path().display().to_string(),
        "Name": read("/proc/sys/kernel/hostname"),
        "ServerVersion": env!("CARGO_PKG_VERSION"),
    }))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim_end().to_owned()
}

/// The kernel's version.
pub(crate) fn kernel() -> String {
    read("/proc/sys/kernel/osrelease")
}

fn operating_system() -> String {
    let release = read("/etc/os-release");
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| "Linux".to_owned(), |name| name.trim_matches('"').to_owned())
}

/// The machine's memory in bytes.
fn memory() -> u64 {
    let text = read("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes =
        line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
