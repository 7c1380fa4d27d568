//! Makes a layer's tar of a directory tree: of what a container changed, or of a whole root file system.
//!
//! The upper directory of an overlay *is* the difference to the layers below, in the kernel's own signs: a
//! character device 0:0 for a removed name, an attribute for a directory that hides what is below. Here they
//! become a layer's signs, `.wh.x` and `.wh..wh..opq`. The same tree gives the same bytes every time: names
//! are sorted, times are whole seconds as in Docker's layers, and nothing depends on when or where it runs.
//! Sockets are left out, since nobody could connect to an unpacked one, and so is what is removed while the tree is
//! read: a container may be at work in it.
//!
//! [`write_merged_tar`] packs a stack of trees as the one tree that they show as, without mounting anything: the
//! same walk, with the signs heeded instead of written.
//!
//! OCI image-spec, layer.md, "Representing Changes"; pax(1); book ch. 5.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use mini_sys::file::{self, FileType, Mode, OFlags, ResolveFlags, Stat};
use mini_sys::{Errno, inode, xattr};
use tar::{Builder, EntryType};

use crate::heading::Heading;
use crate::names::{OPAQUE, WHITEOUT, shown};
use crate::stack;

/// How a tree is packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packing<'a> {
    /// Times after this one (seconds since 1970) are set back to it, so that what was built today and what
    /// is built tomorrow can be equal: <https://reproducible-builds.org/docs/source-date-epoch/>.
    pub latest: Option<i64>,
    /// All files become root's: for an ordinary user, whose own files they are outside the container.
    pub as_root: bool,
    /// What is left out with all below it, relative to the root.
    pub without: &'a [PathBuf],
}

/// A tree that cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file cannot be read.
    #[error("pack `{name}`")]
    Read {
        /// Its name in the tree.
        name: String,
        /// What the kernel said.
        #[source]
        source: mini_sys::Error,
    },
    /// The archive cannot be written, or the content cannot be read.
    #[error("write `{name}` to the archive")]
    Write {
        /// Its name in the tree.
        name: String,
        /// What the writer said.
        #[source]
        source: io::Error,
    },
    /// A name that would mean something else in a layer.
    #[error("pack `{name}`: in a layer, a name that begins with `.wh.` means a removed file")]
    Reserved {
        /// Its name in the tree.
        name: String,
    },
    /// The name of an attribute that the archive's format cannot hold.
    #[error("pack `{name}`: its attribute {attribute} has a name that no archive can hold")]
    Attribute {
        /// The file's name in the tree.
        name: String,
        /// The attribute's name.
        attribute: String,
    },
}

/// Writes the tree below `tree` to `out` as a layer's tar, its root included (as `./`).
///
/// # Errors
/// When a file cannot be read or the archive cannot be written, with the file's name.
pub fn write_tar(tree: &Path, out: impl Write, how: Packing<'_>) -> Result<(), DiffError> {
    let root = open_root(tree)?;
    let mut packer = Packer::new(out, how);
    packer.directory(b"", &root)?;
    packer.end(tree)
}

/// Writes what the stack `trees`, topmost first, shows to `out`. The directories `at_least` of its root are there
/// even when no tree has them.
///
/// # Errors
/// As [`write_tar`]; a stack of no trees has no root.
pub fn write_merged_tar(
    trees: &[PathBuf],
    at_least: &[&str],
    out: impl Write,
    how: Packing<'_>,
) -> Result<(), DiffError> {
    let roots = trees.iter().map(|tree| open_root(tree)).collect::<Result<Vec<_>, _>>()?;
    let mut packer = Packer::new(out, how);
    packer.merged(b"", &roots, at_least)?;
    packer.end(trees.first().map_or(Path::new("/"), PathBuf::as_path))
}

/// Writes what the directory `parent` has under `name` to `out` as a tar in which it is called `called`, with all that
/// it holds; what it holds alone, if `called` is empty. No name is followed anywhere, and names that mean something in
/// a layer are names like all others. With an empty `name`, `parent` itself is meant.
///
/// # Errors
/// As [`write_tar`].
pub fn write_plain_tar(
    parent: &OwnedFd,
    name: &Path,
    called: &Path,
    out: impl Write,
    how: Packing<'_>,
) -> Result<(), DiffError> {
    let mut packer = Packer { plain: true, ..Packer::new(out, how) };
    let called = called.as_os_str().as_bytes();
    if !called.is_empty() && !name.as_os_str().is_empty() {
        packer.child(called, parent, name)?;
    } else {
        let name = if name.as_os_str().is_empty() { Path::new(".") } else { name };
        let read = |source| DiffError::Read { name: shown(name.as_os_str().as_bytes()), source };
        let directory = open(parent, name, OFlags::DIRECTORY).map_err(read)?;
        if called.is_empty() {
            packer.children(called, &directory)?;
        } else {
            packer.directory(called, &directory)?;
        }
    }
    packer.end(name)
}

fn open_root(tree: &Path) -> Result<OwnedFd, DiffError> {
    let root = file::open_directory(tree).and_then(|root| open(&root, Path::new("."), OFlags::DIRECTORY));
    root.map_err(|source| DiffError::Read { name: tree.display().to_string(), source })
}

struct Packer<'a, W: Write> {
    builder: Builder<BufWriter<W>>,
    /// Where the files with several names were packed, by device and inode.
    links: HashMap<(u64, u64), Vec<u8>>,
    how: Packing<'a>,
    /// The tree is no layer's: nothing in it is a sign.
    plain: bool,
}

impl<'a, W: Write> Packer<'a, W> {
    fn new(out: W, how: Packing<'a>) -> Self {
        let builder = Builder::new(BufWriter::with_capacity(128 * 1024, out));
        Self { builder, links: HashMap::new(), how, plain: false }
    }

    fn end(self, tree: &Path) -> Result<(), DiffError> {
        let end = |source| DiffError::Write { name: tree.display().to_string(), source };
        self.builder.into_inner().and_then(|mut out| out.flush()).map_err(end)
    }

    fn directory(&mut self, path: &[u8], directory: &OwnedFd) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        self.directory_itself(path, directory)?;
        if !self.plain && stack::is_opaque(directory).map_err(read)? {
            self.append(&Heading::marker(inside(path, OPAQUE)), &mut io::empty())?;
        }
        self.children(path, directory)
    }

    fn children(&mut self, path: &[u8], directory: &OwnedFd) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        for name in inode::names(directory).map_err(read)? {
            unless_gone(self.child(&inside(path, name.as_bytes()), directory, Path::new(&name)))?;
        }
        Ok(())
    }

    fn child(&mut self, path: &[u8], parent: &OwnedFd, name: &Path) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        if self.is_without(path) {
            return Ok(());
        }
        let stat = file::statat(parent, name).map_err(read)?;
        if !self.plain && name.as_os_str().as_bytes().starts_with(WHITEOUT) {
            return Err(DiffError::Reserved { name: shown(path) });
        }
        // ANCHOR: marks
        if !self.plain && stack::is_whiteout(&stat) {
            let (parent, name) =
                path.split_at(path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1));
            return self.append(&Heading::marker([parent, WHITEOUT, name].concat()), &mut io::empty());
        }
        // ANCHOR_END: marks
        if stack::kind(&stat) == FileType::Directory {
            let directory = open(parent, name, OFlags::DIRECTORY).map_err(read)?;
            if self.plain && is_made_up(parent, &directory).map_err(read)? {
                return self.directory_itself(path, &directory);
            }
            return self.directory(path, &directory);
        }
        self.file(path, parent, name, &stat)
    }

    /// Directories of one name, topmost first, as the one that they show as.
    fn merged(&mut self, path: &[u8], directories: &[OwnedFd], at_least: &[&str]) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        let Some(topmost) = directories.first() else { return Ok(()) };
        self.directory_itself(path, topmost)?;
        let mut names: BTreeSet<_> = at_least.iter().map(OsString::from).collect();
        for directory in directories {
            names.extend(inode::names(directory).map_err(read)?);
        }
        for name in names {
            let child = inside(path, name.as_bytes());
            unless_gone(self.merged_child(&child, directories, Path::new(&name)))?;
        }
        Ok(())
    }

    /// The rule for one name is overlay's: see [`crate::stack`].
    fn merged_child(&mut self, path: &[u8], parents: &[OwnedFd], name: &Path) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        if self.is_without(path) {
            return Ok(());
        }
        let mut merged = Vec::new();
        for parent in parents {
            let stat = match file::statat(parent, name) {
                Err(error) if error.errno() == Errno::ENOENT => continue,
                stat => stat.map_err(read)?,
            };
            match stack::kind(&stat) {
                FileType::Directory => {
                    let directory = open(parent, name, OFlags::DIRECTORY).map_err(read)?;
                    let opaque = stack::is_opaque(&directory).map_err(read)?;
                    merged.push(directory);
                    if opaque {
                        break;
                    }
                }
                _ if !merged.is_empty() => break,
                _ if stack::is_whiteout(&stat) => return Ok(()),
                _ => return self.file(path, parent, name, &stat),
            }
        }
        match merged.is_empty() {
            true => self.append(&Heading::directory(path), &mut io::empty()),
            false => self.merged(path, &merged, &[]),
        }
    }

    fn is_without(&self, path: &[u8]) -> bool {
        self.how.without.iter().any(|without| without.as_os_str().as_bytes() == path)
    }

    fn directory_itself(&mut self, path: &[u8], directory: &OwnedFd) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        let stat = file::statat(directory, Path::new("")).map_err(read)?;
        let itself = PathBuf::from(format!("/proc/self/fd/{}/.", directory.as_raw_fd()));
        let mut heading = self.heading(path, EntryType::Directory, &stat);
        heading.name = if path.is_empty() { b"./".to_vec() } else { [path, b"/"].concat() };
        heading.xattrs = self.attributes(path, &itself)?;
        self.append(&heading, &mut io::empty())
    }

    /// Anything that is no directory.
    fn file(&mut self, path: &[u8], parent: &OwnedFd, name: &Path, stat: &Stat) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        let kind = stack::kind(stat);
        let inode = (stat.st_dev, stat.st_ino);
        if let Some(first) = self.links.get(&inode) {
            let mut heading = self.heading(path, EntryType::Link, stat);
            heading.link.clone_from(first);
            return self.append(&heading, &mut io::empty());
        }
        let entry_type = match kind {
            FileType::RegularFile => EntryType::Regular,
            FileType::Symlink => EntryType::Symlink,
            FileType::Fifo => EntryType::Fifo,
            FileType::CharacterDevice => EntryType::Char,
            FileType::BlockDevice => EntryType::Block,
            _ => return Ok(()),
        };
        let mut heading = self.heading(path, entry_type, stat);
        heading.xattrs = self
            .attributes(path, &PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd())).join(name))?;
        let mut content = Exactly { file: None, left: 0 };
        match kind {
            FileType::RegularFile => {
                let opened = if self.plain {
                    open_regular(parent, name)
                } else {
                    open(parent, name, OFlags::NONBLOCK)
                };
                let file: File = opened.map_err(read)?.into();
                heading.size = u64::try_from(stat.st_size).unwrap_or_default();
                content = Exactly { file: Some(file), left: heading.size };
            }
            FileType::Symlink => {
                let target = file::readlinkat(parent, name).map_err(read)?;
                heading.link = target.as_os_str().as_bytes().to_vec();
            }
            FileType::CharacterDevice | FileType::BlockDevice => {
                heading.device = Some(file::device_numbers(stat.st_rdev));
            }
            _ => {}
        }
        self.append(&heading, &mut content)?;
        if stat.st_nlink > 1 {
            self.links.insert(inode, path.to_vec());
        }
        Ok(())
    }

    fn heading(&self, path: &[u8], entry_type: EntryType, stat: &Stat) -> Heading {
        let mtime: i64 = stat.st_mtime as _;
        Heading {
            name: path.to_vec(),
            entry_type,
            link: Vec::new(),
            mode: stat.st_mode & 0o7777,
            uid: if self.how.as_root { 0 } else { stat.st_uid },
            gid: if self.how.as_root { 0 } else { stat.st_gid },
            mtime: self.how.latest.map_or(mtime, |latest| mtime.min(latest)),
            size: 0,
            device: None,
            xattrs: Vec::new(),
        }
    }

    /// The attributes that belong to a file's content: not overlay's, and not the labels that a security
    /// module of this machine gave it.
    fn attributes(&self, path: &[u8], file: &Path) -> Result<Vec<(String, Vec<u8>)>, DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        let names = match xattr::llist(file) {
            Err(error) if error.errno() == Errno::ENOTSUP => Vec::new(),
            names => names.map_err(read)?,
        };
        let mut attributes = Vec::new();
        for name in names {
            let bytes = name.to_bytes();
            if stack::is_overlay_attribute(&name)
                || [&b"security.selinux"[..], b"security.ima", b"security.evm"].contains(&bytes)
            {
                continue;
            }
            let text =
                name.to_str().ok().filter(|text| !text.contains(['=', '\n'])).ok_or_else(|| {
                    DiffError::Attribute { name: shown(path), attribute: format!("{name:?}") }
                })?;
            if let Some(value) = xattr::lget(file, &name).map_err(read)? {
                attributes.push((text.to_owned(), value));
            }
        }
        attributes.sort();
        Ok(attributes)
    }

    fn append(&mut self, heading: &Heading, content: &mut dyn Read) -> Result<(), DiffError> {
        let write = |source| DiffError::Write { name: shown(&heading.name), source };
        let records = heading.records();
        let records = records.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
        self.builder.append_pax_extensions(records).map_err(write)?;
        self.builder.append(&heading.header(), content).map_err(write)
    }
}

/// The name of what is in the directory `path`.
fn inside(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

/// What was removed after its directory had been listed is no error, and nothing of it has been written.
fn unless_gone(result: Result<(), DiffError>) -> Result<(), DiffError> {
    match result {
        Err(DiffError::Read { source, .. }) if source.errno() == Errno::ENOENT => Ok(()),
        other => other,
    }
}

/// Whether another file system begins at `directory`, one that holds what the kernel tells or what memory keeps:
/// `/proc`, `/sys`, `/dev` of a running container. Docker copies none of it either. statfs(2).
fn is_made_up(parent: &OwnedFd, directory: &OwnedFd) -> mini_sys::Result<bool> {
    const MADE_UP: [u64; 7] = [
        0x9fa0,      // proc
        0x6265_6572, // sysfs
        0x0027_e0eb, // cgroup
        0x6367_7270, // cgroup2
        0x1cd1,      // devpts
        0x1980_0202, // mqueue
        0x0102_1994, // tmpfs
    ];
    let device = |directory: &OwnedFd| file::statat(directory, Path::new("")).map(|stat| stat.st_dev);
    Ok(device(parent)? != device(directory)? && MADE_UP.contains(&file::file_system(directory)?))
}

/// Opens a name for reading, if it is no link.
fn open(directory: &OwnedFd, name: &Path, how: OFlags) -> mini_sys::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    file::openat2(directory.as_fd(), name, OFlags::RDONLY | how, Mode::empty(), resolve)
}

/// Opens a regular file for reading, and never anything else, not even when a running container puts a device in its
/// place just now: opening some devices does things.
fn open_regular(directory: &OwnedFd, name: &Path) -> mini_sys::Result<OwnedFd> {
    let found = file::openat2(
        directory,
        name,
        OFlags::PATH | OFlags::NOFOLLOW,
        Mode::empty(),
        ResolveFlags::BENEATH,
    )?;
    if stack::kind(&file::statat(&found, Path::new(""))?) != FileType::RegularFile {
        // As if the file had been removed: it has been.
        return Err(mini_sys::Error::new("open", Errno::ENOENT));
    }
    let again = PathBuf::from(format!("/proc/self/fd/{}", found.as_raw_fd()));
    file::openat2(file::CWD, &again, OFlags::RDONLY, Mode::empty(), ResolveFlags::empty())
}

/// As many bytes of a file as its header promised, whoever may be writing to it meanwhile.
struct Exactly {
    /// None for what has no content.
    file: Option<File>,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(file) = &mut self.file else { return Ok(0) };
        let length = file.read(&mut buffer[..most])?;
        if length == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter meanwhile"));
        }
        self.left -= length as u64;
        Ok(length)
    }
}
