//! Makes a layer's tar of a directory tree: of what a container changed, or of a whole root file system.
//!
//! The upper directory of an overlay *is* the difference to the layers below, in the kernel's own signs: a
//! character device 0:0 for a removed name, an attribute for a directory that hides what is below. Here they
//! become a layer's signs, `.wh.x` and `.wh..wh..opq`. The same tree gives the same bytes every time: names
//! are sorted, times are whole seconds as in Docker's layers, and nothing depends on when or where it runs.
//! Sockets are left out, since nobody could connect to an unpacked one.
//!
//! OCI image-spec, layer.md, "Representing Changes"; pax(1); book ch. 5.

use std::collections::HashMap;
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
pub struct Packing {
    /// Times after this one (seconds since 1970) are set back to it, so that what was built today and what
    /// is built tomorrow can be equal: <https://reproducible-builds.org/docs/source-date-epoch/>.
    pub latest: Option<i64>,
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
pub fn write_tar(tree: &Path, out: impl Write, how: Packing) -> Result<(), DiffError> {
    let read = |source| DiffError::Read { name: tree.display().to_string(), source };
    let root = file::open_directory(tree).map_err(read)?;
    let root = open(&root, Path::new("."), OFlags::DIRECTORY).map_err(read)?;
    let stat = file::statat(&root, Path::new("")).map_err(read)?;
    let builder = Builder::new(BufWriter::with_capacity(128 * 1024, out));
    let mut packer = Packer { builder, links: HashMap::new(), how };
    packer.directory(b"", &root, &stat)?;
    let end = |source| DiffError::Write { name: tree.display().to_string(), source };
    packer.builder.into_inner().and_then(|mut out| out.flush()).map_err(end)
}

struct Packer<W: Write> {
    builder: Builder<W>,
    /// Where the files with several names were packed, by device and inode.
    links: HashMap<(u64, u64), Vec<u8>>,
    how: Packing,
}

impl<W: Write> Packer<W> {
    fn directory(&mut self, path: &[u8], directory: &OwnedFd, stat: &Stat) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        let itself = PathBuf::from(format!("/proc/self/fd/{}/.", directory.as_raw_fd()));
        let mut heading = self.heading(path, EntryType::Directory, stat);
        heading.name = if path.is_empty() { b"./".to_vec() } else { [path, b"/"].concat() };
        heading.xattrs = self.attributes(path, &itself)?;
        self.append(&heading, &mut io::empty())?;
        let inside = |name: &[u8]| if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() };
        if stack::is_opaque(directory).map_err(read)? {
            self.append(&Heading::marker(inside(OPAQUE)), &mut io::empty())?;
        }
        for name in inode::names(directory).map_err(read)? {
            let child = inside(name.as_bytes());
            self.child(&child, directory, Path::new(&name))?;
        }
        Ok(())
    }

    fn child(&mut self, path: &[u8], parent: &OwnedFd, name: &Path) -> Result<(), DiffError> {
        let read = |source| DiffError::Read { name: shown(path), source };
        let stat = file::statat(parent, name).map_err(read)?;
        let kind = stack::kind(&stat);
        if name.as_os_str().as_bytes().starts_with(WHITEOUT) {
            return Err(DiffError::Reserved { name: shown(path) });
        }
        // ANCHOR: marks
        if stack::is_whiteout(&stat) {
            let (parent, name) =
                path.split_at(path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1));
            return self.append(&Heading::marker([parent, WHITEOUT, name].concat()), &mut io::empty());
        }
        // ANCHOR_END: marks
        if kind == FileType::Directory {
            let directory = open(parent, name, OFlags::DIRECTORY).map_err(read)?;
            return self.directory(path, &directory, &stat);
        }
        if stat.st_nlink > 1 {
            let inode = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.links.get(&inode) {
                let mut heading = self.heading(path, EntryType::Link, &stat);
                heading.link.clone_from(first);
                return self.append(&heading, &mut io::empty());
            }
            self.links.insert(inode, path.to_vec());
        }
        let entry_type = match kind {
            FileType::RegularFile => EntryType::Regular,
            FileType::Symlink => EntryType::Symlink,
            FileType::Fifo => EntryType::Fifo,
            FileType::CharacterDevice => EntryType::Char,
            FileType::BlockDevice => EntryType::Block,
            _ => return Ok(()),
        };
        let mut heading = self.heading(path, entry_type, &stat);
        heading.xattrs = self
            .attributes(path, &PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd())).join(name))?;
        match kind {
            FileType::RegularFile => {
                let file: File = open(parent, name, OFlags::NONBLOCK).map_err(read)?.into();
                heading.size = u64::try_from(stat.st_size).unwrap_or_default();
                return self.append(&heading, &mut Exactly { file, left: heading.size });
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
        self.append(&heading, &mut io::empty())
    }

    fn heading(&self, path: &[u8], entry_type: EntryType, stat: &Stat) -> Heading {
        let mtime: i64 = stat.st_mtime as _;
        Heading {
            name: path.to_vec(),
            entry_type,
            link: Vec::new(),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
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

/// Opens a name for reading, if it is no link.
fn open(directory: &OwnedFd, name: &Path, how: OFlags) -> mini_sys::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    file::openat2(directory.as_fd(), name, OFlags::RDONLY | how, Mode::empty(), resolve)
}

/// As many bytes of a file as its header promised, whoever may be writing to it meanwhile.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let length = self.file.read(&mut buffer[..most])?;
        if length == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter meanwhile"));
        }
        self.left -= length as u64;
        Ok(length)
    }
}
