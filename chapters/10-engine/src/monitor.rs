//! The process that stays with a container: its parent, its log, its end, and its next start.
//!
//! It is forked from the command that starts the container, so it costs no execve(2), and it lives as long as the
//! container does. In the order of its life: start the program, tell how that went, write the record, relay
//! until the program ends, write the record again, tell the end; then start it again if that is its policy, or clean
//! up. What takes the kernel long (unmounting, the cgroup, deleting files) comes after the end is told.
//! Book ch. 7, 10.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mini_cgroups::{Cgroup, Layout};
use mini_runtime::explain::{self, Format};
use mini_runtime::relay::Relay;
use mini_runtime::start::OnStep;
use mini_runtime::stdio::{self, MonitorSide};
use mini_runtime::wire::FromMonitor;
use mini_runtime::{Plan, Started};
use mini_sys::clone;
use mini_sys::pidfd::{self, Exit};
use mini_sys::signal::Signal;

use crate::checkups::Doctor;
use crate::events::{self, Event};
use crate::home::Home;
use crate::record::{self, ProcessId, Record, RecordError, Status};
use crate::restart::{self, BackOff};
use crate::{door, logs, places, remove, repair, survey};

/// The exit status for what is our fault and not the program's.
const OURS: i32 = 125;

/// All that a monitor knows when it begins.
pub(crate) struct Monitor {
    pub(crate) home: Home,
    pub(crate) record: Record,
    pub(crate) plan: Plan,
    pub(crate) layout: Layout,
    pub(crate) explain: Option<Format>,
}

/// A monitor's whole life.
pub(crate) fn main(monitor: Monitor, socket: OwnedFd) -> ! {
    // Names are for people; a kernel that cannot set one still runs containers.
    let _ = mini_sys::process::set_name(c"mini-docker-mon");
    let Monitor { home, record, plan, layout, explain } = monitor;
    let keeper = Keeper { home, id: record.id.clone(), auto_remove: record.host_config.auto_remove, layout };
    let lived = match keeper.begin(&plan, explain, &socket) {
        Ok((life, mut relay)) => {
            drop(plan);
            relay.attach(socket);
            keeper.stay(life, relay)
        }
        Err(failure) => keeper.fail(&failure, &socket),
    };
    if let Err(error) = lived {
        // Nobody listens any more; the record and the log are where to look.
        let _ = Record::change(&keeper.home, &keeper.id, |record| record.state.error = error.to_string());
    }
    repair::sweep(&keeper.home, Some(&keeper.layout));
    clone::leave(0)
}

/// Why a container did not start, as it is told.
struct Failure {
    message: String,
    hint: Option<String>,
    status: i32,
}

impl Failure {
    /// What is our fault, or the machine's.
    fn ours(error: &dyn std::error::Error) -> Self {
        Self { message: chain(error), hint: None, status: OURS }
    }

    fn of_start(error: &mini_runtime::StartError) -> Self {
        let status = match error {
            mini_runtime::StartError::Exec(exec) => exec.exit_code(),
            _ => OURS,
        };
        Self { message: chain(error), hint: error.hint(), status }
    }

    fn because(message: &str) -> Self {
        Self { message: message.to_owned(), hint: None, status: OURS }
    }
}

/// What is to be done after an end.
enum After {
    /// Start it again, after this pause.
    Again(Duration),
    /// Nothing but to clean up; the container's files are here if it is to be removed.
    Nothing(Option<PathBuf>),
}

/// A program that runs, and what there is to do about it.
struct Life {
    started: Started,
    streams: MonitorSide,
    doctor: Option<Doctor>,
}

/// Who looks after a container.
struct Keeper {
    home: Home,
    id: String,
    auto_remove: bool,
    layout: Layout,
}

impl Keeper {
    /// The first start.
    fn begin(
        &self,
        plan: &Plan,
        explain: Option<Format>,
        socket: &OwnedFd,
    ) -> Result<(Life, Relay), Failure> {
        // Held while the container is being started, so that nobody takes it for one that was left behind, and
        // nobody else starts it.
        let lock = record::lock(&self.home, &self.id).map_err(|error| Failure::ours(&error))?;
        let _lock = lock.ok_or_else(|| Failure::because("it has been removed"))?;
        // Anything may have happened to it since it was looked at, or made.
        let now = Record::load(&self.home, &self.id).map_err(|error| Failure::ours(&error))?;
        let mut record = now.ok_or_else(|| Failure::because("it has been removed"))?;
        if record.state.status.is_active() {
            return Err(Failure::because("it has been started by somebody else"));
        }
        if record.maker.is_none() {
            record.state.starter = ProcessId::own();
            record.save_for_now(&self.home).map_err(|error| Failure::ours(&error))?;
        }
        places::START_LOCKED.pass();
        record.maker = None;
        record.state.restarts = 0;
        record.state.stopped_by_hand = false;
        let door = door::open(&self.home, &self.id);
        let door = door.map_err(|error| Failure::ours(&error))?;
        places::START_DOOR.pass();
        let mut tell = |number: usize, step: &mini_runtime::Step, took| {
            let line = explain::line(number, step, took, explain.unwrap_or(Format::Text));
            // Whoever asked may have gone away; the container starts all the same.
            let _ = FromMonitor::Step(line).send(socket, true);
        };
        let on_step: Option<OnStep<'_>> = if explain.is_some() { Some(&mut tell) } else { None };
        // Before there is a program: what it says must not be lost.
        let log = logs::writer(&self.home, &record).map_err(|error| Failure::ours(&error))?;
        let life = self.launch(&mut record, plan, on_step)?;
        let _ = FromMonitor::Started(life.started.child.pid.as_raw()).send(socket, true);
        places::START_TOLD.pass();
        Ok((life, Relay::new(Some(log), Some(door), record.config.stdin_once)))
    }

    /// Starts the program and writes down that it runs. Under the container's lock.
    fn launch<'a>(
        &'a self,
        record: &mut Record,
        plan: &'a Plan,
        on_step: Option<OnStep<'a>>,
    ) -> Result<Life, Failure> {
        let config = &record.config;
        let pair = stdio::pair(config.tty, config.open_stdin);
        let (program, mut streams) = pair.map_err(|error| Failure::ours(&error))?;
        let started = mini_runtime::start(plan, Some(&self.layout), program, on_step);
        let mut started = started.map_err(|error| Failure::of_start(&error))?;
        places::START_CLONED.pass();
        let state = &mut record.state;
        state.status = Status::Running;
        state.process = ProcessId::of(started.child.pid);
        state.monitor = ProcessId::own();
        state.starter = None;
        state.started_at = Some(Timestamp::now());
        state.finished_at = None;
        state.exit_code = 0;
        state.error.clear();
        if let Err(error) = record.save(&self.home) {
            // Nobody could find it: a container without a record must not run.
            abandon(&started);
            return Err(Failure::ours(&error));
        }
        places::START_SAVED.pass();
        streams.console = started.console.take();
        events::emit(&self.home, &Event::container(record, "start"));
        Ok(Life { started, streams, doctor: Doctor::new(&self.home, record) })
    }

    /// From the first start to the last end.
    fn stay(&self, mut life: Life, mut relay: Relay) -> Result<(), RecordError> {
        let mut pauses = BackOff::default();
        loop {
            let begun = Instant::now();
            let Life { mut started, streams, doctor } = life;
            relay.begin(streams, started.child.pid.as_raw());
            // Without a relay there is no way to see the end but to wait for it.
            let exit = watch(&started, &mut relay, doctor).or_else(|_| pidfd::wait(&started.child.pidfd));
            let status = exit.unwrap_or(Exit::Signal(9)).shell_code();
            let after = self.note_end(status, &mut started, || pauses.next(begun.elapsed()))?;
            places::END_SAVED.pass();
            relay.end(status);
            places::END_TOLD.pass();
            let trash = match after {
                After::Nothing(trash) => trash,
                After::Again(pause) => {
                    // The last hold on their namespace: the next start mounts the same directories.
                    drop(started.mounts.take());
                    self.rest(pause, &mut relay);
                    if let Some(next) = self.start_again()? {
                        life = next;
                        continue;
                    }
                    None
                }
            };
            // The rest is for the kernel's and the disk's benefit, and nobody waits for it.
            let _ = relay.finish();
            // The files below can only be deleted when nothing is mounted on them.
            drop(started.mounts.take());
            places::END_UNMOUNTED.pass();
            let gone = started.cgroup.as_ref().is_none_or(|cgroup| cgroup.remove().is_ok());
            if let Some(trash) = trash.filter(|_| gone) {
                // Files that stay are found by the next repair, and tell it of the cgroup.
                let _ = remove::delete(&trash);
            }
            return Ok(());
        }
    }

    /// Writes down the end, or takes the container out of sight if that is the end of it too.
    fn note_end(
        &self,
        status: i32,
        started: &mut Started,
        pause: impl FnOnce() -> Duration,
    ) -> Result<After, RecordError> {
        places::END_SEEN.pass();
        if started.cgroup.is_some() {
            // As it is now: other limits may have made it more directories meanwhile.
            let now = Cgroup::open(&self.layout, &Home::cgroup(&self.id));
            started.cgroup = now.ok().or(started.cgroup.take());
        }
        let oom_killed =
            started.cgroup.as_ref().is_some_and(|cgroup| cgroup.oom_kills().is_ok_and(|kills| kills > 0));
        let ended = Timestamp::now();
        if self.auto_remove {
            let _lock = record::lock(&self.home, &self.id)?;
            let Some(record) = Record::load(&self.home, &self.id)? else { return Ok(After::Nothing(None)) };
            // Who restarts it wants to find it.
            if !record.maker.as_ref().is_some_and(ProcessId::is_alive) {
                self.tell_end(&record, status, oom_killed, ended);
                return Ok(After::Nothing(remove::hide_locked(&self.home, &record).ok().flatten()));
            }
        }
        // Before the record says that it has ended: what has ended is not looked for.
        let _ = started.cgroup.take().map(|cgroup| cgroup.remove());
        places::END_GROUP.pass();
        let mut again = false;
        // ANCHOR: end
        Record::change(&self.home, &self.id, |record| {
            self.tell_end(record, status, oom_killed, ended);
            again = restart::is_wanted(&record.host_config.restart_policy, &record.state, status);
            let state = &mut record.state;
            state.status = if again { Status::Restarting } else { Status::Exited };
            state.process = None;
            state.exit_code = status;
            state.oom_killed = oom_killed;
            state.finished_at = Some(ended);
            if again {
                state.restarts += 1;
            } else {
                state.monitor = None;
            }
        })?;
        // ANCHOR_END: end
        Ok(if again { After::Again(pause()) } else { After::Nothing(None) })
    }

    fn tell_end(&self, record: &Record, status: i32, oom_killed: bool, ended: Timestamp) {
        if oom_killed {
            events::emit(&self.home, &Event::container(record, "oom"));
        }
        let ran = record.state.started_at.map_or(0, |started| ended.as_second() - started.as_second());
        let event = Event::container(record, "die").with("exitCode", &status).with("execDuration", &ran);
        events::emit(&self.home, &event);
    }

    /// Waits before the next start, unless somebody does not want one.
    fn rest(&self, pause: Duration, relay: &mut Relay) {
        let until = Instant::now() + pause;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            // Without a poll there is no pause, and no way to hear that it should end.
            let Ok(turn) = relay.turn(&[], Some(left)) else { return };
            if left.is_zero() || turn.look_again && !self.is_wanted() {
                return;
            }
        }
    }

    fn is_wanted(&self) -> bool {
        let record = Record::load(&self.home, &self.id);
        record.is_ok_and(|record| record.is_some_and(|record| !record.state.stopped_by_hand))
    }

    /// Starts the program once more, as the record says now; none when it is not to run, or cannot.
    fn start_again(&self) -> Result<Option<Life>, RecordError> {
        let Some(_lock) = record::lock(&self.home, &self.id)? else { return Ok(None) };
        let Some(mut record) = Record::load(&self.home, &self.id)? else { return Ok(None) };
        if record.state.stopped_by_hand {
            self.settle(&mut record)?;
            return Ok(None);
        }
        let launched = match survey::prepare(&self.home, &record) {
            Ok((plan, _)) => self.launch(&mut record, &plan, None),
            Err(error) => Err(Failure::ours(&error)),
        };
        match launched {
            Ok(life) => Ok(Some(life)),
            Err(failure) => {
                record.state.exit_code = failure.status;
                record.state.error = failure.message;
                self.settle(&mut record)?;
                Ok(None)
            }
        }
    }

    /// There will be no further start.
    fn settle(&self, record: &mut Record) -> Result<(), RecordError> {
        record.state.status = Status::Exited;
        record.state.monitor = None;
        record.save(&self.home)
    }

    /// Tells why there was no first start.
    fn fail(&self, failure: &Failure, socket: &OwnedFd) -> Result<(), RecordError> {
        if self.auto_remove {
            // One that somebody else has started meanwhile is not taken from them.
            if let Ok(Some(record)) = Record::load(&self.home, &self.id) {
                let _ = remove::remove(&self.home, &record, false);
            }
        } else {
            // A full disk may be the very failure that is to be told.
            let _ = Record::change(&self.home, &self.id, |record| {
                record.maker = None;
                record.state.starter = None;
                if !record.state.status.is_active() {
                    record.state.exit_code = failure.status;
                    failure.message.clone_into(&mut record.state.error);
                }
            });
        }
        let (message, hint) = (failure.message.clone(), failure.hint.clone());
        let _ = FromMonitor::Failed { message, hint, status: failure.status }.send(socket, true);
        Ok(())
    }
}

/// Relays until the program ends, and has its health looked after meanwhile.
fn watch(started: &Started, relay: &mut Relay, mut doctor: Option<Doctor>) -> mini_sys::Result<Exit> {
    let pidfd = started.child.pidfd.as_fd();
    loop {
        let (others, rest): (Vec<_>, _) = match &doctor {
            Some(doctor) => ([pidfd].into_iter().chain(doctor.waits_for()).collect(), doctor.rest()),
            None => (vec![pidfd], None),
        };
        let ended = relay.turn(&others, rest)?.ready[0];
        if ended {
            break;
        }
        if let Some(doctor) = &mut doctor {
            doctor.look();
        }
    }
    let exit = pidfd::wait(pidfd);
    // Whoever sees that it has ended finds all its output in the log.
    relay.drain();
    exit
}

fn abandon(started: &Started) {
    let _ = pidfd::pidfd_send_signal(&started.child.pidfd, Signal::SIGKILL);
    let _ = pidfd::wait(&started.child.pidfd);
    let _ = started.cgroup.as_ref().map(Cgroup::remove);
}

/// The error with its causes, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
