//! Whether a container does its work: a program that is run in it now and then, and what came of the last runs.
//!
//! The monitor decides when; a process of its own, forked for one probe, joins the container, runs the program, and
//! answers with one message. Its monitor never waits for it. What came of it stands in a file of its own beside the
//! record, because it changes often and is worth nothing after a crash. The rules are Docker's: so many failures
//! one after the other make a container unhealthy, one success makes it healthy, and while it starts failures do not
//! count. Dockerfile reference, "HEALTHCHECK"; book ch. 10.

use std::convert::Infallible;
use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mini_images::config::Healthcheck;
use mini_sys::clone::{self, Child};
use mini_sys::signal::Signal;
use mini_sys::{file, ipc, pidfd};
use serde::{Deserialize, Serialize};

use crate::events::{self, Event};
use crate::home::Home;
use crate::probe;
use crate::record::Record;

/// The file in a container's directory.
const FILE: &str = "health.json";

/// So many results are kept.
const KEPT: usize = 5;

/// Docker's defaults, for what neither user nor image says.
const INTERVAL: Duration = Duration::from_secs(30);
const START_INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: i64 = 3;

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

/// Whether there is something to run.
fn is_wanted(check: &Healthcheck) -> bool {
    check.test.first().is_some_and(|kind| kind != "NONE")
}

/// The part of a monitor that looks after a container's health.
#[derive(Debug)]
pub(crate) struct Doctor {
    home: Home,
    record: Record,
    check: Healthcheck,
    state: HealthState,
    begun: Instant,
    /// When the next probe is due.
    due: Instant,
    probe: Option<(OwnedFd, Child)>,
}

impl Doctor {
    /// Looks after the container of `record` from now on, if that is wanted.
    pub(crate) fn new(home: &Home, record: &Record) -> Option<Self> {
        let check = record.config.healthcheck.clone().filter(is_wanted)?;
        let begun = Instant::now();
        let state = HealthState { status: Health::Starting, ..HealthState::default() };
        let (home, record) = (home.clone(), record.clone());
        let mut doctor = Self { home, record, check, state, begun, due: begun, probe: None };
        doctor.due = begun + doctor.interval();
        doctor.save();
        Some(doctor)
    }

    /// Becomes readable when a probe has ended.
    pub(crate) fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        self.probe.as_ref().map(|(socket, _)| socket.as_fd())
    }

    /// How long until there is something to do, if nothing happens before.
    pub(crate) fn rest(&self) -> Option<Duration> {
        self.probe.is_none().then(|| self.due.saturating_duration_since(Instant::now()))
    }

    /// Does what is due.
    pub(crate) fn look(&mut self) {
        if self.probe.as_ref().is_some_and(|(socket, _)| ipc::is_readable(socket).unwrap_or(true)) {
            self.note();
        }
        if self.probe.is_none() && Instant::now() >= self.due {
            self.send();
        }
    }

    /// Sends a probe.
    fn send(&mut self) {
        let timeout = time(self.check.timeout, INTERVAL);
        let (home, id, test) = (self.home.clone(), self.record.id.clone(), self.check.test.clone());
        let sent = ipc::socketpair().and_then(|(ours, theirs)| {
            let child = clone::fork_apart(theirs, move |socket| -> Infallible {
                probe::main(&home, &id, &test, timeout, &socket)
            })?;
            Ok((ours, child))
        });
        match sent {
            Ok(probe) => self.probe = Some(probe),
            // The machine has no process to spare; it may have one later.
            Err(_) => self.due = Instant::now() + self.interval(),
        }
    }

    /// Takes what came of a probe. One that died without a word, or found the container standing still, tells nothing.
    fn note(&mut self) {
        let Some((socket, child)) = self.probe.take() else { return };
        let mut message = vec![0; 16 * 1024];
        let length = ipc::receive(&socket, &mut message).map_or(0, |(length, _)| length);
        // It ends right after it has said so.
        let _ = pidfd::wait(&child.pidfd);
        if let Ok(probed) = serde_json::from_slice::<Probed>(&message[..length]) {
            let before = self.state.status;
            let retries = if self.check.retries > 0 { self.check.retries } else { RETRIES };
            let is_starting = self.is_starting();
            self.state = std::mem::take(&mut self.state).after(probed, retries, is_starting);
            self.save();
            if self.state.status != before {
                let action = format!("health_status: {}", self.state.status.word());
                // It may have another name by now.
                let record = Record::load(&self.home, &self.record.id).ok().flatten();
                events::emit(&self.home, &Event::container(record.as_ref().unwrap_or(&self.record), &action));
            }
        }
        self.due = Instant::now() + self.interval();
    }

    fn is_starting(&self) -> bool {
        self.begun.elapsed() < time(self.check.start_period, Duration::ZERO)
    }

    /// The pause before the next probe.
    fn interval(&self) -> Duration {
        if self.is_starting() && self.state.status == Health::Starting {
            return time(self.check.start_interval, START_INTERVAL);
        }
        time(self.check.interval, INTERVAL)
    }

    fn save(&self) {
        let path = self.home.container(&self.record.id).join(FILE);
        let text = serde_json::to_vec(&self.state).unwrap_or_default();
        // A full disk costs the news and not the container.
        let _ = file::replace(&path, &text, false);
    }
}

impl Drop for Doctor {
    /// A probe that outlives the program has nothing to look at.
    fn drop(&mut self) {
        if let Some((_, child)) = self.probe.take() {
            let _ = pidfd::pidfd_send_signal(&child.pidfd, Signal::SIGKILL);
            let _ = pidfd::wait(&child.pidfd);
        }
    }
}

/// Nanoseconds as written; 0 is the default.
fn time(nanoseconds: i64, default: Duration) -> Duration {
    match u64::try_from(nanoseconds) {
        Ok(0) | Err(_) => default,
        Ok(nanoseconds) => Duration::from_nanos(nanoseconds),
    }
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
