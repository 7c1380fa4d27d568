//! `search`: repositories of a registry. docker-search(1).

use anyhow::bail;
use mini_images::registry::catalog::{self, Found, Search};
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::format::{self, Column};
use crate::settings;

const COLUMNS: [Column; 5] = [
    Column { field: "Name", heading: "NAME" },
    Column { field: "Description", heading: "DESCRIPTION" },
    Column { field: "StarCount", heading: "STARS" },
    Column { field: "IsOfficial", heading: "OFFICIAL" },
    Column { field: "IsAutomated", heading: "AUTOMATED" },
];

const TABLE: &str = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}";

/// How many results there are where nobody says how many, and how many at most: Docker's numbers.
const USUAL: usize = 25;
const MOST: i64 = 100;

/// How much of a description is shown, in characters.
const SHOWN: usize = 45;

pub(crate) fn run(args: &cli::Search) -> anyhow::Result<u8> {
    let filters = args.filter.iter().map(|text| Filter::parse(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let limit = match args.limit {
        0 => USUAL,
        limit @ 1..=MOST => usize::try_from(limit)?,
        limit => bail!("limit {limit} is outside the range of [1, {MOST}]"),
    };
    let (registry, term) = catalog::parts(&args.term);
    let found = catalog::search(&Search {
        registry: registry.to_owned(),
        term: term.to_owned(),
        limit,
        settings: settings::registries()?,
        credentials: settings::credentials(registry)?,
    })?;
    let matching = found.iter().filter(|found| filters.iter().all(|filter| filter.matches(found)));
    let rows: Vec<Value> = matching.map(|found| row(found, args.no_trunc)).collect();
    print(&format::list(&rows, args.format.as_deref(), &COLUMNS, TABLE)?)
}

/// What a result must be.
enum Filter {
    Official(bool),
    Automated(bool),
    Stars(u64),
}

impl Filter {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let Some((name, value)) = text.split_once('=') else {
            bail!("invalid filter `{text}`: `is-official=true` and `stars=3` are filters")
        };
        let truth = || match value {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => bail!("invalid filter `{text}`: it takes true or false"),
        };
        match name {
            "is-official" => Ok(Self::Official(truth()?)),
            "is-automated" => Ok(Self::Automated(truth()?)),
            "stars" => match value.parse() {
                Ok(stars) => Ok(Self::Stars(stars)),
                Err(_) => bail!("invalid filter `{text}`: it takes a number"),
            },
            _ => bail!("invalid filter `{name}`: `is-official=true` and `stars=3` are filters"),
        }
    }

    fn matches(&self, found: &Found) -> bool {
        match self {
            Self::Official(official) => found.is_official == *official,
            Self::Automated(automated) => found.is_automated == *automated,
            Self::Stars(stars) => found.star_count >= *stars,
        }
    }
}

fn row(found: &Found, whole: bool) -> Value {
    let mark = |is: bool| if is { "[OK]" } else { "" };
    let description = found.description.replace(['\n', '\r', '\t'], " ");
    json!({
        "Name": found.name,
        "Description": if whole { description } else { shortened(&description) },
        "StarCount": found.star_count.to_string(),
        "IsOfficial": mark(found.is_official),
        "IsAutomated": mark(found.is_automated),
    })
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_filtered_and_shortened_as_docker_does() {
        let found =
            Found { name: "x".to_owned(), star_count: 3, description: "é".repeat(46), ..Found::default() };
        let matches = |text: &str| Filter::parse(text).unwrap().matches(&found);
        assert!(matches("stars=3") && !matches("stars=4") && !matches("is-official=true"));
        assert!(matches("is-automated=0"));
        for text in ["stars", "stars=many", "is-official=perhaps", "nonsense=1"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        let shown = row(&found, false)["Description"].as_str().unwrap().to_owned();
        assert_eq!(shown, format!("{}…", "é".repeat(44)));
    }
}
