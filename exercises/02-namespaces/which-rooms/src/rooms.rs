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
    todo!("say which namespaces two processes share")
}
