//! `images`: list images. docker-images(1).

use jiff::Timestamp;
use mini_engine::{Home, list};
use mini_images::filter::{self, Filter, FilterError};
use mini_images::{Image, Images, Reference};
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::failure;
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
    let mut filters = filters(&args.filter, &filter::LIST)?;
    filters.extend(args.repository.clone().map(Filter::Reference));
    let images = home.images()?;
    images.sweep();
    let now = Timestamp::now();
    let mut rows = Vec::new();
    for image in images.select(&filters)? {
        for name in image.shown_names() {
            rows.push(row(&images, &image, Some(name), now, args.no_trunc));
        }
        if image.names.is_empty() {
            rows.push(row(&images, &image, None, now, args.no_trunc));
        }
    }
    let format = if args.quiet { Some("{{.ID}}") } else { args.format.as_deref() };
    let table = if args.digests { WITH_DIGESTS } else { TABLE };
    print(&format::list(&rows, format, &COLUMNS, table)?)
}

/// The filters as typed. One of the wrong form is a wrong argument, with the status of those.
pub(crate) fn filters(texts: &[String], known: &[&str]) -> anyhow::Result<Vec<Filter>> {
    let parsed = texts.iter().map(|text| Filter::parse(text, known)).collect::<Result<Vec<_>, _>>();
    parsed.map_err(|error| match error {
        FilterError::Format(text) => {
            let flag = if known == filter::LIST { "-f, --filter" } else { "--filter" };
            failure::no_condition(flag, &text)
        }
        _ => error.into(),
    })
}

fn row(images: &Images, image: &Image, name: Option<&Reference>, now: Timestamp, whole: bool) -> Value {
    let none = || "<none>".to_owned();
    let created: Option<Timestamp> = image.config.created.as_ref().and_then(|created| created.parse().ok());
    let id = image.id.hex();
    let tag = name.filter(|name| name.digest().is_none()).and_then(Reference::tag);
    json!({
        "Repository": name.map_or_else(none, Reference::familiar_repository),
        "Tag": tag.map_or_else(none, str::to_owned),
        "Digest": name.and_then(|name| image.known_as(name)).map_or_else(none, |digest| digest.to_string()),
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
