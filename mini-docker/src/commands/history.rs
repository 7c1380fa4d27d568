//! `history`: how an image came to be. docker-history(1).

use jiff::Timestamp;
use mini_engine::{Home, list};
use mini_images::history::Line;
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::format::{self, Column};
use crate::values::human_size;

const COLUMNS: [Column; 6] = [
    Column { field: "ID", heading: "IMAGE" },
    Column { field: "CreatedSince", heading: "CREATED" },
    Column { field: "CreatedAt", heading: "CREATED AT" },
    Column { field: "CreatedBy", heading: "CREATED BY" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Comment", heading: "COMMENT" },
];

const TABLE: &str = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
const EXACT: &str = "{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";

/// How much of an instruction the table shows.
const INSTRUCTION: usize = 45;

pub(crate) fn run(home: &Home, args: &cli::History) -> anyhow::Result<u8> {
    let images = home.images()?;
    let image = images.find(&args.image)?;
    let now = Timestamp::now();
    let lines = images.history(&image);
    let id = if args.no_trunc { image.id.to_string() } else { image.id.hex()[..12].to_owned() };
    let row =
        |(index, line): (usize, &Line)| row(line, if index == 0 { &id } else { "<missing>" }, now, args);
    let rows: Vec<Value> = lines.iter().enumerate().map(row).collect();
    let format = if args.quiet { Some("{{.ID}}") } else { args.format.as_deref() };
    print(&format::list(&rows, format, &COLUMNS, if args.human { TABLE } else { EXACT })?)
}

fn row(line: &Line, id: &str, now: Timestamp, args: &cli::History) -> Value {
    let created: Option<Timestamp> = line.created.as_ref().and_then(|created| created.parse().ok());
    let since =
        created.map_or_else(|| "N/A".to_owned(), |created| format!("{} ago", list::ago(now, created)));
    // Somebody's text must not break the table, nor reach the terminal as a command.
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let mut instruction = plain(&line.created_by);
    if !args.no_trunc && instruction.chars().count() > INSTRUCTION {
        instruction = instruction.chars().take(INSTRUCTION - 1).collect::<String>() + "…";
    }
    let size = match line.size {
        None => "N/A".to_owned(),
        Some(bytes) if args.human => human_size(bytes),
        Some(bytes) => bytes.to_string(),
    };
    json!({
        "ID": id,
        "CreatedSince": since,
        "CreatedAt": created.map_or_else(String::new, |created| created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        "CreatedBy": instruction,
        "Size": size,
        "Comment": plain(&line.comment),
    })
}
