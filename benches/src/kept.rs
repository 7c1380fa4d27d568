//! What criterion found out about a chapter, for its page: read from the files that it leaves in `target/criterion`.
//!
//! Criterion keeps a time for each benchmark. What is no time (the memory of a process, say) a benchmark tells with
//! [`tell`], which prints it and keeps it beside the times.
#![allow(clippy::print_stderr, reason = "what is told is for whoever runs the benchmark")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::ladder::Machine;

/// The measurements of one chapter.
#[derive(Debug, Clone, Serialize)]
pub struct Kept {
    /// Where and when.
    #[serde(flatten)]
    pub machine: Machine,
    /// Whether the compiler optimised what was measured.
    pub optimised: bool,
    /// What was measured, in the order of the names.
    pub rows: Vec<Row>,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// The benchmark, without the chapter.
    pub name: String,
    /// How many samples were taken.
    pub samples: usize,
    /// The median; of times in nanoseconds.
    pub median: f64,
    /// What the number is of: `ns`, or what [`tell`] was given.
    pub unit: String,
    /// How many bytes were handled in that time, if that is what it is about.
    pub bytes: Option<u64>,
}

/// Prints a number that is no time and keeps it: `name` begins with the chapter, as a benchmark's does.
pub fn tell(name: &str, number: f64, unit: &str, samples: usize) {
    match unit {
        "ns" => eprintln!("{name}: {:.1} ms", number / 1e6),
        _ => eprintln!("{name}: {number:.0} {unit}"),
    }
    let row = Row { name: name.to_owned(), samples, median: number, unit: unit.to_owned(), bytes: None };
    let write = || -> Result<()> {
        let directory = told();
        fs::create_dir_all(&directory)?;
        let file = name.replace(['/', ' '], "_") + ".json";
        Ok(fs::write(directory.join(file), serde_json::to_vec(&row)?)?)
    };
    if let Err(error) = write() {
        eprintln!("{name} is not kept: {error}");
    }
}

/// All that was measured of `chapter` (`ch07`) since criterion's directory was made.
///
/// # Errors
/// When nothing was, or a file of criterion's is not as we know it.
pub fn kept(chapter: &str, optimised: bool) -> Result<Kept> {
    let mut rows = Vec::new();
    find(&criterion(), &mut rows)?;
    for entry in fs::read_dir(told()).into_iter().flatten().flatten() {
        rows.push(serde_json::from_slice(&fs::read(entry.path())?)?);
    }
    let start = format!("{chapter}/");
    let own = |row: Row| Some(Row { name: row.name.strip_prefix(&start)?.to_owned(), ..row });
    let mut rows: Vec<Row> = rows.into_iter().filter_map(own).collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    ensure!(!rows.is_empty(), "no measurements of {chapter}: `cargo x bench {chapter}` makes them");
    Ok(Kept { machine: Machine::this(), optimised, rows })
}

/// Criterion's directory, as cargo gives it to a benchmark.
fn criterion() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")).join("criterion")
}

fn told() -> PathBuf {
    criterion().join("told")
}

/// `…/new/benchmark.json` says what, the files beside it how long.
fn find(directory: &Path, rows: &mut Vec<Row>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))? {
        let path = entry?.path();
        if path.ends_with("new") && path.join("benchmark.json").is_file() {
            rows.push(row(&path).with_context(|| format!("read {}", path.display()))?);
        } else if path.is_dir() {
            find(&path, rows)?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
    throughput: Option<Throughput>,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Bytes")]
    bytes: Option<u64>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Sample {
    times: Vec<f64>,
}

fn row(directory: &Path) -> Result<Row> {
    fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
    let benchmark: Benchmark = read(&directory.join("benchmark.json"))?;
    let estimates: Estimates = read(&directory.join("estimates.json"))?;
    let sample: Sample = read(&directory.join("sample.json"))?;
    Ok(Row {
        name: benchmark.full_id,
        samples: sample.times.len(),
        median: estimates.median.point_estimate,
        unit: "ns".to_owned(),
        bytes: benchmark.throughput.and_then(|throughput| throughput.bytes),
    })
}
