//! The name `host`, which no image from elsewhere has, and the places in the layout where images are made that no
//! registry sent. Book ch. 6.

use std::path::Path;

/// The reserved name.
pub const HOST: &str = "host";

/// The file whose lock whoever makes such an image holds.
pub(crate) const LOCK: &str = "host.lock";

/// How the directories begin in which it is assembled.
pub(crate) const WORK: &str = "host-";

/// Removes those of killed commands. The caller has the lock under which they are made.
pub(crate) fn sweep(layout: &Path) {
    for entry in std::fs::read_dir(layout).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(WORK) && entry.path().is_dir() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether `name` is the reserved one.
pub fn is_host(name: &str) -> bool {
    matches!(name, "host" | "host:latest")
}
