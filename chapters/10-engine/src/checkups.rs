//! When a container's health is looked after: a program that is run in it now and then.
//!
//! The monitor decides when; a process of its own, forked for one probe, joins the container, runs the program, and
//! answers with one message. Its monitor never waits for it. Dockerfile reference, "HEALTHCHECK"; book ch. 10.

use std::convert::Infallible;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use mini_images::config::Healthcheck;
use mini_sys::clone::{self, Child};
use mini_sys::signal::Signal;
use mini_sys::{ipc, pidfd};

use crate::events::{self, Event};
use crate::health::{self, Health, HealthState, Probed};
use crate::home::Home;
use crate::probe;
use crate::record::Record;

/// Docker's defaults, for what neither user nor image says.
const INTERVAL: Duration = Duration::from_secs(30);
const START_INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: i64 = 3;

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
        let check = record.config.healthcheck.clone().filter(health::is_wanted)?;
        let begun = Instant::now();
        let state = HealthState { status: Health::Starting, ..HealthState::default() };
        let (home, record) = (home.clone(), record.clone());
        let mut doctor = Self { home, record, check, state, begun, due: begun, probe: None };
        doctor.due = begun + doctor.interval();
        health::save(&doctor.home, &doctor.record.id, &doctor.state);
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
            health::save(&self.home, &self.record.id, &self.state);
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
