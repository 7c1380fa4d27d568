//! The error of a failed system call: which call, on what, and the kernel's answer.

use nix::errno::Errno;

/// A system call that failed. Displays as ``mount `proc` on `/proc`: Permission denied``.
// ANCHOR: error
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {}", errno.desc())]
pub struct Error {
    call: String,
    errno: Errno,
}

// ANCHOR_END: error
/// What a wrapper of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `call`, which is the call's name and its operands.
    pub fn new(call: impl Into<String>, errno: Errno) -> Self {
        Self { call: call.into(), errno }
    }

    /// The error of a call that the standard library made for us; `EIO` when it was not the kernel's.
    pub fn from_io(call: impl Into<String>, error: &std::io::Error) -> Self {
        Self::new(call, error.errno())
    }

    /// The kernel's answer, errno(3).
    pub fn errno(&self) -> Errno {
        self.errno
    }

    /// The call's name and operands.
    pub fn call(&self) -> &str {
        &self.call
    }
}

/// The error types of the libraries below us, each of which is a number from errno(3).
pub(crate) trait Number {
    fn errno(&self) -> Errno;
}

impl Number for Errno {
    fn errno(&self) -> Errno {
        *self
    }
}

impl Number for rustix::io::Errno {
    fn errno(&self) -> Errno {
        Errno::from_raw(self.raw_os_error())
    }
}

impl Number for std::io::Error {
    fn errno(&self) -> Errno {
        Errno::from_raw(self.raw_os_error().unwrap_or(nix::libc::EIO))
    }
}

/// Makes a call, again as long as a signal interrupts it; `name` is only asked for when it fails.
pub(crate) fn call<T, E: Number>(
    name: impl FnOnce() -> String,
    mut make: impl FnMut() -> std::result::Result<T, E>,
) -> Result<T> {
    // ANCHOR: interrupted
    loop {
        match make() {
            Ok(value) => return Ok(value),
            Err(error) if error.errno() == Errno::EINTR => {}
            Err(error) => return Err(Error::new(name(), error.errno())),
        }
    }
    // ANCHOR_END: interrupted
}
