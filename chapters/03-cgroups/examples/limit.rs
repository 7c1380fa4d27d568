//! Twenty megabytes and ten processes, from the first instruction on: `cargo run -p mini-cgroups --example limit`.
//!
//! Needs root, or a delegated cgroup: `systemd-run --user --scope --property=Delegate=yes cargo run …`.

#![allow(clippy::print_stdout, reason = "a demonstration shows what it does")]

use std::error::Error;
use std::os::fd::AsFd as _;

use mini_cgroups::{Cgroup, Layout, Limits, plan};
use mini_sys::clone::{CloneFlags, clone3, leave};
use mini_sys::{ipc, pidfd};

fn main() -> Result<(), Box<dyn Error>> {
    let layout = Layout::detect()?;
    let name = format!("demo-{}", std::process::id());
    let limits = Limits { memory: Some(20_000_000), pids: Some(10), ..Limits::default() };
    for step in plan(&layout, &name, &limits)? {
        println!("{}\n    {}", step.call(), step.why());
    }
    let group = Cgroup::create(&layout, &name, &limits)?;
    let shown = run(&group);
    // Whatever happened, nothing stays behind.
    group.kill_all()?;
    group.remove()?;
    shown?;
    println!("removed: {}", group.directories().all(|directory| !directory.exists()));
    Ok(())
}

fn run(group: &Cgroup) -> Result<(), Box<dyn Error>> {
    // ANCHOR: first-instruction
    // In v2 the child is born in the cgroup. In v1 it waits until we have written its pid everywhere.
    let (gate, opener) = ipc::pipe()?;
    let directory = group.directory()?;
    let child = clone3(CloneFlags::empty(), directory.as_ref().map(|fd| fd.as_fd()), || {
        let _ = ipc::read(&gate, &mut [0]);
        let mut hog = Vec::new();
        loop {
            hog.push(vec![1_u8; 1_000_000]);
            if hog.len() == 100 {
                leave(0);
            }
        }
    })?;
    group.join_separate(child.pid)?;
    ipc::write(&opener, b"x")?;
    // ANCHOR_END: first-instruction
    println!("a child that takes 100 MB ended with {:?}", pidfd::wait(&child.pidfd)?);

    let stats = group.stats()?;
    println!("killed for lack of memory: {}", group.oom_kills()?);
    println!("memory: {:?}", stats.memory);
    println!("processor time: {:?} ns", stats.cpu.map(|cpu| cpu.total_ns));
    Ok(())
}
