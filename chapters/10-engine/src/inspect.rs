//! `inspect`: a container as Docker's JSON shows it. docker-inspect(1), Engine API `ContainerInspect`; book ch. 10.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::home::Home;
use crate::record::{Record, Status};

/// What Docker shows where there is no time.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The container as Docker's JSON.
pub fn inspect(home: &Home, record: &Record) -> Value {
    let directory = home.container(&record.id);
    let file = |name: &str| directory.join(name).display().to_string();
    let state = &record.state;
    let status = state.status;
    json!({
        "Id": record.id,
        "Created": record.created.to_string(),
        "Path": record.arguments.first(),
        "Args": record.arguments.get(1..).unwrap_or_default(),
        "State": {
            "Status": state.status.word(),
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
        },
        "Image": record.image.to_string(),
        "ResolvConfPath": file("resolv.conf"),
        "HostnamePath": file("hostname"),
        "HostsPath": file("hosts"),
        "LogPath": record.log_path(home).display().to_string(),
        "Name": format!("/{}", record.name),
        "RestartCount": state.restarts,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": Value::Null,
        "HostConfig": host_config(record),
        "GraphDriver": {
            "Data": {
                "LowerDir": record.layer.map(|layer| home.layers().join(layer.hex()).join("diff").display().to_string()),
                "MergedDir": file("merged"),
                "UpperDir": file("upper"),
                "WorkDir": file("work"),
            },
            "Name": "overlay2",
        },
        "Mounts": [],
        "Config": config(record),
        "NetworkSettings": network_settings(record),
    })
}

fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
}

fn config(record: &Record) -> Value {
    // The record's field names are Docker's own.
    serde_json::to_value(&record.config).unwrap_or_default()
}

fn host_config(record: &Record) -> Value {
    let mut value = serde_json::to_value(&record.host_config).unwrap_or_default();
    if let (Some(fields), true) = (value.as_object_mut(), record.host_config.memory_swap == 0) {
        // Docker shows the default that it took.
        fields.insert("MemorySwap".to_owned(), json!(record.host_config.memory * 2));
    }
    if let Some(fields) = value.as_object_mut() {
        fields.insert("Privileged".to_owned(), json!(false));
        fields.insert("MaskedPaths".to_owned(), json!(mini_security::paths::MASKED));
        fields.insert("ReadonlyPaths".to_owned(), json!(mini_security::paths::READ_ONLY));
    }
    value
}

fn network_settings(record: &Record) -> Value {
    let mode = &record.host_config.network_mode;
    json!({
        "Ports": {},
        "IPAddress": "",
        "Gateway": "",
        "MacAddress": "",
        "Networks": { mode: { "IPAddress": "", "Gateway": "", "MacAddress": "" } },
    })
}
