//! `course init DIR`: a copy of the course to work in.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anstream::println;
use anyhow::{Context as _, Result};
use clap::Args;
use course::copy::{Place, StudentCopy};

use crate::failure::usage;
use crate::status::Status;

/// What `init` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The directory to make
    directory: PathBuf,
    /// Do not fetch and build what the checker needs; the first command in the copy does
    #[arg(long)]
    no_build: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Status> {
    let project = project()?;
    let copy = StudentCopy::make(&project, &env::current_dir()?.join(&arguments.directory))?;
    let catalog = copy.catalog()?;
    println!("made {} with {} exercises", copy.root().display(), catalog.exercises.len());
    if !arguments.no_build {
        prepare(&copy, &catalog.chapters());
    }
    println!("\nnext:\n  cd {}\n  cargo course next", copy.root().display());
    Ok(Status::Pass)
}

/// The course itself: around the working directory, or where cargo started us from.
fn project() -> Result<PathBuf> {
    let here = env::current_dir().context("find the working directory")?;
    match Place::around(&here) {
        Place::Project(project) => Ok(project.canonicalize()?),
        Place::Copy(copy) => Err(usage(
            format!("{} is a copy of the course already", copy.root().display()),
            "`cargo course next` goes on here; to make another copy, go to the course itself",
        )),
        Place::Elsewhere => Err(usage(
            format!("{} is not in the course", here.display()),
            "go to the directory of the course, the one with `chapters` and `exercises` in it",
        )),
    }
}

/// Fetches what the exercises need, so that they are solved without a network, and builds what the first of them need,
/// so that it answers at once; the other chapters are built with their first check. What fails here fails again, and is
/// told, when it is needed.
fn prepare(copy: &StudentCopy, chapters: &[String]) {
    let exercises = copy.root().join("exercises");
    let target = exercises.join("target");
    let quietly = |directory: &Path, words: &[&str]| {
        let _ = cargo(directory, &target).args(words).stderr(Stdio::null()).status();
    };
    println!("fetching, this once: what exercises are built from …");
    for chapter in chapters {
        quietly(&exercises.join(chapter), &["fetch", "--quiet"]);
    }
    println!("building, this once: the checker …");
    let _ = cargo(&exercises, &target).args(["build", "--quiet", "--package", "course"]).status();
    if let Some(first) = chapters.first() {
        println!("building, this once: the exercises of {first} …");
        // What the compiler has to say about unfinished exercises comes with their checks.
        quietly(&exercises.join(first), &["build", "--quiet", "--workspace"]);
    }
}

fn cargo(directory: &Path, target: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(directory);
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    cargo
}
