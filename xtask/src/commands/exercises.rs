//! `cargo x exercises`: generates what is generated in `exercises`, and with `--check` proves every check.
//!
//! The work is done by the program `course` of that workspace, which is not built before somebody asks for it.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// `arguments` are names of exercises, after `--check` if they are to be proven.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let (verb, ids) = match arguments {
        ["--check", ids @ ..] => ("prove", ids),
        ids => ("generate", ids),
    };
    if let Some(option) = ids.iter().find(|word| word.starts_with('-')) {
        bail!("`exercises` takes `--check` and names of exercises, not `{option}`");
    }
    let manifest = root().join("exercises/Cargo.toml");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--package", "course", "--manifest-path"]).arg(manifest);
    cargo.args(["--", "author", verb]).args(ids);
    let status = cargo.status().context("run `cargo run --package course`")?;
    ensure!(status.success(), "the exercises are not as they should be");
    Ok(())
}

fn root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
