//! Docker's fields in Docker's order, with what Docker shows where nothing was asked for.
//!
//! A record holds what this engine knows of; scripts read whatever Docker has. So each object is laid over the one that
//! Docker shows for a container made without a flag. Engine API 1.50, `ContainerInspect`.

use serde_json::{Map, Value, json};

/// `fields` in the order of `usual`, with its values for those that are missing; what `usual` does not know comes last.
/// A field that is `usual`'s null comes only where it is known: Docker leaves it out where it is empty.
pub(super) fn complete(fields: Value, usual: Value, optional: &[&str]) -> Value {
    let (Value::Object(mut fields), Value::Object(usual)) = (fields, usual) else { return Value::Null };
    let mut whole = Map::new();
    for (name, value) in usual {
        match fields.remove(&name) {
            Some(own) if optional.contains(&name.as_str()) && is_nothing(&own) => {}
            Some(own) => drop(whole.insert(name, own)),
            None if optional.contains(&name.as_str()) => {}
            None => drop(whole.insert(name, value)),
        }
    }
    whole.extend(fields);
    Value::Object(whole)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// What `HostConfig` leaves out where it is empty.
pub(super) const HOST_OPTIONAL: [&str; 6] =
    ["Annotations", "Init", "Mounts", "StorageOpt", "Sysctls", "Tmpfs"];

/// `HostConfig` of a container made without a flag.
pub(super) fn host_config() -> Value {
    let Value::Object(mut first) = json!({
        "Binds": null,
        "ContainerIDFile": "",
        "LogConfig": { "Type": "json-file", "Config": {} },
        "NetworkMode": "none",
        "PortBindings": {},
        "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 },
        "AutoRemove": false,
        "VolumeDriver": "",
        "VolumesFrom": null,
        "ConsoleSize": [0, 0],
        "Annotations": null,
        "CapAdd": null,
        "CapDrop": null,
        "CgroupnsMode": "private",
        "Dns": [],
        "DnsOptions": [],
        "DnsSearch": [],
        "ExtraHosts": null,
        "GroupAdd": null,
        "IpcMode": "private",
        "Cgroup": "",
        "Links": null,
        "OomScoreAdj": 0,
        "PidMode": "",
        "Privileged": false,
        "PublishAllPorts": false,
        "ReadonlyRootfs": false,
        "SecurityOpt": null,
        "StorageOpt": null,
        "Tmpfs": null,
        "UTSMode": "",
        "UsernsMode": "",
        "ShmSize": 67_108_864,
        "Sysctls": null,
        "Runtime": "mini-docker",
        "Isolation": "",
    }) else {
        return Value::Null;
    };
    if let Value::Object(resources) = resources() {
        first.extend(resources);
    }
    Value::Object(first)
}

fn resources() -> Value {
    json!({
        "CpuShares": 0,
        "Memory": 0,
        "NanoCpus": 0,
        "CgroupParent": "",
        "BlkioWeight": 0,
        "BlkioWeightDevice": [],
        "BlkioDeviceReadBps": [],
        "BlkioDeviceWriteBps": [],
        "BlkioDeviceReadIOps": [],
        "BlkioDeviceWriteIOps": [],
        "CpuPeriod": 0,
        "CpuQuota": 0,
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "CpusetCpus": "",
        "CpusetMems": "",
        "Devices": [],
        "DeviceCgroupRules": null,
        "DeviceRequests": null,
        "MemoryReservation": 0,
        "MemorySwap": 0,
        "MemorySwappiness": null,
        "OomKillDisable": null,
        "PidsLimit": null,
        "Ulimits": [],
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
        "Mounts": null,
        "MaskedPaths": mini_security::paths::MASKED,
        "ReadonlyPaths": mini_security::paths::READ_ONLY,
        "Init": null,
    })
}

/// What `Config` leaves out where it is empty.
pub(super) const CONFIG_OPTIONAL: [&str; 5] =
    ["ExposedPorts", "Healthcheck", "Shell", "StopSignal", "StopTimeout"];

/// `Config` of a container made without a flag.
pub(super) fn config() -> Value {
    json!({
        "Hostname": "",
        "Domainname": "",
        "User": "",
        "AttachStdin": false,
        "AttachStdout": true,
        "AttachStderr": true,
        "ExposedPorts": null,
        "Tty": false,
        "OpenStdin": false,
        "StdinOnce": false,
        "Env": [],
        "Cmd": null,
        "Healthcheck": null,
        "Image": "",
        "Volumes": null,
        "WorkingDir": "",
        "Entrypoint": null,
        "OnBuild": null,
        "Labels": {},
        "StopSignal": null,
        "StopTimeout": null,
        "Shell": null,
    })
}

/// `NetworkSettings` of a container in this network, which gave it no address.
pub(super) fn network_settings(network: &str) -> Value {
    json!({
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": "",
        "Ports": {},
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null,
        "EndpointID": "",
        "Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "MacAddress": "",
        "Networks": { network: {
            "IPAMConfig": null,
            "Links": null,
            "Aliases": null,
            "MacAddress": "",
            "DriverOpts": null,
            "GwPriority": 0,
            "NetworkID": "",
            "EndpointID": "",
            "Gateway": "",
            "IPAddress": "",
            "IPPrefixLen": 0,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "DNSNames": null,
        } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_fields_replace_the_usual_ones_in_their_place() {
        let whole = complete(
            json!({"New": 1, "Memory": 5, "Init": false, "Tmpfs": {}}),
            json!({"Binds": null, "Memory": 0, "Tmpfs": null, "Init": null}),
            &["Tmpfs", "Init"],
        );
        assert_eq!(whole.to_string(), r#"{"Binds":null,"Memory":5,"New":1}"#);
    }
}
