//! `start`: a process is forked that stays with the container, and does everything from here on.
//!
//! There is no daemon. The monitor makes the container, so it is its parent and learns how it ends; it writes the
//! log and the record, serves those attached, and cleans up. The command that started it only talks to it over
//! a socket, and may go away at any time. fork(2), setsid(2); book ch. 7, 10.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use mini_cgroups::{Layout, Limits};
use mini_layers::layers::LayerError;
use mini_layers::stack::StackError;
use mini_layers::{Layers, Overlay, Stack, Upper};
use mini_namespaces::idmap::{self, Caller, Maps};
use mini_runtime::explain::Format;
use mini_runtime::{Plan, PlanError, Setting};
use mini_sys::clone::{self, Child};
use mini_sys::ipc;

use crate::home::Home;
use crate::monitor::{self, Monitor};
use crate::places;
use crate::record::{Record, RecordError, Status};
use crate::spec::{self, Machine, UnknownUlimit};
use crate::user::{self, UserError};

/// A container whose start could not even be tried.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It runs already.
    #[error("container {0} is already running")]
    Running(String),
    /// Docker's words for one whose processes are frozen.
    #[error("cannot start a paused container, try unpause instead")]
    Paused(String),
    /// Its image's layers cannot be found.
    #[error(transparent)]
    Layers(#[from] LayerError),
    /// They cannot be looked into.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// Its user is none.
    #[error(transparent)]
    User(#[from] UserError),
    /// A user namespace of an ordinary user has one user.
    #[error(
        "cannot run as user {0}: an ordinary user's container has user 0 alone, which is that user itself"
    )]
    OnlyRoot(u32),
    /// A limit of an unknown name.
    #[error(transparent)]
    Ulimit(#[from] UnknownUlimit),
    /// Its cgroups cannot be found out about.
    #[error("look for control groups")]
    Cgroups(#[source] mini_sys::Error),
    /// What was asked for cannot be done.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Its bundle cannot be written.
    #[error("write {}", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The monitor cannot be started.
    #[error("start the monitor")]
    Fork(#[source] mini_sys::Error),
}

/// A connection to a container's monitor.
#[derive(Debug)]
pub struct Attachment {
    /// Messages of [`mini_runtime::wire`].
    pub socket: OwnedFd,
    /// The monitor.
    pub monitor: Child,
}

/// What a start needs to know of this machine and of the image.
struct Ground {
    layout: Layout,
    setting: Setting,
    spec: oci_spec::runtime::Spec,
}

/// The steps that starting `record` would take.
///
/// # Errors
/// What [`StartError`] lists.
pub fn plan(home: &Home, record: &Record) -> Result<Plan, StartError> {
    let ground = survey(home, record)?;
    Ok(mini_runtime::plan(&ground.spec, &ground.setting)?)
}

/// Starts the container `record`; with `explain`, the monitor tells every step.
///
/// # Errors
/// What [`StartError`] lists. What goes wrong later the monitor tells.
pub fn start(home: &Home, record: Record, explain: Option<Format>) -> Result<Attachment, StartError> {
    if record.state.status == Status::Paused {
        return Err(StartError::Paused(record.name));
    }
    if record.state.status.is_active() {
        return Err(StartError::Running(record.name));
    }
    let (plan, layout) = prepare(home, &record)?;
    places::START_BUNDLE.pass();
    // ANCHOR: fork
    let (ours, theirs) = ipc::socketpair().map_err(StartError::Fork)?;
    let monitor = Monitor { home: home.clone(), record, plan, layout, explain };
    let child = clone::fork_apart(theirs, move |socket| -> Infallible { monitor::main(monitor, socket) });
    let monitor = child.map_err(StartError::Fork)?;
    places::START_FORKED.pass();
    Ok(Attachment { socket: ours, monitor })
    // ANCHOR_END: fork
}

/// The steps, and the machine that they are for; the bundle is written.
pub(crate) fn prepare(home: &Home, record: &Record) -> Result<(Plan, Layout), StartError> {
    let ground = survey(home, record)?;
    let plan = mini_runtime::plan(&ground.spec, &ground.setting)?;
    write_bundle(home, record, &ground.spec)?;
    Ok((plan, ground.layout))
}

fn survey(home: &Home, record: &Record) -> Result<Ground, StartError> {
    let layers = Layers::open(&home.layers())?;
    let rootless = !mini_sys::process::is_root();
    let directory = home.container(&record.id);
    let lower = match &record.layer {
        Some(top) => layers.trees(top)?,
        // An image without layers shows an empty directory.
        None => vec![directory.join("merged")],
    };
    let user = user::resolve(&record.config.user, &Stack::open(&lower)?)?;
    let layout = Layout::detect().map_err(StartError::Cgroups)?;
    if rootless && user.uid != 0 {
        return Err(StartError::OnlyRoot(user.uid));
    }
    check_cpus(record.host_config.nano_cpus, &layout)?;
    let unified = layout.is_unified_alone();
    let spec = spec::spec(home, record, &user, Machine { rootless, unified })?;
    let upper = Upper { tree: directory.join("upper"), work: directory.join("work") };
    let setting = Setting {
        overlay: Some(Overlay { lower, upper: Some(upper), userxattr: rootless }),
        cgroups: Some(layout.clone()),
        init: record.host_config.init,
        id_maps: if rootless { id_maps() } else { Vec::new() },
        held: None,
    };
    Ok(Ground { layout, setting, spec })
}

/// More processors than there are would be no limit, and the kernel would not say so.
fn check_cpus(nano_cpus: u64, layout: &Layout) -> Result<(), PlanError> {
    if nano_cpus == 0 {
        return Ok(());
    }
    let checked = Limits::default().set_cpus(nano_cpus, layout.cpus.count());
    checked.map_err(|error| PlanError::Limits(error.into()))
}

/// The caller is 0 inside, and all that its unpacked images know; ids from `/etc/subuid` would own files that
/// the caller could not remove again.
fn id_maps() -> Vec<idmap::Step> {
    match Caller::this_process(std::ffi::OsStr::new("")) {
        Caller::Privileged => Vec::new(),
        Caller::Ordinary(user) => idmap::plan(&Caller::Ordinary(user.clone()), &Maps::rootless(&user)),
    }
}

/// The spec as other OCI tools read it, and as a reader may look at it.
fn write_bundle(home: &Home, record: &Record, spec: &oci_spec::runtime::Spec) -> Result<(), StartError> {
    let path = home.container(&record.id).join("bundle/config.json");
    let write = || fs::write(&path, serde_json::to_vec(spec)?);
    write().map_err(|source| StartError::Bundle { path, source })
}
