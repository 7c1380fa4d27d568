//! `commit`: what a container changed becomes a layer, and with it an image.
//!
//! The container is stopped for as long as its tree is read, so that the layer is what was there at one moment. A
//! small process of its own lets it go on: when the tree has been read, and also when this command fails or is
//! killed, for either closes the socket that it waits on. docker-commit(1); cgroup-v2.rst, "cgroup.freeze";
//! book ch. 10.

use std::convert::Infallible;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use mini_cgroups::Cgroup;
use mini_images::commit::{Commit, CommitError as ImageError};
use mini_images::{Image, Images, RunConfig};
use mini_layers::diff::DiffError;
use mini_layers::layers::LayerError;
use mini_layers::{Layers, Stack};
use mini_sys::clone::{self, Child};
use mini_sys::{ipc, pidfd};

use crate::config::Config;
use crate::export::packing;
use crate::home::Home;
use crate::pause;
use crate::record::{Record, Status};
use crate::upper::{self, UpperError};

/// A container that cannot be committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Its image's layers cannot be found.
    #[error(transparent)]
    Layers(#[from] LayerError),
    /// Its own tree cannot be read.
    #[error(transparent)]
    Upper(#[from] UpperError),
    /// The layers cannot be looked into.
    #[error(transparent)]
    Stack(#[from] mini_layers::stack::StackError),
    /// It cannot be stopped.
    #[error("pause container {name}")]
    Pause {
        /// The container.
        name: String,
        /// Why.
        source: mini_sys::Error,
    },
    /// A pipe or a process cannot be had.
    #[error("start to read the container's tree")]
    Start(#[source] io::Error),
    /// The image.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Makes an image of `record`; with `pause`, it stands still while its tree is read. `commit` says what else goes
/// into the image; its configuration is the container's.
///
/// # Errors
/// What [`CommitError`] lists. Nothing is left then, and the container runs as before.
pub fn commit(
    home: &Home,
    images: &Images,
    record: &Record,
    pause: bool,
    mut commit: Commit,
) -> Result<Image, CommitError> {
    commit.base = record.image;
    commit.config = run_config(&record.config);
    commit.check()?;
    // Before there is a second thread.
    let paused = match record.state.status {
        Status::Running if pause => Paused::new(record)?,
        _ => None,
    };
    let trees = match &record.layer {
        Some(top) => Layers::open(&home.layers())?.trees(top)?,
        None => Vec::new(),
    };
    let own = upper::own(home, record, &Stack::open(&trees)?)?;
    if own.is_empty {
        return Ok(images.commit(&commit, None::<&mut io::Empty>)?);
    }
    let mut layer = Layer::start(own, paused)?;
    Ok(images.commit(&commit, Some(&mut layer))?)
}

/// What an image of the container is to be run with.
fn run_config(config: &Config) -> RunConfig {
    RunConfig {
        user: config.user.clone(),
        env: config.env.clone(),
        entrypoint: config.entrypoint.clone(),
        cmd: config.cmd.clone(),
        volumes: config.volumes.clone(),
        working_dir: config.working_dir.clone(),
        labels: Some(config.labels.clone()).filter(|labels| !labels.is_empty()),
        stop_signal: config.stop_signal.clone(),
        ..RunConfig::default()
    }
}

/// A container that stands still, until this is dropped.
struct Paused {
    /// Its other end is the process that lets the container go on.
    socket: Option<OwnedFd>,
    waker: Child,
}

impl Paused {
    /// None when it stands still already: then it is not for this command to let it go on.
    fn new(record: &Record) -> Result<Option<Self>, CommitError> {
        let failed = |source| CommitError::Pause { name: record.name.clone(), source };
        let cgroup = pause::cgroup(record).map_err(failed)?;
        if cgroup.is_frozen().map_err(failed)? {
            return Ok(None);
        }
        let (socket, theirs) = ipc::socketpair().map_err(failed)?;
        let other = cgroup.clone();
        let waker = clone::fork_apart(theirs, move |socket| -> Infallible { wake(&other, &socket) });
        let paused = Self { socket: Some(socket), waker: waker.map_err(failed)? };
        cgroup.freeze().map_err(failed)?;
        Ok(Some(paused))
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.socket.take();
        // Whoever drops this may rely on the container going on again.
        let _ = pidfd::wait(&self.waker.pidfd);
    }
}

/// The whole life of the process that ends a pause.
fn wake(cgroup: &Cgroup, socket: &OwnedFd) -> Infallible {
    // Names are for people.
    let _ = mini_sys::process::set_name(c"mini-docker-wak");
    // Nothing is ever sent: what comes is the end.
    let _ = ipc::read(socket, &mut [0]);
    let thawed = cgroup.thaw();
    clone::leave(i32::from(thawed.is_err()))
}

/// The layer's tar, written by a thread of its own while it is read here. That the thread failed is told at the
/// end, so that half a tar is never taken for a whole one.
struct Layer {
    from: PipeReader,
    packer: Option<JoinHandle<Result<(), DiffError>>>,
}

impl Layer {
    fn start(own: upper::Own, paused: Option<Paused>) -> Result<Self, CommitError> {
        let (from, to) = io::pipe().map_err(CommitError::Start)?;
        let packer = thread::Builder::new()
            .spawn(move || {
                let packed = pack(&own.tree, &own.without, to);
                drop(paused);
                packed
            })
            .map_err(CommitError::Start)?;
        Ok(Self { from, packer: Some(packer) })
    }
}

fn pack(tree: &std::path::Path, without: &[PathBuf], to: PipeWriter) -> Result<(), DiffError> {
    mini_layers::write_tar(tree, to, packing(without))
}

impl Read for Layer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        if length == 0
            && !buffer.is_empty()
            && let Some(packer) = self.packer.take()
        {
            let packed = packer.join().map_err(|_| io::Error::other("the thread that packs has ended"))?;
            packed.map_err(io::Error::other)?;
        }
        Ok(length)
    }
}
