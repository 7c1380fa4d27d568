//! `hydra NAME HEADS [v1]`: what is to be killed. Fills the cgroup NAME and one below it with processes that are never
//! long at the same pid: each forks and ends, and its child does the same. Another one holds thousands of open files,
//! which it takes a while to close.

use std::convert::Infallible;
use std::error::Error;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::stdin;
use std::os::fd::AsFd as _;
use std::thread::sleep;
use std::time::Duration;

use mini_cgroups::{Cgroup, Layout};
use mini_sys::clone::{CloneFlags, clone3, fork, leave};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::process::{self, Resource};
use mini_sys::{Result, pidfd};

/// How often a head forks before it begins with a fresh stack: a child goes on where its parent was.
const FORKS: u32 = 200;
/// How many files the slow one holds: closing them takes long beside a message from one process to another.
const FILES: u64 = 60_000;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, heads, rest) = match &arguments[..] {
        [word] if word == "hop" => match hop(FORKS) {},
        [name, heads, rest @ ..] => (name, heads.parse::<usize>()?, rest),
        _ => return Err("usage: hydra NAME HEADS [v1]".into()),
    };
    let mut layout = Layout::detect()?;
    if !rest.is_empty() {
        layout.unified = None;
    }
    let top = Cgroup::open(&layout, name)?;
    for directory in top.directories() {
        fs::create_dir(directory.join("below"))?;
    }
    let below = Cgroup::open(&layout, &format!("{name}/below"))?;
    process::set_child_subreaper()?;
    let (ready, is_ready) = ipc::pipe()?;
    start(&top, || {
        // Where fewer are allowed it has fewer.
        let _ = process::setrlimit(Resource::RLIMIT_NOFILE, FILES + 64, FILES + 64);
        let files: Vec<File> = (0..FILES).map_while(|_| File::open("/dev/null").ok()).collect();
        let _ = ipc::write(&is_ready, b"x");
        loop {
            sleep(Duration::from_secs(1000));
            std::hint::black_box(&files);
        }
    })?;
    ipc::read(&ready, &mut [0])?;
    for head in 0..heads {
        start(if head % 2 == 0 { &top } else { &below }, || hop(FORKS))?;
    }
    println!("running");
    keep()?;
    Ok(())
}

/// Starts a process in the cgroup, as chapter 3's example does.
fn start(group: &Cgroup, life: impl FnOnce() -> Infallible) -> Result<()> {
    let (gate, opener) = ipc::pipe()?;
    let directory = group.directory()?;
    let child = clone3(CloneFlags::empty(), directory.as_ref().map(|fd| fd.as_fd()), || {
        let _ = ipc::read(&gate, &mut [0]);
        life()
    })?;
    group.join_separate(child.pid)?;
    ipc::write(&opener, b"x").map(drop)
}

/// Forks and ends; the child does the same.
fn hop(left: u32) -> Infallible {
    if left == 0 {
        let words = [CString::from(c"/proc/self/exe"), CString::from(c"hop")];
        // Where it fails, this head is gone; there are others.
        let _ = process::execve(c"/proc/self/exe", &words, &[]);
        leave(1);
    }
    loop {
        match fork(|| hop(left - 1)) {
            Ok(_) => leave(0),
            // At the limit: until the keeper has taken away some of those that have ended.
            Err(_) => sleep(Duration::from_millis(1)),
        }
    }
}

/// Takes away what has ended, until the input ends.
fn keep() -> Result<()> {
    let input = stdin();
    loop {
        let mut fds = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        if ipc::poll(&mut fds, Some(Duration::from_millis(1)))? > 0 {
            return Ok(());
        }
        while let Ok(Some(_)) = pidfd::reap_any() {}
    }
}
