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

/// Whether this process may run the program `path` with the rights that it has now (its effective user). A directory
/// passes too. faccessat(2), `X_OK`, `AT_EACCESS`.
///
/// # Errors
/// `EACCES`, `ENOENT`, `ENOTDIR`.
pub fn executable(path: &Path) -> Result<()> {
    let how = nix::fcntl::AtFlags::AT_EACCESS;
    call(
        || format!("access(\"{}\", X_OK)", path.display()),
        || nix::unistd::faccessat(nix::fcntl::AT_FDCWD, path, AccessFlags::X_OK, how),
    )
}
