//! Reads the records of a log. Book ch. 7.

use std::io;
use std::path::Path;

use super::Entry;
use super::lines::Lines;
use super::parse::{Parsed, parse};

/// A log that is being read.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    /// The record that was read last: its text, and the rest.
    text: Vec<u8>,
    parsed: Option<Parsed>,
}

impl Reader {
    /// Opens the log at `path`, at its last `tail` records if a number is given.
    ///
    /// # Errors
    /// Those of open(2) and read(2).
    pub fn open(path: &Path, tail: Option<usize>) -> io::Result<Self> {
        Ok(Self { lines: Lines::open(path, tail)?, text: Vec::new(), parsed: None })
    }

    /// The next record; none when there is no other yet. A line that is no record is passed over.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn next_entry(&mut self) -> io::Result<Option<Entry<'_>>> {
        self.next_wanted(|_| true)
    }

    /// As [`Self::next_entry`], but passes over what is not `wanted` too.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn next_wanted(&mut self, wanted: impl Fn(&Entry<'_>) -> bool) -> io::Result<Option<Entry<'_>>> {
        let place = loop {
            let Some(place) = self.lines.next_place()? else { return Ok(None) };
            let line = self.lines.at(&place);
            let Some(()) = parse(line, &mut self.text, &mut self.parsed) else { continue };
            if self.parsed.as_ref().is_some_and(|parsed| wanted(&parsed.entry(line, &self.text))) {
                break place;
            }
        };
        Ok(self.parsed.as_ref().map(|parsed| parsed.entry(self.lines.at(&place), &self.text)))
    }
}
