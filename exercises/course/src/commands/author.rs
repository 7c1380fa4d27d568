//! `course author …`: what `cargo x exercises` runs.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anstream::{eprintln, print, println};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use course::generate::{self, Role};
use course::proof::{Line, Proof, Scratch};
use course::{Catalog, Exercise};

use crate::status::Status;

const GREEN: anstyle::Style = anstyle::AnsiColor::Green.on_default();
const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default();
const YELLOW: anstyle::Style = anstyle::AnsiColor::Yellow.on_default();

/// What an author does.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write every generated file.
    Generate {
        /// The exercises; without any, all.
        ids: Vec<String>,
    },
    /// Show that every check can tell right from wrong, and that what is generated is up to date.
    Prove {
        /// The exercises; without any, all.
        ids: Vec<String>,
    },
}

pub(crate) fn run(verb: Verb) -> Result<Status> {
    let project = project()?;
    match verb {
        Verb::Generate { ids } => generate(&project, &ids),
        Verb::Prove { ids } => prove(&project, &ids),
    }
}

/// The project that this program was built from: cargo says so when it starts us.
fn project() -> Result<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let project = manifest.as_ref().and_then(|path| path.ancestors().nth(2));
    project
        .map(PathBuf::from)
        .context("cannot tell where the project is; start this with `cargo x exercises`")
}

fn chosen(catalog: &Catalog, ids: &[String]) -> Result<Vec<Exercise>> {
    if ids.is_empty() {
        return Ok(catalog.exercises.clone());
    }
    ids.iter().map(|id| Ok(catalog.find(id)?.clone())).collect()
}

/// Those exercises. What is wrong with others is told, and is a failure only when all were asked for.
fn catalog(project: &Path, ids: &[String]) -> Result<(Catalog, usize)> {
    let (catalog, wrong) = Catalog::readable(project)?;
    for error in &wrong {
        let error = error as &dyn std::error::Error;
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        eprintln!("{RED}{error}{cause}{RED:#}");
    }
    Ok((catalog, if ids.is_empty() { wrong.len() } else { 0 }))
}

fn generate(project: &Path, ids: &[String]) -> Result<Status> {
    let (catalog, wrong) = catalog(project, ids)?;
    let mut count = 0;
    let exercises = chosen(&catalog, ids)?;
    for exercise in &exercises {
        let files = generate::differing(project, generate::files(project, exercise)?);
        generate::write(project, &files)?;
        for file in &files {
            println!("wrote {}", file.path.display());
        }
        count += files.len();
    }
    let workspaces = generate::differing(project, generate::workspaces(project, &catalog)?);
    generate::write(project, &workspaces)?;
    for file in &workspaces {
        println!("wrote {}", file.path.display());
    }
    count += workspaces.len();
    for chapter in catalog.chapters() {
        lock(project, &chapter)?;
    }
    println!("{} exercises, {count} files written", exercises.len());
    Ok(if wrong == 0 { Status::Pass } else { Status::Fail })
}

/// Lets cargo bring the chapter's `Cargo.lock` up to date. A new one begins as the checker's, so that one version of
/// a package is built for all.
fn lock(project: &Path, chapter: &str) -> Result<()> {
    let workspace = project.join("exercises").join(chapter);
    if !workspace.join("Cargo.lock").exists() {
        std::fs::copy(project.join("exercises/Cargo.lock"), workspace.join("Cargo.lock"))
            .with_context(|| format!("make {}/Cargo.lock", workspace.display()))?;
    }
    let mut cargo = std::process::Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--quiet", "--format-version=1"]).current_dir(&workspace);
    let output = cargo.output().context("run `cargo metadata`")?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn prove(project: &Path, ids: &[String]) -> Result<Status> {
    let begun = Instant::now();
    let (catalog, mut complaints) = catalog(project, ids)?;
    let exercises = chosen(&catalog, ids)?;
    let workspaces = if ids.is_empty() { generate::workspaces(project, &catalog)? } else { Vec::new() };
    for file in generate::differing(project, workspaces) {
        complaints += 1;
        eprintln!("{RED}{} is not what `cargo x exercises` writes{RED:#}", file.path.display());
    }
    for exercise in &exercises {
        exercise.hints(project)?;
        for file in generate::differing(project, generate::files(project, exercise)?) {
            complaints += 1;
            eprintln!("{RED}{} is not what `cargo x exercises` writes{RED:#}", file.path.display());
        }
    }
    let scratch = Scratch::new(project, || eprintln!("waiting for another proof to end …"))?;
    if ids.is_empty() {
        for chapter in catalog.chapters() {
            for complaint in scratch.lint(&chapter)? {
                complaints += 1;
                eprintln!("{RED}{chapter}{RED:#}: {complaint}");
            }
        }
    }
    let mut variants = 0;
    let mut skipped = 0;
    for exercise in &exercises {
        println!("{} ({}, {} min)", exercise.id, exercise.chapter(), exercise.minutes);
        match scratch.prove(exercise, tell) {
            Err(error) => {
                complaints += 1;
                eprintln!("  {RED}WRONG{RED:#}  {:#}", anyhow::Error::from(error));
            }
            Ok(Proof::Tried(lines)) => {
                variants += lines.len();
                complaints += lines.iter().filter(|line| line.complaint.is_some()).count();
            }
            Ok(Proof::CannotRun(ability, missing)) => {
                skipped += 1;
                println!("  {YELLOW}skipped: needs {ability}{YELLOW:#}: {}", missing.reason);
            }
        }
    }
    if skipped > 0 && env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1") {
        complaints += skipped;
        eprintln!("{RED}{skipped} skipped, and MINI_REQUIRE_ALL=1 allows none{RED:#}");
    }
    println!(
        "{} exercises, {variants} variants, {skipped} skipped, {complaints} complaints, {:.1} s",
        exercises.len(),
        begun.elapsed().as_secs_f64()
    );
    Ok(if complaints == 0 { Status::Pass } else { Status::Fail })
}

fn tell(line: &Line) {
    let (what, right) = match &line.role {
        Role::Starter => ("starter".to_owned(), "fails".to_owned()),
        Role::Solution => ("solution".to_owned(), "passes".to_owned()),
        Role::Mutant(mutant) => (mutant.name.clone(), format!("fails on invariant {}", mutant.breaks)),
    };
    let seconds = line.took.as_secs_f64();
    match &line.complaint {
        None => println!("  {GREEN}ok{GREEN:#}     {what:<28} {right:<24} {seconds:>5.1} s"),
        Some(complaint) => {
            println!("  {RED}WRONG{RED:#}  {what:<28} {:<24} {seconds:>5.1} s", "");
            print!("{}", complaint.lines().map(|line| format!("         {line}\n")).collect::<String>());
        }
    }
}
