//! Waits until somebody saves a file.
//!
//! inotify(7) tells at once; file systems without it (network shares, some shared folders of virtual machines) are
//! looked at twice a second. There is one thread, because a box is made by a process with one thread.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use inotify::{Inotify, WatchMask};

/// An editor writes a file in several steps; they are over after this time.
const SETTLE: Duration = Duration::from_millis(80);
/// How often a file system without inotify is looked at.
const POLL: Duration = Duration::from_millis(500);

/// Files that are watched.
#[derive(Debug)]
pub struct Watch {
    directories: Vec<PathBuf>,
    how: How,
}

#[derive(Debug)]
enum How {
    Told(Inotify),
    Looking(BTreeMap<PathBuf, SystemTime>),
}

impl Watch {
    /// Watches the files in these directories, not in those below them. With `poll`, or where the kernel gives no
    /// inotify, by looking.
    pub fn new(directories: Vec<PathBuf>, poll: bool) -> Self {
        let told = if poll { None } else { told(&directories).ok() };
        let how = told.map_or_else(|| How::Looking(times(&directories)), How::Told);
        Self { directories, how }
    }

    /// Returns when a file was saved, made or removed since the last call.
    ///
    /// # Errors
    /// When the kernel stops telling.
    pub fn wait(&mut self) -> io::Result<()> {
        match &mut self.how {
            How::Told(inotify) => {
                let mut buffer = [0; 4096];
                inotify.read_events_blocking(&mut buffer)?;
                thread::sleep(SETTLE);
                // Whatever else belonged to the same save; that there is nothing more is an error too.
                while inotify.read_events(&mut buffer).is_ok_and(|mut events| events.next().is_some()) {}
            }
            How::Looking(before) => loop {
                thread::sleep(POLL);
                let now = times(&self.directories);
                if now != *before {
                    *before = now;
                    break;
                }
            },
        }
        Ok(())
    }
}

fn told(directories: &[PathBuf]) -> io::Result<Inotify> {
    let inotify = Inotify::init()?;
    let what = WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::DELETE | WatchMask::MOVED_FROM;
    for directory in directories {
        inotify.watches().add(directory, what)?;
    }
    Ok(inotify)
}

fn times(directories: &[PathBuf]) -> BTreeMap<PathBuf, SystemTime> {
    let files = |directory: &PathBuf| std::fs::read_dir(directory).into_iter().flatten().flatten();
    let time = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let paths = directories.iter().flat_map(files).map(|entry| entry.path());
    paths.filter_map(|path| Some((path.clone(), time(&path)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;
    use std::time::Duration;

    use super::Watch;

    fn notices(poll: bool) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("root.rs");
        fs::write(&file, "1").unwrap();
        let mut watch = Watch::new(vec![directory.path().to_owned()], poll);
        let writer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            // As editors do: beside, then renamed.
            fs::write(file.with_extension("new"), "2").unwrap();
            fs::rename(file.with_extension("new"), &file).unwrap();
        });
        watch.wait().unwrap();
        writer.join().unwrap();
    }

    #[test]
    fn a_save_is_told_by_the_kernel() {
        notices(false);
    }

    #[test]
    fn a_save_is_seen_by_looking() {
        notices(true);
    }
}
