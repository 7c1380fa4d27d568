//! The same root, before and after: what it may do with all its powers, and with a container's.
//!
//! `cargo run -p mini-security --example powerless` (as root)
//!
//! Everything happens in a child in mount and uts namespaces of its own; the host is as before.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a demo")]

use std::fs;
use std::path::Path;

use mini_security::capabilities::{DEFAULT, Step};
use mini_security::{Capabilities, Capability, paths};
use mini_sys::mount::{self, MsFlags};
use mini_sys::namespace::CloneFlags;
use mini_sys::{Result, clone, pidfd, process};

fn main() -> Result<()> {
    let child = clone::clone3(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS, None, || {
        if let Err(error) = compare() {
            eprintln!("{error}");
            clone::leave(1)
        }
        clone::leave(0)
    })?;
    std::process::exit(pidfd::wait(child.pidfd)?.shell_code())
}

fn compare() -> Result<()> {
    mount::mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    show("all powers");
    paths::Step::Mask("/proc/keys".into()).perform()?;
    paths::Step::ReadOnly("/proc/sys".into()).perform()?;
    let keep: Vec<Capability> = DEFAULT.iter().filter_map(|name| name.parse().ok()).collect();
    Step::Bound(keep.clone()).perform()?;
    let sets = Capabilities {
        bounding: keep.clone(),
        effective: keep.clone(),
        permitted: keep,
        ..Capabilities::default()
    };
    Step::Set(sets).perform()?;
    show("a container's");
    Ok(())
}

fn show(powers: &str) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:\t")).unwrap_or_default();
    let may = |result: bool| if result { "yes" } else { "no" };
    println!("{powers}: {effective}");
    println!("  set the host name: {}", may(process::sethostname("powerless").is_ok()));
    println!(
        "  mount:             {}",
        may(mount::mount("t", Path::new("/mnt"), "tmpfs", MsFlags::empty(), "").is_ok())
    );
    println!(
        "  see the kernel's keys: {}",
        may(fs::read_to_string("/proc/keys").is_ok_and(|keys| !keys.is_empty()))
    );
    println!(
        "  change a sysctl:   {}",
        may(fs::OpenOptions::new().write(true).open("/proc/sys/kernel/domainname").is_ok())
    );
}
