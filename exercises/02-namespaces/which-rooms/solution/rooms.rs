//! Which rooms two processes share. This is the file to edit.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;

/// The eight kinds of namespace, named as their links in `/proc/<pid>/ns`.
pub const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/// The kinds of which the processes `one` and `other` are in the same namespace, in the order of [`KINDS`].
///
/// # Errors
/// When one of the two cannot be asked, because it has ended or never was.
pub fn shared(one: u32, other: u32) -> io::Result<Vec<&'static str>> {
    // ANCHOR: shared
    let room = |pid: u32, kind: &str| -> io::Result<(u64, u64)> {
        // metadata follows the link, to the namespace.
        let namespace = fs::metadata(format!("/proc/{pid}/ns/{kind}"))?;
        Ok((namespace.dev(), namespace.ino()))
    };
    let mut found = Vec::new();
    for kind in KINDS {
        if room(one, kind)? == room(other, kind)? {
            found.push(kind);
        }
    }
    Ok(found)
    // ANCHOR_END: shared
}
