//! Builds the programs of one exercise with cargo, and keeps the compiler's words for the student.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::exercise::Exercise;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiled {
    /// Its check, ready to run.
    Check(PathBuf),
    /// The compiler refused it; its errors as it prints them, colours included.
    Refused(String),
}

/// Why cargo could not even try.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// There is no cargo.
    #[error("cannot run cargo")]
    Cargo(#[source] io::Error),
    /// Cargo gave up before it called the compiler.
    #[error("cargo cannot build `{package}`: {reason}")]
    GaveUp {
        /// The package.
        package: String,
        /// Cargo's words.
        reason: String,
    },
    /// The package has no check.
    #[error("`{package}` has no program `{program}`")]
    NoCheck {
        /// The package.
        package: String,
        /// The program.
        program: String,
    },
}

/// A line that cargo prints. cargo(1), "JSON messages".
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// Builds the exercise's programs and the probe, in the workspace of its chapter. `target` is where to, if not
/// `exercises/target`, which the checker itself is built into.
///
/// # Errors
/// When cargo cannot be run, or gives up before the compiler is called.
pub fn compile(project: &Path, exercise: &Exercise, target: Option<&Path>) -> Result<Compiled, CompileError> {
    let package = exercise.package();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--message-format", "json-diagnostic-rendered-ansi"]);
    cargo.args(["--package", &package, "--package", "course-check", "--bins"]);
    let workspace = exercise.folder.parent().unwrap_or(&exercise.folder);
    cargo.current_dir(project.join(workspace));
    match target {
        Some(target) => cargo.env("CARGO_TARGET_DIR", target),
        // Who sets this wants all builds there.
        None if std::env::var_os("CARGO_TARGET_DIR").is_some() => &mut cargo,
        None => cargo.env("CARGO_TARGET_DIR", project.join("exercises/target")),
    };
    // `cargo run` sets these for us, about us; a build script of another package would believe them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().map_err(CompileError::Cargo)?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Message> = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if !output.status.success() {
        let errors = errors(&messages);
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return if errors.is_empty() {
            Err(CompileError::GaveUp { package, reason })
        } else {
            Ok(Compiled::Refused(errors))
        };
    }
    let program = format!("{}-check", exercise.id);
    let executables = messages.into_iter().filter(|message| message.reason == "compiler-artifact");
    let mut executables = executables.filter_map(|message| message.executable);
    let check = executables.find(|path| path.file_name().is_some_and(|name| name == program.as_str()));
    check.map(Compiled::Check).ok_or(CompileError::NoCheck { package, program })
}

fn errors(messages: &[Message]) -> String {
    let diagnostics = messages.iter().filter_map(|message| message.message.as_ref());
    let errors = diagnostics.filter(|diagnostic| diagnostic.level.starts_with("error"));
    errors.filter_map(|diagnostic| diagnostic.rendered.as_deref()).collect()
}
