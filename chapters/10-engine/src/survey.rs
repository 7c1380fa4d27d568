//! What a start is made of: the container's layers, its user and this machine, and the steps that follow from them.
//!
//! A command surveys before it forks, so that what cannot be done is told where it was asked for; a monitor surveys
//! again before each further start, because anything may have changed since. Book ch. 10.

use std::fs;
use std::io;
use std::path::PathBuf;

use mini_cgroups::{Layout, Limits};
use mini_layers::layers::LayerError;
use mini_layers::stack::StackError;
use mini_layers::{Layers, Overlay, Stack, Upper};
use mini_namespaces::idmap::{self, Caller, Maps};
use mini_runtime::{Plan, PlanError, Setting};

use crate::home::Home;
use crate::record::Record;
use crate::spec::{self, Machine, UnknownUlimit};
use crate::user::{self, UserError};

/// A container for whose start something is missing.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
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
    /// Docker's words for one that somebody has removed meanwhile.
    #[error("No such container: {0}")]
    Gone(String),
    /// Its bundle cannot be written.
    #[error("write {}", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
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
/// What [`SurveyError`] lists.
pub fn plan(home: &Home, record: &Record) -> Result<Plan, SurveyError> {
    let ground = survey(home, record)?;
    Ok(mini_runtime::plan(&ground.spec, &ground.setting)?)
}

/// The steps, and the machine that they are for; the bundle is written.
pub(crate) fn prepare(home: &Home, record: &Record) -> Result<(Plan, Layout), SurveyError> {
    let ground = survey(home, record)?;
    let plan = mini_runtime::plan(&ground.spec, &ground.setting)?;
    write_bundle(home, record, &ground.spec)?;
    Ok((plan, ground.layout))
}

fn survey(home: &Home, record: &Record) -> Result<Ground, SurveyError> {
    let layers = Layers::open(&home.layers())?;
    let rootless = !mini_sys::process::is_root();
    let directory = home.container(&record.id);
    let lower = match &record.layer {
        Some(top) => layers.trees(top)?,
        // An image without layers shows an empty directory.
        None => vec![directory.join("merged")],
    };
    let user = user::resolve(&record.config.user, &Stack::open(&lower)?)?;
    let layout = Layout::detect().map_err(SurveyError::Cgroups)?;
    if rootless && user.uid != 0 {
        return Err(SurveyError::OnlyRoot(user.uid));
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
        no_pivot: false,
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
fn write_bundle(home: &Home, record: &Record, spec: &oci_spec::runtime::Spec) -> Result<(), SurveyError> {
    let path = home.container(&record.id).join("bundle/config.json");
    let write = || fs::write(&path, serde_json::to_vec(spec)?);
    write().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SurveyError::Gone(record.name.clone()),
        _ => SurveyError::Bundle { path, source },
    })
}
