//! Reads the lines of a log from its files, also while it is written and rotated.
//!
//! Each file is read to its end and then left for the next newer one. Which one that is, the files' identities
//! tell and not their names, since a rotation changes these at any moment. So no line is lost or read twice, unless
//! the log is rotated so often that files are deleted that have not been read. Nothing here can make the writer wait.
//! Book ch. 7.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::names::{self, Found};

/// How much is read at once, at first; a log that has more gets [`LARGE`].
const SMALL: usize = 64 * 1024;
const LARGE: usize = 1024 * 1024;

/// The lines of a log that is being read.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    /// The file that is being read, and those that follow, oldest first.
    files: VecDeque<Found>,
    buffer: Vec<u8>,
    /// Where in the buffer stands what has been read from the file and not been looked at.
    start: usize,
    end: usize,
    /// So much of that has no newline.
    searched: usize,
}

impl Lines {
    /// Opens the log at `path`, at its last `tail` lines if a number is given.
    ///
    /// # Errors
    /// Those of open(2) and read(2).
    pub fn open(path: &Path, tail: Option<usize>) -> io::Result<Self> {
        let mut files: VecDeque<Found> = names::walk(path, None)?.into();
        if files.is_empty() {
            // The error says which file there is none of.
            File::open(path)?;
        }
        if let Some(mut count) = tail {
            let mut wanted = 0;
            for found in &mut files {
                let (start, lines) = start_of_last(&mut found.file, count)?;
                found.file.seek(SeekFrom::Start(start))?;
                wanted += 1;
                count -= lines;
                if count == 0 {
                    break;
                }
            }
            files.truncate(wanted);
        }
        files.make_contiguous().reverse();
        let buffer = vec![0; SMALL];
        Ok(Self { path: path.to_owned(), files, buffer, start: 0, end: 0, searched: 0 })
    }

    /// The next line, without its newline; none when there is no other yet.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        Ok(self.next_place()?.map(|place| &self.buffer[place]))
    }

    /// The line that stands there.
    pub(super) fn at(&self, place: &Range<usize>) -> &[u8] {
        &self.buffer[place.clone()]
    }

    /// Where in the buffer the next line stands, without its newline.
    pub(super) fn next_place(&mut self) -> io::Result<Option<Range<usize>>> {
        loop {
            let unseen = &self.buffer[self.start + self.searched..self.end];
            if let Some(length) = memchr::memchr(b'\n', unseen) {
                let line = self.start..self.start + self.searched + length;
                (self.start, self.searched) = (line.end + 1, 0);
                return Ok(Some(line));
            }
            self.searched = self.end - self.start;
            if !self.fill()? && !self.next_file()? {
                return Ok(None);
            }
        }
    }

    /// Reads more of this file; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == LARGE {
            // No record is as long: what follows is the end of a damaged one.
            self.forget();
        } else if self.end == self.buffer.len() {
            self.buffer.resize(LARGE, 0);
        }
        let Some(found) = self.files.front_mut() else { return Ok(false) };
        let length = found.file.read(&mut self.buffer[self.end..])?;
        self.end += length;
        Ok(length > 0)
    }

    /// Leaves what is in the buffer.
    fn forget(&mut self) {
        (self.start, self.end, self.searched) = (0, 0, 0);
    }

    /// Goes on to the next newer file, if there is one and nothing is left in this one.
    fn next_file(&mut self) -> io::Result<bool> {
        if self.files.len() < 2 {
            self.look_for_newer()?;
            // The last records may have come between the end of the file and its rotation.
            if self.fill()? {
                return Ok(true);
            }
        }
        if self.files.len() < 2 {
            return Ok(false);
        }
        self.files.pop_front();
        // A record that a lost power left unfinished.
        self.forget();
        Ok(true)
    }

    /// Whether the log has been rotated since: then opens what is newer than the file that is being read.
    fn look_for_newer(&mut self) -> io::Result<()> {
        let Some(current) = self.files.front_mut() else { return Ok(()) };
        let named = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let own = current.file.metadata()?;
        if (named.dev(), named.ino()) == (own.dev(), own.ino()) {
            if own.len() < current.file.stream_position()? {
                // Somebody has emptied it.
                current.file.rewind()?;
                self.forget();
            }
            return Ok(());
        }
        let mut newer = names::walk(&self.path, Some(current.identity))?;
        if newer.last().is_some_and(|last| last.identity == current.identity) {
            newer.pop();
        }
        self.files.extend(newer.into_iter().rev());
        Ok(())
    }
}

/// Where the last `count` lines begin, found from the end, a block at a time; and how many there are, at most that.
fn start_of_last(file: &mut File, count: usize) -> io::Result<(u64, usize)> {
    const BLOCK: u64 = 1 << 16;
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut newlines = 0;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        file.by_ref().take(end - start).read_to_end(&mut block)?;
        for index in memchr::memrchr_iter(b'\n', &block) {
            // The newline that ends the line before the first wanted one.
            if newlines == count {
                return Ok((start + index as u64 + 1, count));
            }
            newlines += 1;
        }
        end = start;
    }
    Ok((0, newlines))
}
