//! `driver careless|hidden JAIL STATE NAME`: an engine with one container, whose root is JAIL and whose first process is
//! `/inside NAME`. At a line from its standard input it joins the container, as `exec` does, with its directory STATE open;
//! as `hidden` it calls your code before. It stays a moment, and tells what it reads from its directory: `engine TEXT`.

use std::convert::Infallible;
use std::error::Error;
use std::fs::File;
use std::io::{Read as _, stdin};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mini_chroot::root;
use mini_security::capabilities::{self, Capabilities, Step};
use mini_sys::clone::{self, CloneFlags};
use mini_sys::mount::{self, MsFlags};
use mini_sys::{file, namespace, pidfd};

#[path = "../attack.rs"]
mod attack;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [how, jail, state, name] = &words[..] else {
        return Err("usage: driver careless|hidden JAIL STATE NAME".into());
    };
    // Whoever is forked from now on is in the container's pid namespace.
    namespace::unshare(CloneFlags::CLONE_NEWPID)?;
    let first = clone::fork(|| ended(become_first(Path::new(jail), name)))?;
    stdin().read_line(&mut String::new())?;
    // Close-on-exec, as everything that Rust opens.
    let state = File::open(state)?;
    let mounts: OwnedFd = File::open(format!("/proc/{}/ns/mnt", first.pid))?.into();
    let joins = clone::fork(|| ended(join(how == "hidden", &mounts, &state)))?;
    pidfd::wait(joins.pidfd)?;
    pidfd::wait(first.pidfd)?;
    Ok(())
}

fn ended(result: Result<(), Box<dyn Error>>) -> Infallible {
    if let Err(error) = &result {
        eprintln!("{error}");
    }
    clone::leave(i32::from(result.is_err()))
}

/// The container's first process.
fn become_first(jail: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    namespace::unshare(CloneFlags::CLONE_NEWNS)?;
    root::keep_mounts_private()?;
    mount::mount("proc", &jail.join("proc"), "proc", MsFlags::empty(), "")?;
    root::enter(jail)?;
    lose_ptrace()?;
    Err(Command::new("/inside").arg(name).exec().into())
}

/// The process that joins, until it would become a program.
fn join(hidden: bool, mounts: &OwnedFd, state: &File) -> Result<(), Box<dyn Error>> {
    if hidden {
        attack::hide()?;
    }
    namespace::setns(mounts, CloneFlags::CLONE_NEWNS)?;
    lose_ptrace()?;
    // Reading a configuration, waiting for a disk: whatever an engine does in this place.
    std::thread::sleep(Duration::from_millis(700));
    let mut text = String::new();
    open_in(state, "self")?.read_to_string(&mut text)?;
    println!("engine {}", text.trim_end());
    Ok(())
}

fn open_in(directory: &File, name: &str) -> Result<File, Box<dyn Error>> {
    use mini_sys::file::{Mode, OFlags, ResolveFlags};
    let path = Path::new(name);
    Ok(file::openat2(directory.as_fd(), path, OFlags::RDONLY, Mode::empty(), ResolveFlags::empty())?.into())
}

/// Every container of Docker's is without CAP_SYS_PTRACE: with it there would be nothing to ask.
fn lose_ptrace() -> Result<(), Box<dyn Error>> {
    let ptrace = "CAP_SYS_PTRACE".parse()?;
    let kept: Vec<_> =
        capabilities::permitted()?.into_iter().filter(|capability| *capability != ptrace).collect();
    let sets = Capabilities {
        bounding: kept.clone(),
        effective: kept.clone(),
        permitted: kept,
        inheritable: Vec::new(),
        ambient: Vec::new(),
    };
    Step::Bound(sets.bounding.clone()).perform()?;
    Ok(Step::Set(sets).perform()?)
}
