//! `exec`: one more program in a container that runs.
//!
//! No daemon and no monitor is asked: the container's processes are there for everybody who may join them, and its
//! record and bundle say how. The program is the caller's child, so its exit status and its streams are too.
//! docker-exec(1); book ch. 7, 10.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use mini_cgroups::Layout;
use mini_runtime::exec::Joining;
use mini_runtime::stdio::ProgramSide;
use mini_runtime::{Plan, PlanError, StartError, Started};
use mini_security::{Capability, capabilities};
use mini_sys::file::{self, CWD, Mode, OFlags, ResolveFlags};
use mini_sys::process;
use oci_spec::runtime::{
    BoxBuilder, Capabilities, Capability as OciCapability, LinuxCapabilities, Process, Spec, User as OciUser,
};

use crate::home::Home;
use crate::record::{ProcessId, Record, Status};
use crate::spec;
use crate::user::{self, User, UserError};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Exec {
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// Variables beside the container's own, `NAME=value`.
    pub env: Vec<String>,
    /// Who runs it; empty: who runs the container's program.
    pub user: String,
    /// Where it starts; empty: where the container's program does.
    pub working_dir: String,
    /// It gets a terminal of its own.
    pub tty: bool,
    /// How large that is at first: rows and columns; zeros: unknown.
    pub console_size: [u16; 2],
    /// It gets every capability that there is to give.
    pub privileged: bool,
}

/// A program that cannot be run in a container.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// Docker's words for a container without processes.
    #[error("container {0} is not running")]
    NotRunning(String),
    /// Docker's words for a frozen one.
    #[error("container {0} is paused, unpause the container before exec")]
    Paused(String),
    /// Docker's words for one between two lives.
    #[error("container {0} is restarting, wait until the container is running")]
    Restarting(String),
    /// What it was started with cannot be read.
    #[error("read {}", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The container has no such user.
    #[error(transparent)]
    User(#[from] UserError),
    /// Docker's words for a directory that is no absolute path.
    #[error("Cwd must be an absolute path")]
    Directory,
    /// The kernel does not tell something.
    #[error("look at the container's processes")]
    Look(#[source] mini_sys::Error),
    /// What was asked for cannot be done.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A program that is ready to be run in a container.
#[derive(Debug)]
pub struct Ready {
    /// The steps.
    pub plan: Plan,
    layout: Layout,
    target: OwnedFd,
}

impl Ready {
    /// Runs it with these streams. The caller becomes its parent, and see [`mini_runtime::exec::exec`].
    ///
    /// # Errors
    /// The first step that fails.
    pub fn run(self, stdio: ProgramSide) -> Result<Started, StartError> {
        mini_runtime::exec::exec(&self.plan, Some(&self.layout), self.target, stdio, 0)
    }
}

/// Finds out all that running `request` in the container of `record` takes.
///
/// # Errors
/// What [`ExecError`] lists.
pub fn prepare(home: &Home, record: &Record, request: &Exec) -> Result<Ready, ExecError> {
    match record.state.status {
        Status::Paused => return Err(ExecError::Paused(record.name.clone())),
        Status::Restarting => return Err(ExecError::Restarting(record.id.clone())),
        Status::Running | Status::Created | Status::Exited => {}
    }
    let not_running = || ExecError::NotRunning(record.id.clone());
    let first = record.state.process.as_ref().filter(|_| record.state.status.is_up());
    let first = first.ok_or_else(not_running)?;
    let target = first.open().ok_or_else(not_running)?;
    let spec = bundle(home, record)?;
    let process = process(&spec, record, request, first)?;
    let layout = Layout::detect().map_err(ExecError::Look)?;
    let joining = Joining { cgroups: Some(layout.clone()), keep_groups: !process::is_root() };
    let plan = mini_runtime::exec::plan(&spec, &process, &joining)?;
    Ok(Ready { plan, layout, target })
}

fn bundle(home: &Home, record: &Record) -> Result<Spec, ExecError> {
    let path = home.container(&record.id).join("bundle/config.json");
    let read = || Ok(serde_json::from_slice(&fs::read(&path)?)?);
    read().map_err(|source: io::Error| ExecError::Bundle { path: path.clone(), source })
}

/// The container's own process, with what the request says instead.
fn process(spec: &Spec, record: &Record, request: &Exec, first: &ProcessId) -> Result<Process, ExecError> {
    let mut process = spec.process().clone().ok_or(PlanError::Missing("process"))?;
    let own_home = variable(&process, "HOME");
    let home = if request.user.is_empty() {
        own_home
    } else {
        let user = user::resolve_inside(&request.user, &root_of(first)?)?;
        process.set_user(oci_user(&user));
        user.home
    };
    let mut config = record.config.clone();
    config.tty = request.tty;
    config.env.extend(request.env.iter().cloned());
    if !request.working_dir.is_empty() {
        if !request.working_dir.starts_with('/') {
            return Err(ExecError::Directory);
        }
        process.set_cwd(PathBuf::from(&request.working_dir));
    }
    let [rows, columns] = request.console_size.map(u64::from);
    let size = BoxBuilder::default().height(rows).width(columns).build().ok();
    process
        .set_args(Some(request.arguments.clone()))
        .set_env(Some(spec::environment(&config, &home)))
        .set_terminal(Some(request.tty))
        .set_console_size(size.filter(|_| request.tty && rows > 0));
    if request.privileged {
        process.set_capabilities(Some(every_capability()?));
    }
    Ok(process)
}

fn variable(process: &Process, name: &str) -> String {
    let value = |variable: &String| Some(variable.strip_prefix(name)?.strip_prefix('=')?.to_owned());
    process.env().iter().flatten().find_map(value).unwrap_or_else(|| "/".to_owned())
}

/// The container's root directory, as its first process sees it.
fn root_of(first: &ProcessId) -> Result<OwnedFd, ExecError> {
    let path = format!("/proc/{}/root", first.pid);
    let how = OFlags::PATH | OFlags::DIRECTORY;
    file::openat2(CWD, Path::new(&path), how, Mode::empty(), ResolveFlags::empty()).map_err(ExecError::Look)
}

fn oci_user(user: &User) -> OciUser {
    let mut oci = OciUser::default();
    oci.set_uid(user.uid).set_gid(user.gid).set_additional_gids(Some(user.groups.clone()));
    oci
}

/// In a user namespace of its own a container's root has all of them; elsewhere nobody gives what he lacks.
fn every_capability() -> Result<LinuxCapabilities, ExecError> {
    let list = if process::is_root() {
        capabilities::permitted().map_err(ExecError::Look)?
    } else {
        capabilities::all()
    };
    let set: Capabilities = list.iter().filter_map(oci_capability).collect();
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(Some(set.clone()))
        .set_effective(Some(set.clone()))
        .set_permitted(Some(set))
        .set_inheritable(None)
        .set_ambient(None);
    Ok(sets)
}

/// The library reads names without their prefix, and may not know the newest.
fn oci_capability(capability: &Capability) -> Option<OciCapability> {
    capability.to_string().strip_prefix("CAP_")?.parse().ok()
}
