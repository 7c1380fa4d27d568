//! Checks one exercise of a student's copy: are its files there, does it compile, does its check pass.

use std::path::PathBuf;

use outer_box::BoxError;

use crate::ability::{Ability, Missing};
use crate::compile::{self, CompileError, Compiled};
use crate::copy::{CopyError, StudentCopy};
use crate::exercise::Exercise;
use crate::proof::first_missing;
use crate::trial::{self, Trial};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// This machine cannot run it.
    CannotRun(Ability, Missing),
    /// Files of it, or of its chapter, are not there.
    FilesMissing(Vec<PathBuf>),
    /// The compiler refused it; its errors.
    DoesNotCompile(String),
    /// The check ran.
    Tried {
        /// What it said.
        trial: Trial,
        /// Whether the student has not changed any file yet.
        untouched: bool,
    },
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The copy cannot be read.
    #[error(transparent)]
    Copy(CopyError),
    /// Cargo gave up.
    #[error(transparent)]
    Compile(CompileError),
    /// There is no box.
    #[error("cannot make the box in which checks run")]
    Box(#[source] BoxError),
}

impl CheckResult {
    /// Whether the exercise is solved.
    pub fn passed(&self) -> bool {
        matches!(self, Self::Tried { trial, .. } if trial.passed())
    }

    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::CannotRun(..) => "cannot-run-here",
            Self::FilesMissing(_) => "files-missing",
            Self::DoesNotCompile(_) => "does-not-compile",
            Self::Tried { trial, .. } if trial.passed() => "passed",
            Self::Tried { .. } => "failed",
        }
    }
}

/// Checks `exercise` in `copy`.
///
/// # Errors
/// When the copy is damaged, cargo gives up before it compiles anything, or there can be no box.
pub fn check(copy: &StudentCopy, exercise: &Exercise, seed: u64) -> Result<CheckResult, CheckError> {
    if let Some((ability, missing)) = first_missing(exercise) {
        return Ok(CheckResult::CannotRun(ability, missing));
    }
    let missing = copy.missing(exercise).map_err(CheckError::Copy)?;
    if !missing.is_empty() {
        return Ok(CheckResult::FilesMissing(missing));
    }
    let check = match compile::compile(copy.root(), exercise, None).map_err(CheckError::Compile)? {
        Compiled::Check(check) => check,
        Compiled::Refused(errors) => return Ok(CheckResult::DoesNotCompile(errors)),
    };
    let trial = trial::run(copy.root(), exercise, &check, seed).map_err(CheckError::Box)?;
    let untouched = !exercise.student_files().iter().any(|file| copy.is_modified(file));
    Ok(CheckResult::Tried { trial, untouched })
}
