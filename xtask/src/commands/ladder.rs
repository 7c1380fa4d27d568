//! `cargo x bench ladder`: builds what a user would run, measures it, and shows it three times: as a table, as
//! a drawing for the book, and as numbers to compare with later.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use xtask::ladder::{Ladder, draw, table};
use xtask::workspace::Workspace;

const NUMBERS: &str = "benches/results/ladder.json";
const DRAWING: &str = "book/src/figures/ladder.svg";

/// Measures the ladder; `options` go to the program that does.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let workspace = Workspace::read()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--package", "mini-docker", "--package", "mini-benches", "--bins"]);
    let status = cargo.status().context("run `cargo build`")?;
    ensure!(status.success(), "`cargo build` failed: {status}");

    let program = workspace.target.join("release/ladder");
    let mut ladder = Command::new(&program);
    ladder.args(options).stderr(Stdio::inherit());
    if std::env::var_os("MINI_DOCKER").is_none() {
        ladder.env("MINI_DOCKER", workspace.target.join("release/mini-docker"));
    }
    let output = ladder.output().with_context(|| format!("run {}", program.display()))?;
    ensure!(output.status.success(), "measuring the ladder failed: {}", output.status);
    let json = String::from_utf8(output.stdout).context("read the measurements")?;
    let ladder = Ladder::parse(&json)?;

    print!("{}", table(&ladder));
    write(&workspace.root, NUMBERS, &json)?;
    write(&workspace.root, DRAWING, &draw(&ladder))
}

/// Writes a file of the project and says so.
pub(crate) fn write(root: &Path, name: &str, content: &str) -> Result<()> {
    let path = root.join(name);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
    written.with_context(|| format!("write {name}"))?;
    println!("wrote {name}");
    Ok(())
}
