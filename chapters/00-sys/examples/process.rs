//! What a process keeps and what it loses when it becomes a program, and how it is waited for:
//! `cargo run -p mini-sys --example process`. Needs no rights.
//!
//! The child stops twice for us to read its `/proc` directory: before execve(2), where it waits for a byte, and
//! after, which we learn from a pipe that the kernel closes on exec. Everything printed comes from the kernel.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to its reader")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use mini_sys::clone::{self, CloneFlags};
use mini_sys::signal::Signal;
use mini_sys::{Pid, ipc, namespace, pidfd, process, procfs};

fn main() -> Result<(), Box<dyn Error>> {
    let ((until_told, tell), (until_exec, closed_by_exec)) = (ipc::pipe()?, ipc::pipe()?);
    let (program, arguments) = (c"/bin/sleep", [c"sleep".to_owned(), c"60".to_owned()]);
    // ANCHOR: fork-exec
    let child = clone::clone3(CloneFlags::empty(), None, || {
        let told = ipc::read(&until_told, &mut [0]);
        let Err(error) = told.and_then(|_| process::execve(program, &arguments, &[]));
        eprintln!("process: {error}");
        clone::leave(127)
    })?;
    // ANCHOR_END: fork-exec
    drop(closed_by_exec);
    let before = answers(child.pid)?;
    ipc::write(tell, b"x")?;
    ipc::read(until_exec, &mut [0])?;
    for ((question, before), (_, after)) in before.into_iter().zip(answers(child.pid)?) {
        let change = if before == after { "as before".to_owned() } else { format!("was {before}") };
        println!("{question:11} {after} ({change})");
    }
    pidfd::pidfd_send_signal(&child.pidfd, Signal::SIGTERM)?;
    println!("it ended with {:?}", pidfd::wait(&child.pidfd)?);
    if let Err(error) = pidfd::pidfd_send_signal(&child.pidfd, Signal::SIGTERM) {
        println!("once more: {error}");
    }
    Ok(())
}

/// What the kernel answers about a process.
fn answers(pid: Pid) -> Result<[(&'static str, String); 6], Box<dyn Error>> {
    let of = |name: &str| PathBuf::from(format!("/proc/{pid}/{name}"));
    let link = |name| fs::read_link(of(name)).map(|path| path.display().to_string());
    let names = fs::read_dir(of("fd"))?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut descriptors = names.collect::<std::io::Result<Vec<String>>>()?;
    descriptors.sort_by_key(|number| number.parse::<u32>().ok());
    Ok([
        ("pid", pid.to_string()),
        ("start time", format!("{} ticks", procfs::start_time(pid).unwrap_or_default())),
        ("program", link("exe")?),
        ("directory", link("cwd")?),
        ("pid room", namespace::inode(&of("ns/pid"))?.to_string()),
        ("descriptors", descriptors.join(" ")),
    ])
}
