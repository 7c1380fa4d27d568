//! What is told of containers: `state`, `list`, `ps`, `events`, `features`.

use anyhow::{anyhow, bail};
use mini_engine::top;
use mini_runtime::oci::{Container, OciError, Saved, Status, Store};
use mini_sys::Pid;
use serde_json::{Value, json};

use crate::cli::{OciEvents, OciList, OciPs};
use crate::commands::print;
use crate::ps_options;

/// The version of the runtime specification that is followed.
pub(super) const SPEC_VERSION: &str = "1.1.0";

/// The state, as the specification has it, and what runc adds.
fn describe(saved: &Saved, status: Status) -> Value {
    let mut state = json!({
        "ociVersion": saved.oci_version,
        "id": saved.id,
        "pid": if status == Status::Stopped { 0 } else { saved.pid },
        "status": status,
        "bundle": saved.bundle,
        "rootfs": saved.rootfs,
        "created": saved.created,
    });
    if !saved.annotations.is_empty() {
        state["annotations"] = json!(saved.annotations);
    }
    state["owner"] = json!(owner(saved.owner));
    state
}

/// The name of a user of this machine, or nothing.
fn owner(uid: u32) -> String {
    if uid == 0 {
        return "root".to_owned();
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    };
    users.lines().find_map(name).unwrap_or_default()
}

pub(super) fn state(container: &Container) -> anyhow::Result<u8> {
    let state = describe(&container.saved, container.status());
    print(&format!("{}\n", serde_json::to_string_pretty(&state)?))
}

pub(super) fn list(store: &Store, args: &OciList) -> anyhow::Result<u8> {
    let containers = store.list()?;
    let all: Vec<Value> = containers.iter().map(|one| describe(&one.saved, one.status())).collect();
    if args.quiet {
        return print(&containers.iter().map(|one| one.saved.id.clone() + "\n").collect::<String>());
    }
    match args.format.as_str() {
        "json" => print(&format!("{}\n", serde_json::to_string(&all)?)),
        "table" => print(&states_table(&all)),
        _ => bail!("invalid format option"),
    }
}

/// Columns of at least twelve letters, as runc sets them.
fn states_table(states: &[Value]) -> String {
    let heading = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"].map(str::to_owned);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row =
        |state: &Value| ["id", "pid", "status", "bundle", "created", "owner"].map(|name| text(&state[name]));
    let rows: Vec<[String; 6]> = std::iter::once(heading).chain(states.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len() + 3).max().unwrap_or(0).max(12);
    let mut shown = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate().take(5) {
            shown += &format!("{cell:<width$}", width = width(column));
        }
        shown += &format!("{}\n", row[5]);
    }
    shown
}

pub(super) fn processes(store: &Store, args: &OciPs) -> anyhow::Result<u8> {
    let (id, options) =
        args.id_and_options.split_first().map_or(("", &[][..]), |(id, rest)| (id.as_str(), rest));
    let container = store.find(id)?;
    let pids = match container.cgroup() {
        Some(cgroup) => cgroup.pids().map_err(OciError::from)?,
        None => Vec::new(),
    };
    let pids: Vec<i32> = pids.into_iter().map(|pid| pid.as_raw()).collect();
    match args.format.as_str() {
        "json" => print(&format!("{}\n", serde_json::to_string(&pids)?)),
        "table" => {
            let columns = ps_options::columns(options).map_err(|message| anyhow!(message))?;
            let pids: Vec<Pid> = pids.into_iter().map(Pid::from_raw).collect();
            print(&super::super::top::table(&columns, &top::processes(&pids)))
        }
        _ => bail!("invalid format option"),
    }
}

pub(super) fn events(store: &Store, args: &OciEvents) -> anyhow::Result<u8> {
    if !args.stats {
        bail!("only `events --stats` is supported");
    }
    let container = store.find(&args.id)?;
    let Some(cgroup) = container.cgroup() else { return Err(OciError::NotRunning.into()) };
    let stats = cgroup.stats().map_err(OciError::from)?;
    let data = json!({
        "cpu": stats.cpu.map(|cpu| json!({
            "usage": { "total": cpu.total_ns, "user": cpu.user_ns, "kernel": cpu.system_ns },
            "throttling": {
                "periods": cpu.throttling.periods,
                "throttledPeriods": cpu.throttling.throttled_periods,
                "throttledTime": cpu.throttling.throttled_ns
            }
        })),
        "memory": stats.memory.map(|memory| json!({
            "usage": { "usage": memory.charged, "limit": memory.limit, "max": memory.peak }
        })),
        "pids": stats.pids.map(|pids| json!({ "current": pids.current, "limit": pids.limit })),
    });
    print(&format!("{}\n", json!({ "type": "stats", "id": args.id, "data": data })))
}

/// What of a profile is understood: not `SCMP_ACT_NOTIFY`.
fn seccomp() -> Value {
    let named = |prefix: &str, words: &[&str]| -> Vec<String> {
        words.iter().map(|word| format!("{prefix}_{word}")).collect()
    };
    let actions = ["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "TRACE", "TRAP"];
    let architectures =
        if cfg!(target_arch = "aarch64") { &["AARCH64", "ARM"][..] } else { &["X32", "X86", "X86_64"][..] };
    let flags = named("SECCOMP_FILTER_FLAG", &["LOG", "SPEC_ALLOW", "TSYNC", "WAIT_KILLABLE_RECV"]);
    json!({
        "enabled": true,
        "actions": named("SCMP_ACT", &actions),
        "operators": named("SCMP_CMP", &["EQ", "GE", "GT", "LE", "LT", "MASKED_EQ", "NE"]),
        "archs": named("SCMP_ARCH", architectures),
        "knownFlags": flags,
        "supportedFlags": flags
    })
}

pub(super) fn features() -> anyhow::Result<u8> {
    let capabilities: Vec<String> =
        mini_security::capabilities::all().iter().map(ToString::to_string).collect();
    let features = json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": SPEC_VERSION,
        "hooks": [
            "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"
        ],
        "mountOptions": [
            "async", "atime", "bind", "defaults", "dev", "exec", "noatime", "nodev", "nodiratime", "noexec",
            "nosuid", "private", "rbind", "relatime", "ro", "rprivate", "rro", "rshared", "rslave", "rw", "shared",
            "slave", "strictatime", "suid", "sync"
        ],
        "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": capabilities,
            "cgroup": { "v1": true, "v2": true, "systemd": false, "systemdUser": false, "rdma": false },
            "seccomp": seccomp(),
            "apparmor": { "enabled": false },
            "selinux": { "enabled": false },
            "intelRdt": { "enabled": false }
        }
    });
    print(&format!("{}\n", serde_json::to_string_pretty(&features)?))
}
