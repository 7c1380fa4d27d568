//! `driver NAME MEMORY PIDS PROGRAM [impossible]`: starts PROGRAM in the cgroup NAME with your code, and waits for its
//! end. With `impossible` there is one limit more, for a disk that does not exist, so that the kernel refuses it.

#[path = "../start.rs"]
mod start;

use std::error::Error;
use std::path::Path;

use mini_cgroups::{IoThrottle, Layout, Limits};
use mini_sys::pidfd;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, memory, pids, program, rest @ ..] = &arguments[..] else {
        return Err("usage: driver NAME MEMORY PIDS PROGRAM [impossible]".into());
    };
    let mut limits = Limits { memory: Some(memory.parse()?), pids: Some(pids.parse()?), ..Limits::default() };
    if !rest.is_empty() {
        let no_disk = IoThrottle { major: 4095, minor: 99, read_bps: Some(1), ..IoThrottle::default() };
        limits.io_throttles.push(no_disk);
    }
    let pid = start::start(&Layout::detect()?, name, &limits, Path::new(program))?;
    println!("started");
    pidfd::wait(pidfd::pidfd_open(pid)?)?;
    Ok(())
}
