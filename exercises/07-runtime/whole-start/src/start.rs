//! Performs a plan: one clone3(2), and a short loop on either side of it.
//!
//! The parent's loop prepares, clones, and goes on beside the new process; the new process's loop turns it into
//! the container. A step that fails ends both: the new process is killed, the cgroup removed, and the error
//! says which step it was. After the clone the new process allocates and decides as little as possible, and
//! ends in execve(2) or `_exit`. clone(2); book ch. 7.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use mini_cgroups::{Cgroup, Layout};
use mini_namespaces::idmap::IdMapError;
use mini_sys::clone::{self, Child, Keep};
use mini_sys::file::{CWD, Mode, OFlags, ResolveFlags};
use mini_sys::namespace::{self, CloneFlags};
use mini_sys::{Errno, Error, Pid, file, ipc, net, pidfd, process, signal};

use crate::channel::{self, Report};
use crate::plan::Plan;
use crate::program::ExecError;
use crate::stdio::ProgramSide;
use crate::step::{self, Inside, Step};

/// A container whose program runs.
#[derive(Debug)]
pub struct Started {
    /// Its first process.
    pub child: Child,
    /// The far side of its terminal, if it has one.
    pub console: Option<OwnedFd>,
    /// Its cgroup, if it has one.
    pub cgroup: Option<Cgroup>,
    /// Holds its mount namespace, so that taking it down does not delay the news of the container's end:
    /// the last process in one waits for the kernel to unmount everything.
    pub mounts: Option<File>,
}

/// A container that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program cannot be run; everything before it went well.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// One step failed.
    #[error("step {number} ({why})")]
    Step {
        /// Its number, as `--explain` counts.
        number: usize,
        /// What it is for.
        why: &'static str,
        /// What the kernel said.
        source: Error,
    },
    /// The parent could not make its side of the connection.
    #[error("prepare the start")]
    Prepare(#[source] Error),
}

impl StartError {
    /// The way out, where we know one.
    pub fn hint(&self) -> Option<String> {
        let Self::Step { source, .. } = self else { return None };
        let call = source.call();
        match source.errno() {
            Errno::ENODEV if call.contains("overlay") => {
                Some("this kernel has no overlayfs: `modprobe overlay` as root, or another kernel".to_owned())
            }
            Errno::EPERM | Errno::ENOSPC | Errno::EUSERS if call.contains("CLONE_NEWUSER") => {
                mini_namespaces::why_no_user_namespaces()
            }
            Errno::ENOSPC => Some(
                "the disk is full, or a limit of the kernel on how many of these there may be".to_owned(),
            ),
            Errno::ENOSYS | Errno::EPERM => {
                Some("`mini-docker doctor` tells what this machine can do".to_owned())
            }
            _ => None,
        }
    }
}

/// Is told each step as it is done: its number from 1, the step, how long it took.
pub type OnStep<'a> = &'a mut dyn FnMut(usize, &Step, Duration);

/// Starts the container of `plan` with these standard streams.
///
/// # Errors
/// The first step that fails. Nothing of the container is left then.
pub fn start<'a>(
    plan: &'a Plan,
    layout: Option<&'a Layout>,
    stdio: ProgramSide,
    on_step: Option<OnStep<'a>>,
) -> Result<Started, StartError> {
    perform(plan, layout, Hands { stdio, target: None, gate: None, passed: 0 }, on_step)
}

/// What a new process is handed.
#[derive(Debug)]
pub(crate) struct Hands {
    /// Its standard streams.
    pub(crate) stdio: ProgramSide,
    /// The process of a running container that is joined.
    pub(crate) target: Option<OwnedFd>,
    /// The fifo that says when the program is to start.
    pub(crate) gate: Option<OwnedFd>,
    /// How many descriptors from 3 on the program gets as they are here.
    pub(crate) passed: u32,
}

/// Performs a plan.
pub(crate) fn perform<'a>(
    plan: &'a Plan,
    layout: Option<&'a Layout>,
    hands: Hands,
    on_step: Option<OnStep<'a>>,
) -> Result<Started, StartError> {
    let (here, there) = ipc::socketpair().map_err(StartError::Prepare)?;
    let mut parent = Parent {
        plan,
        layout,
        joins: hands.target.is_some(),
        cgroup: None,
        child: None,
        mounts: None,
        here: Some(here),
        there: Some(there),
        hands: Some(hands),
        on_step,
    };
    match parent.run() {
        Ok((child, console)) => Ok(Started { child, console, cgroup: parent.cgroup, mounts: parent.mounts }),
        Err(error) => {
            parent.undo();
            Err(error)
        }
    }
}

/// The parent's hands: what it holds while a start is under way.
struct Parent<'a> {
    plan: &'a Plan,
    layout: Option<&'a Layout>,
    /// The container runs already, and is another's.
    joins: bool,
    cgroup: Option<Cgroup>,
    child: Option<Child>,
    mounts: Option<File>,
    /// Our end of the channel, and the new process's.
    here: Option<OwnedFd>,
    there: Option<OwnedFd>,
    hands: Option<Hands>,
    on_step: Option<OnStep<'a>>,
}

impl Parent<'_> {
    fn run(&mut self) -> Result<(Child, Option<OwnedFd>), StartError> {
        let plan = self.plan;
        for (index, step) in plan.before.iter().chain(&plan.beside).enumerate() {
            let begun = Instant::now();
            let result =
                if matches!(step, Step::Clone { .. }) { self.clone_child() } else { self.perform(step) };
            if let Err(source) = result {
                return Err(self.last_words(StartError::Step { number: index + 1, why: step.why(), source }));
            }
            self.tell(index, step, begun.elapsed());
        }
        let nothing = || StartError::Prepare(Error::new("clone3", Errno::ECHILD));
        let here = self.here.take().ok_or_else(nothing)?;
        let pid = self.child.as_ref().map(|child| child.pid).ok_or_else(nothing)?;
        match channel::go(&here, pid) {
            // It has ended before, and has said why.
            Err(error) if error.errno() == Errno::EPIPE => {}
            other => other.map_err(StartError::Prepare)?,
        }
        let console = self.listen(&here)?;
        Ok((self.child.take().ok_or_else(nothing)?, console))
    }

    /// Why a step beside the new process failed: when that has ended, what it says of its own end is the cause,
    /// and `otherwise` only what came of it.
    fn last_words(&mut self, otherwise: StartError) -> StartError {
        let ended = |child: &Child| ipc::is_readable(&child.pidfd).unwrap_or(false);
        match self.here.take() {
            Some(here) if self.child.as_ref().is_some_and(ended) => match self.listen(&here) {
                Err(cause) => cause,
                Ok(_) => otherwise,
            },
            _ => otherwise,
        }
    }

    /// Does a step of the parent.
    fn perform(&mut self, step: &Step) -> mini_sys::Result<()> {
        let pid = self.child.as_ref().map(|child| child.pid);
        match (step, pid) {
            (Step::Cgroup(step), _) => step.perform(),
            (Step::Namespace(step), _) => step.perform(),
            (Step::Hide, _) => process::set_undumpable(),
            (Step::Enter(kinds), _) => {
                step::enter(self.hands.as_ref().and_then(|hands| hands.target.as_ref()), kinds)
            }
            (Step::IdMap(step), Some(pid)) => step.perform(pid).map_err(in_short),
            (Step::Hooks(hooks), pid) => hooks.run(pid),
            (Step::LoopbackUp, Some(pid)) => in_network_of(pid, || net::interface_up("lo")),
            _ => Err(Error::new(format!("{} on the host", step.call()), Errno::EPERM)),
        }
    }

    /// The cgroup, as far as it is there by now.
    fn open_cgroup(&self) -> Option<Cgroup> {
        let name = self.plan.cgroup.as_deref();
        self.layout.zip(name).and_then(|(layout, name)| Cgroup::open(layout, name).ok())
    }

    /// Clones; where there is a v2 hierarchy and the kernel can, right into the cgroup.
    fn clone_child(&mut self) -> mini_sys::Result<()> {
        self.cgroup = self.open_cgroup();
        let directory = self.cgroup.as_ref().map(Cgroup::directory).transpose()?.flatten();
        let mut by_hand = false;
        let mut child = self.clone_into(directory.as_ref().map(|fd| fd.as_fd()));
        if child.as_ref().is_err_and(|error| error.errno() == Errno::EBUSY)
            && let Some(below) = self.cgroup_of_target()
        {
            // The container has made cgroups of its own, and the kernel takes nobody into the one above them. Where its
            // first process is, there is room for another: what runc does then, and crun always.
            child = self.clone_into(Some(below.as_fd()));
        }
        let child = match child {
            // Not every kernel can, and not into every cgroup; joining by hand always works.
            Err(error) if directory.is_some() && !matches!(error.errno(), Errno::EPERM | Errno::EAGAIN) => {
                by_hand = true;
                self.clone_into(None)?
            }
            other => other?,
        };
        // Their end is to be seen when the new process ends, so no copy may stay open here.
        self.there = None;
        self.hands = None;
        if !self.joins {
            self.mounts = File::open(format!("/proc/{}/ns/mnt", child.pid)).ok();
        }
        let pid = child.pid;
        self.child = Some(child);
        match &self.cgroup {
            Some(cgroup) if by_hand => cgroup.join(pid),
            _ => Ok(()),
        }
    }

    /// The cgroup below the container's own in which the process is that is joined, if it is in one.
    fn cgroup_of_target(&self) -> Option<OwnedFd> {
        let target = self.hands.as_ref()?.target.as_ref()?;
        self.cgroup.as_ref()?.directory_below(pidfd::pid_of(target).ok()?).ok().flatten()
    }

    fn clone_into(&mut self, cgroup: Option<BorrowedFd<'_>>) -> mini_sys::Result<Child> {
        let (plan, explain) = (self.plan, self.on_step.is_some());
        // Everything else is closed, our end of the channel too: it would keep the parent alive in its eyes.
        let hands = self.hands.as_ref();
        let streams = hands.into_iter().flat_map(|hands| hands.stdio.fds());
        let kept =
            hands.into_iter().flat_map(|hands| hands.target.iter().chain(&hands.gate)).chain(&self.there);
        let passed = 3..3 + hands.map_or(0, |hands| hands.passed);
        let keep = Keep::these(kept.map(|fd| fd.as_fd()).chain(streams)).and(passed);
        let (there, hands, own) = (&mut self.there, &mut self.hands, &self.cgroup);
        clone::clone3_keeping(plan.clone, cgroup, &keep, || match (there.take(), hands.take()) {
            (Some(channel), Some(hands)) => {
                let inside = Inside { cgroup: own.clone(), ..Inside::new(channel) };
                become_container(&plan.inside, inside, hands, explain)
            }
            _ => clone::leave(clone::ABANDONED),
        })
    }

    /// Hears from the new process until the program runs.
    fn listen(&mut self, channel: &OwnedFd) -> Result<Option<OwnedFd>, StartError> {
        let first = self.plan.first_inside();
        let mut console = None;
        loop {
            if todo!("listen: what does the new process say, and what does it mean?") {
                return Ok(console);
            }
        }
    }

    /// Does what the new process waits for in the middle.
    fn do_meanwhile(&mut self, channel: &OwnedFd) -> Result<(), StartError> {
        let plan = self.plan;
        let first = plan.before.len() + plan.beside.len();
        for (index, step) in plan.meanwhile.iter().enumerate() {
            let begun = Instant::now();
            self.perform(step).map_err(|source| StartError::Step {
                number: first + index + 1,
                why: step.why(),
                source,
            })?;
            self.tell(first + index, step, begun.elapsed());
        }
        let pid = self.child.as_ref().map_or(Pid::from_raw(0), |child| child.pid);
        channel::go(channel, pid).map_err(StartError::Prepare)
    }

    fn failure(&self, index: usize, source: Error) -> StartError {
        match self.plan.inside.get(index) {
            Some(Step::Exec(program) | Step::Init { program, .. } | Step::LookUp(program))
                if source.call().starts_with("execve") =>
            {
                StartError::Exec(program.explain(source.errno()))
            }
            step => {
                let why = step.map_or("unknown", Step::why);
                StartError::Step { number: self.plan.first_inside() + index + 1, why, source }
            }
        }
    }

    fn tell(&mut self, index: usize, step: &Step, took: Duration) {
        if let Some(on_step) = &mut self.on_step {
            on_step(index + 1, step, took);
        }
    }

    /// Takes back what a failed start has made. What cannot be taken back now, the next repair finds.
    fn undo(&mut self) {
        if let Some(child) = self.child.take() {
            let _ = pidfd::pidfd_send_signal(&child.pidfd, signal::Signal::SIGKILL);
            let _ = pidfd::wait(&child.pidfd);
        }
        self.mounts = None;
        // A step before the clone may have failed half-way: what there is by now is found by name. What is joined
        // is another's.
        if let Some(cgroup) = self.open_cgroup().filter(|_| !self.joins) {
            let _ = cgroup.remove();
        }
    }
}

/// Does `work` in the network namespace of `pid`, and comes back.
fn in_network_of(pid: Pid, work: impl FnOnce() -> mini_sys::Result<()>) -> mini_sys::Result<()> {
    let open = |path: &str| {
        file::openat2(CWD, Path::new(path), OFlags::RDONLY, Mode::empty(), ResolveFlags::empty())
    };
    let home = open("/proc/self/ns/net")?;
    namespace::setns(open(&format!("/proc/{pid}/ns/net"))?, CloneFlags::CLONE_NEWNET)?;
    let done = work();
    namespace::setns(home, CloneFlags::CLONE_NEWNET)?;
    done
}

/// The failed call of an id map; what a helper program said is in no number.
fn in_short(error: IdMapError) -> Error {
    match error {
        IdMapError::Write { source, .. } => source,
        other => Error::new(other.to_string(), Errno::EPERM),
    }
}

/// The new process's loop.
fn become_container(steps: &[Step], mut inside: Inside, hands: Hands, explain: bool) -> Infallible {
    let Hands { stdio, target, gate, passed } = hands;
    (inside.target, inside.gate) = (target, gate);
    let mut result = settle(&stdio, passed);
    for (index, step) in steps.iter().enumerate() {
        inside.index = index;
        let begun = Instant::now();
        let is_last = index + 1 == steps.len();
        if explain && is_last {
            // The last step does not come back to tell.
            tell(&inside, Duration::ZERO);
        }
        result = result.and_then(|()| step.perform(&mut inside));
        if result.is_err() {
            break;
        }
        if explain {
            tell(&inside, begun.elapsed());
        }
    }
    match (result, &inside.channel) {
        (Err(error), Some(channel)) => {
            // If nobody listens, the parent is gone, and this process follows it.
            let _ = channel::failed(channel.as_fd(), inside.index, &error);
        }
        // After the word to start, only the program's own output is left to say it on.
        (Err(error), None) => {
            let _ = writeln!(std::io::stderr(), "{error}");
        }
        (Ok(()), _) => {}
    }
    clone::leave(clone::ABANDONED)
}

fn tell(inside: &Inside, took: Duration) {
    if let Some(channel) = &inside.channel {
        let _ = channel::done(channel.as_fd(), inside.index, took);
    }
}

/// Makes the process a fresh one: streams of its own, no signal blocked or ignored, none of the descriptors
/// that are left passed on to the program but the `passed` ones, and the usual umask.
fn settle(stdio: &ProgramSide, passed: u32) -> mini_sys::Result<()> {
    todo!("settle: a fresh process, with nothing of its parent left");
    process::umask(0o022);
    Ok(())
}
