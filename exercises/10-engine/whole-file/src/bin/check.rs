//! Is the file whole whenever somebody reads it?

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use course_check::{Check, Program};

const ROUNDS: usize = 3000;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(1);
        let directory = check.directory("record")?;
        let size = usize::try_from(check.number(10_000..=20_000))? * 2;
        let path = directory.join("record.json");
        fs::write(&path, "0".repeat(size))?;
        let (answers, wrong) = watched(check, &path, size, &["1"])?;
        judge(check, "a reader finds the old text or the new one, whole", &answers, wrong);
        let (answers, wrong) = watched(check, &path, size, &["2", "3"])?;
        judge(check, "so it is when two replace the file at once", &answers, wrong);
        let found = names(&directory)?;
        check
            .invariant(1, "nothing stays beside the file")
            .expected("record.json")
            .found(&found)
            .cause("what was written beside has been renamed, or is removed")
            .holds(found == "record.json");
        refused(check)
    })
}

/// A rename that the kernel refuses: a directory that is not empty is not replaced by a file.
fn refused(check: &mut Check) -> Result<(), Box<dyn Error>> {
    let directory = check.directory("refused")?;
    let path = directory.join(check.word());
    fs::create_dir(&path)?;
    fs::write(path.join("kept"), "")?;
    let mut program = start(check, &path, "4", 100, 1)?;
    program.say("go")?;
    let answer = program.line()?;
    program.finish()?;
    let (there, left) = (path.join("kept").exists(), names(&directory)?);
    let expected = names_of(&path);
    check
        .invariant(1, "where it fails the old stays, and nothing else")
        .expected(format!("failed; {expected}"))
        .found(format!("{answer}; {left}"))
        .cause("the rename was refused, and the file beside is left: remove it before you tell the error")
        .holds(answer.starts_with("failed") && there && left == expected);
    Ok(())
}

fn judge(check: &mut Check, claim: &str, answers: &str, wrong: Option<String>) {
    let found = wrong.clone().unwrap_or_else(|| answers.to_owned());
    check
        .invariant(1, claim)
        .expected("done, and each look finds a whole text")
        .found(found)
        .cause("the text was not complete when the name led to it, or the name led nowhere for a moment")
        .holds(wrong.is_none() && answers.split(' ').all(|answer| answer == "done"));
}

/// Lets a program for each letter replace the file, and reads it all the while: what they say, and the first look that
/// found no whole text.
fn watched(
    check: &Check,
    path: &Path,
    size: usize,
    letters: &[&str],
) -> Result<(String, Option<String>), Box<dyn Error>> {
    let mut programs = Vec::new();
    for letter in letters {
        programs.push(start(check, path, letter, size, ROUNDS)?);
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut wrong = None;
            while wrong.is_none() && !over.load(Ordering::Relaxed) {
                wrong = look(path, size);
            }
            wrong
        });
        let answers = race(&mut programs);
        over.store(true, Ordering::Relaxed);
        let wrong = reader.join().map_err(|_| "the reader has failed")?;
        Ok((answers?, wrong))
    })
}

fn race(programs: &mut [Program]) -> Result<String, String> {
    for program in &mut *programs {
        program.say("go").map_err(|error| error.to_string())?;
    }
    let mut answers = Vec::new();
    for program in programs {
        answers.push(program.line().map_err(|error| error.to_string())?);
        program.finish().map_err(|error| error.to_string())?;
    }
    Ok(answers.join(" "))
}

fn look(path: &Path, size: usize) -> Option<String> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) => return Some(format!("no file: {error}")),
    };
    let Some(first) = text.first() else { return Some("an empty file".to_owned()) };
    if text.iter().any(|byte| byte != first) {
        return Some("a mixture of two texts".to_owned());
    }
    (![size, size / 2].contains(&text.len())).then(|| format!("{} bytes of {size}", text.len()))
}

fn start(
    check: &Check,
    path: &Path,
    letter: &str,
    size: usize,
    rounds: usize,
) -> Result<Program, Box<dyn Error>> {
    let arguments = [path.display().to_string(), letter.to_owned(), size.to_string(), rounds.to_string()];
    let mut program = check.start("driver", arguments)?;
    program.patience(Duration::from_secs(15));
    program.line()?; // "ready"
    Ok(program)
}

fn names(directory: &Path) -> Result<String, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.join(" "))
}

fn names_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
