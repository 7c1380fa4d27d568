//! `port`: which ports of the machine lead to a container's. docker-port(1).

use anyhow::{Context as _, bail};
use mini_engine::{Home, inspect};
use serde_json::Value;

use crate::cli;
use crate::commands::print;

pub(crate) fn run(home: &Home, args: &cli::Port) -> anyhow::Result<u8> {
    let record = mini_engine::find(home, &args.container)?;
    let container = inspect::inspect(home, &record, None);
    let ports = container["NetworkSettings"]["Ports"].as_object().context("the container has no ports")?;
    let Some(wanted) = &args.port else {
        let lines = ports.iter().flat_map(|(port, hosts)| {
            addresses(hosts).into_iter().map(move |address| format!("{port} -> {address}\n"))
        });
        return print(&lines.collect::<String>());
    };
    let (number, protocol) = wanted.split_once('/').unwrap_or((wanted, "tcp"));
    if number.parse::<u16>().is_err() {
        bail!("invalid port ({number})");
    }
    let found = ports.get(&format!("{number}/{protocol}")).map(addresses).unwrap_or_default();
    if found.is_empty() {
        bail!("No public port '{wanted}' published for {}", args.container);
    }
    print(&found.iter().map(|address| format!("{address}\n")).collect::<String>())
}

/// Where on the machine a port is published; an address of IPv6 stands in brackets.
fn addresses(hosts: &Value) -> Vec<String> {
    let address = |host: &Value| {
        let (ip, port) = (host["HostIp"].as_str()?, host["HostPort"].as_str()?);
        Some(if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") })
    };
    hosts.as_array().into_iter().flatten().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_written_as_docker_writes_them() {
        let hosts = json!([{"HostIp": "0.0.0.0", "HostPort": "80"}, {"HostIp": "::", "HostPort": "80"}]);
        assert_eq!(addresses(&hosts), ["0.0.0.0:80", "[::]:80"]);
        assert_eq!(addresses(&Value::Null), [] as [&str; 0]);
    }
}
