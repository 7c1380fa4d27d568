//! Records into files: how a record looks, and when a new file begins.
//!
//! A file gets whole records only. After a failed write it is cut back to its last whole one, so that the next
//! record is not glued to half of another. Rotating leaves no moment without a file of the log's name. Docker's
//! `jsonfilelog`; book ch. 7.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use mini_sys::clone::{self, Child, Keep};
use mini_sys::pidfd;

use super::escape::escape;
use super::names::{self, Identity};
use super::{Piece, Rotation, Stream};

/// A buffer that has grown to this is written, finished or not.
const BATCH: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct FileLog {
    path: PathBuf,
    file: File,
    /// Bytes in the file.
    size: u64,
    rotation: Rotation,
    /// Records that are not in the file yet.
    buffer: Vec<u8>,
    /// What follows the text in a record, which is the same for all of a moment.
    ending: Ending,
    /// The process that compresses the file before this one.
    compressing: Option<Child>,
}

#[derive(Debug)]
struct Ending {
    /// `,"attrs":{…}`, or nothing.
    attributes: String,
    of: Option<(Stream, Timestamp)>,
    text: Vec<u8>,
}

impl FileLog {
    pub(super) fn open(path: &Path, rotation: Rotation, attributes: &[(String, String)]) -> io::Result<Self> {
        let file = File::options().create(true).append(true).read(true).open(path)?;
        let size = file.metadata()?.len();
        let mut last = [b'\n'];
        if size > 0 {
            file.read_exact_at(&mut last, size - 1)?;
        }
        // The machine may have lost power in the middle of a record.
        let buffer = if last == *b"\n" { Vec::new() } else { vec![b'\n'] };
        let ending = Ending { attributes: attributes_json(attributes), of: None, text: Vec::new() };
        Ok(Self { path: path.to_owned(), file, size, rotation, buffer, ending, compressing: None })
    }

    pub(super) fn add(&mut self, piece: Piece<'_>) -> io::Result<()> {
        let full = self.rotation.max_size.is_some_and(|max| self.size + self.buffer.len() as u64 >= max);
        if full {
            self.flush()?;
            self.rotate()?;
        }
        self.buffer.extend_from_slice(b"{\"log\":\"");
        escape(&mut self.buffer, piece.text);
        self.ending.set(piece.stream, piece.time);
        self.buffer.extend_from_slice(&self.ending.text);
        if self.buffer.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let length = self.buffer.len();
        if length == 0 {
            return Ok(());
        }
        let written = self.file.write_all(&self.buffer);
        match written {
            Ok(()) => self.size += length as u64,
            // What cannot be cut off is one damaged line, which readers pass over.
            Err(_) => drop(self.file.set_len(self.size)),
        }
        self.buffer.clear();
        // Most of its life a monitor waits, and there may be hundreds of them.
        if self.buffer.capacity() > 16 * length.max(4096) {
            self.buffer = Vec::new();
        }
        written
    }

    /// Begins a new file. When that fails, the old one goes on.
    fn rotate(&mut self) -> io::Result<()> {
        if let Some(child) = self.compressing.take() {
            // It gives its file another name, which must not be another file's by then.
            drop(pidfd::wait(&child.pidfd));
        }
        let begun = begin(&self.path, self.rotation.max_files);
        let file = match begun {
            Ok(file) => file,
            // A log that is too long is better than none.
            Err(_) => return Ok(()),
        };
        self.file = file;
        self.size = 0;
        if self.rotation.compress && self.rotation.max_files > 1 {
            let path = self.path.clone();
            // Without it the file stays as it is, which readers do not mind.
            self.compressing =
                clone::clone3_keeping(mini_sys::clone::CloneFlags::empty(), None, &Keep::these([]), || {
                    clone::leave(i32::from(compress(&path).is_err()))
                })
                .ok();
        }
        Ok(())
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        if let Some(child) = self.compressing.take() {
            drop(pidfd::wait(&child.pidfd));
        }
    }
}

impl Ending {
    fn set(&mut self, stream: Stream, time: Timestamp) {
        if self.of == Some((stream, time)) {
            return;
        }
        self.of = Some((stream, time));
        self.text.clear();
        let (word, attributes) = (stream.word(), &self.attributes);
        // A vector takes whatever is written to it.
        let _ = writeln!(self.text, "\",\"stream\":\"{word}\"{attributes},\"time\":\"{time}\"}}");
    }
}

fn attributes_json(attributes: &[(String, String)]) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let quoted = |text: &str| {
        let mut escaped = Vec::new();
        escape(&mut escaped, text.as_bytes());
        format!("\"{}\"", String::from_utf8_lossy(&escaped))
    };
    let pairs = attributes.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
    format!(",\"attrs\":{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

/// Makes every file older by one, lets the oldest go, and gives the log's name to a new one.
fn begin(path: &Path, max_files: u32) -> io::Result<File> {
    let new = path.with_extension("new");
    let file = File::options().create(true).truncate(true).write(true).open(&new)?;
    drop(file);
    // Not opened for appending above, since truncating and appending exclude each other.
    let file = File::options().append(true).open(&new)?;
    // Beyond the first age that is free there is nothing to move; a killed process may have left a hole, which is
    // filled here.
    let is_there = |age: &u32| names::aged(path, *age).exists() || names::compressed(path, *age).exists();
    let free = (1..max_files).find(|age| !is_there(age)).unwrap_or(max_files);
    for age in (1..free).rev() {
        for (from, to) in [
            (names::aged(path, age), names::aged(path, age + 1)),
            (names::compressed(path, age), names::compressed(path, age + 1)),
        ] {
            let moved = if age + 1 == max_files { fs::remove_file(&from) } else { fs::rename(&from, &to) };
            match moved {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    // ANCHOR: new-file
    if max_files > 1 {
        let before = names::aged(path, 1);
        fs::hard_link(path, &before).or_else(|_| fs::rename(path, &before))?;
    }
    fs::rename(&new, path)?;
    // ANCHOR_END: new-file
    Ok(file)
}

/// Compresses the file before the newest. There is the one or the other at any moment.
fn compress(path: &Path) -> io::Result<()> {
    let (from, to) = (names::aged(path, 1), names::compressed(path, 1));
    let part = to.with_extension("part");
    let mut file = File::open(&from)?;
    let header = GzBuilder::new().comment(Identity::of(&file)?.to_comment());
    let mut packed = header.write(File::create(&part)?, Compression::fast());
    io::copy(&mut file, &mut packed)?;
    packed.finish()?;
    fs::rename(&part, &to)?;
    fs::remove_file(&from)
}
