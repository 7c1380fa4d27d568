//! `images`: list images. docker-images(1).

use jiff::Timestamp;
use mini_engine::{Home, list};
use mini_images::{Image, Images, Reference};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::format::{self, Column};
use crate::values::human_size;

const COLUMNS: [Column; 10] = [
    Column { field: "Repository", heading: "REPOSITORY" },
    Column { field: "Tag", heading: "TAG" },
    Column { field: "Digest", heading: "DIGEST" },
    Column { field: "ID", heading: "IMAGE ID" },
    Column { field: "CreatedSince", heading: "CREATED" },
    Column { field: "CreatedAt", heading: "CREATED AT" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Containers", heading: "CONTAINERS" },
    Column { field: "SharedSize", heading: "SHARED SIZE" },
    Column { field: "UniqueSize", heading: "UNIQUE SIZE" },
];

const TABLE: &str = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
const WITH_DIGESTS: &str = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";

pub(crate) fn run(home: &Home, args: &cli::Images) -> anyhow::Result<u8> {
    let images = home.images()?;
    images.sweep();
    let pattern = args.repository.as_deref().map(pattern).transpose()?;
    let now = Timestamp::now();
    let mut rows = Vec::new();
    for image in images.list()? {
        let matches = |name: &&Reference| {
            let full = [name.familiar(), name.familiar_repository(), name.to_string()];
            pattern.as_ref().is_none_or(|pattern| full.iter().any(|name| pattern.is_match(name)))
        };
        let names: Vec<&Reference> = image.names.iter().filter(matches).collect();
        for name in &names {
            rows.push(row(&images, &image, Some(name), now, args.no_trunc));
        }
        if image.names.is_empty() && pattern.is_none() {
            rows.push(row(&images, &image, None, now, args.no_trunc));
        }
    }
    let format = if args.quiet { Some("{{.ID}}") } else { args.format.as_deref() };
    let table = if args.digests { WITH_DIGESTS } else { TABLE };
    print(&format::list(&rows, format, &COLUMNS, table)?)
}

/// What `*` and `?` in the name of a repository stand for: anything but a slash.
fn pattern(text: &str) -> Result<Regex, regex_lite::Error> {
    let escaped = regex_lite::escape(text).replace("\\*", "[^/]*").replace("\\?", "[^/]");
    Regex::new(&format!("^{escaped}$"))
}

fn row(images: &Images, image: &Image, name: Option<&Reference>, now: Timestamp, whole: bool) -> Value {
    let none = || "<none>".to_owned();
    let created: Option<Timestamp> = image.config.created.as_ref().and_then(|created| created.parse().ok());
    let id = image.id.hex();
    json!({
        "Repository": name.map_or_else(none, Reference::familiar_repository),
        "Tag": name.and_then(Reference::tag).map_or_else(none, str::to_owned),
        "Digest": image.manifest.to_string(),
        "ID": if whole { image.id.to_string() } else { id[..12].to_owned() },
        "CreatedSince": created.map_or_else(|| "N/A".to_owned(), |created| format!("{} ago", list::ago(now, created))),
        "CreatedAt": created.map_or_else(|| "N/A".to_owned(), |created| created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()),
        // An image whose layers are damaged is listed all the same, so that it can be removed.
        "Size": images.size(image).map_or_else(|_| "N/A".to_owned(), human_size),
        "Containers": "N/A",
        "SharedSize": "N/A",
        "UniqueSize": "N/A",
    })
}
