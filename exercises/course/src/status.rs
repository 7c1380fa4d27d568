//! How the program ends.

use std::process::ExitCode;

/// What the exit status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// All that was asked for is so.
    Pass,
    /// Something that was checked is not right.
    Fail,
    /// The command makes no sense here.
    Usage,
    /// This machine cannot do it.
    CannotRunHere,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Pass => 0,
            Status::Fail => 1,
            Status::Usage => 2,
            Status::CannotRunHere => 3,
        })
    }
}
