//! `driver DIRECTORY`: starts what the OCI spec `config.json` in DIRECTORY describes, with your code, and is its monitor.
//!
//! Who connects to the socket `starter` in DIRECTORY has started the program, who connects to `door` looks on, and the log is
//! `log`. Prints `ready`, and when the starter has come `started PID` or `failed:` and why; then `ended STATUS`, and `done`
//! when everybody has been told. Stays until its standard input ends.

use std::error::Error;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use ex_whole_start::log::{Log, Options, Rotation, Target};
use ex_whole_start::relay::Relay;
use ex_whole_start::{Setting, plan, start, stdio};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd;
use mini_sys::signal::{self, Signal};
use oci_spec::runtime::Spec;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory] = &words[..] else { return Err("usage: driver DIRECTORY".into()) };
    let directory = Path::new(directory);
    // As an engine does that hears of signals as events: SIGTERM is blocked from here on.
    let _signals = signal::signalfd(&[Signal::SIGTERM as i32])?;
    let (starter, door) = (ipc::listen(directory, "starter")?, ipc::listen(directory, "door")?);
    println!("ready");
    run(directory, wait_for(&starter)?, door)?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn run(directory: &Path, starter: OwnedFd, door: OwnedFd) -> Result<(), Box<dyn Error>> {
    let spec: Spec = serde_json::from_str(&std::fs::read_to_string(directory.join("config.json"))?)?;
    let has_terminal = spec.process().as_ref().and_then(|process| process.terminal()).unwrap_or(false);
    let (program, mut streams) = stdio::pair(has_terminal, true)?;
    let mut started = match start(&plan(&spec, &Setting::default())?, None, program, None) {
        Ok(started) => started,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            println!("failed: {error}{cause}");
            return Ok(());
        }
    };
    println!("started {}", started.child.pid);
    streams.console = started.console.take();
    let to_files = Options { to: Target::Files(Rotation::default()), attributes: Vec::new() };
    let mut relay = Relay::new(Some(Log::open(&directory.join("log"), &to_files)?), Some(door), false);
    relay.begin(streams, started.child.pid.as_raw());
    relay.attach(starter);
    while !relay.turn(&[started.child.pidfd.as_fd()], None)?.ready[0] {}
    let status = pidfd::wait(&started.child.pidfd)?.shell_code();
    relay.drain();
    relay.end(status);
    println!("ended {status}");
    relay.finish()?;
    println!("done");
    Ok(())
}

/// Who comes in first.
fn wait_for(listener: &OwnedFd) -> Result<OwnedFd, Box<dyn Error>> {
    ipc::poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], None)?;
    ipc::accept(listener)?.ok_or_else(|| "nobody came in".into())
}
