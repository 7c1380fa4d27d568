//! `create`: from what a user asked for to a container that is there and not running yet.
//!
//! Everything that can be found wrong is found before the first file is written. Then the directory is made, under
//! a name that tells who is making it; when it is whole it is renamed to the container's id, and the name is
//! reserved. The record goes on telling the maker until a start has been tried. Whoever finds either with a maker
//! that is dead removes it. Book ch. 10.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mini_images::config::Healthcheck;
use mini_images::{Image, RunConfig};
use mini_sys::procfs;

use crate::config::{Config, HostConfig};
use crate::events::{self, Event};
use crate::guard::{self, GuardError};
use crate::home::{Home, HomeError};
use crate::id;
use crate::log_options::{self, LogOptionError};
use crate::names::{self, NameError};
use crate::places;
use crate::record::{LOG, ProcessId, Record, RecordError, State};

/// What a user asked for.
#[derive(Debug, Clone)]
pub struct Create {
    /// The name; none for one by chance.
    pub name: Option<String>,
    /// The image.
    pub image: Image,
    /// What to run. What is empty here comes from the image; an entrypoint of one empty word means none.
    pub config: Config,
    /// What to run it with.
    pub host_config: HostConfig,
}

/// A container that could not be made. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Neither image nor user say what to run: Docker's words.
    #[error("no command specified")]
    NoCommand,
    /// Docker's words for a directory that is none.
    #[error("the working directory '{0}' is invalid, it needs to be an absolute path")]
    WorkingDirectory(String),
    /// A host name that the kernel or the rest of the world would not take.
    #[error("invalid hostname format: {0}: letters, digits, `-` and `.`, 64 at most")]
    Hostname(String),
    /// Docker's words for an image that somebody has removed since it was found.
    #[error("No such image: {0}")]
    ImageGone(String),
    /// Its output cannot be kept as the request says.
    #[error(transparent)]
    Log(#[from] LogOptionError),
    /// It cannot be kept from being removed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The images.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The machine has no randomness.
    #[error("make an id")]
    Id(#[source] io::Error),
    /// The name cannot be had.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// One of its files cannot be made.
    #[error("make {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes a container.
///
/// # Errors
/// What [`CreateError`] lists.
pub fn create(home: &Home, request: Create) -> Result<Record, CreateError> {
    let mut record = draft(request)?;
    let _making = guard::making(home)?;
    check_image(home, &record)?;
    match write(home, &mut record) {
        Ok(()) => {
            events::emit(home, &Event::container(&record, "create"));
            Ok(record)
        }
        Err(error) => {
            // The error that matters is the first; what stays is found by the next repair.
            let _ = names::release(home, &record.name, &record.id);
            let _ = fs::remove_dir_all(home.container(&record.id));
            Err(error)
        }
    }
}

/// Leaves the container as it is: its maker does not start it.
///
/// # Errors
/// Those of writing the record.
pub fn leave(home: &Home, record: &Record) -> Result<(), RecordError> {
    Record::change(home, &record.id, |record| record.maker = None).map(drop)
}

/// Whether the image that was found is still there. From here on nobody removes it.
fn check_image(home: &Home, record: &Record) -> Result<(), CreateError> {
    let images = home.images()?;
    let unpacked = record.layer.is_none_or(|layer| images.layers.contains(&layer));
    if unpacked && images.blobs.contains(&record.image) {
        return Ok(());
    }
    // One that is listed and not whole is damaged: the start will say where.
    let listed = images.list().map_err(HomeError::from)?;
    if listed.iter().any(|image| image.id == record.image) {
        return Ok(());
    }
    Err(CreateError::ImageGone(record.config.image.clone()))
}

/// The record, complete but for a name by chance. No file is touched.
fn draft(request: Create) -> Result<Record, CreateError> {
    let Create { name, image, mut config, host_config } = request;
    let id = id::random().map_err(CreateError::Id)?;
    fill_in(&mut config, &image.config.config);
    let words = [&config.entrypoint, &config.cmd].into_iter().flatten().flatten();
    let arguments: Vec<String> = words.cloned().collect();
    if arguments.is_empty() {
        return Err(CreateError::NoCommand);
    }
    if config.hostname.is_empty() {
        config.hostname =
            if host_config.network_mode == "host" { host_name() } else { id::short(&id).to_owned() };
    }
    check(&config)?;
    log_options::check(&host_config.log_config)?;
    Ok(Record {
        id,
        name: name.unwrap_or_default(),
        created: Timestamp::now(),
        maker: ProcessId::own(),
        image: image.id,
        layer: image.chain_ids().last().copied(),
        arguments,
        config,
        host_config,
        state: State::created(),
    })
}

/// What the user left open the image decides.
fn fill_in(config: &mut Config, image: &RunConfig) {
    // Who names another entrypoint does not want the arguments that were meant for the old one.
    if config.cmd.is_none() && config.entrypoint.is_none() {
        config.cmd.clone_from(&image.cmd);
    }
    let entrypoint = config.entrypoint.take().or_else(|| image.entrypoint.clone());
    config.entrypoint = entrypoint.filter(|words| words.iter().any(|word| !word.is_empty()));
    take_default(&mut config.user, &image.user);
    take_default(&mut config.working_dir, &image.working_dir);
    config.healthcheck = fill_in_health(config.healthcheck.take(), image.healthcheck.as_ref());
    config.stop_signal = config.stop_signal.take().or_else(|| image.stop_signal.clone());
    config.volumes.clone_from(&image.volumes);
    let mut env = image.env.clone();
    for variable in &config.env {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        mini_images::change::set_env(&mut env, name, value);
    }
    config.env = env;
    let mut labels = image.labels.clone().unwrap_or_default();
    labels.append(&mut config.labels);
    config.labels = labels;
}

/// What the user says of the container's health, over what the image says.
fn fill_in_health(user: Option<Healthcheck>, image: Option<&Healthcheck>) -> Option<Healthcheck> {
    let (Some(mut health), Some(image)) = (user.clone(), image) else {
        return user.or_else(|| image.cloned());
    };
    if health.test.is_empty() {
        health.test.clone_from(&image.test);
    }
    let or = |own: &mut i64, default: i64| {
        if *own == 0 {
            *own = default;
        }
    };
    or(&mut health.interval, image.interval);
    or(&mut health.timeout, image.timeout);
    or(&mut health.start_period, image.start_period);
    or(&mut health.start_interval, image.start_interval);
    or(&mut health.retries, image.retries);
    Some(health)
}

fn check(config: &Config) -> Result<(), CreateError> {
    if !is_hostname(&config.hostname) {
        return Err(CreateError::Hostname(config.hostname.clone()));
    }
    if !config.working_dir.is_empty() && !Path::new(&config.working_dir).is_absolute() {
        return Err(CreateError::WorkingDirectory(config.working_dir.clone()));
    }
    Ok(())
}

fn write(home: &Home, record: &mut Record) -> Result<(), CreateError> {
    let making = match &record.maker {
        Some(maker) => home.containers().join(making_name(maker, &record.id)),
        None => home.container(&record.id),
    };
    let directory = home.container(&record.id);
    // ANCHOR: two-moves
    let made = fill(&making, record).and_then(|()| {
        places::CREATE_RECORD.pass();
        fs::rename(&making, &directory).map_err(|source| CreateError::File { path: directory, source })
    });
    if made.is_err() {
        let _ = fs::remove_dir_all(&making);
    }
    made?;
    // ANCHOR_END: two-moves
    places::CREATE_RENAMED.pass();
    if record.name.is_empty() {
        record.name = names::reserve_any(home, &record.id)?;
        places::CREATE_NAMED.pass();
        record.save(home)?;
    } else {
        names::reserve(home, &record.name, &record.id)?;
    }
    places::CREATE_SAVED.pass();
    Ok(())
}

/// How the names of directories begin that are being made.
const MAKING: &str = ".making-";

fn making_name(maker: &ProcessId, id: &str) -> String {
    format!("{MAKING}{}-{}-{id}", maker.pid, maker.start_time)
}

/// Whether the name is that of a directory whose maker is dead.
pub(crate) fn is_abandoned(name: &str) -> bool {
    let Some((pid, rest)) = name.strip_prefix(MAKING).and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let start_time = rest.split('-').next().and_then(|text| text.parse().ok());
    match (pid.parse(), start_time) {
        (Ok(pid), Some(start_time)) => !ProcessId { pid, start_time, boot: procfs::boot_id() }.is_alive(),
        _ => false,
    }
}

/// Everything in a container's directory.
fn fill(directory: &Path, record: &Record) -> Result<(), CreateError> {
    make_directory(directory, 0o710)?;
    places::CREATE_DIRECTORY.pass();
    for (name, mode) in [("upper", 0o755), ("work", 0o700), ("merged", 0o755), ("bundle", 0o700)] {
        make_directory(&directory.join(name), mode)?;
    }
    let config = &record.config;
    write_file(&directory.join("hostname"), &format!("{}\n", config.hostname))?;
    write_file(&directory.join("hosts"), &hosts(&record.host_config, &config.hostname))?;
    write_file(&directory.join("resolv.conf"), &fs::read_to_string("/etc/resolv.conf").unwrap_or_default())?;
    write_file(&directory.join(LOG), "")?;
    places::CREATE_FILES.pass();
    Ok(record.save_in(directory)?)
}

/// The container's `/etc/hosts`: hosts(5). With the host's network, the host's own.
fn hosts(host: &HostConfig, hostname: &str) -> String {
    if host.network_mode == "host" {
        return fs::read_to_string("/etc/hosts").unwrap_or_default();
    }
    format!(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n127.0.1.1\t{hostname}\n"
    )
}

fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim_end().to_owned()
}

/// hostname(7), and the length that sethostname(2) takes. Underscores are against the rules and in use.
fn is_hostname(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(letter)
    };
    name.len() <= 64 && name.split('.').all(label)
}

fn take_default(value: &mut String, default: &str) {
    if value.is_empty() {
        default.clone_into(value);
    }
}

fn make_directory(path: &Path, mode: u32) -> Result<(), CreateError> {
    let made = DirBuilder::new().mode(mode).create(path);
    made.map_err(|source| CreateError::File { path: path.to_owned(), source })
}

fn write_file(path: &Path, content: &str) -> Result<(), CreateError> {
    fs::write(path, content).map_err(|source| CreateError::File { path: path.to_owned(), source })
}
