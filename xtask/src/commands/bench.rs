//! `cargo x bench [FILTER]`: the benchmarks of every chapter, timed by criterion.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Runs the benchmarks whose names contain the words of `filter`; criterion takes its own options there too.
pub(crate) fn run(filter: &[&str]) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--package", "mini-benches", "--bench", "ch*", "--"]).args(filter);
    let status = cargo.status().context("run `cargo bench`")?;
    ensure!(status.success(), "`cargo bench` failed: {status}");
    Ok(())
}
