//! `create`: everything up to the program.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mini_cgroups::Layout;
use mini_sys::file::{self, CWD, Mode, OFlags, ResolveFlags};
use mini_sys::{Pid, Uid, ipc, procfs};

use super::bundle::Bundle;
use super::check::{self, Machine};
use super::store::{self, Container, OciError, Saved, Store};
use crate::plan::{self, Setting};
use crate::start::{self, Hands};
use crate::stdio::ProgramSide;

/// How a container is created.
#[derive(Debug, Clone, Default)]
pub struct Create {
    /// The bundle's directory.
    pub bundle: PathBuf,
    /// Who gets the far side of the terminal: a socket that listens there.
    pub console_socket: Option<PathBuf>,
    /// Where the first process's number is written.
    pub pid_file: Option<PathBuf>,
    /// How many descriptors from 3 on the program gets as they are here.
    pub passed: u32,
    /// The caller stays, and holds the far side of the terminal itself.
    pub attended: bool,
    /// The root is moved rather than pivoted to: on a ramdisk there is no other way.
    pub no_pivot: bool,
    /// Where newuidmap(1) is looked for, as in the environment.
    pub path: std::ffi::OsString,
}

/// A container that has been created.
#[derive(Debug)]
pub struct Created {
    /// It.
    pub container: Container,
    /// The far side of its terminal, for who is [`Create::attended`].
    pub console: Option<OwnedFd>,
}

/// Creates the container `id`: its process waits for [`super::start`].
///
/// # Errors
/// What [`OciError`] lists; nothing is left then.
pub fn create(store: &Store, id: &str, request: &Create) -> Result<Created, OciError> {
    let mut bundle = Bundle::load(&request.bundle)?;
    check::check(&bundle.spec, Machine::this())?;
    check_terminal(&bundle, request)?;
    let directory = store.reserve(id)?;
    // Others may keep their states elsewhere, and have the same name there.
    let unique = fs::metadata(&directory).map(|metadata| metadata.ino()).unwrap_or_default();
    bundle.place_cgroup(&format!("{id}-{unique:x}"));
    let made = create_in(&directory, id, &bundle, request);
    if made.is_err() {
        // Whatever is left of it could only be in the way of the next try.
        let _ = fs::remove_dir_all(&directory);
    }
    made
}

fn check_terminal(bundle: &Bundle, request: &Create) -> Result<(), OciError> {
    let terminal = bundle.spec.process().as_ref().is_some_and(|process| process.terminal().unwrap_or(false));
    match (terminal, &request.console_socket) {
        (true, None) if !request.attended => Err(OciError::NoConsole),
        (false, Some(_)) => Err(OciError::NoTerminal),
        _ => Ok(()),
    }
}

fn create_in(directory: &Path, id: &str, bundle: &Bundle, request: &Create) -> Result<Created, OciError> {
    let _lock = file::lock(&directory.join("lock"), file::Lock::Exclusive)?;
    let layout = Layout::detect()?;
    let mut saved = Saved {
        oci_version: bundle.spec.version().clone(),
        id: id.to_owned(),
        pid: 0,
        start_time: 0,
        boot: procfs::boot_id(),
        bundle: bundle.path.clone(),
        rootfs: bundle.spec.root().as_ref().map(|root| root.path().clone()).unwrap_or_default(),
        created: Timestamp::now(),
        owner: Uid::current().as_raw(),
        cgroup: None,
        annotations: bundle.spec.annotations().clone().unwrap_or_default(),
        spec: bundle.spec.clone(),
    };
    let setting = Setting {
        cgroups: Some(layout.clone()),
        id_maps: bundle.id_maps(&request.path),
        held: Some(store::state(&saved)),
        no_pivot: request.no_pivot,
        ..Setting::default()
    };
    let plan = plan::plan(&bundle.spec, &setting)?;
    saved.cgroup.clone_from(&plan.cgroup);
    let mut container = Container { directory: directory.to_owned(), saved, layout };
    // Before anything is made, so that whoever deletes what was cut short knows what to look for.
    container.save()?;
    let fifo = directory.join("exec.fifo");
    file::mkfifo(&fifo)?;
    let hands =
        Hands { stdio: streams(bundle)?, target: None, gate: Some(gate(&fifo)?), passed: request.passed };
    let mut started = start::perform(&plan, Some(&container.layout), hands, None).map_err(OciError::Start)?;
    container.saved.pid = started.child.pid.as_raw();
    container.saved.start_time = procfs::start_time(started.child.pid).unwrap_or_default();
    let mut console = started.console.take();
    let told = container.save().and_then(|()| hand_over(request, &mut console, started.child.pid));
    if let Err(error) = told {
        // Nobody knows of it yet.
        let _ = container.kill_all();
        return Err(error);
    }
    Ok(Created { container, console })
}

/// Gives the terminal and the process's number to those who wait for them.
fn hand_over(request: &Create, console: &mut Option<OwnedFd>, pid: Pid) -> Result<(), OciError> {
    if let Some(socket) = &request.console_socket
        && let Some(console) = console.take()
    {
        send_console(socket, &console)?;
    }
    if let Some(path) = &request.pid_file {
        file::replace(path, pid.to_string().as_bytes(), false)?;
    }
    Ok(())
}

/// Sends the far side of a terminal to whoever listens at `socket`. runc's docs/terminals.md.
pub(super) fn send_console(socket: &Path, console: &OwnedFd) -> Result<(), OciError> {
    let failed = |source| OciError::File { path: socket.to_owned(), source };
    let stream = UnixStream::connect(socket).map_err(failed)?;
    Ok(ipc::send_fd(&stream, b"/dev/ptmx", console.as_fd())?)
}

/// Open for both directions, so that it never waits for the other side and never ends.
fn gate(fifo: &Path) -> Result<OwnedFd, OciError> {
    // ANCHOR: gate
    Ok(file::openat2(CWD, fifo, OFlags::RDWR, Mode::empty(), ResolveFlags::empty())?)
    // ANCHOR_END: gate
}

/// The caller's own streams; none for a program that gets a terminal.
fn streams(bundle: &Bundle) -> Result<ProgramSide, OciError> {
    let Some(process) = bundle.spec.process() else { return Ok(nothing()?) };
    if process.terminal().unwrap_or(false) {
        return Ok(nothing()?);
    }
    own_streams(process.user().uid())
}

fn nothing() -> Result<ProgramSide, mini_sys::Error> {
    Ok(ProgramSide { stdin: file::open_null()?, stdout: file::open_null()?, stderr: file::open_null()? })
}

/// The caller's own streams, for the user `uid`: pipes are given to it, so that it may open them by name
/// (`/dev/stdout`) too.
pub(super) fn own_streams(uid: u32) -> Result<ProgramSide, OciError> {
    let own = |fd: std::os::fd::BorrowedFd<'_>| {
        let fd = fd.try_clone_to_owned().map_err(|error| mini_sys::Error::from_io("dup", &error))?;
        let stat = file::statat(&fd, Path::new(""))?;
        if uid != 0 && file::FileType::from_raw_mode(stat.st_mode) == file::FileType::Fifo {
            // Where that cannot be, the program still has it open.
            let _ = file::chown(&fd, uid, stat.st_gid);
        }
        Ok::<_, OciError>(fd)
    };
    Ok(ProgramSide {
        stdin: own(std::io::stdin().as_fd())?,
        stdout: own(std::io::stdout().as_fd())?,
        stderr: own(std::io::stderr().as_fd())?,
    })
}
