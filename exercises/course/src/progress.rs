//! What a student has done so far: one JSON file in the copy.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// Progress that cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// It is not what we wrote.
    #[error("cannot understand {}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// It cannot be written.
    #[error("cannot keep the progress")]
    Write(#[source] mini_sys::Error),
}

/// All exercises that were begun.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The one that `check` and `hint` mean when none is named.
    pub current: Option<String>,
    /// By name.
    #[serde(default)]
    pub exercises: BTreeMap<String, Record>,
}

/// One exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// When it was begun, in seconds since 1970.
    pub started: Option<u64>,
    /// When its check passed first, in seconds since 1970.
    pub passed: Option<u64>,
    /// How often it was checked until then.
    pub attempts: u32,
    /// How many hints were asked for.
    pub hints: u32,
    /// Whether the solution was asked for before a pass.
    pub gave_up: bool,
}

impl Progress {
    /// What stands in `path`; nothing yet when there is no such file.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, ProgressError> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|source| ProgressError::Parse { path: path.to_owned(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ProgressError::Read { path: path.to_owned(), source }),
        }
    }

    /// Replaces the file as a whole.
    ///
    /// # Errors
    /// When it cannot be written; the old one is there then.
    pub fn write(&self, path: &Path) -> Result<(), ProgressError> {
        // A map from strings to numbers always has a form in JSON.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        mini_sys::file::replace(path, text.as_bytes(), false).map_err(ProgressError::Write)
    }

    /// What is known about an exercise.
    pub fn of(&self, id: &str) -> Record {
        self.exercises.get(id).cloned().unwrap_or_default()
    }

    /// The same, to be changed. It counts as begun from now on.
    pub fn begin(&mut self, id: &str) -> &mut Record {
        let record = self.exercises.entry(id.to_owned()).or_default();
        record.started.get_or_insert_with(now);
        record
    }

    /// Notes that it was checked. Attempts after the first pass do not count.
    pub fn checked(&mut self, id: &str, passed: bool) {
        let record = self.begin(id);
        if record.passed.is_none() {
            record.attempts += 1;
            record.passed = passed.then(now);
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn what_is_written_is_read_again_and_no_file_is_no_progress() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("progress.json");
        let mut progress = Progress::read(&path).unwrap();
        assert_eq!(progress, Progress::default());
        progress.checked("pivot", false);
        progress.checked("pivot", true);
        progress.checked("pivot", false);
        progress.write(&path).unwrap();
        let record = Progress::read(&path).unwrap().of("pivot");
        assert_eq!((record.attempts, record.passed.is_some(), record.gave_up), (2, true, false));
    }

    #[test]
    fn a_file_that_is_not_ours_is_told_and_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("progress.json");
        std::fs::write(&path, "[]").unwrap();
        assert!(Progress::read(&path).unwrap_err().to_string().starts_with("cannot understand "));
    }
}
