//! Applies a layer's tar to a directory: the idea of this chapter, in a page.
//!
//! For each entry in order: what does its name mean, what does it make, make it. A later entry replaces an
//! earlier one. An archive is a stranger's list of things to do to our disk, so nothing is taken on trust:
//! names are judged by `names`, archives by `archive`, and `tree` does every step
//! relative to an open directory and never through a symbolic link. An entry that could reach outside the
//! tree ends the work with an error that names it. What was made until then is the caller's to remove
//! ([`crate::layers::Layers::apply`] does).
//!
//! OCI image-spec, layer.md, "Applying Changesets"; book ch. 5.

use std::fs::File;
use std::io::{BufRead, Seek as _, SeekFrom, Write as _};
use std::os::fd::BorrowedFd;

use mini_sys::Error;
use mini_sys::file::{FileType, Mode};

use crate::archive::TarError;
use crate::directories::Directories;
use crate::entries::{Entries, Entry, Kind};
use crate::look::{Look, Owners};
use crate::names::{self, Meaning, Place, Refusal, shown};
use crate::stack::Stack;
use crate::tree::{Tree, Trouble};

/// How an archive is applied.
#[derive(Debug, Clone, Copy)]
pub struct How<'a> {
    /// Whose the files become.
    pub owners: Owners,
    /// Whether names like `.wh.x` remove, as they do in a layer, or are names like all others, as in an
    /// archive that somebody adds to a tree.
    pub whiteouts: bool,
    /// The layers below, where there are any: a directory that no entry describes looks like theirs.
    pub lower: Option<&'a Stack>,
}

/// What was applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many entries the archive had.
    pub entries: u64,
    /// The size of the regular files in bytes, holes counted.
    pub bytes: u64,
}

/// An archive that was not applied to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The archive cannot be read.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// An entry must not be made.
    #[error("tar entry `{entry}` is refused")]
    Refused {
        /// The entry's name.
        entry: String,
        /// The reason.
        #[source]
        why: Refusal,
    },
    /// An entry could not be made.
    #[error("make tar entry `{entry}`")]
    Make {
        /// The entry's name.
        entry: String,
        /// What the kernel said.
        #[source]
        source: Error,
    },
    /// The target directory cannot be used.
    #[error("use the target directory")]
    Target(#[source] Error),
}

/// Applies the archive `tar` to the tree whose root is open as `target`, and reads `tar` to its end.
///
/// # Errors
/// For an archive that is damaged, cut short, or hostile, and when the kernel refuses a step; each but the
/// last with the name of the entry. The tree is left as it was then.
// ANCHOR: loop
pub fn apply(tar: impl BufRead, target: BorrowedFd<'_>, how: How<'_>) -> Result<Applied, ApplyError> {
    let tree = Tree::new(target, how.owners).map_err(ApplyError::Target)?;
    let (applied, directories) = fill(tar, tree, how.whiteouts)?;
    paint(directories, target, how.lower)?;
    Ok(applied)
}

/// All of [`apply`] but the looks of directories, for which the layers below must be there.
pub(crate) fn fill(
    tar: impl BufRead,
    mut tree: Tree<'_>,
    whiteouts: bool,
) -> Result<(Applied, Directories), ApplyError> {
    let mut entries = Entries::new(tar);
    let mut applied = Applied::default();
    while let Some(entry) = entries.next()? {
        step(&mut tree, &mut entries, &entry, whiteouts).map_err(|failure| failure.of(&entry.name))?;
        applied.entries += 1;
        applied.bytes += entry.size;
    }
    Ok((applied, tree.finish()))
}
// ANCHOR_END: loop

/// The rest of [`apply`].
pub(crate) fn paint(
    directories: Directories,
    target: BorrowedFd<'_>,
    lower: Option<&Stack>,
) -> Result<(), ApplyError> {
    let painted = directories.paint(target, lower);
    painted.map_err(|(path, error)| Failure::Entry(Trouble::System(error)).of(&path))
}

/// Adds what `tar` has to the tree whose root is open as `target`, as `docker cp` does: no name is a sign, and a
/// directory that is there is never replaced by what is none, nor the other way round.
///
/// # Errors
/// As [`apply`].
pub fn add(tar: impl BufRead, target: BorrowedFd<'_>, owners: Owners) -> Result<Applied, ApplyError> {
    let tree = Tree::new(target, owners).map_err(ApplyError::Target)?;
    let (applied, directories) = fill(tar, tree.keeping_kinds(), false)?;
    paint(directories, target, None)?;
    Ok(applied)
}

/// One entry.
fn step<R: BufRead>(
    tree: &mut Tree<'_>,
    entries: &mut Entries<R>,
    entry: &Entry,
    whiteouts: bool,
) -> Result<(), Failure> {
    let meaning =
        if whiteouts { names::meaning(&entry.name)? } else { Meaning::Make(Place::parse(&entry.name)?) };
    let place = match meaning {
        Meaning::Make(place) => place,
        // Some tools made whiteouts as links to one empty file.
        _ if !matches!(entry.kind, Kind::File | Kind::HardLink(_)) => {
            return Err(Refusal::WhiteoutType.into());
        }
        Meaning::Remove(place) => return Ok(tree.whiteout(&place)?),
        Meaning::Hide(place) => return Ok(tree.hide(&place)?),
    };
    let look = look(entry)?;
    match &entry.kind {
        Kind::Directory => tree.directory(&place, look)?,
        Kind::File => {
            let mut file = tree.create(&place, entry.mode)?;
            write(entries, entry, &mut file)?;
            tree.finish_file(&file, &look)?;
        }
        Kind::Symlink(text) if text.is_empty() || text.contains(&0) => return Err(Refusal::LinkText.into()),
        Kind::Symlink(text) => tree.symlink(&place, text, &look)?,
        Kind::HardLink(text) => {
            let refused = |why| Refusal::LinkTarget { target: shown(text), why: Box::new(why) };
            let target = Place::parse_target(text).map_err(refused)?;
            if target.is_root() {
                return Err(refused(Refusal::LinkDirectory).into());
            }
            tree.link(&place, &target, text)?;
        }
        Kind::Fifo => tree.node(&place, FileType::Fifo, (0, 0), &look)?,
        // What a whiteout becomes on an overlay: some tools archive it as they find it.
        Kind::Character(0, 0) if whiteouts => tree.whiteout(&place)?,
        &Kind::Character(major, minor) => {
            tree.node(&place, FileType::CharacterDevice, (major, minor), &look)?;
        }
        &Kind::Block(major, minor) => tree.node(&place, FileType::BlockDevice, (major, minor), &look)?,
    }
    Ok(())
}

/// Writes an entry's content; holes stay holes.
fn write<R: BufRead>(entries: &mut Entries<R>, entry: &Entry, file: &mut File) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Trouble::System(Error::from_io("write", &error));
    let Some(extents) = &entry.extents else {
        return copy(entries, u64::MAX, file);
    };
    for extent in extents {
        file.seek(SeekFrom::Start(extent.offset)).map_err(failed)?;
        copy(entries, extent.length, file)?;
    }
    file.set_len(entry.size).map_err(failed)?;
    Ok(())
}

fn copy<R: BufRead>(entries: &mut Entries<R>, mut most: u64, file: &mut File) -> Result<(), Failure> {
    while most > 0 {
        let data = entries.data()?;
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(data.len());
        if length == 0 {
            break;
        }
        file.write_all(&data[..length]).map_err(|error| Trouble::System(Error::from_io("write", &error)))?;
        entries.consume(length);
        most -= length as u64;
    }
    Ok(())
}

fn look(entry: &Entry) -> Result<Look, Refusal> {
    // -1 means "leave it as it is" to chown(2).
    let id = |id: u64| u32::try_from(id).ok().filter(|&id| id != u32::MAX).ok_or(Refusal::Owner(id));
    Ok(Look {
        mode: entry.mode & Mode::from_bits_truncate(0o7777).bits(),
        uid: id(entry.uid)?,
        gid: id(entry.gid)?,
        mtime: Some(entry.mtime),
        xattrs: entry.xattrs.clone(),
    })
}

/// Why a step failed, before the entry's name is added.
enum Failure {
    Entry(Trouble),
    Archive(TarError),
}

impl Failure {
    fn of(self, name: &[u8]) -> ApplyError {
        let entry = shown(name);
        match self {
            Self::Archive(error) => ApplyError::Tar(error),
            Self::Entry(Trouble::Refused(why)) => ApplyError::Refused { entry, why },
            Self::Entry(Trouble::System(source)) => ApplyError::Make { entry, source },
        }
    }
}

impl<T: Into<Trouble>> From<T> for Failure {
    fn from(trouble: T) -> Self {
        Self::Entry(trouble.into())
    }
}

impl From<TarError> for Failure {
    fn from(error: TarError) -> Self {
        Self::Archive(error)
    }
}
