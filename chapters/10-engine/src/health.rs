//! Whether a container does its work: what came of the program that is run in it now and then.
//!
//! It stands in a file of its own beside the record, because it changes often and is worth nothing after a crash. The
//! rules are Docker's: so many failures one after the other make a container unhealthy, one success makes it healthy,
//! and while it starts failures do not count. When it is looked at stands in `checkups`. Dockerfile reference,
//! "HEALTHCHECK"; book ch. 10.

use std::fs;

use jiff::Timestamp;
use mini_images::config::Healthcheck;
use mini_sys::file;
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::record::Record;

/// The file in a container's directory.
const FILE: &str = "health.json";

/// So many results are kept.
const KEPT: usize = 5;

/// How it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nobody looks.
    #[default]
    None,
    /// It has not succeeded yet, and may take its time.
    Starting,
    /// The last probe succeeded.
    Healthy,
    /// Too many failed.
    Unhealthy,
}

impl Health {
    /// Docker's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What came of one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Probed {
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// 0: it works; -1: it could not be run, or took too long.
    pub exit_code: i32,
    /// The start of what it wrote.
    pub output: String,
}

/// A container's health, with Docker's names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthState {
    /// How it is.
    pub status: Health,
    /// Failures one after the other.
    pub failing_streak: i64,
    /// The last results, the oldest first.
    pub log: Vec<Probed>,
}

impl HealthState {
    /// What follows from one more result. While the container starts, a failure is noted and does not count.
    #[must_use]
    // ANCHOR: after
    pub fn after(mut self, probed: Probed, retries: i64, is_starting: bool) -> Self {
        if probed.exit_code == 0 {
            (self.status, self.failing_streak) = (Health::Healthy, 0);
        } else if !(is_starting && self.status == Health::Starting) {
            self.failing_streak += 1;
            if self.failing_streak >= retries {
                self.status = Health::Unhealthy;
            }
        }
        self.log.push(probed);
        let surplus = self.log.len().saturating_sub(KEPT);
        self.log.drain(..surplus);
        self
    }
    // ANCHOR_END: after
}

/// The health of a container that is looked after; none for others, and before the first start. Of one that does not run
/// any more, how it was last.
pub fn state(home: &Home, record: &Record) -> Option<HealthState> {
    record.config.healthcheck.as_ref().filter(|check| is_wanted(check))?;
    let text = fs::read(home.container(&record.id).join(FILE)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Docker's word for a container's health: `starting`, `healthy`, `unhealthy`; none for one that is not looked after.
pub fn word(home: &Home, record: &Record) -> Option<&'static str> {
    state(home, record).map(|state| state.status.word())
}

/// Whether there is something to run.
pub(crate) fn is_wanted(check: &Healthcheck) -> bool {
    check.test.first().is_some_and(|kind| kind != "NONE")
}

/// Writes down how the container `id` is now.
pub(crate) fn save(home: &Home, id: &str, state: &HealthState) {
    let text = serde_json::to_vec(state).unwrap_or_default();
    // A full disk costs the news and not the container.
    let _ = file::replace(&home.container(id).join(FILE), &text, false);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(state: HealthState, code: i32, is_starting: bool) -> HealthState {
        let now = Timestamp::UNIX_EPOCH;
        state.after(Probed { start: now, end: now, exit_code: code, output: String::new() }, 2, is_starting)
    }

    #[test]
    fn failures_count_one_after_the_other_and_not_while_it_starts() {
        let starting = HealthState { status: Health::Starting, ..HealthState::default() };
        let early = after(starting.clone(), 1, true);
        assert_eq!((early.status, early.failing_streak), (Health::Starting, 0));
        let one = after(early, 1, false);
        assert_eq!((one.status, one.failing_streak), (Health::Starting, 1));
        let two = after(one, 1, false);
        assert_eq!((two.status, two.failing_streak), (Health::Unhealthy, 2));
        let well = after(two, 0, false);
        assert_eq!((well.status, well.failing_streak), (Health::Healthy, 0));
        // Who has been well once does not start any more.
        assert_eq!(after(well, 1, true).failing_streak, 1);
    }

    #[test]
    fn the_last_five_results_are_kept() {
        let mut state = HealthState::default();
        for code in 0..8 {
            state = after(state, code, false);
        }
        assert_eq!(state.log.iter().map(|probed| probed.exit_code).collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
    }
}
