//! Runs one program in one box: the whole of it, from outside.
//!
//! A cgroup with limits, a clone3(2) into new namespaces, and process 1 of the box goes on in `supervisor`
//! while we pass input and output on and watch the clock. Whatever happens, at the end process 1 is killed, and
//! with it all that is in the box, and the cgroup is removed. If we are killed, process 1 dies with us, and the
//! next box, or [`restore`], removes the cgroup. clone(2), pid_namespaces(7).

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mini_namespaces::Kind;
use mini_namespaces::idmap::{self, Caller, IdMapError, Maps};
use mini_sys::capability::{CapabilitySet, capget};
use mini_sys::clone::{self, Child, Keep};
use mini_sys::pidfd::Exit;
use mini_sys::process::Resource;
use mini_sys::signal::Signal;
use mini_sys::{Pid, ipc, pidfd};

use crate::cgroup::{BoxCgroup, BoxCgroupError, restore};
use crate::leak::Leak;
use crate::message::Message;
use crate::mounts::{self, Machine};
use crate::program::{MINI_DOCKER_ROOT, Program, Stdio};
use crate::relay::{Relay, Report};
use crate::request::Request;
use crate::supervisor::Supervisor;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It exited with this status.
    Exited(i32),
    /// A signal of this number killed it.
    Killed(i32),
    /// Its time was over.
    TimedOut,
    /// It wrote more than it may.
    TooMuchOutput,
    /// It used up the box's memory.
    OutOfMemory,
}

/// What came of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What it wrote to its standard output, up to the limit.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error, up to the limit.
    pub stderr: Vec<u8>,
    /// What it left in the box, but for what the request allows. Empty also when the box had to be ended before
    /// anybody could look: with [`End::TimedOut`] and [`End::TooMuchOutput`].
    pub leaks: Vec<Leak>,
    /// How long it ran.
    pub took: Duration,
}

/// No box, or no program in it.
#[derive(Debug, thiserror::Error)]
pub enum BoxError {
    /// The caller has threads.
    #[error("a box is made by a process with one thread, and this one has {0}")]
    Threads(usize),
    /// There is nothing to run.
    #[error("the command {0:?} is empty, or has a NUL in it")]
    NoCommand(Vec<std::ffi::OsString>),
    /// A directory that is to be in the box is not there.
    #[error("find {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What this process may do cannot be read.
    #[error("look what this machine can do")]
    Look(#[source] mini_sys::Error),
    /// The box's cgroup cannot be made or removed.
    #[error(transparent)]
    Cgroup(#[from] BoxCgroupError),
    /// The first process cannot be made or watched.
    #[error("make the box")]
    Make(#[source] mini_sys::Error),
    /// The ids of an ordinary user cannot be mapped.
    #[error(transparent)]
    IdMap(#[from] IdMapError),
    /// Something failed inside before the program ran, or it cannot be run.
    #[error("in the box: {0}")]
    Inside(String),
    /// Process 1 of the box ended without a word.
    #[error("process 1 of the box ended early")]
    Lost,
}

impl BoxError {
    /// The way out, where we know one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Make(error) if error.call().contains("CLONE_NEWUSER") => {
                mini_namespaces::why_no_user_namespaces()
            }
            Self::IdMap(error) => error.hint(),
            Self::Threads(_) => Some("run the program `outer-box` instead of calling the library".to_owned()),
            _ => None,
        }
    }
}

/// Who makes the box.
struct Maker {
    /// Has `CAP_SYS_ADMIN` on the machine itself.
    is_root: bool,
    /// Has it at least in its own user namespace, and needs no other.
    is_admin: bool,
}

/// Runs a program in a box of its own and tells how it ended and what it left.
///
/// The caller must have one thread: the new process starts as a copy of it.
///
/// # Errors
/// When there is no box, or the program cannot be started in it. That the program fails is no error.
pub fn run(request: &Request) -> Result<Outcome, BoxError> {
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads != 1 {
        return Err(BoxError::Threads(threads));
    }
    // What another runner left is no reason not to run.
    let _ = restore();
    let maker = Maker::look()?;
    let cgroup = BoxCgroup::create(&request.limits)?;
    let result = run_in(request, &maker, cgroup.as_ref());
    let out_of_memory = cgroup.as_ref().is_some_and(BoxCgroup::ran_out_of_memory);
    let removed = cgroup.as_ref().map_or(Ok(()), BoxCgroup::remove);
    let outcome = result.and_then(|report| outcome(request, report, out_of_memory))?;
    removed?;
    Ok(outcome)
}

impl Maker {
    fn look() -> Result<Self, BoxError> {
        let is_admin = capget().map_err(BoxError::Look)?.effective.contains(CapabilitySet::SYS_ADMIN);
        let ids = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let is_first = ids.split_ascii_whitespace().eq(["0", "0", "4294967295"]);
        Ok(Self { is_root: is_admin && is_first, is_admin })
    }
}

/// From the clone to the end of the box.
fn run_in(request: &Request, maker: &Maker, cgroup: Option<&BoxCgroup>) -> Result<Report, BoxError> {
    let (inside, outside) = ipc::socketpair().map_err(BoxError::Make)?;
    let (read_input, write_input) = ipc::pipe().map_err(BoxError::Make)?;
    let (read_output, write_output) = ipc::pipe().map_err(BoxError::Make)?;
    let (read_error, write_error) = ipc::pipe().map_err(BoxError::Make)?;
    ipc::set_nonblocking(&write_input).map_err(BoxError::Make)?;
    let stdio = Stdio { input: read_input, output: write_output, error: write_error };
    let supervisor = supervisor(request, maker, cgroup, outside, stdio)?;
    let process = clone_box(maker, supervisor)?;
    let relay = Relay {
        process: process.pidfd,
        inside,
        input: Some(write_input),
        to_write: &request.input,
        output: Some(read_output),
        error: Some(read_error),
        limits: request.limits,
    };
    if let Err(error) = let_go(maker, process.pid, request, &relay.inside) {
        // Its end is the reason that counts, and there is nobody left to tell another.
        let _ = pidfd::pidfd_send_signal(&relay.process, Signal::SIGKILL);
        let _ = pidfd::wait(&relay.process);
        return Err(error);
    }
    relay.run().map_err(BoxError::Make)
}

/// All that process 1 will need, gathered while it is not there.
fn supervisor(
    request: &Request,
    maker: &Maker,
    cgroup: Option<&BoxCgroup>,
    outside: OwnedFd,
    stdio: Stdio,
) -> Result<Supervisor, BoxError> {
    let state = request.variable("MINI_DOCKER_ROOT").map_or(MINI_DOCKER_ROOT.into(), PathBuf::from);
    let cgroups = cgroup.map(BoxCgroup::views).unwrap_or_default();
    let directory = real(&request.directory)?;
    let mut readable = request.readable.iter().map(|path| real(path)).collect::<Result<Vec<_>, _>>()?;
    if mounts::FRESH.iter().any(|fresh| directory.starts_with(fresh)) {
        readable.push(directory);
    }
    readable.retain(|path| !mounts::FRESH.iter().any(|fresh| path == Path::new(fresh)));
    let machine = Machine {
        is_root: maker.is_root,
        present: Vec::new(),
        cgroups: cgroups.clone(),
        writable: request.writable.iter().map(|path| real(path)).collect::<Result<_, _>>()?,
        readable,
        size: request.limits.memory,
    };
    let program = Program::of(request, resource_limits(request, cgroup), maker.is_root);
    Ok(Supervisor {
        outside,
        stdio,
        entrance: cgroup.map(BoxCgroup::entrance).transpose().map_err(BoxError::Make)?.unwrap_or_default(),
        mounts: mounts::plan(&machine.look()),
        cgroups: cgroups.into_iter().map(|(_, view)| view).collect(),
        state,
        program: program.ok_or_else(|| BoxError::NoCommand(request.command.clone()))?,
    })
}

/// A path without links on the way: what lies below `/tmp` is told by its beginning.
fn real(path: &Path) -> Result<PathBuf, BoxError> {
    fs::canonicalize(path).map_err(|source| BoxError::Directory { path: path.to_owned(), source })
}

/// What is limited for each process, because there is no cgroup that limits it for all.
fn resource_limits(request: &Request, cgroup: Option<&BoxCgroup>) -> Vec<(Resource, u64)> {
    let mut limits = vec![
        // Of 1 and not 0: then the kernel does not start the machine's collector of core dumps either. core(5)
        (Resource::RLIMIT_CORE, 1),
    ];
    if !cgroup.is_some_and(BoxCgroup::limits_memory) {
        limits.push((Resource::RLIMIT_DATA, request.limits.memory));
    }
    if !cgroup.is_some_and(BoxCgroup::limits_pids) {
        limits.push((Resource::RLIMIT_NPROC, request.limits.pids));
    }
    limits
}

/// Makes process 1 of the box.
fn clone_box(maker: &Maker, supervisor: Supervisor) -> Result<Child, BoxError> {
    let mut kinds = vec![Kind::Mount, Kind::Pid, Kind::Net, Kind::Ipc, Kind::Uts];
    if !maker.is_admin {
        kinds.push(Kind::User);
    }
    let flags = kinds.into_iter().map(Kind::flag).collect();
    let entrance = &supervisor.entrance;
    let doors =
        entrance.top.iter().chain(&entrance.command).chain(entrance.enable.iter().map(|(file, _)| file));
    let streams = [&supervisor.stdio.input, &supervisor.stdio.output, &supervisor.stdio.error];
    let keep = Keep::these(doors.chain(streams).chain([&supervisor.outside]).map(|fd| fd.as_fd()));
    clone::clone3_keeping(flags, None, &keep, || supervisor.run()).map_err(BoxError::Make)
}

/// Gives an ordinary user's box its ids, and process 1 the word.
fn let_go(maker: &Maker, pid: Pid, request: &Request, inside: &OwnedFd) -> Result<(), BoxError> {
    if !maker.is_admin {
        let path = request.variable("PATH").cloned().unwrap_or_default();
        let caller = Caller::this_process(&path);
        if let Caller::Ordinary(user) = &caller {
            for step in idmap::plan(&caller, &Maps::rootless(user)) {
                step.perform(pid)?;
            }
        }
    }
    match Message::Go.send(inside) {
        // It has ended before; the relay will hear why.
        Err(error) if error.errno() == mini_sys::Errno::EPIPE => Ok(()),
        other => other.map_err(BoxError::Make),
    }
}

fn outcome(request: &Request, report: Report, out_of_memory: bool) -> Result<Outcome, BoxError> {
    let end = match report.exit {
        _ if report.too_much => End::TooMuchOutput,
        _ if report.timed_out => End::TimedOut,
        _ if report.failed.is_some() => return Err(BoxError::Inside(report.failed.unwrap_or_default())),
        Some(Exit::Code(0)) => End::Exited(0),
        Some(_) if out_of_memory => End::OutOfMemory,
        Some(Exit::Code(code)) => End::Exited(code),
        Some(Exit::Signal(signal)) => End::Killed(signal),
        None => return Err(BoxError::Lost),
    };
    let is_looked_through = report.is_whole || matches!(end, End::TooMuchOutput | End::TimedOut);
    if !is_looked_through {
        return Err(BoxError::Lost);
    }
    let is_allowed = |leak: &Leak| request.allowed.iter().any(|allowed| allowed.matches(leak));
    Ok(Outcome {
        end,
        stdout: report.output,
        stderr: report.error,
        leaks: report.leaks.into_iter().filter(|leak| !is_allowed(leak)).collect(),
        took: if report.took.is_zero() {
            report.started.map(|started| started.elapsed()).unwrap_or_default()
        } else {
            report.took
        },
    })
}
