//! The attack, and the wall that stops it. This is the file to edit.

use std::fs;
use std::path::Path;

use mini_namespaces::Kind;

/// Runs as root inside of a jail with a root directory of its own. `secret` is the absolute path of a file that some
/// process *outside* can read under this name; which process is not known. Returns the text of the file.
pub fn steal(secret: &Path) -> Option<String> {
    todo!("read `secret` as the process sees it that has it")
}

/// How a jail is made.
pub struct Wall {
    /// The kinds of namespace that it gets beside a mount namespace of its own.
    pub create: Vec<Kind>,
    /// Whether its `/proc` is mounted from inside, or is the host's, shown at the same place.
    pub own_proc: bool,
}

/// A jail in which [`steal`] finds nothing.
pub fn wall() -> Wall {
    todo!("say how the jail should have been made")
}
