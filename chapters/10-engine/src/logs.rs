//! `logs`: what a container has written, and what it goes on writing. docker-logs(1); book ch. 10.
//!
//! It reads files and nothing else, so a slow reader holds up nobody.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use mini_runtime::log::read::Reader;
use mini_runtime::log::{Entry, Log, Target};
use mini_sys::inotify::{self, WatchFlags};
use mini_sys::ipc::{self, PollFd, PollFlags};

use crate::home::Home;
use crate::log_options::{self, LogOptionError};
use crate::record::{ProcessId, Record, RecordError};

/// A killed monitor tells nobody, so one looks at times.
const LOOK: Duration = Duration::from_secs(1);

/// Without a queue of changes one looks more often.
const OFTEN: Duration = Duration::from_millis(50);

/// Which records are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The last so many of those that are there; none: all.
    pub tail: Option<usize>,
    /// None that is older.
    pub since: Option<Timestamp>,
    /// None that is newer.
    pub until: Option<Timestamp>,
}

/// A log that cannot be read or written.
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
    /// Docker's words for a container whose output is kept elsewhere, or nowhere.
    #[error("configured logging driver does not support reading")]
    NoReading {
        /// How it can be read all the same.
        hint: Option<String>,
    },
    /// It cannot be written: Docker's words.
    #[error("failed to initialize logging driver")]
    Open(#[source] mini_sys::Error),
    /// The container's options for its log.
    #[error(transparent)]
    Options(#[from] LogOptionError),
    /// The container's record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Opens the log of `record` to add to it.
///
/// # Errors
/// Options that cannot be met, and those of open(2).
pub fn writer(home: &Home, record: &Record) -> Result<Log, LogsError> {
    let options = log_options::options(record)?;
    let file = record.log_path(home);
    Log::open(&file, &options).map_err(|error| {
        let path = match options.to {
            Target::Journal { socket, .. } => socket,
            Target::Files(_) | Target::Nowhere => file,
        };
        LogsError::Open(mini_sys::Error::from_io(format!("open {}", path.display()), &error))
    })
}

/// A log that is being read.
#[derive(Debug)]
pub struct Logs {
    path: PathBuf,
    reader: Reader,
    wanted: Wanted,
    /// A record came that is newer than all that are wanted.
    over: bool,
    /// Tells of changes in the container's directory.
    changes: Option<OwnedFd>,
}

impl Logs {
    /// Opens the log. With `follow`, [`Self::wait`] hears of what comes.
    ///
    /// # Errors
    /// A log that is kept elsewhere, a file that cannot be read.
    pub fn open(home: &Home, record: &Record, wanted: Wanted, follow: bool) -> Result<Self, LogsError> {
        match log_options::options(record)?.to {
            Target::Files(_) => {}
            Target::Journal { .. } => {
                let hint = format!("`journalctl CONTAINER_NAME={}` shows it", record.name);
                return Err(LogsError::NoReading { hint: Some(hint) });
            }
            Target::Nowhere => return Err(LogsError::NoReading { hint: None }),
        }
        // Before the first look, so that nothing comes between.
        let changes = if follow { watch(home, record).ok() } else { None };
        let path = record.log_path(home);
        match Reader::open(&path, wanted.tail) {
            Ok(reader) => Ok(Self { path, reader, wanted, over: false, changes }),
            Err(source) => Err(LogsError::Read { path, source }),
        }
    }

    /// The next record; none when there is no other yet. A line that is no record is passed over: the machine may
    /// have lost power in the middle of one.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, LogsError> {
        let Self { path, reader, wanted, over, .. } = self;
        if *over {
            return Ok(None);
        }
        let entry = reader.next_wanted(|entry| is_wanted(wanted, entry));
        let entry = entry.map_err(|source| LogsError::Read { path: path.clone(), source })?;
        match entry {
            Some(entry) if wanted.until.is_some_and(|until| entry.timestamp() > until) => {
                *over = true;
                Ok(None)
            }
            other => Ok(other),
        }
    }

    /// Whether nothing that comes can be wanted.
    pub fn is_over(&self) -> bool {
        self.over || self.wanted.until.is_some_and(|until| Timestamp::now() > until)
    }

    /// Waits until there may be more.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn wait(&self) -> Result<(), LogsError> {
        let failed = |error: mini_sys::Error| LogsError::Read {
            path: self.path.clone(),
            source: io::Error::from_raw_os_error(error.errno() as i32),
        };
        let Some(changes) = &self.changes else {
            std::thread::sleep(OFTEN);
            return Ok(());
        };
        let left = self.wanted.until.map(|until| until.duration_since(Timestamp::now()));
        let limit = left.map_or(LOOK, |left| left.try_into().unwrap_or(Duration::ZERO).min(LOOK));
        ipc::poll(&mut [PollFd::new(changes.as_fd(), PollFlags::POLLIN)], Some(limit)).map_err(failed)?;
        // Only that something changed matters, so what is in the queue does not.
        while ipc::read(changes, &mut [0; 4096]).is_ok_and(|length| length > 0) {}
        Ok(())
    }
}

fn is_wanted(wanted: &Wanted, entry: &Entry<'_>) -> bool {
    wanted.since.is_none_or(|since| entry.timestamp() >= since)
}

fn watch(home: &Home, record: &Record) -> mini_sys::Result<OwnedFd> {
    let queue = inotify::inotify_init()?;
    let what = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVE | WatchFlags::MOVE_SELF;
    inotify::inotify_add_watch(&queue, &home.container(&record.id), what)?;
    Ok(queue)
}

/// Whether the container may still write: somebody stays with it.
///
/// # Errors
/// A record that cannot be read.
pub fn goes_on(home: &Home, id: &str) -> Result<bool, RecordError> {
    let Some(record) = Record::load(home, id)? else { return Ok(false) };
    Ok(record.state.status.is_active() && record.state.monitor.as_ref().is_none_or(ProcessId::is_alive))
}
