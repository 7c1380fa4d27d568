//! `stats`: what containers use, now and as time passes. docker-stats(1).

use std::collections::HashMap;
use std::io::Write as _;
use std::time::Duration;

use mini_cgroups::Layout;
use mini_engine::stats::{self, Sample, Traffic, Usage};
use mini_engine::{Home, Record, id, list};
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::format::{self, Column};
use crate::values::{binary_size, human_size};

const COLUMNS: [Column; 9] = [
    Column { field: "Container", heading: "CONTAINER" },
    Column { field: "ID", heading: "CONTAINER ID" },
    Column { field: "Name", heading: "NAME" },
    Column { field: "CPUPerc", heading: "CPU %" },
    Column { field: "MemUsage", heading: "MEM USAGE / LIMIT" },
    Column { field: "MemPerc", heading: "MEM %" },
    Column { field: "NetIO", heading: "NET I/O" },
    Column { field: "BlockIO", heading: "BLOCK I/O" },
    Column { field: "PIDs", heading: "PIDS" },
];

const TABLE: &str =
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

/// The time over which processors are measured: at first, so that something is shown soon, and then.
const FIRST: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_secs(1);

pub(crate) fn run(home: &Home, args: &cli::Stats) -> anyhow::Result<u8> {
    super::repair(home);
    let layout = Layout::detect().ok();
    let mut before = look(layout.as_ref(), &containers(home, args)?);
    let mut interval = FIRST;
    loop {
        std::thread::sleep(interval);
        interval = INTERVAL;
        let chosen = containers(home, args)?;
        let now = look(layout.as_ref(), &chosen);
        let rows: Vec<Value> = chosen
            .iter()
            .map(|(name, record)| {
                let usage = now.get(&record.id).zip(before.get(&record.id));
                let usage = usage.map(|(now, before)| now.since(before)).unwrap_or_default();
                row(name, record, &usage, args.no_trunc)
            })
            .collect();
        let text = format::list(&rows, args.format.as_deref(), &COLUMNS, TABLE)?;
        if args.no_stream {
            return print(&text);
        }
        if !refresh(&text)? {
            return Ok(0);
        }
        before = now;
    }
}

/// Those that were named, as they were named, or those that run, or all.
fn containers(home: &Home, args: &cli::Stats) -> anyhow::Result<Vec<(String, Record)>> {
    if args.containers.is_empty() {
        let (records, _) = list::list(home, args.all, &[])?;
        return Ok(records.into_iter().map(|record| (record.id.clone(), record)).collect());
    }
    let find = |name: &String| Ok((name.clone(), mini_engine::find(home, name)?));
    args.containers.iter().map(find).collect()
}

fn look(layout: Option<&Layout>, chosen: &[(String, Record)]) -> HashMap<String, Sample> {
    let sample = |record: &Record| Some((record.id.clone(), stats::sample(layout?, record)?));
    chosen.iter().filter_map(|(_, record)| sample(record)).collect()
}

fn row(name: &str, record: &Record, usage: &Usage, whole: bool) -> Value {
    let both =
        |traffic: Traffic| format!("{} / {}", human_size(traffic.incoming), human_size(traffic.outgoing));
    json!({
        "BlockIO": both(usage.disks),
        "CPUPerc": format!("{:.2}%", usage.cpu),
        "Container": name,
        "ID": if whole { record.id.as_str() } else { id::short(&record.id) },
        "MemPerc": format!("{:.2}%", usage.memory_percent()),
        "MemUsage": format!("{} / {}", binary_size(usage.memory), binary_size(usage.memory_limit)),
        "Name": record.name,
        "NetIO": both(usage.network),
        "PIDs": usage.pids.to_string(),
    })
}

/// Shows the text in place of what was shown before: from the upper left corner, each line and then the screen
/// cleared to its end. Whether anybody still looks.
fn refresh(text: &str) -> anyhow::Result<bool> {
    let lines: String = text.lines().map(|line| format!("{line} \x1b[K\n")).collect();
    let mut output = std::io::stdout().lock();
    match write!(output, "\x1b[H{lines}\x1b[J").and_then(|()| output.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        other => Ok(other.map(|()| true)?),
    }
}
