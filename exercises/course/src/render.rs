//! What a result looks like: text with colours, which whoever prints it may strip, or JSON.
//!
//! Pure. The order of a failure is the order in which it is read: which invariant, what there should be, what the
//! kernel showed, what most often leads to it, where to read on.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use course_check::Verdict;
use serde_json::{Value, json};

use crate::exercise::{Exercise, Kind};
use crate::result::CheckResult;
use crate::trial::Trial;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OTHER: Style = AnsiColor::Yellow.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// No value is shown longer than this many characters.
const LONGEST: usize = 400;

/// The result for a person.
pub fn text(exercise: &Exercise, result: &CheckResult) -> String {
    let Exercise { id, title, .. } = exercise;
    match result {
        CheckResult::CannotRun(ability, missing) => format!(
            "{OTHER}cannot run here{OTHER:#}: `{id}` needs {ability}: {}\nhint: {}\n",
            missing.reason, missing.fix
        ),
        CheckResult::FilesMissing(files) => {
            let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            let whose = files.iter().find(|file| !file.starts_with(&exercise.folder));
            let id = whose
                .and_then(|file| file.components().nth(2))
                .map_or(id.clone(), |part| part.as_os_str().to_string_lossy().into_owned());
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!(
                "{BAD}failed{BAD:#}: {} {verb} not there\nhint: `cargo course reset {id}` brings files back, and keeps what you changed\n",
                names.join(", ")
            )
        }
        CheckResult::DoesNotCompile(errors) => {
            format!("{errors}\n{BAD}failed{BAD:#}: `{id}` does not compile; the compiler's words are above\n")
        }
        CheckResult::Tried { trial, .. } if trial.passed() => {
            let invariants = held(trial);
            format!(
                "{GOOD}passed{GOOD:#}: `{id}`, {title} {QUIET}(invariants {invariants}; seed {}, {:.1} s){QUIET:#}\n",
                trial.seed,
                trial.took.as_secs_f64()
            )
        }
        CheckResult::Tried { trial, untouched } => failure(exercise, trial, *untouched),
    }
}

fn failure(exercise: &Exercise, trial: &Trial, untouched: bool) -> String {
    let Exercise { id, title, .. } = exercise;
    let mut text = String::new();
    if untouched {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            text,
            "{OTHER}not solved yet{OTHER:#}: `{id}`, {title}. That is expected: {} {} as you got {}.",
            exercise.files_in_words(),
            if exercise.parts.len() == 1 { "is" } else { "are" },
            if exercise.parts.len() == 1 { "it" } else { "them" },
        );
    } else {
        let _ = writeln!(
            text,
            "{BAD}failed{BAD:#}: `{id}`, {title} {QUIET}(seed {}, {:.1} s){QUIET:#}",
            trial.seed,
            trial.took.as_secs_f64()
        );
    }
    for verdict in &trial.verdicts {
        text += &one(exercise, verdict);
    }
    for trouble in &trial.troubles {
        let _ = writeln!(text, "\n  {BAD}{}{BAD:#}", trouble.replace('\n', "\n  "));
    }
    let held = held(trial);
    if !held.is_empty() {
        let _ = writeln!(text, "\n  {QUIET}what holds: invariants {held}{QUIET:#}");
    }
    if trial.verdicts.is_empty() && !trial.notes.trim().is_empty() {
        text += &quoted("the check said", &trial.notes);
    }
    let next = if untouched {
        format!(
            "\nThe task is in {}; `cargo course check {id}` tells how far you are.\n",
            exercise.folder.join("README.md").display()
        )
    } else {
        format!("\nhint: `cargo course hint {id}`; the book: {}#invariants\n", exercise.page())
    };
    text + &next
}

/// A verdict, if it is one to tell.
fn one(exercise: &Exercise, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Invariant { number, claim, holds: false, expected, found, cause } => {
            let mut text = heading(exercise, Some(*number));
            for (name, value) in
                [("claim", claim), ("expected", expected), ("found", found), ("likely", cause)]
            {
                if !value.is_empty() {
                    let _ = writeln!(
                        text,
                        "    {QUIET}{name:<9}{QUIET:#} {}",
                        short(value).replace('\n', "\n              ")
                    );
                }
            }
            text
        }
        Verdict::Stopped { number, reason } => {
            let mut text = heading(exercise, *number);
            let _ = writeln!(
                text,
                "    {QUIET}{:<9}{QUIET:#} {}",
                "stopped",
                short(reason).replace('\n', "\n              ")
            );
            text
        }
        Verdict::Stderr { text } => quoted("the program's stderr", text),
        Verdict::Invariant { .. } | Verdict::Complete => String::new(),
    }
}

fn heading(exercise: &Exercise, number: Option<u32>) -> String {
    let Some(number) = number else { return "\n".to_owned() };
    let text = exercise.invariants.iter().find(|invariant| invariant.number == number);
    let text = text.map(|invariant| format!(": {}", invariant.text)).unwrap_or_default();
    format!("\n  {BAD}invariant {number}{BAD:#}{text}\n")
}

fn quoted(what: &str, text: &str) -> String {
    let lines: String =
        text.trim_end().lines().map(|line| format!("    {QUIET}|{QUIET:#} {line}\n")).collect();
    format!("  {what}:\n{lines}")
}

/// The numbers of the invariants whose claims all hold.
fn held(trial: &Trial) -> String {
    let broken = trial.broken();
    let mut held: Vec<u32> = Vec::new();
    for verdict in &trial.verdicts {
        if let Verdict::Invariant { number, .. } = verdict
            && !broken.contains(number)
        {
            held.push(*number);
        }
    }
    held.sort_unstable();
    held.dedup();
    listed(&held)
}

fn listed(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(" …".chars()).collect()
}

/// The result in one line, where several are checked.
pub fn line(exercise: &Exercise, result: &CheckResult) -> String {
    let id = &exercise.id;
    let (style, word, more) = match result {
        CheckResult::CannotRun(ability, _) => (OTHER, "cannot run", format!("needs {ability}")),
        CheckResult::FilesMissing(_) => (BAD, "failed", "files are not there".to_owned()),
        CheckResult::DoesNotCompile(_) => (BAD, "failed", "does not compile".to_owned()),
        CheckResult::Tried { trial, .. } if trial.passed() => {
            (GOOD, "passed", format!("{:.1} s", trial.took.as_secs_f64()))
        }
        CheckResult::Tried { untouched: true, .. } => (OTHER, "not begun", String::new()),
        CheckResult::Tried { trial, .. } if trial.broken().is_empty() => {
            (BAD, "failed", trial.troubles.first().cloned().unwrap_or_default())
        }
        CheckResult::Tried { trial, .. } => (BAD, "failed", format!("invariant {}", listed(&trial.broken()))),
    };
    let line = format!("{style}{word:<10}{style:#}  {id:<24}  {}", more.lines().next().unwrap_or_default());
    line.trim_end().to_owned() + "\n"
}

/// The result for a program.
pub fn object(exercise: &Exercise, result: &CheckResult) -> Value {
    let mut object = json!({ "exercise": exercise.id, "result": result.word() });
    match result {
        CheckResult::CannotRun(ability, missing) => {
            object["needs"] = json!(ability);
            object["reason"] = json!(missing.reason);
        }
        CheckResult::FilesMissing(files) => object["missing"] = json!(files),
        CheckResult::DoesNotCompile(errors) => {
            object["errors"] = json!(anstream::adapter::strip_str(errors).to_string());
        }
        CheckResult::Tried { trial, untouched } => {
            object["seed"] = json!(trial.seed);
            object["untouched"] = json!(untouched);
            object["milliseconds"] = json!(trial.took.as_millis() as u64);
            object["verdicts"] = json!(trial.verdicts);
            object["troubles"] = json!(trial.troubles);
        }
    }
    object
}

/// The lower-case name of a kind.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Fill => "fill",
        Kind::Fix => "fix",
        Kind::Predict => "predict",
        Kind::Observe => "observe",
        Kind::Attack => "attack",
        Kind::Measure => "measure",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use course_check::Verdict;

    use super::{line, object, text};
    use crate::ability::{Ability, Missing};
    use crate::exercise::Exercise;
    use crate::result::CheckResult;
    use crate::trial::Trial;

    fn exercise() -> Exercise {
        let manifest = "id = \"pivot\"\ntitle = \"Leave the old root behind\"\nkind = \"fill\"\nminutes = 15\nteaches = []\n\
            lane = \"root\"\ntimeout = 20\nsource = \"chapters/01-chroot/src/root.rs\"\nregions = [\"pivot\"]\n\
            invariant = [{ number = 1, text = \"It is the root.\" }, { number = 2, text = \"The old one is gone.\" }]\n\
            mutant = [{ name = \"a\", breaks = 1, story = \"\" }, { name = \"b\", breaks = 2, story = \"\" }]\n";
        Exercise::parse(Path::new("exercises/01-chroot/pivot"), manifest).unwrap()
    }

    fn claim(number: u32, holds: bool) -> Verdict {
        Verdict::Invariant {
            number,
            claim: "its mount table holds the jail and nothing else".to_owned(),
            holds,
            expected: "one mount".to_owned(),
            found: "2 mounts:\ntmpfs on /, ext4 on /".to_owned(),
            cause: "umount2(2) was not called".to_owned(),
        }
    }

    fn tried(verdicts: Vec<Verdict>, troubles: &[&str], untouched: bool) -> CheckResult {
        let troubles = troubles.iter().map(|text| (*text).to_owned()).collect();
        let trial =
            Trial { seed: 7, verdicts, troubles, notes: String::new(), took: Duration::from_millis(340) };
        CheckResult::Tried { trial, untouched }
    }

    fn stopped() -> Vec<Verdict> {
        vec![
            Verdict::Stopped { number: Some(1), reason: "pivot-driver ended (status 101)".to_owned() },
            Verdict::Stderr { text: "thread 'main' panicked:\nnot yet implemented\n".to_owned() },
        ]
    }

    fn results() -> Vec<(&'static str, CheckResult)> {
        let missing = Missing { reason: "you are not root".to_owned(), fix: "use `sudo -E`".to_owned() };
        vec![
            ("passed", tried(vec![claim(1, true), claim(2, true), Verdict::Complete], &[], false)),
            ("broken", tried(vec![claim(1, true), claim(2, false), Verdict::Complete], &[], false)),
            ("untouched", tried(stopped(), &[], true)),
            ("stopped", tried(stopped(), &[], false)),
            ("left", tried(vec![claim(1, true), Verdict::Complete], &["left behind: a mount at /x"], false)),
            ("silent", tried(Vec::new(), &["the check itself broke off (status 101)"], false)),
            ("no-claim", tried(vec![Verdict::Complete], &[], false)),
            ("needs", CheckResult::CannotRun(Ability::Root, missing)),
            ("deleted", CheckResult::FilesMissing(vec!["exercises/01-chroot/pivot/src/root.rs".into()])),
            ("of-another", CheckResult::FilesMissing(vec!["exercises/01-chroot/loader/Cargo.toml".into()])),
            ("compiler", CheckResult::DoesNotCompile("error[E0308]: mismatched types".to_owned())),
        ]
    }

    #[test]
    fn what_a_result_looks_like() {
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        let shown = |(name, result): &(&str, CheckResult)| {
            let (text, line) = (text(&exercise(), result), line(&exercise(), result));
            format!("=== {name}\n{}--- {}", plain(&text), plain(&line))
        };
        insta::assert_snapshot!(results().iter().map(shown).collect::<String>());
    }

    #[test]
    fn only_a_check_that_made_claims_and_nothing_else_has_passed() {
        let passed = results().into_iter().filter(|(_, result)| result.passed()).map(|(name, _)| name);
        assert_eq!(passed.collect::<Vec<_>>(), ["passed"]);
    }

    #[test]
    fn a_result_for_programs_has_no_colours() {
        let colourful = CheckResult::DoesNotCompile("\u{1b}[31merror\u{1b}[0m".to_owned());
        assert_eq!(object(&exercise(), &colourful)["errors"], "error");
        let (_, broken) = results().swap_remove(1);
        insta::assert_snapshot!(format!("{:#}", object(&exercise(), &broken)));
    }
}
