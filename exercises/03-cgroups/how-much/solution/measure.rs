//! Measures what a command needs: how much memory at most, and how much processor time.
//!
//! A limit that is too low ends the command, one that is too high protects nobody. So it is run once in a cgroup of
//! its own that is wide enough, and asked for what it has used. The kernel counts for the cgroup and not for a
//! process: children count too, and what was given back before the end is not forgotten.

use std::convert::Infallible;
use std::error::Error;
use std::ffi::CString;
use std::os::fd::AsFd as _;
use std::time::Duration;

use mini_cgroups::{Cgroup, Layout, Limits};
use mini_sys::clone::{Child, CloneFlags, clone3, leave};
use mini_sys::{ipc, pidfd, process};

/// What a command needs.
pub struct Needed {
    /// The most that it had at one time, children and all, in bytes.
    pub memory: u64,
    /// How long it kept processors busy, children and all.
    pub cpu: Duration,
}

/// Runs `command` in the cgroup `name`, which is removed afterwards, and says what it needed.
///
/// # Errors
/// When it cannot be run, or the kernel does not count.
pub fn measure(layout: &Layout, name: &str, command: &[CString]) -> Result<Needed, Box<dyn Error>> {
    // Wide enough for anything that is measured here; a cgroup without limits would not count everywhere.
    let wide = Limits { memory: Some(400 << 20), cpu_shares: Some(1024), ..Limits::default() };
    let group = Cgroup::create(layout, name, &wide)?;
    let needed = run(&group, command);
    group.kill_all()?;
    group.remove()?;
    needed
}

fn run(group: &Cgroup, command: &[CString]) -> Result<Needed, Box<dyn Error>> {
    // ANCHOR: measure
    let child = start_inside(group, command)?;
    pidfd::wait(&child.pidfd)?;
    let stats = group.stats()?;
    let memory = stats.memory.and_then(|memory| memory.peak).ok_or("memory is not counted")?;
    let cpu = stats.cpu.ok_or("processor time is not counted")?;
    Ok(Needed { memory, cpu: Duration::from_nanos(cpu.total_ns) })
    // ANCHOR_END: measure
}

/// Starts `command`, a path and arguments, as a process that is born in the cgroup.
fn start_inside(group: &Cgroup, command: &[CString]) -> Result<Child, Box<dyn Error>> {
    let (gate, opener) = ipc::pipe()?;
    let directory = group.directory()?;
    let child = clone3(CloneFlags::empty(), directory.as_ref().map(|fd| fd.as_fd()), || {
        // Born in the v2 tree. For the others it waits until its parent has written its pid.
        let _ = ipc::read(&gate, &mut [0]);
        become_program(command)
    })?;
    group.join_separate(child.pid)?;
    ipc::write(&opener, b"x")?;
    Ok(child)
}

/// The calling process goes on as the command. Where that cannot be, it ends as a shell would, with 127.
fn become_program(command: &[CString]) -> Infallible {
    match process::execve(&command[0], command, &[]) {
        Ok(never) => never,
        Err(_) => leave(127),
    }
}
