//! `exec`: one more program in such a container.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use mini_sys::file;
use oci_spec::runtime::Process;

use super::check::{self, Machine};
use super::create::{own_streams, send_console};
use super::store::{Container, OciError, Status};
use crate::exec::{self, Joining};
use crate::start::Started;
use crate::stdio::ProgramSide;

/// How a program is run.
#[derive(Debug, Clone)]
pub struct Exec {
    /// The program, as a spec describes it.
    pub process: Process,
    /// Who gets the far side of its terminal.
    pub console_socket: Option<PathBuf>,
    /// Where its number is written.
    pub pid_file: Option<PathBuf>,
    /// How many descriptors from 3 on it gets as they are here.
    pub passed: u32,
}

/// Runs `request` in the container. A terminal without a socket comes back with what was started.
///
/// # Errors
/// That the container does not run, or the first step that fails.
pub fn exec(container: &Container, request: &Exec) -> Result<Started, OciError> {
    let target = match container.status() {
        Status::Created | Status::Running => container.process().ok_or(OciError::NotRunning)?,
        Status::Paused => return Err(OciError::Status(container.saved.id.clone(), Status::Paused)),
        Status::Stopped => return Err(OciError::NotRunning),
    };
    check::process(&request.process, Machine::this())?;
    let keep_groups = denies_setgroups(container.saved.pid);
    let joining = Joining { cgroups: Some(container.layout.clone()), keep_groups };
    let plan = exec::plan(&container.saved.spec, &request.process, &joining)?;
    let stdio = if request.process.terminal().unwrap_or(false) {
        let null = || -> Result<OwnedFd, mini_sys::Error> { file::open_null() };
        ProgramSide { stdin: null()?, stdout: null()?, stderr: null()? }
    } else {
        own_streams(request.process.user().uid())?
    };
    let layout = Some(&container.layout);
    let mut started = exec::exec(&plan, layout, target, stdio, request.passed).map_err(OciError::Start)?;
    if let Some(socket) = &request.console_socket
        && let Some(console) = started.console.take()
    {
        send_console(socket, &console)?;
    }
    if let Some(path) = &request.pid_file {
        file::replace(path, started.child.pid.to_string().as_bytes(), false)?;
    }
    Ok(started)
}

/// Whether its user namespace denies setgroups(2). user_namespaces(7).
fn denies_setgroups(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/setgroups")).is_ok_and(|text| text.trim_end() == "deny")
}
