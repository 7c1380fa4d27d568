//! `ps`: list containers. docker-ps(1).

use std::collections::BTreeMap;

use jiff::Timestamp;
use mini_engine::list::{self, Filter, FilterError};
use mini_engine::{Home, Record, id};
use serde_json::{Value, json};

use crate::cli::Ps;
use crate::commands::{print, warn};
use crate::failure::{self, OURS};
use crate::format::{self, Column};

const COLUMNS: [Column; 14] = [
    Column { field: "ID", heading: "CONTAINER ID" },
    Column { field: "Image", heading: "IMAGE" },
    Column { field: "Command", heading: "COMMAND" },
    Column { field: "CreatedAt", heading: "CREATED AT" },
    Column { field: "RunningFor", heading: "CREATED" },
    Column { field: "Ports", heading: "PORTS" },
    Column { field: "State", heading: "STATE" },
    Column { field: "Status", heading: "STATUS" },
    Column { field: "Names", heading: "NAMES" },
    Column { field: "Labels", heading: "LABELS" },
    Column { field: "LocalVolumes", heading: "LOCAL VOLUMES" },
    Column { field: "Mounts", heading: "MOUNTS" },
    Column { field: "Networks", heading: "NETWORKS" },
    Column { field: "Size", heading: "SIZE" },
];

const TABLE: &str = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

/// How much of a command the table shows.
const COMMAND: usize = 20;

pub(crate) fn run(home: &Home, args: &Ps) -> anyhow::Result<u8> {
    let filters = args.filter.iter().map(|text| text.parse()).collect::<Result<Vec<Filter>, _>>();
    let filters = filters.map_err(|error| match error {
        FilterError::Format(_) => failure::with_status(&error.into(), OURS),
        _ => error.into(),
    })?;
    super::repair(home);
    let (records, damaged) = list::list(home, args.all, &filters)?;
    let now = Timestamp::now();
    let images = home.images()?;
    // The id that each name means now: the name may have gone to another image since.
    let mut ids = BTreeMap::new();
    let mut image = |record: &Record| {
        let name = &record.config.image;
        let id = ids.entry(name.clone()).or_insert_with(|| images.find(name).ok().map(|image| image.id));
        if *id == Some(record.image) { name.clone() } else { id::short(&record.image.hex()).to_owned() }
    };
    let rows: Vec<Value> =
        records.iter().map(|record| row(record, &image(record), now, args.no_trunc)).collect();
    if args.quiet && args.format.is_some() {
        warn("WARNING: Ignoring custom format, because both --format and --quiet are set.\n");
    }
    let format = if args.quiet { Some("{{.ID}}") } else { args.format.as_deref() };
    print(&format::list(&rows, format, &COLUMNS, TABLE)?)?;
    let mut status = 0;
    for error in damaged {
        status = crate::failure::report(&anyhow::Error::from(error).context("one container cannot be shown"));
    }
    Ok(status)
}

fn row(record: &Record, image: &str, now: Timestamp, whole: bool) -> Value {
    let labels: Vec<String> =
        record.config.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!({
        "ID": if whole { record.id.as_str() } else { id::short(&record.id) },
        "Image": image,
        "Command": format!("{:?}", command(record, whole)),
        "CreatedAt": record.created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
        "RunningFor": format!("{} ago", list::ago(now, record.created)),
        "Ports": "",
        "State": record.state.status.word(),
        "Status": list::status(record, now),
        "Names": record.name,
        "Labels": labels.join(","),
        "Networks": record.host_config.network_mode,
        "Mounts": "",
        "LocalVolumes": "0",
        "Size": "0B",
    })
}

/// The command on one line, as it would be typed.
pub(crate) fn command(record: &Record, whole: bool) -> String {
    let quoted = |word: &String| if word.contains(' ') { format!("'{word}'") } else { word.clone() };
    let words = record.arguments.iter().map(quoted).collect::<Vec<_>>().join(" ");
    if whole || words.chars().count() <= COMMAND {
        return words;
    }
    words.chars().take(COMMAND - 1).collect::<String>() + "…"
}
