//! `events`: what has happened to containers and images, a line of JSON each.
//!
//! There is no daemon that could tell, so who does something writes it into one file: appended with one write(2),
//! which the kernel keeps apart from other writers', without a lock and without waiting for the disk. A file that
//! has grown is renamed away; one older is kept. An event that cannot be written is lost, and what it told of has
//! happened all the same. Engine API, `SystemEvents`; docker-events(1); book ch. 10.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use mini_runtime::log::lines::Lines;
use mini_sys::inotify::{self, WatchFlags};
use mini_sys::ipc::{self, PollFd, PollFlags};
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::record::Record;

/// A file of so many bytes is renamed away.
const LARGEST: u64 = 1 << 20;

/// Something that has happened, in Docker's JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The action, of containers and images.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// The same object as the actor, of containers and images.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// A container's image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// `container`, `image`, …
    #[serde(rename = "Type")]
    pub kind: String,
    /// What happened.
    #[serde(rename = "Action")]
    pub action: String,
    /// To what.
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// Always `local`.
    pub scope: String,
    /// When, in seconds.
    pub time: i64,
    /// When, in nanoseconds.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

/// What an event happened to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// Its id, or a name of an image.
    #[serde(rename = "ID")]
    pub id: String,
    /// What else there is to know.
    #[serde(rename = "Attributes")]
    pub attributes: BTreeMap<String, String>,
}

impl Event {
    /// Something that happens now.
    fn now(kind: &str, action: &str, id: &str, attributes: BTreeMap<String, String>) -> Self {
        let now = Timestamp::now();
        Self {
            status: action.to_owned(),
            id: id.to_owned(),
            from: String::new(),
            kind: kind.to_owned(),
            action: action.to_owned(),
            actor: Actor { id: id.to_owned(), attributes },
            scope: "local".to_owned(),
            time: now.as_second(),
            time_nano: i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX),
        }
    }

    /// Something that happens to a container: it tells image, name and labels.
    pub fn container(record: &Record, action: &str) -> Self {
        let mut attributes = record.config.labels.clone();
        attributes.insert("image".to_owned(), record.config.image.clone());
        attributes.insert("name".to_owned(), record.name.clone());
        let mut event = Self::now("container", action, &record.id, attributes);
        event.from.clone_from(&record.config.image);
        event
    }

    /// Something that happens to an image, which `id` names; `name` is what else it is called.
    pub fn image(action: &str, id: &str, name: &str) -> Self {
        Self::now("image", action, id, [("name".to_owned(), name.to_owned())].into())
    }

    /// The end of a clean-up among objects of a kind, which made so many bytes free.
    pub fn prune(kind: &str, reclaimed: u64) -> Self {
        let event = Self::now(kind, "prune", "", [("reclaimed".to_owned(), reclaimed.to_string())].into());
        // Docker tells these two of an object, and there is none.
        Self { status: String::new(), ..event }
    }

    /// Tells something more: `exitCode`, `signal`, `oldName`, …
    #[must_use]
    pub fn with(mut self, name: &str, value: &dyn std::fmt::Display) -> Self {
        self.actor.attributes.insert(name.to_owned(), value.to_string());
        self
    }

    /// When.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_nanosecond(self.time_nano.into()).unwrap_or_default()
    }
}

/// Tells everybody who wants to know. Losing an event is no failure of what it tells of.
pub fn emit(home: &Home, event: &Event) {
    let _ = append(&path(home), event);
}

/// Writes events for a process that is about to join a container, where it will find the file no more.
#[derive(Debug)]
pub struct Pen(Option<File>);

impl Pen {
    /// Opens the file.
    pub fn new(home: &Home) -> Self {
        Self(open(&path(home)).ok())
    }

    /// As [`emit`]. A file that has grown is for others to rename.
    pub fn tell(&self, event: &Event) {
        if let (Some(mut file), Ok(mut line)) = (self.0.as_ref(), serde_json::to_vec(event)) {
            line.push(b'\n');
            let _ = file.write_all(&line);
        }
    }
}

fn path(home: &Home) -> PathBuf {
    home.path().join("events.json")
}

fn append(path: &Path, event: &Event) -> io::Result<()> {
    // ANCHOR: append
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    let mut file = open(path)?;
    file.write_all(&line)?;
    // ANCHOR_END: append
    let metadata = file.metadata()?;
    if metadata.len() >= LARGEST && file.try_lock().is_ok() {
        // Another may have been quicker, and then the name is a newer file's. Whoever has the lock is alone with it.
        if fs::metadata(path)?.ino() == metadata.ino() {
            fs::rename(path, path.with_extension("json.1"))?;
        }
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).mode(0o600).open(path)
}

/// Events that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The file.
    #[error("read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Events as they come.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    lines: Lines,
    changes: Option<OwnedFd>,
}

impl Events {
    /// Begins with those that are there, or with the next if `only_new`.
    ///
    /// # Errors
    /// A file that cannot be read or made.
    pub fn open(home: &Home, only_new: bool) -> Result<Self, EventsError> {
        let path = path(home);
        let failed = |source| EventsError::Read { path: path.clone(), source };
        // There may be none yet, and one cannot wait at a file that is not there.
        open(&path).map_err(failed)?;
        let changes = watch(home.path()).ok();
        let lines = Lines::open(&path, only_new.then_some(0)).map_err(failed)?;
        Ok(Self { path, lines, changes })
    }

    /// The next event; none when there is no other yet.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn next_event(&mut self) -> Result<Option<Event>, EventsError> {
        loop {
            let line = self.lines.next_line();
            let line = line.map_err(|source| EventsError::Read { path: self.path.clone(), source })?;
            match line.map(serde_json::from_slice) {
                None => return Ok(None),
                Some(Ok(event)) => return Ok(Some(event)),
                // Half a line, of a machine that lost power.
                Some(Err(_)) => {}
            }
        }
    }

    /// Waits for more, for so long at most.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn wait(&self, limit: Option<Duration>) -> Result<(), EventsError> {
        let Some(changes) = &self.changes else {
            std::thread::sleep(Duration::from_millis(50).min(limit.unwrap_or(Duration::MAX)));
            return Ok(());
        };
        let polled = ipc::poll(&mut [PollFd::new(changes.as_fd(), PollFlags::POLLIN)], limit);
        polled.map_err(|error| EventsError::Read {
            path: self.path.clone(),
            source: io::Error::from_raw_os_error(error.errno() as i32),
        })?;
        // Only that something changed matters, so what is in the queue does not.
        while ipc::read(changes, &mut [0; 4096]).is_ok_and(|length| length > 0) {}
        Ok(())
    }
}

fn watch(directory: &Path) -> mini_sys::Result<OwnedFd> {
    let queue = inotify::inotify_init()?;
    inotify::inotify_add_watch(&queue, directory, WatchFlags::MODIFY | WatchFlags::MOVE)?;
    Ok(queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_many_writers_are_all_there_over_rotations() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let mut events = Events::open(&home, true).unwrap();
        let long = "x".repeat(500);
        let mut seen = Vec::new();
        for round in 0..10 {
            std::thread::scope(|scope| {
                for writer in 0..4 {
                    let (home, long) = (&home, &long);
                    scope.spawn(move || {
                        for number in 0..50 {
                            emit(home, &Event::image("pull", &format!("{round}.{writer}.{number}"), long));
                        }
                    });
                }
            });
            while let Some(event) = events.next_event().unwrap() {
                seen.push(event.id);
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 2000);
        assert!(path(&home).with_extension("json.1").exists());
        let kept = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(kept, 2);
    }

    #[test]
    fn an_event_is_dockers_json() {
        let mut event = Event::image("tag", "sha256:1", "web:1").with("more", &1);
        (event.time, event.time_nano) = (5, 5_000_000_001);
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"status":"tag","id":"sha256:1","Type":"image","Action":"tag","Actor":{"ID":"sha256:1","Attributes":{"more":"1","name":"web:1"}},"scope":"local","time":5,"timeNano":5000000001}"#
        );
    }
}
