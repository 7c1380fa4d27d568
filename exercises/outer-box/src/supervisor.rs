//! Process 1 of the box: makes it, looks around, starts the program, waits, looks around again, and ends. The
//! kernel then kills whatever is left in the box. pid_namespaces(7).

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mini_sys::ipc::{PollFd, PollFlags};
use mini_sys::pidfd::Exit;
use mini_sys::signal::{self, Signal};
use mini_sys::{Pid, Result, clone, file, ipc, net, pidfd, process};

use crate::cgroup::Entrance;
use crate::message::Message;
use crate::mounts;
use crate::program::{Program, Stdio};
use crate::snapshot::Eyes;

/// How long what the program started may take to end after it.
const PATIENCE: Duration = Duration::from_secs(1);

/// All that process 1 works with.
#[derive(Debug)]
pub(crate) struct Supervisor {
    /// The way to the process that made us.
    pub(crate) outside: OwnedFd,
    /// The program's streams; ours to close once it has them.
    pub(crate) stdio: Stdio,
    pub(crate) entrance: Entrance,
    pub(crate) mounts: Vec<mounts::Step>,
    /// Where the box sees its cgroups.
    pub(crate) cgroups: Vec<PathBuf>,
    /// Where mini-docker keeps its state.
    pub(crate) state: PathBuf,
    pub(crate) program: Program,
}

impl Supervisor {
    /// All that process 1 does.
    pub(crate) fn run(self) -> std::convert::Infallible {
        // Nobody listens when the maker of the box has ended; then so do we.
        let outside = self.outside.try_clone();
        if let (Err(error), Ok(outside)) = (self.work(), outside) {
            let _ = Message::Failed(error.to_string()).send(outside);
        }
        clone::leave(0)
    }

    fn work(self) -> Result<()> {
        process::set_pdeathsig(Signal::SIGKILL)?;
        // Only when this has arrived were we asked to die in time.
        if Message::receive(&self.outside)? != Some(Message::Go) {
            return Ok(());
        }
        process::setsid()?;
        process::set_name(c"outer-box")?;
        ipc::become_stdio(file::open_null()?, true, true, true)?;
        net::interface_up("lo")?;
        mounts::perform(&self.mounts)?;
        process::chdir(std::path::Path::new("/"))?;
        let eyes = Eyes::open(&self.cgroups, &mounts::FRESH, &self.state)?;
        let before = eyes.look();
        let children = signal::signalfd(&[Signal::SIGCHLD as i32])?;

        Message::Starting.send(&self.outside)?;
        let Self { outside, stdio, entrance, program, .. } = self;
        let first = start(&program, &entrance, &stdio, &outside)?;
        // The end of the streams is to be seen when the program's side is closed.
        drop(stdio);
        let Some(exit) = wait(first, &children, &outside)? else { return Ok(()) };
        Message::Ended(exit).send(&outside)?;

        settle(&eyes, &children)?;
        for leak in before.leaks(&eyes.look()) {
            Message::Leak(leak).send(&outside)?;
        }
        Message::Done.send(&outside)
    }
}

/// Starts the program.
fn start(program: &Program, entrance: &Entrance, stdio: &Stdio, outside: &OwnedFd) -> Result<Pid> {
    let child = clone::fork(|| {
        let error = program.run(entrance, stdio);
        let _ = Message::Failed(error.to_string()).send(outside.as_fd());
        clone::leave(clone::ABANDONED)
    })?;
    Ok(child.pid)
}

/// Waits for the program's end, and takes in orphans meanwhile. None when the maker of the box has ended.
fn wait(first: Pid, children: &signal::SignalFd, outside: &OwnedFd) -> Result<Option<Exit>> {
    loop {
        let mut fds = [
            PollFd::new(children.as_fd(), PollFlags::POLLIN),
            PollFd::new(outside.as_fd(), PollFlags::POLLIN),
        ];
        ipc::poll(&mut fds, None)?;
        if fds[1].any() == Some(true) {
            return Ok(None);
        }
        if let Some((_, exit)) = reap(children)?.into_iter().find(|(pid, _)| *pid == first) {
            return Ok(Some(exit));
        }
    }
}

/// Takes the status of all that have ended.
fn reap(children: &signal::SignalFd) -> Result<Vec<(Pid, Exit)>> {
    while signal::next(children)?.is_some() {}
    let mut ended = Vec::new();
    loop {
        match pidfd::reap_any() {
            Ok(Some(child)) => ended.push(child),
            Ok(None) => return Ok(ended),
            Err(error) if error.errno() == mini_sys::Errno::ECHILD => return Ok(ended),
            Err(error) => return Err(error),
        }
    }
}

/// Waits a little for the last processes to go: who is killed with its parent needs a moment for it.
fn settle(eyes: &Eyes, children: &signal::SignalFd) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !eyes.processes().is_empty() && Instant::now() < deadline {
        let mut fds = [PollFd::new(children.as_fd(), PollFlags::POLLIN)];
        ipc::poll(&mut fds, Some(Duration::from_millis(5)))?;
        reap(children)?;
    }
    reap(children).map(drop)
}
