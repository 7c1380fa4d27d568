//! Runs the program that a bundle's `config.json` describes, and prints each step: `cargo run -p mini-runtime --example
//! bundle -- DIRECTORY`. Needs root, or a spec with a user namespace (`runc spec --rootless`).

#![allow(clippy::print_stderr, reason = "a demonstration shows what it does")]
#![allow(clippy::exit, reason = "the status is the program's")]

use std::error::Error;
use std::os::fd::AsFd as _;
use std::path::Path;

use mini_cgroups::Layout;
use mini_runtime::explain::{self, Format};
use mini_runtime::oci::Bundle;
use mini_runtime::stdio::ProgramSide;
use mini_runtime::{Setting, plan, start};
use mini_sys::pidfd;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: bundle DIRECTORY")?;
    let mut bundle = Bundle::load(Path::new(&directory))?;
    if let Some(process) = bundle.spec.process_mut() {
        // A terminal has a far side that somebody must hold; here the program gets our own streams.
        process.set_terminal(Some(false));
    }
    let layout = Layout::detect()?;
    let setting = Setting {
        cgroups: Some(layout.clone()),
        id_maps: bundle.id_maps(&std::env::var_os("PATH").unwrap_or_default()),
        ..Setting::default()
    };
    let plan = plan(&bundle.spec, &setting)?;
    let streams = ProgramSide {
        stdin: std::io::stdin().as_fd().try_clone_to_owned()?,
        stdout: std::io::stdout().as_fd().try_clone_to_owned()?,
        stderr: std::io::stderr().as_fd().try_clone_to_owned()?,
    };
    let mut show = |number, step: &_, took| eprintln!("{}", explain::line(number, step, took, Format::Text));
    let started = start(&plan, Some(&layout), streams, Some(&mut show))?;
    let exit = pidfd::wait(&started.child.pidfd)?;
    if let Some(cgroup) = &started.cgroup {
        cgroup.remove()?;
    }
    std::process::exit(exit.shell_code())
}
