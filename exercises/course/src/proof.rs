//! Shows that the check of an exercise can tell right from wrong.
//!
//! It must fail on the starter, pass on the solution, and fail on each mutant by naming the invariant that the
//! mutant breaks. The variants are built in a scratch copy of the project, one after the other in one target
//! directory, so that each costs one small compilation.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use outer_box::BoxError;

use crate::ability::{Ability, Missing};
use crate::compile::{self, CompileError, Compiled};
use crate::exercise::Exercise;
use crate::generate::{self, GenerateError, Role, Variant};
use crate::lint::{self, LintError};
use crate::mirror::{self, MirrorError};
use crate::trial::{self, Trial};

/// Where the scratch copy is, relative to the project.
const SCRATCH: &str = "target/exercises-proof";

/// The seeds of the runs. The solution has to pass with each: a check that fails now and then proves nothing.
const SEEDS: [u64; 2] = [1, 4711];

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The scratch copy cannot be made.
    #[error("cannot make the scratch copy")]
    Mirror(#[source] MirrorError),
    /// A variant cannot be made.
    #[error("cannot make the variants")]
    Generate(#[source] GenerateError),
    /// A variant cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: std::io::Error,
    },
    /// Cargo gave up.
    #[error("cannot build")]
    Compile(#[source] CompileError),
    /// Cargo cannot be asked.
    #[error("cannot lint")]
    Lint(#[source] LintError),
    /// There is no box.
    #[error("cannot run the check")]
    Box(#[source] BoxError),
}

/// What came of one variant.
#[derive(Debug, Clone)]
pub struct Line {
    /// Which one.
    pub role: Role,
    /// Why it is not as it should be; none when it is.
    pub complaint: Option<String>,
    /// How long building and running took.
    pub took: Duration,
}

/// What came of one exercise.
#[derive(Debug, Clone)]
pub enum Proof {
    /// This machine cannot run it.
    CannotRun(Ability, Missing),
    /// Every variant was tried.
    Tried(Vec<Line>),
}

/// A scratch copy of a project, in which variants are built.
#[derive(Debug)]
pub struct Scratch {
    project: PathBuf,
    tree: PathBuf,
    target: PathBuf,
    /// Held as long as this is used: two proofs in one copy would build each other's variants.
    _lock: File,
}

impl Scratch {
    /// Makes the copy below the project's `target`, or brings the one that is there up to date. Calls `waiting` when
    /// somebody else uses it.
    ///
    /// # Errors
    /// When the project cannot be listed, or the copy not be written.
    pub fn new(project: &Path, waiting: impl FnOnce()) -> Result<Self, ProofError> {
        let base = project.join(SCRATCH);
        let tree = base.join("tree");
        let lock = base.join("lock");
        let locked = fs::create_dir_all(&base).and_then(|()| File::create(&lock));
        let locked = locked.and_then(|file| {
            if file.try_lock().is_err() {
                waiting();
                file.lock()?;
            }
            Ok(file)
        });
        let locked = locked.map_err(|source| ProofError::Write { path: lock, source })?;
        let files = mirror::files(project).map_err(ProofError::Mirror)?;
        mirror::synchronise(project, &tree, &files).map_err(ProofError::Mirror)?;
        // Shared with the checker, which has built most of what exercises need already.
        let target = project.join("exercises/target");
        Ok(Self { project: project.to_owned(), tree, target, _lock: locked })
    }

    /// What is wrong with the form of a chapter's exercises.
    ///
    /// # Errors
    /// When cargo cannot be run.
    pub fn lint(&self, chapter: &str) -> Result<Vec<String>, ProofError> {
        lint::complaints(&self.tree, chapter, &self.target).map_err(ProofError::Lint)
    }

    /// Tries every variant of `exercise`. `tell` hears each line when it is known.
    ///
    /// # Errors
    /// When one cannot be made, built or run; that its check says something wrong is no error but a complaint.
    pub fn prove(&self, exercise: &Exercise, mut tell: impl FnMut(&Line)) -> Result<Proof, ProofError> {
        if let Some((ability, missing)) = first_missing(exercise) {
            return Ok(Proof::CannotRun(ability, missing));
        }
        let mut lines = Vec::new();
        for variant in generate::variants(&self.project, exercise).map_err(ProofError::Generate)? {
            let begun = Instant::now();
            let complaint = self.complaint(exercise, &variant)?;
            let line = Line { role: variant.role, complaint, took: begun.elapsed() };
            tell(&line);
            lines.push(line);
        }
        Ok(Proof::Tried(lines))
    }

    fn complaint(&self, exercise: &Exercise, variant: &Variant) -> Result<Option<String>, ProofError> {
        for file in &variant.files {
            let path = self.tree.join(&file.path);
            // What is the same already is not built again.
            if fs::read(&path).ok().as_deref() != Some(file.text.as_bytes()) {
                fs::write(&path, &file.text).map_err(|source| ProofError::Write { path, source })?;
            }
        }
        let compiled =
            compile::compile(&self.tree, exercise, Some(&self.target)).map_err(ProofError::Compile)?;
        let check = match compiled {
            Compiled::Check(check) => check,
            Compiled::Refused(errors) => return Ok(Some(format!("does not compile:\n{errors}"))),
        };
        let seeds = if variant.role == Role::Solution { &SEEDS[..] } else { &SEEDS[..1] };
        for seed in seeds {
            let trial = trial::run(&self.tree, exercise, &check, *seed).map_err(ProofError::Box)?;
            if let Some(complaint) = complaint(&variant.role, &trial) {
                return Ok(Some(format!("{complaint} (seed {seed})\n{}", said(&trial))));
            }
        }
        Ok(None)
    }
}

/// The first of the exercise's requirements that this machine does not meet.
pub fn first_missing(exercise: &Exercise) -> Option<(Ability, Missing)> {
    exercise.requires.iter().find_map(|ability| Some((*ability, ability.missing()?)))
}

/// Why the check's verdict on a variant is not the right one.
fn complaint(role: &Role, trial: &Trial) -> Option<String> {
    match role {
        Role::Starter => trial.passed().then(|| "the check passes".to_owned()),
        Role::Solution => (!trial.passed()).then(|| "the check does not pass".to_owned()),
        Role::Mutant(mutant) if trial.passed() => {
            Some(format!("the check passes, though invariant {} is broken", mutant.breaks))
        }
        Role::Mutant(mutant) => (!trial.broken().contains(&mutant.breaks)).then(|| {
            let broken: Vec<String> = trial.broken().iter().map(u32::to_string).collect();
            let named = if broken.is_empty() { "none".to_owned() } else { broken.join(", ") };
            format!("the check fails without naming invariant {}; it names {named}", mutant.breaks)
        }),
    }
}

/// All that the check said, for its author.
fn said(trial: &Trial) -> String {
    let verdicts = trial.verdicts.iter().map(|verdict| format!("  {}\n", verdict.line()));
    let troubles = trial.troubles.iter().map(|trouble| format!("  {trouble}\n"));
    verdicts.chain(troubles).collect::<String>() + &trial.notes
}
