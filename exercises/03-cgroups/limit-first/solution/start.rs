//! Starts a program in a cgroup of its own, within limits.
//!
//! The limits must hold for all that the program does. So they are written while the cgroup is empty, and the
//! program begins when its process is in there. Nothing of it may run before, not for a microsecond: a page that
//! it touches outside is counted outside for ever.

use std::convert::Infallible;
use std::error::Error;
use std::ffi::{CStr, CString};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use mini_cgroups::{Cgroup, Layout, Limits};
use mini_sys::clone::{CloneFlags, clone3, leave};
use mini_sys::{Pid, ipc, process};

/// Makes the cgroup `name` with `limits`, and starts `program` in it. Returns the new process's pid, without
/// waiting for its end.
///
/// # Errors
/// When a limit cannot be put in force; then no process has been started.
pub fn start(layout: &Layout, name: &str, limits: &Limits, program: &Path) -> Result<Pid, Box<dyn Error>> {
    // ANCHOR: start
    let path = CString::new(program.as_os_str().as_bytes())?;
    let group = Cgroup::create(layout, name, limits)?;
    let (gate, opener) = ipc::pipe()?;
    let directory = group.directory()?;
    let child = clone3(CloneFlags::empty(), directory.as_ref().map(|fd| fd.as_fd()), || {
        // Born in the v2 tree. For the others it waits until its parent has written its pid.
        let _ = ipc::read(&gate, &mut [0]);
        become_program(&path)
    })?;
    group.join_separate(child.pid)?;
    ipc::write(&opener, b"x")?;
    Ok(child.pid)
    // ANCHOR_END: start
}

/// The calling process goes on as the program at `path`. Where that cannot be, it ends as a shell would, with 127.
fn become_program(path: &CStr) -> Infallible {
    match process::execve(path, &[path.to_owned()], &[]) {
        Ok(never) => never,
        Err(_) => leave(127),
    }
}
