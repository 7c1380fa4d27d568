//! The pipes between a monitor and its container's program.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use mini_sys::{Result, file, ipc};

/// The program's side: what becomes its standard input, output and error.
#[derive(Debug)]
pub struct ProgramSide {
    /// Standard input.
    pub stdin: OwnedFd,
    /// Standard output.
    pub stdout: OwnedFd,
    /// Standard error.
    pub stderr: OwnedFd,
}

/// The monitor's side.
#[derive(Debug, Default)]
pub struct MonitorSide {
    /// What is written here the program reads; none when its input is empty.
    pub stdin: Option<OwnedFd>,
    /// What the program writes to its standard output.
    pub stdout: Option<OwnedFd>,
    /// What it writes to its standard error.
    pub stderr: Option<OwnedFd>,
    /// The far side of its terminal, in place of all three.
    pub console: Option<OwnedFd>,
}

/// Makes both sides. With a terminal there are no pipes: the container makes the terminal itself.
///
/// # Errors
/// `EMFILE`, `ENFILE`.
pub fn pair(terminal: bool, interactive: bool) -> Result<(ProgramSide, MonitorSide)> {
    if terminal {
        return Ok((
            ProgramSide { stdin: file::open_null()?, stdout: file::open_null()?, stderr: file::open_null()? },
            MonitorSide::default(),
        ));
    }
    let (stdin, to_stdin) = if interactive {
        let (read, write) = ipc::pipe()?;
        ipc::set_nonblocking(&write)?;
        (read, Some(write))
    } else {
        (file::open_null()?, None)
    };
    let (from_stdout, stdout) = ipc::pipe()?;
    let (from_stderr, stderr) = ipc::pipe()?;
    let monitor =
        MonitorSide { stdin: to_stdin, stdout: Some(from_stdout), stderr: Some(from_stderr), console: None };
    Ok((ProgramSide { stdin, stdout, stderr }, monitor))
}

impl ProgramSide {
    /// All three.
    pub(crate) fn fds(&self) -> [BorrowedFd<'_>; 3] {
        [self.stdin.as_fd(), self.stdout.as_fd(), self.stderr.as_fd()]
    }

    /// Makes these the standard streams of this process.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn install(&self) -> Result<()> {
        ipc::become_stdio(&self.stdin, true, false, false)?;
        ipc::become_stdio(&self.stdout, false, true, false)?;
        ipc::become_stdio(&self.stderr, false, false, true)
    }
}
