//! `logs`: what a container has written, and what it goes on writing. docker-logs(1); book ch. 10.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use mini_runtime::log::Entry;

use crate::home::Home;
use crate::record::{Record, RecordError};

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// Reading failed.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The container's record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A log that is being read.
#[derive(Debug)]
pub struct Logs {
    path: PathBuf,
    reader: BufReader<File>,
    /// The start of a record whose end has not been written yet.
    partial: Vec<u8>,
}

impl Logs {
    /// Opens the log, at its last `tail` records if a number is given.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(home: &Home, record: &Record, tail: Option<usize>) -> Result<Self, LogsError> {
        let path = record.log_path(home);
        let open = || -> io::Result<File> {
            let mut file = File::open(&path)?;
            if let Some(count) = tail {
                let start = start_of_last(&mut file, count)?;
                file.seek(SeekFrom::Start(start))?;
            }
            Ok(file)
        };
        match open() {
            Ok(file) => {
                Ok(Self { path, reader: BufReader::with_capacity(1 << 16, file), partial: Vec::new() })
            }
            Err(source) => Err(LogsError::Read { path, source }),
        }
    }

    /// The next record; none when there is no other yet. A line that is no record is passed over: the machine may
    /// have lost power in the middle of one.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, LogsError> {
        loop {
            let read = self.reader.read_until(b'\n', &mut self.partial);
            read.map_err(|source| LogsError::Read { path: self.path.clone(), source })?;
            if self.partial.last() != Some(&b'\n') {
                return Ok(None);
            }
            let line = std::mem::take(&mut self.partial);
            if let Ok(entry) = serde_json::from_slice(&line) {
                return Ok(Some(entry));
            }
        }
    }
}

/// Whether the container may still write.
///
/// # Errors
/// A record that cannot be read.
pub fn goes_on(home: &Home, id: &str) -> Result<bool, RecordError> {
    Ok(Record::load(home, id)?.is_some_and(|record| record.state.status.is_active()))
}

/// Where the last `count` lines begin, found from the end, a block at a time.
fn start_of_last(file: &mut File, count: usize) -> io::Result<u64> {
    const BLOCK: u64 = 1 << 16;
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut newlines = 0;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        file.by_ref().take(end - start).read_to_end(&mut block)?;
        for (index, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            newlines += 1;
            // The newline that ends the line before the first wanted one.
            if newlines > count {
                return Ok(start + index as u64 + 1);
            }
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        let mut file = tempfile::tempfile().unwrap();
        let long = "x".repeat(70_000);
        write!(file, "a\n{long}\nb\nc\n").unwrap();
        let at = |file: &mut File, count| start_of_last(file, count).unwrap();
        let end = 2 + 70_001 + 4;
        assert_eq!([0, 1, 2, 3, 4, 9].map(|count| at(&mut file, count)), [end, end - 2, end - 4, 2, 0, 0]);
    }
}
