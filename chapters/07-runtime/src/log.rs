//! The container's log: Docker's `json-file`, a JSON object a line, or the machine's journal.
//!
//! `{"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}`: one line of output each, cut
//! at 16 KiB as Docker cuts it. The time is when the line's last byte came; that of a line in several pieces is the
//! first piece's. What is written at once goes to the file at once: one write(2), one look at the clock. Book ch. 7.

mod escape;
mod file;
mod journal;
pub mod lines;
mod names;
mod parse;
pub mod read;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use file::FileLog;
use journal::Journal;
pub use parse::Entry;

/// The longest piece of a line that one record holds.
const LONGEST: usize = 16 * 1024;

/// Which of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// As records name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Where a log goes, and what its records say beside the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Where it goes.
    pub to: Target,
    /// What every record says of the container: Docker's `attrs`, shown by `logs --details`.
    pub attributes: Vec<(String, String)>,
}

/// Where a log goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Target {
    /// Into files.
    Files(Rotation),
    /// Into the machine's journal, by this socket, each record with these fields. systemd.journal-fields(7).
    Journal {
        /// `/run/systemd/journal/socket`.
        socket: PathBuf,
        /// Names in capitals, and values.
        fields: Vec<(String, String)>,
    },
    /// Nowhere.
    #[default]
    Nowhere,
}

/// When a log begins a new file, and what becomes of the old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// A file that has so many bytes gets no other record; none: it grows for ever.
    pub max_size: Option<u64>,
    /// How many files there may be, the one that is written included; at least 1.
    pub max_files: u32,
    /// Files that are no longer written are compressed, by a process of its own.
    pub compress: bool,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { max_size: None, max_files: 1, compress: false }
    }
}

/// A log that is being written.
#[derive(Debug)]
pub struct Log {
    sink: Sink,
    unfinished: [Unfinished; 2],
}

#[derive(Debug)]
enum Sink {
    Files(FileLog),
    Journal(Journal),
    Nowhere,
}

/// What a stream has written since its last newline.
#[derive(Debug, Default)]
struct Unfinished {
    bytes: Vec<u8>,
    /// How many pieces of the line have been recorded, and when the first came.
    pieces: u32,
    first: Option<Timestamp>,
}

/// A line, or a piece of one.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    stream: Stream,
    text: &'a [u8],
    time: Timestamp,
    /// Its number in a line of several pieces, from 1; 0 for a line that is whole.
    number: u32,
}

impl Log {
    /// Opens the log at `path`, which is a file if the options say so, to add to it.
    ///
    /// # Errors
    /// Those of open(2), and of socket(2) for a journal.
    pub fn open(path: &Path, options: &Options) -> io::Result<Self> {
        let sink = match &options.to {
            Target::Files(rotation) => Sink::Files(FileLog::open(path, *rotation, &options.attributes)?),
            Target::Journal { socket, fields } => {
                Sink::Journal(Journal::open(socket, fields, &options.attributes)?)
            }
            Target::Nowhere => Sink::Nowhere,
        };
        Ok(Self { sink, unfinished: Default::default() })
    }

    /// Adds what a stream wrote. Whole lines go out at once.
    ///
    /// # Errors
    /// `ENOSPC` and the like; the file then ends with the last record that it has whole.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if matches!(self.sink, Sink::Nowhere) {
            return Ok(());
        }
        let time = Timestamp::now();
        let unfinished = &mut self.unfinished[stream as usize];
        let mut rest = bytes;
        // A line that has begun earlier is put together; all others stay where they are.
        while !unfinished.bytes.is_empty() && !rest.is_empty() {
            let room = &rest[..rest.len().min(LONGEST - unfinished.bytes.len())];
            let length = memchr::memchr(b'\n', room).map_or(room.len(), |newline| newline + 1);
            unfinished.bytes.extend_from_slice(&rest[..length]);
            rest = &rest[length..];
            let text = std::mem::take(&mut unfinished.bytes);
            let length = complete(&text).unwrap_or(0);
            unfinished.add(&mut self.sink, stream, &text[..length], time)?;
            unfinished.bytes = text;
            unfinished.bytes.drain(..length);
        }
        while let Some(length) = complete(rest) {
            unfinished.add(&mut self.sink, stream, &rest[..length], time)?;
            rest = &rest[length..];
        }
        unfinished.bytes.extend_from_slice(rest);
        self.sink.flush()
    }

    /// Writes what is left of each stream: there will be no newline any more.
    ///
    /// # Errors
    /// `ENOSPC` and the like.
    pub fn finish(&mut self) -> io::Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let unfinished = &mut self.unfinished[stream as usize];
            let text = std::mem::take(&mut unfinished.bytes);
            unfinished.add(&mut self.sink, stream, &text, Timestamp::now())?;
            *unfinished = Unfinished::default();
        }
        self.sink.flush()
    }
}

impl Unfinished {
    /// Records a piece of the line, which is its last if it ends in a newline.
    fn add(&mut self, sink: &mut Sink, stream: Stream, text: &[u8], now: Timestamp) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let last = text.ends_with(b"\n");
        if !last || self.pieces > 0 {
            self.pieces += 1;
        }
        let piece = Piece { stream, text, time: *self.first.get_or_insert(now), number: self.pieces };
        if last {
            (self.pieces, self.first) = (0, None);
        }
        match sink {
            Sink::Files(log) => log.add(piece),
            Sink::Journal(journal) => journal.send(piece),
            Sink::Nowhere => Ok(()),
        }
    }
}

impl Sink {
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Files(log) => log.flush(),
            Self::Journal(_) | Self::Nowhere => Ok(()),
        }
    }
}

/// The length of the first record that `bytes` holds, if one is complete.
fn complete(bytes: &[u8]) -> Option<usize> {
    let window = &bytes[..bytes.len().min(LONGEST)];
    match memchr::memchr(b'\n', window) {
        Some(newline) => Some(newline + 1),
        None => (bytes.len() >= LONGEST).then(|| before_split_letter(window)),
    }
}

/// The length without the start of a letter whose rest comes later; Docker cuts letters in two, and both halves are
/// lost. UTF-8 letters have four bytes at most, and all but the first begin with the bits 10.
fn before_split_letter(window: &[u8]) -> usize {
    let tail = window.iter().rev().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let first = window.len() - tail - 1;
    let length = window[first].leading_ones() as usize;
    if length >= 2 && length > tail + 1 && length <= 4 { first } else { window.len() }
}

#[cfg(test)]
mod tests;
