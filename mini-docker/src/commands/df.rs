//! `system df`: what takes up room. docker-system-df(1).

use jiff::Timestamp;
use mini_engine::usage::{self, ContainerUsage, ImageUsage, Usage};
use mini_engine::{Home, id, list};
use mini_images::Reference;
use serde_json::{Value, json};

use crate::cli;
use crate::commands::{print, ps};
use crate::format::{self, Column};
use crate::values::{exact_size, human_size};

const COLUMNS: [Column; 5] = [
    Column { field: "Type", heading: "TYPE" },
    Column { field: "TotalCount", heading: "TOTAL" },
    Column { field: "Active", heading: "ACTIVE" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Reclaimable", heading: "RECLAIMABLE" },
];

const TABLE: &str = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";

pub(crate) fn run(home: &Home, args: &cli::Df) -> anyhow::Result<u8> {
    super::repair(home);
    let usage = usage::usage(home)?;
    if args.verbose {
        return print(&match args.format.as_deref() {
            None | Some("" | "table") => verbose(home, &usage)?,
            Some(format) => format::object(&whole(home, &usage), format)? + "\n",
        });
    }
    let images = (usage.images.len(), usage.images_active(), usage.taken, usage.images_reclaimable());
    let containers =
        (usage.containers.len(), usage.containers_active(), usage.written(), usage.containers_reclaimable());
    let rows = [
        row("Images", images),
        row("Containers", containers),
        // This engine has neither yet.
        row("Local Volumes", (0, 0, 0, 0)),
        row("Build Cache", (0, 0, 0, 0)),
    ];
    print(&format::list(&rows, args.format.as_deref(), &COLUMNS, TABLE)?)
}

fn row(what: &str, (total, active, size, reclaimable): (usize, usize, u64, u64)) -> Value {
    let percent = (reclaimable * 100).checked_div(size);
    let percent = percent.map_or_else(String::new, |percent| format!(" ({percent}%)"));
    json!({
        "Type": what,
        "TotalCount": total.to_string(),
        "Active": active.to_string(),
        "Size": exact_size(size),
        "Reclaimable": format!("{}{percent}", exact_size(reclaimable)),
    })
}

/// All of it as one object, for templates.
fn whole(home: &Home, usage: &Usage) -> Value {
    let now = Timestamp::now();
    let images: Vec<Value> = usage.images.iter().map(|usage| of_image(usage, now)).collect();
    let containers: Vec<Value> =
        usage.containers.iter().map(|usage| of_container(home, usage, now)).collect();
    json!({ "Images": images, "Containers": containers, "Volumes": [], "BuildCache": [] })
}

/// Docker's longer form, a table for each kind.
fn verbose(home: &Home, usage: &Usage) -> anyhow::Result<String> {
    let now = Timestamp::now();
    let images: Vec<Value> = usage.images.iter().map(|usage| of_image(usage, now)).collect();
    let containers: Vec<Value> =
        usage.containers.iter().map(|usage| of_container(home, usage, now)).collect();
    let sections = [
        ("Images space usage:", table(&images, &IMAGES)?),
        ("Containers space usage:", table(&containers, &CONTAINERS)?),
        ("Local Volumes space usage:", table(&[], &VOLUMES)?),
        ("Build cache usage: 0B", table(&[], &CACHE)?),
    ];
    Ok(sections.map(|(title, table)| format!("{title}\n\n{table}")).join("\n"))
}

/// A table's columns, the first of a pair being a field of the row.
type Fields = [(&'static str, &'static str)];

const IMAGES: [(&str, &str); 8] = [
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("ID", "IMAGE ID"),
    ("CreatedSince", "CREATED"),
    ("Size", "SIZE"),
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
    ("Containers", "CONTAINERS"),
];

const CONTAINERS: [(&str, &str); 8] = [
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Size", "SIZE"),
    ("RunningFor", "CREATED"),
    ("Status", "STATUS"),
    ("Names", "NAMES"),
];

const VOLUMES: [(&str, &str); 3] = [("Name", "VOLUME NAME"), ("Links", "LINKS"), ("Size", "SIZE")];

const CACHE: [(&str, &str); 7] = [
    ("ID", "CACHE ID"),
    ("CacheType", "CACHE TYPE"),
    ("Size", "SIZE"),
    ("CreatedSince", "CREATED"),
    ("LastUsedSince", "LAST USED"),
    ("UsageCount", "USAGE"),
    ("Shared", "SHARED"),
];

fn table(rows: &[Value], fields: &Fields) -> anyhow::Result<String> {
    let columns: Vec<Column> = fields.iter().map(|(field, heading)| Column { field, heading }).collect();
    let template: Vec<String> = fields.iter().map(|(field, _)| format!("{{{{.{field}}}}}")).collect();
    format::list(rows, None, &columns, &template.join("\t"))
}

fn of_image(usage: &ImageUsage, now: Timestamp) -> Value {
    let image = &usage.image;
    let none = || "<none>".to_owned();
    let name = image.names.iter().find(|name| name.digest().is_none()).or(image.names.first());
    let tag = name.filter(|name| name.digest().is_none()).and_then(Reference::tag);
    let created: Option<Timestamp> = image.config.created.as_ref().and_then(|created| created.parse().ok());
    json!({
        "Repository": name.map_or_else(none, Reference::familiar_repository),
        "Tag": tag.map_or_else(none, str::to_owned),
        "ID": id::short(&image.id.hex()),
        "CreatedSince": created.map_or_else(|| "N/A".to_owned(), |created| format!("{} ago", list::ago(now, created))),
        "CreatedAt": created.map_or_else(|| "N/A".to_owned(), |created| created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()),
        "Size": human_size(usage.size),
        "VirtualSize": exact_size(usage.size),
        "SharedSize": exact_size(usage.shared),
        "UniqueSize": exact_size(usage.size - usage.shared),
        "Containers": usage.containers.to_string(),
    })
}

fn of_container(home: &Home, usage: &ContainerUsage, now: Timestamp) -> Value {
    let record = &usage.record;
    json!({
        "ID": id::short(&record.id),
        "Image": record.config.image,
        "Command": ps::quoted(&ps::command(record, false)),
        "CreatedAt": record.created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
        "LocalVolumes": "0",
        "Size": human_size(usage.written),
        "RunningFor": format!("{} ago", list::ago(now, record.created)),
        "Status": list::status(record, mini_engine::health::word(home, record), now),
        "State": record.state.status.word(),
        "Names": record.name,
        "Labels": record.config.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
        "Networks": record.host_config.network_mode,
        "Mounts": "",
        "Ports": "",
    })
}
