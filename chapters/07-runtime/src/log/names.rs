//! The files of a log: `log.json` is written, `log.json.1` was before it, and so on; compressed ones end in `.gz`.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use flate2::read::MultiGzDecoder;

/// The file that is `age` files older than the one that is written.
pub(super) fn aged(path: &Path, age: u32) -> PathBuf {
    if age == 0 { path.to_owned() } else { with_ending(path, &format!(".{age}")) }
}

/// The same when it is compressed.
pub(super) fn compressed(path: &Path, age: u32) -> PathBuf {
    with_ending(path, &format!(".{age}.gz"))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Which file it is, whatever it is called; for a compressed one, which file it was made of: device, inode, and when it
/// was made, since the number of a removed file's inode goes to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64, u128);

impl Identity {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        // Where the file system does not tell, it does not use numbers again either (tmpfs).
        let made = metadata.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        Ok(Self(metadata.dev(), metadata.ino(), made.map_or(0, |made| made.as_nanos())))
    }

    /// As a compressed file tells it, in its header's comment: RFC 1952.
    pub(super) fn to_comment(self) -> String {
        format!("{}:{}:{}", self.0, self.1, self.2)
    }

    fn from_comment(comment: &[u8]) -> Option<Self> {
        let mut numbers = std::str::from_utf8(comment).ok()?.split(':');
        let (device, inode, made) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(Self(device.parse().ok()?, inode.parse().ok()?, made.parse().ok()?))
    }
}

/// A file of the log, open.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: File,
    pub(super) identity: Identity,
}

/// How often a walk is begun again.
const TRIES: u32 = 100;

/// Files of the log, the newest first: all of them, or those up to the one that is `wanted`, which is the last then.
///
/// The log may be rotated meanwhile, which makes a file's age higher and never lower. The walk goes from low to high, so it
/// misses no file, and after one rotation it meets a file twice, which is seen. After several it may meet one that is newer
/// than those before it; so a walk counts only if the newest file is the same at its end.
pub(super) fn walk(path: &Path, wanted: Option<Identity>) -> io::Result<Vec<Found>> {
    let mut tries = 0;
    loop {
        let found = walk_once(path, wanted)?;
        let newest = open_if_there(path)?.as_ref().map(Identity::of).transpose()?;
        let is_same = newest.is_none() || found.first().map(|first| first.identity) == newest;
        tries += 1;
        // A log that is rotated faster than its names can be read is read as it was met.
        if is_same || tries == TRIES {
            return Ok(found);
        }
    }
}

fn walk_once(path: &Path, wanted: Option<Identity>) -> io::Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    let mut missing = 0;
    for age in 0.. {
        let Some(next) = open(path, age)? else {
            // One may be missing while its name is being changed.
            missing += 1;
            if missing > 2 {
                break;
            }
            continue;
        };
        missing = 0;
        if found.iter().all(|earlier| earlier.identity != next.identity) {
            found.push(next);
        }
        if wanted.is_some() && found.last().map(|last| last.identity) == wanted {
            break;
        }
    }
    Ok(found)
}

fn open(path: &Path, age: u32) -> io::Result<Option<Found>> {
    if let Some(file) = open_if_there(&aged(path, age))? {
        return Ok(Some(Found { identity: Identity::of(&file)?, file }));
    }
    if age == 0 {
        return Ok(None);
    }
    let Some(packed) = open_if_there(&compressed(path, age))? else { return Ok(None) };
    // To read from its end, it has to be a file of its own; nameless, it is gone with its last reader.
    let mut file = tempfile::tempfile_in(path.parent().unwrap_or(path))?;
    let mut unpacked = MultiGzDecoder::new(&packed);
    // What a killed process left of one is read as far as it goes.
    let _ = io::copy(&mut unpacked, &mut file);
    let comment = unpacked.header().and_then(|header| header.comment());
    let identity = match comment.and_then(Identity::from_comment) {
        Some(identity) => identity,
        None => Identity::of(&packed)?,
    };
    io::Seek::rewind(&mut file)?;
    Ok(Some(Found { file, identity }))
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
