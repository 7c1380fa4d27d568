//! Runs a command with our pid 1 before it, in a new pid namespace:
//! `cargo run -p mini-namespaces --example init -- sh -c 'exit 7'`.
//!
//! Without a command it shows why: a program leaves three orphans, once under a pid 1 that only waits for
//! its program, once under ours, and the zombies below each are counted from outside.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::exit, reason = "an example talks to its reader")]

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use mini_namespaces::init;
use mini_sys::clone::{self, Child, CloneFlags};
use mini_sys::{Pid, Uid, pidfd};

const ORPHANS: &str = "for i in 1 2 3; do (sleep 0.1 &); done; sleep 0.6";

fn main() -> Result<(), Box<dyn Error>> {
    let command: Vec<String> = std::env::args().skip(1).collect();
    if command.is_empty() {
        for (name, serve) in [("a pid 1 that only waits", false), ("our pid 1", true)] {
            let first = first_process(&["sh".into(), "-c".into(), ORPHANS.into()], serve)?;
            std::thread::sleep(Duration::from_millis(350));
            println!("{name} has {} zombies", zombies_below(first.pid));
            pidfd::wait(&first.pidfd)?;
        }
        return Ok(());
    }
    let first = first_process(&command, true)?;
    eprintln!("pid 1 inside is {} outside", first.pid);
    std::process::exit(pidfd::wait(&first.pidfd)?.shell_code())
}

fn first_process(command: &[String], serve: bool) -> mini_sys::Result<Child> {
    let user = if Uid::effective().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    clone::clone3(user | CloneFlags::CLONE_NEWPID, None, || {
        let exit = if serve {
            init::run(|| become_program(command), || {}).map_err(|error| eprintln!("{error}"))
        } else {
            let child = clone::fork(|| become_program(command));
            child.and_then(|child| pidfd::wait(child.pidfd)).map_err(|error| eprintln!("{error}"))
        };
        clone::leave(exit.map_or(clone::ABANDONED, pidfd::Exit::shell_code))
    })
}

fn become_program(command: &[String]) -> Infallible {
    use std::os::unix::process::CommandExt as _;
    eprintln!("{}", std::process::Command::new(&command[0]).args(&command[1..]).exec());
    clone::leave(127)
}

fn zombies_below(parent: Pid) -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter(|stat| stat.contains(&format!(") Z {parent} "))).count()
}
