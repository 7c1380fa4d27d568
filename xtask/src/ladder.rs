//! The cost ladder: what each part of a container adds to the start of a program.
//!
//! `mini-benches` measures it and prints what it found as JSON; here that becomes a table for the terminal and
//! a drawing for the book. Book ch. 7.

mod svg;
mod table;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

pub use svg::draw;
pub use table::table;

/// What was measured, where and when.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Ladder {
    /// The day, as `2026-11-23`.
    pub date: String,
    /// The processor, and how many of it.
    pub machine: String,
    /// The kernel's name and release.
    pub kernel: String,
    /// How many times every rung was climbed.
    pub rounds: u32,
    /// The rungs, from a bare process to a whole container.
    pub rungs: Vec<Rung>,
}

/// One rung: everything below it, and one thing more.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Rung {
    /// What it adds, in a few words.
    pub name: String,
    /// The median of all rounds, in microseconds.
    pub median_us: f64,
    /// The best of all rounds, in microseconds.
    pub min_us: f64,
}

impl Ladder {
    /// Reads what the measuring program printed.
    ///
    /// # Errors
    /// When it is something else, or has no rungs.
    pub fn parse(json: &str) -> Result<Self> {
        let ladder: Self = serde_json::from_str(json).context("read the measurements")?;
        ensure!(!ladder.rungs.is_empty(), "read the measurements: there are none");
        Ok(ladder)
    }

    /// Each rung with what it adds to the median of the one below it, in microseconds. A rung may seem to cost
    /// less than nothing: when it replaces something dearer, or when the machine was busy.
    pub fn added(&self) -> impl Iterator<Item = (&Rung, f64)> {
        let below = std::iter::once(0.0).chain(self.rungs.iter().map(|rung| rung.median_us));
        self.rungs.iter().zip(below).map(|(rung, below)| (rung, rung.median_us - below))
    }
}

#[cfg(test)]
pub(crate) fn example() -> Ladder {
    let rung = |name: &str, median_us, min_us| Rung { name: name.to_owned(), median_us, min_us };
    Ladder {
        date: "2026-11-23".to_owned(),
        machine: "A <fast> processor, 2 CPUs".to_owned(),
        kernel: "Linux 6.12.0".to_owned(),
        rounds: 50,
        rungs: vec![
            rung("fork and exec", 500.0, 450.5),
            rung("chroot", 520.0, 460.0),
            rung("six namespaces", 1520.25, 1400.0),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::{Ladder, example};

    #[test]
    fn what_a_rung_adds_is_the_difference_to_the_one_below() {
        let ladder = example();
        let added: Vec<f64> = ladder.added().map(|(_, added)| added).collect();
        assert_eq!(added, [500.0, 20.0, 1000.25]);
    }

    #[test]
    fn measurements_without_rungs_are_refused() {
        let json = r#"{"date": "", "machine": "", "kernel": "", "rounds": 0, "rungs": []}"#;
        assert_eq!(Ladder::parse(json).unwrap_err().to_string(), "read the measurements: there are none");
        assert!(Ladder::parse("{}").is_err());
    }
}
