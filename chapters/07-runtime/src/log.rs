//! The container's log: Docker's `json-file`, a JSON object a line.
//!
//! `{"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}`: one line of output each, cut
//! at 16 KiB as Docker cuts it. The time is when the line's last byte came. Book ch. 7.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest piece of a line that one record holds.
const LONGEST: usize = 16 * 1024;

/// Which of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The text, with its newline; without one when the line goes on in the next record of this stream.
    pub log: String,
    /// Where it was written.
    pub stream: Stream,
    /// When, in UTC.
    pub time: Timestamp,
}

/// A log that is being written.
#[derive(Debug)]
pub struct Log {
    file: File,
    /// What each stream has written since its last newline.
    unfinished: [Vec<u8>; 2],
}

impl Log {
    /// Opens the log at `path` to add to it.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { file, unfinished: [Vec::new(), Vec::new()] })
    }

    /// Adds what a stream wrote. Whole lines go to the file at once, in one write(2).
    ///
    /// # Errors
    /// `ENOSPC` and the like.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let unfinished = &mut self.unfinished[stream as usize];
        unfinished.extend_from_slice(bytes);
        let mut records = Vec::new();
        let time = Timestamp::now();
        let mut rest = unfinished.as_slice();
        while let Some(length) = complete(rest) {
            let (line, after) = rest.split_at(length);
            record(&mut records, stream, line, time)?;
            rest = after;
        }
        let used = unfinished.len() - rest.len();
        unfinished.drain(..used);
        if records.is_empty() { Ok(()) } else { self.file.write_all(&records) }
    }

    /// Writes what is left of each stream: there will be no newline any more.
    ///
    /// # Errors
    /// `ENOSPC` and the like.
    pub fn finish(&mut self) -> io::Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = std::mem::take(&mut self.unfinished[stream as usize]);
            if !rest.is_empty() {
                let mut records = Vec::new();
                record(&mut records, stream, &rest, Timestamp::now())?;
                self.file.write_all(&records)?;
            }
        }
        Ok(())
    }
}

/// The length of the first record that `bytes` holds, if one is complete.
fn complete(bytes: &[u8]) -> Option<usize> {
    let window = &bytes[..bytes.len().min(LONGEST)];
    match window.iter().position(|&byte| byte == b'\n') {
        Some(newline) => Some(newline + 1),
        None => (bytes.len() >= LONGEST).then(|| before_split_letter(window)),
    }
}

/// The length without the start of a letter whose rest comes later. UTF-8 letters have four bytes at most, and
/// all but the first begin with the bits 10.
fn before_split_letter(window: &[u8]) -> usize {
    let tail = window.iter().rev().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let first = window.len() - tail - 1;
    let length = window[first].leading_ones() as usize;
    if length >= 2 && length > tail + 1 && length <= 4 { first } else { window.len() }
}

fn record(to: &mut Vec<u8>, stream: Stream, line: &[u8], time: Timestamp) -> io::Result<()> {
    let entry = Entry { log: String::from_utf8_lossy(line).into_owned(), stream, time };
    serde_json::to_writer(&mut *to, &entry)?;
    to.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parts: &[(Stream, &[u8])]) -> Vec<(Stream, String)> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = Log::open(&path).unwrap();
        parts.iter().for_each(|(stream, bytes)| log.write(*stream, bytes).unwrap());
        log.finish().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let entries = text.lines().map(|line| serde_json::from_str::<Entry>(line).unwrap());
        entries.map(|entry| (entry.stream, entry.log)).collect()
    }

    #[test]
    fn a_line_is_one_record_however_it_arrives() {
        let parts: [(Stream, &[u8]); 3] =
            [(Stream::Stdout, b"he"), (Stream::Stderr, b"e\n"), (Stream::Stdout, b"llo\nx")];
        let expected = [(Stream::Stderr, "e\n"), (Stream::Stdout, "hello\n"), (Stream::Stdout, "x")];
        assert_eq!(written(&parts), expected.map(|(stream, text)| (stream, text.to_owned())));
    }

    #[test]
    fn no_letter_is_cut_in_two() {
        let long = format!("{}€\n", "a".repeat(LONGEST - 1));
        let records = written(&[(Stream::Stdout, long.as_bytes())]);
        assert_eq!(records.iter().map(|(_, text)| text.as_str()).collect::<String>(), long);
    }

    #[test]
    fn a_long_line_is_cut_and_nothing_is_lost() {
        let long = vec![b'a'; LONGEST * 2 + 5];
        let records = written(&[(Stream::Stdout, &long), (Stream::Stdout, b"\n")]);
        assert_eq!(records.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(), [LONGEST, LONGEST, 6]);
    }
}
