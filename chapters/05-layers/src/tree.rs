//! Makes and replaces names in a directory tree that nobody may lead us out of.
//!
//! Every name is opened below the tree's root with openat2(2) and `RESOLVE_NO_SYMLINKS`, so no link that an
//! earlier entry planted is ever followed, whatever the order of entries. Docker follows links of the tree
//! inside the tree; we refuse instead. A layer's tar is the difference of two real trees, in which no entry
//! can lie below a link, and with that rule a name *is* its place: nothing can have two names by way of a
//! link, and the directory of the last entry may be kept open for the next one, which saves most lookups.
//!
//! openat2(2), mknod(2); book ch. 5.

use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use mini_sys::file::{self, AtFlags, FileType, Mode, OFlags};
use mini_sys::{Errno, Error, xattr};

use crate::directories::Directories;
use crate::look::{Look, Owners, Painter};
use crate::names::{Place, Refusal, path_of, shown};
use crate::stack::{self, OPAQUE_ATTRIBUTES};
use crate::strict::STRICT;

/// What is wrong with one entry: it is refused, or the kernel would not.
#[derive(Debug)]
pub(crate) enum Trouble {
    Refused(Refusal),
    System(Error),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::System(error)
    }
}

/// A tree that is being filled.
pub(crate) struct Tree<'a> {
    root: BorrowedFd<'a>,
    /// The directory that was used last, by its path.
    open: Option<(Vec<u8>, OwnedFd)>,
    directories: Directories,
    painter: Painter,
    /// Which of overlay's two attributes for opaque directories can be set here.
    opaque: usize,
    /// A directory stays one, and nothing else becomes one.
    keeps_kinds: bool,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(root: BorrowedFd<'a>, owners: Owners) -> mini_sys::Result<Self> {
        let painter = Painter::new(root, owners)?;
        Ok(Self {
            root,
            open: None,
            directories: Directories::new(painter),
            painter,
            opaque: if owners == Owners::Keep { 0 } else { 1 },
            keeps_kinds: false,
        })
    }

    /// The same, but what is there and no directory does not become one, and no directory becomes anything else.
    pub(crate) fn keeping_kinds(self) -> Self {
        Self { keeps_kinds: true, ..self }
    }

    /// Makes a directory, or keeps the one that is there; its look comes last, from [`Tree::finish`].
    pub(crate) fn directory(&mut self, place: &Place, look: Look) -> Result<(), Trouble> {
        if !place.is_root() {
            let (parent, name) = place.split();
            let parent = self.descend(parent)?;
            match file::mkdirat(parent, name, Mode::RWXU) {
                Ok(()) => {}
                Err(error) if error.errno() == Errno::EEXIST => self.turn_into_directory(place)?,
                Err(error) => return Err(error.into()),
            }
        }
        self.directories.describe(place.path(), look);
        Ok(())
    }

    /// Opens a new regular file for writing, in place of whatever had its name.
    pub(crate) fn create(&mut self, place: &Place, mode: u32) -> Result<fs::File, Trouble> {
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        // Rights are never wider than asked for, not even for a moment.
        let mode = Mode::from_bits_truncate(mode & 0o777);
        let fd = self.replace(place, |parent, name| file::openat2(parent, name, how, mode, STRICT))?;
        Ok(fd.into())
    }

    /// Sets the look of a regular file from [`Tree::create`], once its content is written.
    pub(crate) fn finish_file(&self, file: &fs::File, look: &Look) -> Result<(), Trouble> {
        Ok(self.painter.file(file, look)?)
    }

    /// Makes a symbolic link.
    pub(crate) fn symlink(&mut self, place: &Place, text: &[u8], look: &Look) -> Result<(), Trouble> {
        self.replace(place, |parent, name| file::symlinkat(path_of(text), parent, name))?;
        self.paint(place, FileType::Symlink, look)
    }

    /// Makes a device node or a fifo. Where the kernel gives no device to such as us (a user namespace), an
    /// empty file stands in its place: a runtime can mount the host's device over it.
    pub(crate) fn node(
        &mut self,
        place: &Place,
        kind: FileType,
        device: (u32, u32),
        look: &Look,
    ) -> Result<(), Trouble> {
        // The rights beyond the owner's come with fchmod, when the owner is the right one.
        let mode = Mode::from_bits_truncate(look.mode & 0o700);
        let made = self.replace(place, |parent, name| file::mknodat(parent, name, kind, mode, device));
        let kind = match made {
            Err(Trouble::System(error)) if error.errno() == Errno::EPERM => {
                let plain = FileType::RegularFile;
                self.replace(place, |parent, name| file::mknodat(parent, name, plain, mode, (0, 0)))?;
                plain
            }
            made => made.map(|()| kind)?,
        };
        self.paint(place, kind, look)
    }

    /// Gives `target`, a file of this tree, a second name.
    pub(crate) fn link(&mut self, place: &Place, target: &Place, text: &[u8]) -> Result<(), Trouble> {
        let refused = |why| Trouble::Refused(Refusal::LinkTarget { target: shown(text), why: Box::new(why) });
        let (directory, old) = target.split();
        let directory =
            self.open_strictly(directory, path_of(directory)).map_err(|trouble| match trouble {
                Trouble::Refused(why) => refused(why),
                Trouble::System(error) if error.errno() == Errno::ENOENT => refused(Refusal::LinkMissing),
                other => other,
            })?;
        let directory = directory.as_ref().map_or(self.root, |directory| directory.as_fd());
        match file::statat(directory, old) {
            Ok(stat) if stack::is_whiteout(&stat) => return Err(refused(Refusal::LinkMissing)),
            Ok(stat) if stack::kind(&stat) == FileType::Directory => {
                return Err(refused(Refusal::LinkDirectory));
            }
            Ok(_) => {}
            Err(error) if error.errno() == Errno::ENOENT => return Err(refused(Refusal::LinkMissing)),
            Err(error) => return Err(error.into()),
        }
        if place == target {
            return Ok(());
        }
        self.replace(place, |parent, name| file::linkat(directory, old, parent, name))
    }

    // ANCHOR: whiteout
    /// Marks a name as removed from the layers below. What this layer itself has there stays.
    pub(crate) fn whiteout(&mut self, place: &Place) -> Result<(), Trouble> {
        let (parent, name) = place.split();
        let parent = self.descend(parent)?;
        match file::mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), (0, 0)) {
            Ok(()) => Ok(()),
            Err(error) if error.errno() == Errno::EEXIST => {
                let stat = file::statat(parent, name)?;
                // A directory would merge with the removed one below: it must hide it instead.
                if stack::kind(&stat) == FileType::Directory { self.hide(place) } else { Ok(()) }
            }
            Err(error) => Err(error.into()),
        }
    }
    // ANCHOR_END: whiteout

    /// Makes a directory hide what the layers below have in it.
    pub(crate) fn hide(&mut self, place: &Place) -> Result<(), Trouble> {
        self.descend(place.path())?;
        loop {
            let directory = match &self.open {
                Some((path, directory)) if path == place.path() => directory.as_fd(),
                _ => self.root,
            };
            match xattr::set(directory, OPAQUE_ATTRIBUTES[self.opaque], b"y") {
                Ok(()) => return Ok(()),
                // Only the first user namespace may write `trusted.` attributes; overlay reads the other
                // one when it is mounted in a user namespace too (`userxattr`).
                Err(error) if error.errno() == Errno::EPERM && self.opaque == 0 => self.opaque = 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The directories, whose looks are set when all are filled.
    pub(crate) fn finish(self) -> Directories {
        self.directories
    }

    fn paint(&mut self, place: &Place, kind: FileType, look: &Look) -> Result<(), Trouble> {
        let painter = self.painter;
        let (parent, name) = place.split();
        Ok(painter.name(self.descend(parent)?, name, kind, look)?)
    }

    /// Makes something new; what has the name already is removed first, and only then.
    fn replace<T>(
        &mut self,
        place: &Place,
        make: impl Fn(BorrowedFd<'_>, &Path) -> mini_sys::Result<T>,
    ) -> Result<T, Trouble> {
        if place.is_root() {
            return Err(Refusal::Root.into());
        }
        let (parent, name) = place.split();
        let directory = self.descend(parent)?;
        match make(directory, name) {
            Err(error) if error.errno() == Errno::EEXIST => {
                self.clear(place)?;
                let directory = self.descend(parent)?;
                Ok(make(directory, name)?)
            }
            made => Ok(made?),
        }
    }

    fn clear(&mut self, place: &Place) -> Result<(), Trouble> {
        let (keeps_kinds, (parent, name)) = (self.keeps_kinds, place.split());
        let directory = self.descend(parent)?;
        match file::unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) => return Ok(()),
            Err(error) if error.errno() == Errno::EISDIR && keeps_kinds => {
                return Err(Refusal::OverDirectory.into());
            }
            Err(error) if error.errno() == Errno::EISDIR => {}
            Err(error) => return Err(error.into()),
        }
        let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name);
        fs::remove_dir_all(&path)
            .map_err(|error| Error::from_io("remove the directory before it", &error))?;
        self.directories.forget(place.path());
        self.open = None;
        Ok(())
    }

    /// What has a directory's name: keeps a directory, replaces all else.
    fn turn_into_directory(&mut self, place: &Place) -> Result<(), Trouble> {
        let (keeps_kinds, (parent, name)) = (self.keeps_kinds, place.split());
        let directory = self.descend(parent)?;
        let stat = file::statat(directory, name)?;
        if stack::kind(&stat) == FileType::Directory {
            return Ok(());
        }
        if keeps_kinds {
            return Err(Refusal::OverFile.into());
        }
        file::unlinkat(directory, name, AtFlags::empty())?;
        file::mkdirat(directory, name, Mode::RWXU)?;
        if stack::is_whiteout(&stat) { self.hide(place) } else { Ok(()) }
    }

    /// The open directory at `path`; it and those above it are made where they are missing.
    fn descend(&mut self, path: &[u8]) -> Result<BorrowedFd<'_>, Trouble> {
        if path.is_empty() {
            return Ok(self.root);
        }
        if self.open.as_ref().is_none_or(|(open, _)| open != path) {
            let directory = match self.open_strictly(path, path_of(path)) {
                Ok(directory) => directory,
                Err(Trouble::System(error)) if error.errno() == Errno::ENOENT => None,
                // The name may be a whiteout's: it becomes a directory as others do.
                Err(Trouble::Refused(Refusal::NotDirectory(_))) => None,
                Err(trouble) => return Err(trouble),
            };
            let directory = match directory {
                Some(directory) => directory,
                None => self.make_all(path)?,
            };
            self.open = Some((path.to_vec(), directory));
        }
        Ok(self.open.as_ref().map_or(self.root, |(_, directory)| directory.as_fd()))
    }

    /// Makes a missing directory, and before it those above that are missing too.
    fn make_all(&mut self, path: &[u8]) -> Result<OwnedFd, Trouble> {
        let place = Place::parse(path)?;
        let (parent, name) = place.split();
        let parent = self.descend(parent)?;
        match file::mkdirat(parent, name, Mode::RWXU) {
            Ok(()) => self.directories.imply(path),
            Err(error) if error.errno() == Errno::EEXIST => {
                let stat = file::statat(parent, name)?;
                match stack::kind(&stat) {
                    FileType::Directory => {}
                    FileType::Symlink => return Err(Refusal::ThroughLink(shown(path)).into()),
                    _ if stack::is_whiteout(&stat) => {
                        file::unlinkat(parent, name, AtFlags::empty())?;
                        file::mkdirat(parent, name, Mode::RWXU)?;
                        self.directories.imply(path);
                        self.hide(&place)?;
                    }
                    _ => return Err(Refusal::NotDirectory(shown(path)).into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
        match self.open_strictly(path, path_of(path))? {
            Some(directory) => Ok(directory),
            None => Err(Error::new("openat2", Errno::ENOENT).into()),
        }
    }

    // ANCHOR: open-strictly
    /// Opens an existing directory, or none for the root.
    fn open_strictly(&self, path: &[u8], name: &Path) -> Result<Option<OwnedFd>, Trouble> {
        if path.is_empty() {
            return Ok(None);
        }
        // Without O_NOFOLLOW, so that a link at the end is told from a file: STRICT follows none.
        let how = OFlags::PATH | OFlags::DIRECTORY;
        match file::openat2(self.root, name, how, Mode::empty(), STRICT) {
            Ok(directory) => Ok(Some(directory)),
            Err(error) => Err(match error.errno() {
                Errno::ELOOP => Refusal::ThroughLink(self.first_link(path)).into(),
                Errno::ENOTDIR => Refusal::NotDirectory(shown(path)).into(),
                _ => error.into(),
            }),
        }
    }
    // ANCHOR_END: open-strictly

    /// Which component of a path is the link that ELOOP is about.
    fn first_link(&self, path: &[u8]) -> String {
        let ends = (0..=path.len()).filter(|&end| path.get(end).is_none_or(|&byte| byte == b'/'));
        let mut parts = ends.map(|end| &path[..end]);
        let is_link = |part: &&[u8]| {
            file::statat(self.root, path_of(part)).is_ok_and(|stat| stack::kind(&stat) == FileType::Symlink)
        };
        shown(parts.find(is_link).unwrap_or(path))
    }
}
