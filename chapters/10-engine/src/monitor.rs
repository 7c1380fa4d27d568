//! The process that stays with a container: its parent, its log, its end.
//!
//! It is forked from the command that starts the container, so it costs no execve(2), and it lives as long as the
//! container does. In the order of its life: start the container, tell how that went, write its state, relay
//! until it ends, write its state again, tell the end, clean up. What takes the kernel long (unmounting, the
//! cgroup, deleting files) comes after the end is told. Book ch. 7, 10.

use jiff::Timestamp;
use mini_cgroups::{Cgroup, Layout};
use mini_runtime::explain::{self, Format};
use mini_runtime::log::Log;
use mini_runtime::relay::Relay;
use mini_runtime::wire::FromMonitor;
use mini_runtime::{Plan, Started, stdio};
use mini_sys::clone;
use mini_sys::pidfd::{self, Exit};
use mini_sys::signal::Signal;
use std::os::fd::OwnedFd;

use crate::home::Home;
use crate::record::{self, ProcessId, Record, RecordError, Status};
use crate::{remove, repair};

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
    let (id, auto_remove) = (record.id.clone(), record.host_config.auto_remove);
    let relayed = match begin(&home, record, &plan, &layout, explain, &socket) {
        Ok((started, relay)) => {
            drop(plan);
            watch(&home, &id, auto_remove, started, relay, socket)
        }
        Err(failure) => fail(&home, &id, auto_remove, &failure, &socket),
    };
    if let Err(error) = relayed {
        // Nobody listens any more; the record and the log are where to look.
        let _ = Record::change(&home, &id, |record| record.state.error = error.to_string());
    }
    repair::sweep(&home, Some(&layout));
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
}

fn begin(
    home: &Home,
    mut record: Record,
    plan: &Plan,
    layout: &Layout,
    explain: Option<Format>,
    socket: &OwnedFd,
) -> Result<(Started, Relay), Failure> {
    let config = &record.config;
    // Held while the container is being started, so that nobody takes it for one that was left behind.
    let lock = record::lock(home, &record.id).map_err(|error| Failure::ours(&error))?;
    let gone = || Failure { message: "it has been removed".to_owned(), hint: None, status: OURS };
    let _lock = lock.ok_or_else(gone)?;
    let (program, mut streams) =
        stdio::pair(config.tty, config.open_stdin).map_err(|error| Failure::ours(&error))?;
    let mut tell = |number: usize, step: &mini_runtime::Step, took| {
        let line = explain::line(number, step, took, explain.unwrap_or(Format::Text));
        // Whoever asked may have gone away; the container starts all the same.
        let _ = FromMonitor::Step(line).send(socket, true);
    };
    let on_step: Option<mini_runtime::start::OnStep<'_>> =
        if explain.is_some() { Some(&mut tell) } else { None };
    let started = mini_runtime::start(plan, Some(layout), program, on_step);
    let started = started.map_err(|error| Failure::of_start(&error))?;
    record.maker = None;
    record.state.status = Status::Running;
    record.state.process = ProcessId::of(started.child.pid);
    record.state.monitor = ProcessId::own();
    record.state.started_at = Some(Timestamp::now());
    record.state.finished_at = None;
    record.state.exit_code = 0;
    record.state.error.clear();
    if let Err(error) = record.save(home) {
        // Nobody could find it: a container without a record must not run.
        abandon(&started);
        return Err(Failure::ours(&error));
    }
    let _ = FromMonitor::Started(started.child.pid.as_raw()).send(socket, true);
    let log = Log::open(&record.log_path(home)).ok();
    streams.console = None;
    Ok((started, Relay::new(streams, log, record.config.stdin_once)))
}

fn abandon(started: &Started) {
    let _ = pidfd::pidfd_send_signal(&started.child.pidfd, Signal::SIGKILL);
    let _ = pidfd::wait(&started.child.pidfd);
    let _ = started.cgroup.as_ref().map(Cgroup::remove);
}

fn watch(
    home: &Home,
    id: &str,
    auto_remove: bool,
    mut started: Started,
    mut relay: Relay,
    socket: OwnedFd,
) -> Result<(), RecordError> {
    relay.set_console(started.console.take());
    relay.attach(socket);
    // Without a relay there is no way to see the end but to wait for it.
    let exit = relay.run(&started.child.pidfd).or_else(|_| pidfd::wait(&started.child.pidfd));
    let status = exit.unwrap_or(Exit::Signal(9)).shell_code();
    let oom_killed =
        started.cgroup.as_ref().is_some_and(|cgroup| cgroup.oom_kills().is_ok_and(|kills| kills > 0));
    let trash = if auto_remove {
        remove::hide(home, id).ok().flatten()
    } else {
        // Before the record says that it has ended: what has ended is not looked for.
        let _ = started.cgroup.take().map(|cgroup| cgroup.remove());
        Record::change(home, id, |record| {
            record.state.status = Status::Exited;
            record.state.process = None;
            record.state.monitor = None;
            record.state.exit_code = status;
            record.state.oom_killed = oom_killed;
            record.state.finished_at = Some(Timestamp::now());
        })?;
        None
    };
    // The rest is for the kernel's and the disk's benefit, and nobody waits for it.
    let _ = relay.finish(status);
    // The last hold on their namespace; the files below can only be deleted then.
    drop(started.mounts.take());
    let gone = started.cgroup.as_ref().is_none_or(|cgroup| cgroup.remove().is_ok());
    if let Some(trash) = trash.filter(|_| gone) {
        // Files that stay are found by the next repair, and tell it of the cgroup.
        let _ = remove::delete(&trash);
    }
    Ok(())
}

fn fail(
    home: &Home,
    id: &str,
    auto_remove: bool,
    failure: &Failure,
    socket: &OwnedFd,
) -> Result<(), RecordError> {
    if auto_remove {
        if let Ok(Some(trash)) = remove::hide(home, id) {
            let _ = remove::delete(&trash);
        }
    } else {
        // A full disk may be the very failure that is to be told.
        let _ = Record::change(home, id, |record| {
            record.maker = None;
            record.state.exit_code = failure.status;
            failure.message.clone_into(&mut record.state.error);
        });
    }
    let (message, hint) = (failure.message.clone(), failure.hint.clone());
    let _ = FromMonitor::Failed { message, hint, status: failure.status }.send(socket, true);
    Ok(())
}

/// The error with its causes, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
