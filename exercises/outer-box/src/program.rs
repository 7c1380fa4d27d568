//! From a process of ours in the box to the program that was asked for.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use mini_sys::capability::{self, CapabilitySet};
use mini_sys::process::{self, Resource};
use mini_sys::{Errno, Error, Result, file, ipc, signal};

use crate::cgroup::Entrance;
use crate::request::Request;

/// What a mistake could do to the machine with these no namespace keeps in: to load a module, to reach ports
/// and memory, to reboot. The right to set the clock stays, because a time namespace takes it.
const TAKEN_AWAY: CapabilitySet =
    CapabilitySet::SYS_MODULE.union(CapabilitySet::SYS_RAWIO).union(CapabilitySet::SYS_BOOT);

/// A directory for mini-docker's containers and images that is the box's own.
pub(crate) const MINI_DOCKER_ROOT: &str = "/run/mini-docker";

/// All that execve(2) needs, made before there is a process to call it.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    candidates: Vec<CString>,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    directory: PathBuf,
    limits: Vec<(Resource, u64)>,
    taken_away: CapabilitySet,
}

/// The program's ends of three pipes.
#[derive(Debug)]
pub(crate) struct Stdio {
    pub(crate) input: OwnedFd,
    pub(crate) output: OwnedFd,
    pub(crate) error: OwnedFd,
}

impl Program {
    /// What `request` asks for. None when its command is empty, or a text of it has a NUL.
    pub(crate) fn of(request: &Request, limits: Vec<(Resource, u64)>, is_root: bool) -> Option<Self> {
        let name = request.command.first()?;
        let mut environment: Vec<CString> = Vec::new();
        for (name, value) in &request.environment {
            environment.push(CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()?);
        }
        if request.variable("MINI_DOCKER_ROOT").is_none() {
            environment.push(CString::new(format!("MINI_DOCKER_ROOT={MINI_DOCKER_ROOT}")).ok()?);
        }
        let arguments = request.command.iter().map(|argument| CString::new(argument.as_bytes()).ok());
        Some(Self {
            name: name.to_string_lossy().into_owned(),
            candidates: candidates(name, request.variable("PATH").map(OsStr::new).unwrap_or_default())?,
            arguments: arguments.collect::<Option<_>>()?,
            environment,
            directory: request.directory.clone(),
            limits,
            taken_away: if is_root { TAKEN_AWAY } else { CapabilitySet::empty() },
        })
    }

    /// Becomes the program; returns when that fails.
    pub(crate) fn run(&self, entrance: &Entrance, stdio: &Stdio) -> Error {
        match self.settle(entrance, stdio) {
            Ok(()) => self.execute(),
            Err(error) => error,
        }
    }

    fn settle(&self, entrance: &Entrance, stdio: &Stdio) -> Result<()> {
        process::setsid()?;
        entrance.enter()?;
        ipc::become_stdio(&stdio.input, true, false, false)?;
        ipc::become_stdio(&stdio.output, false, true, false)?;
        ipc::become_stdio(&stdio.error, false, false, true)?;
        for (resource, limit) in &self.limits {
            process::setrlimit(*resource, *limit, *limit)?;
        }
        for capability in self.taken_away.iter() {
            capability::drop_bounding(capability.bits().trailing_zeros())?;
        }
        process::chdir(&self.directory)?;
        process::umask(0o022);
        file::close_on_exec_from(3)?;
        signal::reset_all()
    }

    fn execute(&self) -> Error {
        let mut reason = Errno::ENOENT;
        for path in &self.candidates {
            let Err(error) = process::execve(path, &self.arguments, &self.environment);
            match error.errno() {
                Errno::ENOENT | Errno::ENOTDIR => {}
                // A directory of the path that this user may not enter tells nothing about the program.
                Errno::EACCES if !is_in_sight(path) => {}
                other => reason = other,
            }
        }
        Error::new(format!("run `{}`", self.name), reason)
    }
}

fn is_in_sight(path: &CStr) -> bool {
    Path::new(OsStr::from_bytes(path.to_bytes())).exists()
}

/// The files that `name` may mean: itself, or one in each directory of `path`.
fn candidates(name: &OsStr, path: &OsStr) -> Option<Vec<CString>> {
    let files = if name.as_bytes().contains(&b'/') {
        vec![PathBuf::from(name)]
    } else {
        std::env::split_paths(path).map(|directory| directory.join(name)).collect()
    };
    files.into_iter().map(|file| CString::new(file.into_os_string().as_bytes()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_and_a_path_is_not() {
        let found = |name: &str| candidates(OsStr::new(name), OsStr::new("/bin:/usr/bin")).unwrap();
        assert_eq!(found("ls"), [c"/bin/ls".to_owned(), c"/usr/bin/ls".to_owned()]);
        assert_eq!(found("./ls"), [c"./ls".to_owned()]);
    }

    #[test]
    fn the_state_of_mini_docker_goes_into_the_box_unless_the_caller_says_where() {
        let mut request = Request::new(["true"]);
        let environment = |request: &Request| Program::of(request, Vec::new(), true).unwrap().environment;
        let own = |text: &str| CString::new(text).unwrap();
        assert!(environment(&request).contains(&own("MINI_DOCKER_ROOT=/run/mini-docker")));
        request.environment.push(("MINI_DOCKER_ROOT".into(), "/tmp/m".into()));
        assert!(!environment(&request).contains(&own("MINI_DOCKER_ROOT=/run/mini-docker")));
    }

    #[test]
    fn what_reaches_the_machine_is_taken_from_root_alone() {
        let request = Request::new(["true"]);
        let taken = |is_root| Program::of(&request, Vec::new(), is_root).unwrap().taken_away;
        assert_eq!((taken(true), taken(false)), (TAKEN_AWAY, CapabilitySet::empty()));
    }
}
