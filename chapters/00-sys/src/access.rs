//! What this process may do with a file, asked without doing it: access(2).

use std::path::Path;

use nix::unistd::AccessFlags;

use crate::call::{Result, call};

/// Whether this process (its real user, with its capabilities) may write to `path`.
///
/// # Errors
/// `EACCES`, `EROFS` on a read-only mount, `ENOENT`. access(2), `W_OK`.
pub fn writable(path: &Path) -> Result<()> {
    call(|| format!("access(\"{}\", W_OK)", path.display()), || nix::unistd::access(path, AccessFlags::W_OK))
}
