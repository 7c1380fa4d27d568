//! `info`: the engine and the machine at a glance. docker-info(1).

use std::fs;

use jiff::Timestamp;
use mini_cgroups::{Controller, Layout};
use mini_engine::{Home, Status, list};
use serde_json::{Value, json};

use crate::cli::Format;
use crate::commands::print;
use crate::{format, settings};

pub(crate) fn run(home: &Home, args: &Format) -> anyhow::Result<u8> {
    super::repair(home);
    let info = gather(home)?;
    if let Some(format) = &args.format {
        return print(&(format::object(&info, format)? + "\n"));
    }
    print(&page(&info))
}

/// Docker's lines.
fn page(info: &Value) -> String {
    let line = |(name, field): (&str, &str)| format!(" {name}: {}\n", text(&info[field]));
    let lines = |pairs: &[(&str, &str)]| pairs.iter().copied().map(line).collect::<String>();
    let words = |list: &Value| list.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(" ");
    let mut page = format!(
        "Client:\n Version:    {}\n Context:    {}\n Debug Mode: false\n\nServer:\n",
        text(&info["ClientInfo"]["Version"]),
        text(&info["ClientInfo"]["Context"])
    );
    page += &lines(&[
        ("Containers", "Containers"),
        (" Running", "ContainersRunning"),
        (" Paused", "ContainersPaused"),
        (" Stopped", "ContainersStopped"),
        ("Images", "Images"),
        ("Server Version", "ServerVersion"),
        ("Storage Driver", "Driver"),
    ]);
    for pair in info["DriverStatus"].as_array().into_iter().flatten() {
        page += &format!("  {}: {}\n", text(&pair[0]), text(&pair[1]));
    }
    page += &lines(&[
        ("Logging Driver", "LoggingDriver"),
        ("Cgroup Driver", "CgroupDriver"),
        ("Cgroup Version", "CgroupVersion"),
    ]);
    page += " Plugins:\n";
    for kind in ["Volume", "Network", "Log"] {
        page += &format!("  {kind}: {}\n", words(&info["Plugins"][kind]));
    }
    let runtimes = info["Runtimes"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    page += &format!(" Runtimes: {}\n", runtimes.collect::<Vec<_>>().join(" "));
    page += &lines(&[("Default Runtime", "DefaultRuntime"), ("Init Binary", "InitBinary")]);
    page += " Security Options:\n";
    for option in info["SecurityOptions"].as_array().into_iter().flatten() {
        page += &format!("  {}\n", text(option).trim_start_matches("name="));
    }
    page += &lines(&[
        ("Kernel Version", "KernelVersion"),
        ("Operating System", "OperatingSystem"),
        ("OSType", "OSType"),
        ("Architecture", "Architecture"),
        ("CPUs", "NCPU"),
    ]);
    let memory = info["MemTotal"].as_u64().unwrap_or(0);
    page += &format!(" Total Memory: {}\n", binary_size(memory));
    page += &lines(&[("Name", "Name"), ("Docker Root Dir", "DockerRootDir")]);
    page += " Debug Mode: false\n Experimental: false\n";
    for (title, field) in [("Insecure Registries", "InsecureRegistries"), ("Registry Mirrors", "Mirrors")] {
        let all = info["RegistryConfig"][field].as_array().into_iter().flatten();
        let all: String = all.map(|one| format!("  {}\n", text(one))).collect();
        if !all.is_empty() {
            page += &format!(" {title}:\n{all}");
        }
    }
    page + &format!(" Live Restore Enabled: {}\n", text(&info["LiveRestoreEnabled"]))
}

fn gather(home: &Home) -> anyhow::Result<Value> {
    let (records, _) = list::list(home, true, &[])?;
    let count =
        |wanted: fn(Status) -> bool| records.iter().filter(|record| wanted(record.state.status)).count();
    let layout = Layout::detect()?;
    let registries = settings::registries()?;
    let version = env!("CARGO_PKG_VERSION");
    let mut options = vec!["name=cgroupns"];
    if !mini_sys::process::is_root() {
        options.push("name=rootless");
    }
    let mut info = json!({
        "ID": read("/etc/machine-id"),
        "Containers": records.len(),
        "ContainersRunning": count(|status| matches!(status, Status::Running | Status::Restarting)),
        "ContainersPaused": count(|status| status == Status::Paused),
        "ContainersStopped": count(|status| !status.is_active()),
        "Images": home.images()?.list()?.len(),
        "Driver": "overlay2",
        "DriverStatus": [["Supports d_type", "true"], ["Native Overlay Diff", "true"]],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["host", "null"],
            "Authorization": null,
            "Log": ["journald", "json-file", "none"],
        },
        "LoggingDriver": "json-file",
        "CgroupDriver": if layout.unified.is_none() && layout.hierarchies.is_empty() { "none" } else { "cgroupfs" },
        "CgroupVersion": if layout.is_unified_alone() { "2" } else { "1" },
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": { "InsecureRegistries": registries.insecure, "Mirrors": registries.mirrors },
        "GenericResources": null,
        "DockerRootDir": home.path().display().to_string(),
        "HttpProxy": registries.proxies.http.unwrap_or_default(),
        "HttpsProxy": registries.proxies.https.unwrap_or_default(),
        "NoProxy": registries.proxies.except,
        "Name": read("/proc/sys/kernel/hostname"),
        "Labels": [],
        "ExperimentalBuild": false,
        "ServerVersion": version,
        "Runtimes": { "mini-docker": { "path": "mini-docker oci" } },
        "DefaultRuntime": "mini-docker",
        "Swarm": { "LocalNodeState": "inactive" },
        // Containers do not need a daemon to go on, because there is none.
        "LiveRestoreEnabled": true,
        "Isolation": "",
        "InitBinary": "mini-docker",
        "SecurityOptions": options,
        "Warnings": null,
        "ClientInfo": {
            "Debug": false,
            "Version": version,
            "Os": "linux",
            "Arch": mini_images::config::architecture(),
            "Context": "default",
            "Plugins": [],
            "Warnings": null,
        },
    });
    if let (Value::Object(info), Value::Object(machine)) = (&mut info, machine(&layout)) {
        info.extend(machine);
    }
    Ok(info)
}

/// What the machine is and can.
fn machine(layout: &Layout) -> Value {
    let has = |controller| {
        layout.hierarchies.iter().any(|tree| tree.controllers.contains(&controller))
            || layout.unified.as_ref().is_some_and(|tree| tree.offered.contains(&controller))
    };
    json!({
        "MemoryLimit": has(Controller::Memory),
        "SwapLimit": has(Controller::Memory),
        "CpuCfsPeriod": has(Controller::Cpu),
        "CpuCfsQuota": has(Controller::Cpu),
        "CPUShares": has(Controller::Cpu),
        "CPUSet": has(Controller::Cpuset),
        "PidsLimit": has(Controller::Pids),
        "IPv4Forwarding": read("/proc/sys/net/ipv4/ip_forward") == "1",
        "Debug": false,
        "OomKillDisable": false,
        "SystemTime": Timestamp::now().to_string(),
        "KernelVersion": kernel(),
        "OperatingSystem": release("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
        "OSVersion": release("VERSION_ID").unwrap_or_default(),
        "OSType": "linux",
        "Architecture": std::env::consts::ARCH,
        "NCPU": std::thread::available_parallelism().map_or(1, usize::from),
        "MemTotal": memory(),
    })
}

/// A size as Docker tells it here: four digits, and a unit of 1024s.
fn binary_size(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            let digits = if size >= 1000.0 {
                0
            } else if size >= 100.0 {
                1
            } else if size >= 10.0 {
                2
            } else {
                3
            };
            return format!("{size:.digits$}{unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.3}TiB")
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

/// What the distribution says of itself; os-release(5).
fn release(name: &str) -> Option<String> {
    let release = read("/etc/os-release");
    let value = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.map(|value| value.trim_matches('"').to_owned())
}

/// The machine's memory in bytes.
fn memory() -> u64 {
    let text = read("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes =
        line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
