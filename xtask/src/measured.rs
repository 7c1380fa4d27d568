//! What the benchmarks of a chapter found out, as the table of its page.
//!
//! `mini-benches` reads it from criterion's files and prints JSON; here that becomes a text with an anchor, which the page
//! includes. Book ch. 7 and 10.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What was measured, where and when.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Measured {
    /// The day, as `2026-11-23`.
    pub date: String,
    /// The processor, and how many of it.
    pub machine: String,
    /// The kernel's name and release.
    pub kernel: String,
    /// Whether the compiler optimised what was measured.
    pub optimised: bool,
    /// The measurements.
    pub rows: Vec<Row>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// How many times.
    pub samples: usize,
    /// The median.
    pub median: f64,
    /// Of what: `ns` of times.
    pub unit: String,
    /// How many bytes were handled in that time.
    pub bytes: Option<u64>,
}

impl Measured {
    /// Reads what the measuring program printed.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(json: &str) -> Result<Self> {
        let measured: Self = serde_json::from_str(json).context("read the measurements")?;
        ensure!(!measured.rows.is_empty(), "read the measurements: there are none");
        Ok(measured)
    }
}

/// A line for each measurement: its median, for times that handle bytes as bytes a second, and of how many; and where and
/// when it was measured. The first and the last line are the anchor that a page includes.
pub fn table(measured: &Measured) -> String {
    let widest = measured.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(4);
    let mut text = "# ANCHOR: table\n".to_owned();
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{:<widest$}  {:>10}  {:>7}", "what", "median", "samples");
    for row in &measured.rows {
        let _ = writeln!(text, "{:<widest$}  {:>10}  {:>7}", row.name, number(row), row.samples);
    }
    let Measured { machine, kernel, date, .. } = measured;
    let how = if measured.optimised { "" } else { "; not optimised" };
    let _ = writeln!(text, "{machine}; {kernel}; {date}{how}\n# ANCHOR_END: table");
    text
}

fn number(row: &Row) -> String {
    let median = row.median;
    match (row.unit.as_str(), row.bytes) {
        // Bytes in a nanosecond are as many gigabytes in a second.
        ("ns", Some(bytes)) => format!("{:.0} MB/s", bytes as f64 / median * 1000.0),
        ("ns", None) if median < 1000.0 => format!("{median:.0} ns"),
        ("ns", None) if median < 1e6 => format!("{:.1} µs", median / 1e3),
        ("ns", None) => format!("{:.1} ms", median / 1e6),
        (unit, _) => format!("{median:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Measured, table};

    #[test]
    fn the_table_has_a_line_for_each_measurement() {
        let json = r#"{"date":"2026-11-23","machine":"A processor, 2 CPUs","kernel":"Linux 6.12.0","optimised":true,"rows":[
            {"name":"plan","samples":20,"median":8321.5,"unit":"ns","bytes":null},
            {"name":"log/write","samples":10,"median":64000000.0,"unit":"ns","bytes":64000000},
            {"name":"memory of a monitor","samples":500,"median":413.6,"unit":"KiB","bytes":null}]}"#;
        let expected = "\
# ANCHOR: table
what                     median  samples
plan                     8.3 µs       20
log/write             1000 MB/s       10
memory of a monitor     414 KiB      500
A processor, 2 CPUs; Linux 6.12.0; 2026-11-23
# ANCHOR_END: table
";
        assert_eq!(table(&Measured::parse(json).unwrap()), expected);
        assert!(Measured::parse(r#"{"rows":[]}"#).is_err());
    }
}
