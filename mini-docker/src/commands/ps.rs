//! `ps`: list containers. docker-ps(1).

use std::collections::BTreeMap;

use jiff::Timestamp;
use mini_engine::find::FindError;
use mini_engine::usage::Sizes;
use mini_engine::{Filter, FilterError, Home, Record, id, list};
use mini_images::Images;
use serde_json::json;

use crate::cli::Ps;
use crate::commands::{print, warn};
use crate::failure;
use crate::format::{self, Column, Row};
use crate::settings;
use crate::values::human_size;

const COLUMNS: [Column; 16] = [
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
    Column { field: "Platform", heading: "PLATFORM" },
    Column { field: "HealthStatus", heading: "HEALTH STATUS" },
    Column { field: "Size", heading: "SIZE" },
];

const TABLE: &str = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

/// Docker's form for scripts of old: a line for each field.
const RAW: &str = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n\
                   state: {{.State}}\nstatus: {{.Status}}\nnames: {{.Names}}\nlabels: {{.Labels}}\nports: {{.Ports}}\n";

/// How much of a command the table shows.
const COMMAND: usize = 20;

pub(crate) fn run(home: &Home, args: &Ps) -> anyhow::Result<u8> {
    let filters = filters(&args.filter)?;
    let (records, damaged) = mended(home)?;
    let last = if args.latest && args.last < 1 { 1 } else { usize::try_from(args.last).unwrap_or(0) };
    let mut records = list::select(home, records, args.all || last > 0, &filters)?;
    if last > 0 {
        records.truncate(last);
    }
    let (format, default) = formats(args);
    let show = Show::new(home, args, format.as_deref().unwrap_or(&default))?;
    let rows: Vec<Row> = records.iter().map(|record| show.row(home, record)).collect();
    print(&format::labelled(&rows, format.as_deref(), &COLUMNS, &default)?)?;
    let mut status = 0;
    for error in damaged {
        status = failure::report(&anyhow::Error::from(error).context("one container cannot be shown"));
    }
    Ok(status)
}

/// All containers, after what killed commands left is put right.
fn mended(home: &Home) -> anyhow::Result<(Vec<Record>, Vec<FindError>)> {
    let layout = mini_cgroups::Layout::detect().ok();
    Ok(mini_engine::repair::records(home, layout.as_ref())?)
}

/// Reads `--filter`. What is not even a condition is a wrong flag.
pub(crate) fn filters(texts: &[String]) -> anyhow::Result<Vec<Filter>> {
    // Docker takes `--filter ""` for none.
    let filters = texts
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| text.parse())
        .collect::<Result<_, FilterError>>();
    filters.map_err(|error| match error {
        FilterError::Format(text) => failure::no_condition("-f, --filter", &text),
        _ => error.into(),
    })
}

/// The format asked for, if one is, and what `table` means.
fn formats(args: &Ps) -> (Option<String>, String) {
    let size = if args.size { "\t{{.Size}}" } else { "" };
    let default = format!("{TABLE}{size}");
    if args.quiet {
        if args.format.is_some() {
            warn("WARNING: Ignoring custom format, because both --format and --quiet are set.\n");
        }
        let id = if args.format.as_deref() == Some("raw") { "container_id: {{.ID}}" } else { "{{.ID}}" };
        return (Some(id.to_owned()), default);
    }
    let format = args.format.clone().or_else(settings::ps_format);
    let format = format.map(|format| if format == "raw" { raw(args.size) } else { format });
    (format, default)
}

fn raw(size: bool) -> String {
    if size { format!("{RAW}size: {{{{.Size}}}}\n") } else { RAW.to_owned() }
}

/// What goes into rows, and what of it has to be looked for.
struct Show {
    now: Timestamp,
    whole: bool,
    /// What images are called, unless nobody asks.
    images: Option<Names>,
    sizes: Option<Sizes>,
}

/// The id that each name means now: the name may have gone to another image since.
struct Names {
    images: Images,
    ids: std::cell::RefCell<BTreeMap<String, Option<mini_layers::Digest>>>,
}

impl Show {
    fn new(home: &Home, args: &Ps, format: &str) -> anyhow::Result<Self> {
        // A dot alone is the whole row.
        let is_whole = format.split('.').skip(1).any(|rest| !rest.starts_with(char::is_alphabetic));
        let images = if format.contains(".Image") || is_whole || matches!(format, "" | "json" | "table") {
            Some(Names { images: home.images()?, ids: Default::default() })
        } else {
            None
        };
        let sizes = if args.size || format.contains(".Size") { Some(Sizes::new(home)?) } else { None };
        Ok(Self { now: Timestamp::now(), whole: args.no_trunc, images, sizes })
    }

    fn row(&self, home: &Home, record: &Record) -> Row {
        let labels = &record.config.labels;
        let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let health = mini_engine::health::word(home, record);
        let fields = json!({
            "ID": if self.whole { record.id.as_str() } else { id::short(&record.id) },
            "Image": self.images.as_ref().map(|images| images.name(record, self.whole)),
            "Command": quoted(&command(record, self.whole)),
            "CreatedAt": record.created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
            "RunningFor": format!("{} ago", list::ago(self.now, record.created)),
            "Ports": "",
            "State": record.state.status.word(),
            "Status": list::status(record, health, self.now),
            "Names": record.name,
            "Labels": pairs.join(","),
            "Networks": record.host_config.network_mode,
            "Platform": format!("linux/{}", mini_images::config::architecture()),
            "HealthStatus": health.unwrap_or("none"),
            "Mounts": "",
            "LocalVolumes": "0",
            "Size": self.sizes.as_ref().map_or_else(|| "0B".to_owned(), |sizes| size(sizes.of(home, record))),
        });
        Row { fields, labels: labels.clone() }
    }
}

impl Names {
    fn name(&self, record: &Record, whole: bool) -> String {
        let name = &record.config.image;
        let mut ids = self.ids.borrow_mut();
        let id = ids.entry(name.clone()).or_insert_with(|| self.images.find(name).ok().map(|image| image.id));
        match id {
            Some(id) if *id == record.image => name.clone(),
            _ if whole => record.image.to_string(),
            _ => id::short(&record.image.hex()).to_owned(),
        }
    }
}

/// What a container wrote, and that with its image: `0B (virtual 5MB)`.
pub(crate) fn size((written, whole): (u64, u64)) -> String {
    let written = human_size(written);
    if whole > 0 { format!("{written} (virtual {})", human_size(whole)) } else { written }
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

/// A text in quotes, as Go's `%q` has it.
pub(crate) fn quoted(text: &str) -> String {
    let letter = |letter: char| match letter {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        control if u32::from(control) < 0x80 && control.is_control() => {
            format!("\\x{:02x}", u32::from(control))
        }
        control if control.is_control() => format!("\\u{:04x}", u32::from(control)),
        letter => letter.to_string(),
    };
    format!("\"{}\"", text.chars().map(letter).collect::<String>())
}
