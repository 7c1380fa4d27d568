//! One step of a start: what it is called, why it is there, and doing it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use mini_cgroups::Cgroup;
use mini_chroot::Detached;
use mini_layers::Overlay;
use mini_layers::overlay::OverlayError;
use mini_namespaces::init::InitError;
use mini_namespaces::{Kind, idmap};
use mini_security::{capabilities, labels, limits, paths, scheduling, seccomp};
use mini_sys::clone;
use mini_sys::namespace::CloneFlags;
use mini_sys::process::{self, set_credentials, set_ids};
use mini_sys::signal::Signal;
use mini_sys::tty::WindowSize;
use mini_sys::{Errno, Error, Gid, Pid, Result, Uid, ipc};

use crate::hooks::Hooks;
use crate::program::Program;
use crate::{channel, console, furnish};

/// One step. Most are those of an earlier chapter; the rest tie them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Prepares or limits the cgroup. Chapter 3.
    Cgroup(mini_cgroups::Step),
    /// Makes the process.
    Clone {
        /// In new namespaces of these kinds.
        namespaces: CloneFlags,
        /// In its cgroup of the v2 tree from its first instruction on.
        into_cgroup: bool,
    },
    /// Gives the new user namespace its ids. Chapter 2.
    IdMap(idmap::Step),
    /// The new process moves into its cgroup in every v1 tree: of a process that moves another, the kernel would first
    /// wait for all processors.
    JoinCgroup,
    /// Leaves the monitor's session and process group.
    NewSession,
    /// Asks the kernel to end the container if its monitor dies.
    DieWithParent,
    /// Waits until the parent has done its part.
    AwaitParent,
    /// Moves between namespaces, or names one. Chapter 2.
    Namespace(mini_namespaces::Step),
    /// Hides this process's memory and program file from the processes that it is about to meet.
    Hide,
    /// Joins namespaces of these kinds of a running container, all at once. Chapter 2.
    Enter(Vec<Kind>),
    /// Mounts the image's layers on this directory. Chapter 5.
    Overlay(Overlay, PathBuf),
    /// Mounts, and changes what `/` means. Chapter 1.
    Root(mini_chroot::Step),
    /// Gives the container a terminal of its own.
    Console {
        /// Who owns it.
        uid: u32,
        /// How large it is at first, where that is known.
        size: Option<WindowSize>,
        /// Whether it is the container's `/dev/console` too.
        first: bool,
    },
    /// Brings up the interface `lo` of the new network namespace, from within or by the parent.
    LoopbackUp,
    /// Gives the container what its spec asks for beside the mounts.
    Furnish(furnish::Step),
    /// Lets the parent do its part in the middle: the hooks that want the namespaces and the old root.
    AskParent,
    /// Runs hooks, on the host or inside.
    Hooks(Hooks),
    /// Hides or protects a path. Chapter 4.
    Path(paths::Step),
    /// Sets what is inherited. Chapter 4.
    Limit(limits::Step),
    /// Takes or keeps capabilities. Chapter 4.
    Capability(capabilities::Step),
    /// Sets what is inherited beside limits. Chapter 4.
    Scheduling(scheduling::Step),
    /// Labels the program to come. Chapter 4.
    Label(labels::Step),
    /// Loads a filter of system calls. Chapter 4.
    Filter(seccomp::Filter),
    /// Becomes this user. No groups means: as they are.
    User {
        /// Its number.
        uid: u32,
        /// Its group's number.
        gid: u32,
        /// Supplementary groups.
        groups: Option<Vec<u32>>,
    },
    /// Changes the working directory.
    WorkingDirectory {
        /// Which.
        path: PathBuf,
        /// Whether it is made when it is missing.
        make: bool,
    },
    /// Becomes pid 1 of our own, with the program as its child. Chapter 2.
    Init {
        /// The program.
        program: Program,
        /// Its resource limits, which pid 1 could not work under.
        limits: Vec<limits::Step>,
    },
    /// Looks whether the program is there and may be run.
    LookUp(Program),
    /// Tells that the container is created, and waits for somebody to start it.
    AwaitStart,
    /// Becomes the program.
    Exec(Program),
}

/// What the steps inside hand on to each other.
#[derive(Debug)]
pub(crate) struct Inside {
    /// The channel to the parent, until it is handed on.
    pub(crate) channel: Option<OwnedFd>,
    /// The process whose namespaces are joined.
    pub(crate) target: Option<OwnedFd>,
    /// Its cgroup, while the host's files are in sight.
    pub(crate) cgroup: Option<Cgroup>,
    /// Where the word to start comes from.
    pub(crate) gate: Option<OwnedFd>,
    /// This process's number on the host, once the parent has told it.
    pub(crate) pid: Option<Pid>,
    /// Mounts that are not attached yet.
    pub(crate) detached: Detached,
    /// The number of the step that is being done.
    pub(crate) index: usize,
}

impl Inside {
    pub(crate) fn new(channel: OwnedFd) -> Self {
        Self {
            channel: Some(channel),
            target: None,
            cgroup: None,
            gate: None,
            pid: None,
            detached: Detached::default(),
            index: 0,
        }
    }

    fn channel(&self) -> Result<BorrowedFd<'_>> {
        let closed = || Error::new("talk to the monitor", Errno::EBADF);
        self.channel.as_ref().map(|channel| channel.as_fd()).ok_or_else(closed)
    }
}

impl Step {
    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        match self {
            Self::Cgroup(step) => step.call(),
            Self::Clone { namespaces, into_cgroup } => {
                let into = if *into_cgroup { "|CLONE_INTO_CGROUP" } else { "" };
                let kinds = match namespaces.is_empty() {
                    true => String::new(),
                    false => mini_sys::flags::names(namespaces) + "|",
                };
                format!("clone3({kinds}CLONE_PIDFD{into})")
            }
            Self::IdMap(step) => step.call(),
            Self::JoinCgroup => "write(\"0\", tasks) in every v1 tree".to_owned(),
            Self::NewSession => "setsid()".to_owned(),
            Self::DieWithParent => "prctl(PR_SET_PDEATHSIG, SIGKILL)".to_owned(),
            Self::AwaitParent => "recvmsg(parent)".to_owned(),
            Self::Namespace(step) => step.call(),
            Self::Hide => "prctl(PR_SET_DUMPABLE, 0)".to_owned(),
            Self::Enter(kinds) => format!("setns(pidfd, {})", names(kinds)),
            Self::Overlay(overlay, _) => overlay.call(),
            Self::Root(step) => step.call(),
            Self::Console { .. } => "open(\"/dev/ptmx\"); ioctl(TIOCSCTTY)".to_owned(),
            Self::LoopbackUp => "ioctl(SIOCSIFFLAGS, \"lo\", IFF_UP)".to_owned(),
            Self::Furnish(step) => step.call(),
            Self::AskParent => "sendmsg(parent); recvmsg(parent)".to_owned(),
            Self::Hooks(hooks) => hooks.call(),
            Self::LookUp(program) => format!("access({:?}, X_OK)", program.name()),
            Self::AwaitStart => "read(fifo)".to_owned(),
            Self::Path(step) => step.call(),
            Self::Limit(step) => step.call(),
            Self::Capability(step) => step.call(),
            Self::Scheduling(step) => step.call(),
            Self::Label(step) => step.call(),
            Self::Filter(filter) => filter.call(),
            Self::User { uid, gid, groups: Some(groups) } => {
                format!("setgroups({groups:?}); setresgid({gid}); setresuid({uid})")
            }
            Self::User { uid, gid, groups: None } => format!("setresgid({gid}); setresuid({uid})"),
            Self::WorkingDirectory { path, .. } => format!("chdir(\"{}\")", path.display()),
            Self::Init { program, .. } => format!("fork(); execve({})", words(program)),
            Self::Exec(program) => format!("execve({})", words(program)),
        }
    }

    /// Why it is done, and why here.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Cgroup(step) => step.why(),
            Self::Clone { namespaces, .. } if namespaces.is_empty() => {
                "one more process, under the container's limits from birth"
            }
            Self::Clone { into_cgroup: true, .. } => {
                "a process in rooms of its own, under its limits from birth"
            }
            Self::Clone { .. } => "a process in rooms of its own",
            Self::IdMap(step) => step.why(),
            Self::JoinCgroup => "limits are in force before the program's first instruction",
            Self::NewSession => "a signal to its own group reaches nobody outside",
            Self::DieWithParent => "no container outlives the process that watches it",
            Self::AwaitParent => "what only the host can do must be done first",
            Self::Namespace(step) => step.why(),
            Self::Hide => "in there, nobody looks through this process at the host",
            Self::Enter(kinds) if kinds.contains(&Kind::Pid) => {
                "the next child is born there; who calls stays a process of the host"
            }
            Self::Enter(_) => "in the container's rooms, its own / among them",
            Self::Overlay(overlay, _) => overlay.why(),
            Self::Root(step) => step.why(),
            Self::Console { .. } => "a terminal whose other end the monitor holds",
            Self::LoopbackUp => "127.0.0.1 works, and nothing else yet",
            Self::Furnish(step) => step.why(),
            Self::AskParent => "hooks that change the container's files from outside come now",
            Self::Hooks(_) => "what others want done at this moment",
            Self::LookUp(_) => "a missing program is told now, and not when it is to start",
            Self::AwaitStart => "all is ready; whoever created the container says when",
            Self::Path(step) => step.why(),
            Self::Limit(step) => step.why(),
            Self::Capability(step) => step.why(),
            Self::Scheduling(step) => step.why(),
            Self::Label(step) => step.why(),
            Self::Filter(filter) => filter.why(),
            Self::User { .. } => "groups first: after the uid is given up they could not change",
            Self::WorkingDirectory { make: true, .. } => "made and entered while there is the right to",
            Self::WorkingDirectory { make: false, .. } => "entered while there is the right to",
            Self::Init { .. } => "pid 1 reaps orphans and passes signals on",
            Self::Exec(_) => "the container's program takes over",
        }
    }

    /// The chapter that explains it.
    pub fn chapter(&self) -> u8 {
        match self {
            Self::Root(_) => 1,
            Self::IdMap(_) | Self::Namespace(_) | Self::Enter(_) | Self::Clone { .. } | Self::Init { .. } => {
                2
            }
            Self::Cgroup(_) | Self::JoinCgroup => 3,
            Self::Path(_)
            | Self::Limit(_)
            | Self::Capability(_)
            | Self::Scheduling(_)
            | Self::Label(_)
            | Self::Filter(_)
            | Self::User { .. } => 4,
            Self::Overlay(..) => 5,
            Self::NewSession
            | Self::DieWithParent
            | Self::AwaitParent
            | Self::Hide
            | Self::Furnish(_)
            | Self::AskParent
            | Self::Hooks(_)
            | Self::LookUp(_)
            | Self::AwaitStart
            | Self::Console { .. }
            | Self::WorkingDirectory { .. }
            | Self::Exec(_) => 7,
            Self::LoopbackUp => 8,
        }
    }

    /// Does a step of the new process.
    ///
    /// # Errors
    /// The first system call that fails, with its operands.
    pub(crate) fn perform(&self, inside: &mut Inside) -> Result<()> {
        match self {
            Self::NewSession => process::setsid(),
            // ANCHOR: die
            Self::DieWithParent => {
                process::set_pdeathsig(Signal::SIGKILL)?;
                channel::parent_is_there(inside.channel()?)
            }
            // ANCHOR_END: die
            Self::AwaitParent => {
                inside.pid = Some(channel::await_go(inside.channel()?)?);
                Ok(())
            }
            Self::AskParent => {
                channel::ask(inside.channel()?)?;
                inside.pid = Some(channel::await_go(inside.channel()?)?);
                Ok(())
            }
            Self::Hooks(hooks) => hooks.run(inside.pid),
            Self::Furnish(step) => step.perform(),
            Self::LookUp(program) => program.look_up(),
            Self::AwaitStart => await_start(inside),
            Self::Namespace(step) => step.perform(),
            Self::Hide => process::set_undumpable(),
            Self::Enter(kinds) => enter(inside.target.as_ref(), kinds),
            Self::Overlay(overlay, target) => {
                overlay.mount_at(target).map_err(|error| in_short(overlay, error))
            }
            Self::Root(step) => step.perform(&mut inside.detached),
            Self::Console { uid, size, first } => console::open(*uid, *size, *first, inside.channel()?),
            Self::LoopbackUp => mini_sys::net::interface_up("lo"),
            Self::Path(step) => step.perform(),
            Self::Limit(step) => step.perform(),
            Self::Capability(step) => step.perform(),
            Self::Scheduling(step) => step.perform(),
            Self::Label(step) => step.perform(),
            Self::Filter(filter) => filter.load(),
            Self::User { uid, gid, groups } => become_user(*uid, *gid, groups.as_deref()),
            Self::WorkingDirectory { path, make } => working_directory(path, *make),
            Self::Init { program, limits } => init(program, limits, inside),
            Self::Exec(program) => program.exec().map(|never: Infallible| match never {}),
            Self::JoinCgroup => inside.cgroup.as_ref().map_or(Ok(()), Cgroup::enter_separate),
            Self::Cgroup(_) | Self::Clone { .. } | Self::IdMap(_) => {
                Err(Error::new(format!("{} inside the container", self.call()), Errno::EPERM))
            }
        }
    }
}

/// The channel is closed first, which is how the parent hears that all is ready. A fifo that is open for both
/// directions has no end: nobody's coming and going is taken for the word.
fn await_start(inside: &mut Inside) -> Result<()> {
    // ANCHOR: await-start
    let gate = inside.gate.take().ok_or_else(|| Error::new("read(no fifo)", Errno::EBADF))?;
    // A filter may forbid even that: who cannot close it must end, or nobody would ever hear.
    inside.channel.take().map_or(Ok(()), ipc::close)?;
    ipc::read(&gate, &mut [0; 1]).map(drop)
    // ANCHOR_END: await-start
}

/// Joins these namespaces of the process `target`.
pub(crate) fn enter(target: Option<&OwnedFd>, kinds: &[Kind]) -> Result<()> {
    let target = target.ok_or_else(|| Error::new("setns(no process)", Errno::EBADF))?;
    mini_namespaces::join(target, kinds)
}

fn names(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.flag_name()).collect::<Vec<_>>().join("|")
}

fn become_user(uid: u32, gid: u32, groups: Option<&[u32]>) -> Result<()> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    match groups {
        Some(groups) => {
            let groups: Vec<Gid> = groups.iter().map(|group| Gid::from_raw(*group)).collect();
            set_credentials(uid, gid, &groups)
        }
        None => set_ids(uid, gid),
    }
}

/// The failed call of an overlay; that there are too many layers is no call, and has no other number.
fn in_short(overlay: &Overlay, error: OverlayError) -> Error {
    match error {
        OverlayError::Mount { source, .. } | OverlayError::Directory(source) => source,
        OverlayError::Empty | OverlayError::TooMany(_) => {
            Error::new(format!("{} ({error})", overlay.call()), Errno::E2BIG)
        }
    }
}

/// Serves as pid 1 and ends with the program's status. It holds nothing that the container could use against
/// the host: no capability that the program does not have, and no way to its own program file.
fn init(program: &Program, limits: &[limits::Step], inside: &mut Inside) -> Result<()> {
    process::set_undumpable()?;
    process::set_name(c"mini-init")?;
    let index = inside.index;
    let channel = RefCell::new(inside.channel.take());
    let become_program = || {
        let result = limits.iter().try_for_each(limits::Step::perform).and_then(|()| program.exec());
        if let (Err(error), Some(channel)) = (result, channel.take()) {
            // Whoever listened is gone if this fails, and the container with it.
            let _ = channel::failed(channel.as_fd(), index, &error);
        }
        clone::leave(clone::ABANDONED)
    };
    // From then on the program's copy of the channel is the one that tells of its start.
    let started = || drop(channel.take());
    let ended = mini_namespaces::init::run(become_program, started);
    match ended {
        Ok(exit) => clone::leave(exit.shell_code()),
        Err(InitError::Prepare(error) | InitError::Start(error) | InitError::Wait(error)) => {
            inside.channel = channel.take();
            Err(error)
        }
    }
}

fn words(program: &Program) -> String {
    program.arguments().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

/// The path is the image's or the user's to choose, and a link in `/proc` could lead anywhere: where it led is
/// asked afterwards. The kernel has no name for a directory that is outside of the root. getcwd(2).
fn working_directory(path: &Path, make: bool) -> Result<()> {
    // ANCHOR: where-it-led
    match process::chdir(path) {
        Err(error) if make && error.errno() == Errno::ENOENT => {
            std::fs::create_dir_all(path)
                .map_err(|error| Error::from_io(format!("mkdir(\"{}\")", path.display()), &error))?;
            process::chdir(path)?;
        }
        other => other?,
    }
    match std::env::current_dir() {
        Ok(directory) if directory.is_absolute() => Ok(()),
        _ => Err(Error::new(
            format!("chdir(\"{}\"), which is outside of the container", path.display()),
            Errno::EXDEV,
        )),
    }
    // ANCHOR_END: where-it-led
}
