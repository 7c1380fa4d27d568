//! The program that a container runs, made ready for execve(2) before there is a process to run it.
//!
//! A name without a slash is looked for in the container's own `PATH`. The files are not there to look at
//! before the new root is entered, so every place it may be is tried with execve(2) itself, as execvp(3)
//! does. execve(2), environ(7); book ch. 7.

use std::convert::Infallible;
use std::ffi::{CStr, CString, NulError};
use std::path::Path;

use mini_sys::{Errno, Error};
use oci_spec::runtime::Process;

/// Where programs are looked for when the container's environment does not say. It is Docker's default.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program with its arguments and environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    candidates: Vec<CString>,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

/// What execve(2) cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// There is nothing to run.
    #[error("no command is given: name one after the image, or an image that has one")]
    Empty,
    /// A text holds the byte that ends texts.
    #[error("`{0}` has a NUL byte in it")]
    Nul(String, #[source] NulError),
}

/// Why a program could not be started, in the words of Docker's users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// No directory of `PATH` has it.
    #[error("exec: \"{0}\": executable file not found in $PATH")]
    NotInPath(String),
    /// There is no such file, or its interpreter is missing.
    #[error("exec: \"{0}\": stat {0}: no such file or directory")]
    NotFound(String),
    /// It is there and cannot be run: no permission, a directory, not a program.
    #[error("exec: \"{0}\": {1}")]
    NotExecutable(String, String),
}

impl ExecError {
    /// The exit status that shells and Docker give this: 127 not found, 126 not executable.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::NotInPath(_) | Self::NotFound(_) => 127,
            Self::NotExecutable(..) => 126,
        }
    }
}

impl Program {
    /// The program of `process`, with every file that its name may mean.
    ///
    /// # Errors
    /// No arguments at all, or a NUL byte in one.
    pub fn new(process: &Process) -> Result<Self, ProgramError> {
        let words = process.args().clone().unwrap_or_default();
        let variables = process.env().clone().unwrap_or_default();
        let name = words.first().ok_or(ProgramError::Empty)?.clone();
        let path =
            variables.iter().find_map(|variable| variable.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
        let candidates = if name.contains('/') {
            vec![name.clone()]
        } else if name.is_empty() {
            // A directory of the path is no program, so there is none of this name.
            Vec::new()
        } else {
            path.split(':').map(|directory| place(directory, &name)).collect()
        };
        Ok(Self {
            name,
            candidates: texts(candidates)?,
            arguments: texts(words)?,
            environment: texts(variables)?,
        })
    }

    /// The arguments, the program's own name first.
    pub fn arguments(&self) -> impl Iterator<Item = String> {
        self.arguments.iter().map(|argument| argument.to_string_lossy().into_owned())
    }

    /// Its name, as it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Looks for a candidate that may be run, and fails as [`Self::exec`] would.
    ///
    /// # Errors
    /// Why the last candidate could not be run.
    pub(crate) fn look_up(&self) -> mini_sys::Result<()> {
        let mut last = Error::new(format!("execve({:?})", self.name), Errno::ENOENT);
        for candidate in &self.candidates {
            let errno = match mini_sys::access::executable(as_path(candidate)) {
                Ok(()) if !is_directory(candidate) => return Ok(()),
                Ok(()) => Errno::EISDIR,
                Err(error) => error.errno(),
            };
            last = Error::new(format!("execve({candidate:?})"), errno);
        }
        Err(last)
    }

    /// Becomes the first candidate that can be run.
    ///
    /// # Errors
    /// Why the last candidate could not be run, or the first that is a program and could not.
    pub fn exec(&self) -> Result<Infallible, Error> {
        let mut last = Error::new(format!("execve({:?})", self.name), Errno::ENOENT);
        for candidate in &self.candidates {
            match mini_sys::process::execve(candidate, &self.arguments, &self.environment) {
                Ok(never) => match never {},
                // The kernel says the same of a directory as of a file that may not be run.
                Err(error) if error.errno() == Errno::EACCES && is_directory(candidate) => {
                    last = Error::new(error.call(), Errno::EISDIR);
                }
                Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => {
                    last = error
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// The failure of [`Self::exec`], as a user reads it.
    pub fn explain(&self, errno: Errno) -> ExecError {
        let in_path = !self.name.contains('/');
        match errno {
            Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::EISDIR if in_path => {
                ExecError::NotInPath(self.name.clone())
            }
            Errno::ENOENT | Errno::ENOTDIR => ExecError::NotFound(self.name.clone()),
            Errno::ENOEXEC => ExecError::NotExecutable(self.name.clone(), "exec format error".to_owned()),
            other => ExecError::NotExecutable(self.name.clone(), other.desc().to_lowercase()),
        }
    }
}

fn is_directory(path: &CStr) -> bool {
    as_path(path).is_dir()
}

fn as_path(text: &CStr) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(text.to_bytes()))
}

/// An empty entry of `PATH` means the working directory.
fn place(directory: &str, name: &str) -> String {
    let directory = if directory.is_empty() { "." } else { directory };
    format!("{}/{name}", directory.trim_end_matches('/'))
}

fn texts(list: Vec<String>) -> Result<Vec<CString>, ProgramError> {
    list.into_iter()
        .map(|text| CString::new(text.as_str()).map_err(|error| ProgramError::Nul(text, error)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &str, path: &str) -> Program {
        let mut process = Process::default();
        process.set_args(Some(vec![name.to_owned()])).set_env(Some(vec![format!("PATH={path}")]));
        Program::new(&process).unwrap()
    }

    #[test]
    fn a_bare_name_is_looked_for_in_the_containers_path() {
        let candidates = program("ls", "/usr/bin:/bin/:").candidates;
        assert_eq!(candidates, [c"/usr/bin/ls".into(), c"/bin/ls".into(), c"./ls".into()] as [CString; 3]);
        assert_eq!(program("/bin/ls", "/x").candidates, [CString::from(c"/bin/ls")]);
    }

    #[test]
    fn failures_read_as_dockers_and_exit_as_a_shells() {
        let missing = program("nosuch", "/bin").explain(Errno::ENOENT);
        assert_eq!(missing.to_string(), "exec: \"nosuch\": executable file not found in $PATH");
        assert_eq!(missing.exit_code(), 127);
        let denied = program("/etc/passwd", "/bin").explain(Errno::EACCES);
        assert_eq!(denied.to_string(), "exec: \"/etc/passwd\": permission denied");
        assert_eq!(denied.exit_code(), 126);
    }
}
