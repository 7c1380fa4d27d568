//! One run of an exercise's check in the outer box, and what came of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use course_check::Verdict;
use outer_box::{BoxError, End, Leak, LeakKind, Outcome, Request};

use crate::exercise::Exercise;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The seed it ran with.
    pub seed: u64,
    /// What the check said, in its order.
    pub verdicts: Vec<Verdict>,
    /// What went wrong around it: the box's limits, something left behind, a check that broke off.
    pub troubles: Vec<String>,
    /// What else it printed; for who writes a check.
    pub notes: String,
    /// How long it took.
    pub took: Duration,
}

impl Trial {
    /// Whether every claim holds, there was one, and nothing went wrong.
    pub fn passed(&self) -> bool {
        let mut claims = self.verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Invariant { holds, .. } => Some(*holds),
            Verdict::Stopped { .. } => Some(false),
            Verdict::Stderr { .. } | Verdict::Complete => None,
        });
        let first = claims.next();
        first == Some(true) && claims.all(|holds| holds) && self.troubles.is_empty()
    }

    /// The numbers of the invariants that do not hold, in order, each once.
    pub fn broken(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.verdicts.iter().filter_map(broken).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

fn broken(verdict: &Verdict) -> Option<u32> {
    match verdict {
        Verdict::Invariant { number, holds: false, .. } => Some(*number),
        Verdict::Stopped { number, .. } => *number,
        _ => None,
    }
}

/// Runs the program `check` in the box.
///
/// # Errors
/// When there can be no box on this machine.
pub fn run(project: &Path, exercise: &Exercise, check: &Path, seed: u64) -> Result<Trial, BoxError> {
    let mut request = Request::new([check]);
    request.directory = project.join(&exercise.folder);
    request.environment.push(("COURSE_SEED".into(), seed.to_string().into()));
    request.readable = readable(project, check);
    request.limits.timeout = exercise.timeout;
    let outcome = outer_box::run(&request)?;
    Ok(read(exercise, &outcome, seed))
}

/// Where the exercise and its programs are: in a temporary directory, perhaps, which the box has its own of.
fn readable(project: &Path, check: &Path) -> Vec<PathBuf> {
    let programs = check.parent().filter(|directory| !directory.starts_with(project));
    [Some(project), programs].into_iter().flatten().map(Path::to_owned).collect()
}

fn read(exercise: &Exercise, outcome: &Outcome, seed: u64) -> Trial {
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    let mut notes = String::new();
    let mut verdicts = Vec::new();
    for line in stdout.lines() {
        match Verdict::parse(line) {
            Some(verdict) => verdicts.push(verdict),
            None => notes = notes + line + "\n",
        }
    }
    notes += &String::from_utf8_lossy(&outcome.stderr);
    let troubles = troubles(exercise, outcome, &verdicts);
    Trial { seed, verdicts, troubles, notes, took: outcome.took }
}

fn troubles(exercise: &Exercise, outcome: &Outcome, verdicts: &[Verdict]) -> Vec<String> {
    let is_over =
        verdicts.iter().any(|verdict| matches!(verdict, Verdict::Complete | Verdict::Stopped { .. }));
    let seconds = exercise.timeout.as_secs();
    let mut troubles: Vec<String> = Vec::new();
    troubles.extend(match outcome.end {
        End::Exited(_) if is_over => None,
        End::Exited(status) => {
            Some(format!("the check itself broke off (status {status}) before it had looked at everything"))
        }
        End::Killed(signal) => Some(format!("the check was ended by signal {signal}")),
        End::TimedOut => {
            Some(format!("no result after {seconds} s: the program hangs, and the box has ended it"))
        }
        End::TooMuchOutput => Some("the program printed without an end, and the box has ended it".to_owned()),
        End::OutOfMemory => Some("the program took more memory than the box has, and was ended".to_owned()),
    });
    let says_nothing = |verdict: &Verdict| matches!(verdict, Verdict::Complete | Verdict::Stderr { .. });
    if troubles.is_empty() && verdicts.iter().all(says_nothing) {
        troubles.push("the check has looked at nothing, so nothing is proven".to_owned());
    }
    // What somebody left who was stopped half-way tells nothing new, but for a mount: that may be why.
    let was_stopped = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Stopped { .. }));
    let is_telling = |leak: &&Leak| !was_stopped || matches!(leak.kind, LeakKind::Mount | LeakKind::Unmount);
    if troubles.is_empty() {
        troubles.extend(outcome.leaks.iter().filter(is_telling).map(|leak| format!("left behind: {leak}")));
    }
    troubles
}
