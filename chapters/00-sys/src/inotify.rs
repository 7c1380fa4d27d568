//! Hearing of changes to files: inotify(7).

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

pub use rustix::fs::inotify::WatchFlags;
use rustix::fs::inotify::{self, CreateFlags};

use crate::call::{Result, call};

/// A queue of events, which does not wait and is closed on exec; it is readable while there are any.
/// inotify_init1(2).
///
/// # Errors
/// `EMFILE` at the user's limit on such queues.
pub fn inotify_init() -> Result<OwnedFd> {
    call(|| "inotify_init1()".to_owned(), || inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK))
}

/// Puts the changes to `path`, and to what is in it if it is a directory, into the queue. inotify_add_watch(2).
///
/// # Errors
/// `ENOENT`, `EACCES`, `ENOSPC` at the user's limit on watches.
pub fn inotify_add_watch(queue: impl AsFd, path: &Path, what: WatchFlags) -> Result<()> {
    call(
        || format!("inotify_add_watch(\"{}\")", path.display()),
        || inotify::add_watch(queue.as_fd(), path, what),
    )
    .map(drop)
}
