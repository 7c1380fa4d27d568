//! `inspect`: a container as Docker's JSON shows it. docker-inspect(1), Engine API `ContainerInspect`; book ch. 10.

mod fields;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::health;
use crate::home::Home;
use crate::record::{Record, Status};

/// What Docker shows where there is no time.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The container as Docker's JSON. `sizes` are the bytes that it wrote, and those together with its image's.
pub fn inspect(home: &Home, record: &Record, sizes: Option<(u64, u64)>) -> Value {
    let directory = home.container(&record.id);
    let file = |name: &str| directory.join(name).display().to_string();
    let mut whole = json!({
        "Id": record.id,
        "Created": record.created.to_string(),
        "Path": record.arguments.first(),
        "Args": record.arguments.get(1..).unwrap_or_default(),
        "State": state(home, record),
        "Image": record.image.to_string(),
        "ResolvConfPath": file("resolv.conf"),
        "HostnamePath": file("hostname"),
        "HostsPath": file("hosts"),
        "LogPath": log_path(home, record),
        "Name": format!("/{}", record.name),
        "RestartCount": record.state.restarts,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": null,
        "HostConfig": host_config(record),
        "GraphDriver": {
            "Data": {
                "ID": record.id,
                "LowerDir": lower(home, record),
                "MergedDir": file("merged"),
                "UpperDir": file("upper"),
                "WorkDir": file("work"),
            },
            "Name": "overlay2",
        },
        "SizeRw": sizes.map(|(written, _)| written),
        "SizeRootFs": sizes.map(|(_, whole)| whole),
        "Mounts": [],
        "Config": config(record),
        "NetworkSettings": fields::network_settings(&record.host_config.network_mode),
    });
    if let (None, Some(fields)) = (sizes, whole.as_object_mut()) {
        fields.shift_remove("SizeRw");
        fields.shift_remove("SizeRootFs");
    }
    whole
}

fn state(home: &Home, record: &Record) -> Value {
    let state = &record.state;
    let status = state.status;
    let mut value = json!({
        "Status": status.word(),
        "Running": status.is_active(),
        "Paused": status == Status::Paused,
        "Restarting": status == Status::Restarting,
        "OOMKilled": state.oom_killed,
        "Dead": false,
        "Pid": state.process.as_ref().map_or(0, |process| process.pid),
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": time(state.started_at),
        "FinishedAt": time(state.finished_at),
    });
    if let Some(health) = health::state(home, record) {
        value["Health"] = json!(health);
    }
    value
}

/// Where the output is kept; empty when it goes elsewhere.
fn log_path(home: &Home, record: &Record) -> String {
    match record.host_config.log_config.r#type.as_str() {
        "" | "json-file" => record.log_path(home).display().to_string(),
        _ => String::new(),
    }
}

/// The layers that the container stands on, the topmost first, as mount(8) takes them.
fn lower(home: &Home, record: &Record) -> Option<String> {
    let images = home.images().ok();
    let mut paths = Vec::new();
    let mut layer = record.layer;
    while let Some(chain) = layer {
        paths.push(home.layers().join(chain.hex()).join("diff").display().to_string());
        layer =
            images.as_ref().and_then(|images| images.layers.get(&chain).ok()).and_then(|layer| layer.parent);
    }
    (!paths.is_empty()).then(|| paths.join(":"))
}

fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
}

fn config(record: &Record) -> Value {
    // The record's field names are Docker's own.
    let own = serde_json::to_value(&record.config).unwrap_or_default();
    fields::complete(own, fields::config(), &fields::CONFIG_OPTIONAL)
}

fn host_config(record: &Record) -> Value {
    let host_config = &record.host_config;
    let mut own = serde_json::to_value(host_config).unwrap_or_default();
    if let Some(fields) = own.as_object_mut() {
        // Docker shows the default that it took, and nothing for no limit.
        if host_config.memory_swap == 0 {
            fields.insert("MemorySwap".to_owned(), json!(host_config.memory * 2));
        }
        if host_config.pids_limit == 0 {
            fields.insert("PidsLimit".to_owned(), Value::Null);
        }
    }
    fields::complete(own, fields::host_config(), &fields::HOST_OPTIONAL)
}
