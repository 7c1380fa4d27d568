//! `cp`: files from a container and into one, whether it runs or not, as a tar between two threads.
//!
//! A program in the container can rename and link at any moment, and we are the host's root. So no path of the
//! container's is ever resolved from the host's root: `side` opens the container's root once, and every name is
//! opened below it with openat2(2), in which neither `..` nor a link leads out. What is packed and what is made then
//! are names in open directories, followed nowhere. No program and no library of the container is used
//! (CVE-2019-14271). docker-cp(1); book ch. 10.

mod landing;
mod side;

use std::ffi::OsString;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;

use mini_layers::apply::{self, ApplyError};
use mini_layers::compression::{CompressionError, decompress};
use mini_layers::diff::DiffError;
use mini_layers::{Owners, Packing, write_plain_tar};
use mini_sys::Errno;
use mini_sys::file::{FileType, Stat};

use crate::home::Home;
use crate::record::Record;
use landing::{Destination, Landing, Source};
pub use landing::{Misfit, Typed};
use side::Found;
pub use side::{Side, SideError};

/// Something that cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CpError {
    /// A side cannot be opened.
    #[error(transparent)]
    Side(#[from] SideError),
    /// Docker's words for a path that a container does not have.
    #[error("Could not find the file {} in container {container}", path.display())]
    NotInContainer {
        /// The path.
        path: PathBuf,
        /// The container, as it was named.
        container: String,
    },
    /// Docker's words for a file that is not on this machine.
    #[error("lstat {}: no such file or directory", .0.display())]
    NotHere(PathBuf),
    /// Docker's words for a directory that is not on this machine.
    #[error("invalid output path: directory \"{}\" does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// Docker's words for a container that cannot be written to.
    #[error("container rootfs is marked read-only")]
    ReadOnly,
    /// What is there does not fit what is to come.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The kernel refuses a path.
    #[error("look for `{}`", path.display())]
    Find {
        /// The path.
        path: PathBuf,
        /// Why.
        source: mini_sys::Error,
    },
    /// A pipe or a thread cannot be had.
    #[error("start to copy")]
    Start(#[source] io::Error),
    /// Reading failed.
    #[error(transparent)]
    Pack(#[from] DiffError),
    /// The archive that came cannot be decompressed.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// Making the files failed.
    #[error(transparent)]
    Unpack(#[from] ApplyError),
}

/// Where something is copied from or to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The container, and how it was named; none for this machine.
    pub container: Option<(&'a Record, &'a str)>,
    /// The path in it.
    pub path: &'a Typed,
}

/// How something is copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// A link that was named is followed.
    pub follow: bool,
    /// What comes to this machine keeps its owners; else it is the caller's. What goes into a container keeps them.
    pub keep_owners: bool,
}

/// Copies `from` to `to`; how many bytes the archive between had.
///
/// # Errors
/// What [`CpError`] lists. What has been copied until then stays.
pub fn copy(home: &Home, from: Place<'_>, to: Place<'_>, how: How) -> Result<u64, CpError> {
    let (source_side, target_side) = (open(home, from)?, open_to_write(home, to)?);
    let source = find_source(&source_side, from, how.follow)?;
    let found = find(&target_side, to, &to.path.path, true)?;
    let kind = found.stat.as_ref().map(is_directory);
    let destination = Destination { is_directory: kind, asserts_directory: to.path.asserts_directory };
    let facts = Source {
        is_directory: is_directory(&source.stat),
        asserts_directory: from.path.asserts_directory,
        contents: from.path.contents,
    };
    let landing = landing::landing(facts, destination)?;
    let (target, called) = match landing {
        Landing::Contents => (target_directory(&found, to)?, PathBuf::new()),
        Landing::Inside => (target_directory(&found, to)?, from.path.name()),
        Landing::Renamed => (found.parent, found.name.into()),
    };
    let owners = if mini_sys::process::is_root() && (how.keep_owners || to.container.is_some()) {
        Owners::Keep
    } else {
        Owners::Mine
    };
    stream(&source, &called, &target, owners)
}

/// Writes `from` to `out` as a tar.
///
/// # Errors
/// What [`CpError`] lists.
pub fn pack(home: &Home, from: Place<'_>, follow: bool, out: impl Write) -> Result<(), CpError> {
    let side = open(home, from)?;
    let source = find_source(&side, from, follow)?;
    if from.path.asserts_directory && !is_directory(&source.stat) {
        return Err(Misfit::NotDirectory.into());
    }
    // As Docker has it: what a directory holds comes with the directory itself, and what a link led to by its own name.
    let called = match (from.path.contents, source.name.as_os_str().is_empty()) {
        (true, _) => PathBuf::from("."),
        (false, true) => from.path.name(),
        (false, false) => source.name.clone(),
    };
    Ok(write_plain_tar(&source.parent, &source.name, &called, out, packing())?)
}

/// Adds what the tar `archive` has to the directory `to`.
///
/// # Errors
/// What [`CpError`] lists.
pub fn unpack(home: &Home, archive: impl Read + Send, to: Place<'_>) -> Result<(), CpError> {
    let side = open_to_write(home, to)?;
    let found = find(&side, to, &to.path.path, true)?;
    match &found.stat {
        Some(stat) if is_directory(stat) => {}
        _ => {
            let container = to.container.map(|(_, name)| name.to_owned()).unwrap_or_default();
            return Err(Misfit::ArchiveTarget { container, path: to.path.path.clone() }.into());
        }
    }
    let target = target_directory(&found, to)?;
    let owners = if mini_sys::process::is_root() { Owners::Keep } else { Owners::Mine };
    let archive = BufReader::with_capacity(128 * 1024, decompress(archive)?);
    apply::add(archive, std::os::fd::AsFd::as_fd(&target), owners).map(drop).map_err(unpacked)
}

fn packing() -> Packing<'static> {
    Packing::default()
}

fn open(home: &Home, place: Place<'_>) -> Result<Side, CpError> {
    Ok(match place.container {
        Some((record, _)) => Side::of_container(home, record)?,
        None => Side::of_host()?,
    })
}

fn open_to_write(home: &Home, place: Place<'_>) -> Result<Side, CpError> {
    if let Some((record, _)) = place.container
        && record.host_config.readonly_rootfs
        && !record.state.status.is_up()
    {
        return Err(CpError::ReadOnly);
    }
    open(home, place)
}

/// What is to be copied: a name in an open directory.
struct Copied {
    parent: OwnedFd,
    /// Empty for the directory itself.
    name: PathBuf,
    stat: Stat,
}

fn find_source(side: &Side, from: Place<'_>, follow: bool) -> Result<Copied, CpError> {
    let path = &from.path.path;
    let found = side.find(path, follow || from.path.asserts_directory);
    let missing = || match from.container {
        Some((_, container)) => {
            CpError::NotInContainer { path: path.clone(), container: container.to_owned() }
        }
        None => CpError::NotHere(path.clone()),
    };
    // A directory is opened here and now: what has its name later may be something else.
    let opened = found.and_then(|found| match &found.stat {
        Some(stat) if is_directory(stat) => {
            let parent = found.open_directory()?;
            Ok(Found { parent, name: OsString::new(), stat: found.stat })
        }
        _ => Ok(found),
    });
    match opened {
        Ok(Found { parent, name, stat: Some(stat) }) => Ok(Copied { parent, name: name.into(), stat }),
        Ok(_) => Err(missing()),
        Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ENOTDIR) => Err(missing()),
        Err(source) => Err(CpError::Find { path: path.clone(), source }),
    }
}

/// Where something is to go: it may be missing, but not the directory it is to be in.
fn find(side: &Side, to: Place<'_>, path: &Path, follow: bool) -> Result<Found, CpError> {
    match side.find(path, follow) {
        Ok(found) => Ok(found),
        Err(error) if error.errno() == Errno::ENOTDIR => Err(Misfit::NotDirectory.into()),
        Err(error) if error.errno() == Errno::ENOENT => {
            let parent = path.parent().unwrap_or(path).to_owned();
            Err(match to.container {
                Some((_, container)) => {
                    CpError::NotInContainer { path: parent, container: container.to_owned() }
                }
                None => CpError::NoDirectory(parent),
            })
        }
        Err(source) => Err(CpError::Find { path: path.to_owned(), source }),
    }
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Opens the directory that was found. Whoever has put something else there since is told so.
fn target_directory(found: &Found, to: Place<'_>) -> Result<OwnedFd, CpError> {
    found.open_directory().map_err(|source| CpError::Find { path: to.path.path.clone(), source })
}

/// One thread packs, this one unpacks.
fn stream(source: &Copied, called: &Path, target: &OwnedFd, owners: Owners) -> Result<u64, CpError> {
    let (reader, writer) = io::pipe().map_err(CpError::Start)?;
    let (packed, unpacked_bytes) = thread::scope(|scope| {
        let packer = thread::Builder::new()
            .spawn_scoped(scope, || write_plain_tar(&source.parent, &source.name, called, writer, packing()))
            .map_err(CpError::Start)?;
        let mut counted = Counted { from: reader, bytes: 0 };
        let archive = BufReader::with_capacity(128 * 1024, &mut counted);
        let added = apply::add(archive, std::os::fd::AsFd::as_fd(target), owners);
        let bytes = counted.bytes;
        // Whoever still packs has nobody to read it any more.
        drop(counted);
        let packed = packer.join().map_err(|_| CpError::Start(io::Error::other("the packer has ended")))?;
        Ok::<_, CpError>((packed, added.map(|_| bytes)))
    })?;
    match (packed, unpacked_bytes) {
        // A writer without a reader, or a reader of half an archive: the other knows why.
        (Err(DiffError::Write { source, .. }), Err(why)) if source.kind() == io::ErrorKind::BrokenPipe => {
            Err(unpacked(why))
        }
        (Err(why), _) => Err(why.into()),
        (Ok(()), added) => added.map_err(unpacked),
    }
}

fn unpacked(error: ApplyError) -> CpError {
    match &error {
        ApplyError::Make { source, .. } if source.errno() == Errno::EROFS => CpError::ReadOnly,
        _ => error.into(),
    }
}

struct Counted<R> {
    from: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.bytes += length as u64;
        Ok(length)
    }
}
