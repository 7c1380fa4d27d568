//! `system restore` and `system unit`: containers come back when the machine does. systemd.service(5).

use anyhow::Context as _;
use mini_engine::{Home, restore};

use crate::commands::print;

/// Starts what is to run again, and prints the names.
pub(crate) fn run(home: &Home) -> anyhow::Result<u8> {
    let mut status = 0;
    for restored in restore::restore(home) {
        match restored.failure {
            None => drop(print(&format!("{}\n", restored.name))?),
            Some(why) => {
                let error = anyhow::anyhow!("cannot start `{}`: {why}", restored.name);
                status = crate::failure::report(&error);
            }
        }
    }
    Ok(status)
}

/// Prints the unit, for this program and this directory.
pub(crate) fn unit(home: &Home) -> anyhow::Result<u8> {
    let program = std::env::current_exe().context("find this program")?;
    print(&restore::unit(&program.to_string_lossy(), &home.path().to_string_lossy()))
}
