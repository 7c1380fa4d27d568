//! Format and lints of the exercises, chapter by chapter, and whether each `Cargo.lock` is up to date.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo could not be run.
#[derive(Debug, thiserror::Error)]
#[error("cannot run `cargo {arguments}`")]
pub struct LintError {
    arguments: String,
    #[source]
    source: io::Error,
}

/// What cargo is asked.
const QUESTIONS: [&[&str]; 3] = [
    &["metadata", "--quiet", "--format-version=1", "--locked"],
    &["fmt", "--all", "--check"],
    &["clippy", "--quiet", "--workspace", "--", "-D", "warnings"],
];

/// What is wrong with the exercises of a chapter, in cargo's words. `tree` is the project, or a copy of it; `target` is
/// where to build.
///
/// # Errors
/// When cargo cannot be run.
pub fn complaints(tree: &Path, chapter: &str, target: &Path) -> Result<Vec<String>, LintError> {
    let directory: PathBuf = tree.join("exercises").join(chapter);
    let mut complaints = Vec::new();
    for question in QUESTIONS {
        let arguments = question.join(" ");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(question).current_dir(&directory).env("CARGO_TARGET_DIR", target);
        let output = cargo.output().map_err(|source| LintError { arguments: arguments.clone(), source })?;
        if !output.status.success() {
            let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
            // rustfmt prints the differences there.
            if question.contains(&"fmt") {
                said = String::from_utf8_lossy(&output.stdout).into_owned() + &said;
            }
            complaints.push(format!("exercises/{chapter}: `cargo {arguments}`\n{said}"));
        }
    }
    Ok(complaints)
}
