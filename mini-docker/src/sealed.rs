//! Runs this program anew from a view of its file that nobody can write through.
//!
//! A container whose program is `/proc/self/exe` executes the runtime's own file of the host, and a process beside it may
//! open `/proc/<pid>/exe` and, once nobody runs that file any more, write to it: CVE-2019-5736. A detached copy of the
//! mount that the file is on, read-only, and executed from there, refuses that for good: who comes by way of that
//! process comes by way of that mount. It costs one more execve(2). A container of `run` needs none: its monitor runs
//! from the same file for as long as the container does, and keeps it busy (`ETXTBSY`). open_tree(2),
//! mount_setattr(2); book ch. 7.

use std::ffi::{CString, OsString};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use anyhow::Context as _;
use mini_sys::mount_api::{self, MountAttr, OpenTreeFlags};
use mini_sys::{file, process};

const OWN_FILE: &str = "/proc/self/exe";

/// Comes back when this process runs from such a view, or cannot have one: without the right to mount it has none that
/// could be misused over the host's files either.
///
/// # Errors
/// A view that cannot be executed.
pub(crate) fn ensure() -> anyhow::Result<()> {
    if file::is_on_read_only(Path::new(OWN_FILE)).unwrap_or(false) {
        // As `ps` should show it: the name of a descriptor's number says nothing.
        let _ = process::set_name(c"mini-docker");
        return Ok(());
    }
    let Ok(view) = view() else { return Ok(()) };
    let path = CString::new(format!("/proc/self/fd/{}", view.as_raw_fd()))?;
    let bytes = |text: OsString| CString::new(text.into_vec()).context("pass an argument on");
    let arguments = std::env::args_os().map(bytes).collect::<anyhow::Result<Vec<_>>>()?;
    let variable = |(mut name, value): (OsString, OsString)| {
        name.push("=");
        name.push(value);
        bytes(name)
    };
    let environment = std::env::vars_os().map(variable).collect::<anyhow::Result<Vec<_>>>()?;
    match process::execve(&path, &arguments, &environment)? {}
}

fn view() -> mini_sys::Result<OwnedFd> {
    let view = mount_api::open_tree(Path::new(OWN_FILE), OpenTreeFlags::OPEN_TREE_CLONE)?;
    mount_api::mount_setattr(&view, MountAttr { set: mount_api::RDONLY, ..MountAttr::default() })?;
    Ok(view)
}
