//! `course check`: is an exercise solved, are several.

use std::time::SystemTime;

use anstream::{eprintln, print, println};
use anyhow::{Context as _, Result};
use clap::Args;
use course::result::{CheckResult, check};
use course::watch::Watch;
use course::{Exercise, render};

use crate::desk::Desk;
use crate::failure::usage;
use crate::status::Status;

/// What `check` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The exercise; without one, that of the working directory, or the one that was begun last
    #[arg(conflicts_with_all = ["chapter", "all"])]
    id: Option<String>,
    /// All exercises of a chapter: `1`, `01-chroot` or `chroot`
    #[arg(long, value_name = "N", conflicts_with = "all")]
    chapter: Option<String>,
    /// All exercises
    #[arg(long)]
    all: bool,
    /// Check again whenever a file of the exercise is saved, until it passes
    #[arg(long, conflicts_with_all = ["chapter", "all", "json"])]
    watch: bool,
    /// With --watch: look for changes twice a second, for file systems that do not tell of them
    #[arg(long, requires = "watch")]
    poll: bool,
    /// Print JSON: an object for one exercise, an array for several
    #[arg(long)]
    json: bool,
    /// The number that secrets, names and sizes are made from; each check has another one
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Status> {
    let mut desk = Desk::open()?;
    if let Some(exercises) = several(&desk, arguments)? {
        return check_all(&mut desk, &exercises, arguments);
    }
    let exercise = desk.exercise(arguments.id.as_deref())?.clone();
    if arguments.watch {
        return watch(&mut desk, &exercise, arguments);
    }
    let result = once(&mut desk, &exercise, arguments.seed)?;
    if arguments.json {
        println!("{:#}", render::object(&exercise, &result));
    } else {
        show(&desk, &exercise, &result);
    }
    Ok(status(&result))
}

fn several(desk: &Desk, arguments: &Arguments) -> Result<Option<Vec<Exercise>>> {
    if arguments.all {
        return Ok(Some(desk.catalog.exercises.clone()));
    }
    let Some(wanted) = &arguments.chapter else { return Ok(None) };
    let is_it = |exercise: &&Exercise| {
        let chapter = exercise.chapter();
        chapter == *wanted
            || wanted.parse() == Ok(exercise.chapter_number())
            || chapter.split_once('-').is_some_and(|(_, name)| name == wanted)
    };
    let found: Vec<Exercise> = desk.catalog.exercises.iter().filter(is_it).cloned().collect();
    if found.is_empty() {
        let chapters = desk.catalog.chapters().join(", ");
        return Err(usage(format!("no chapter `{wanted}` has exercises"), format!("these have: {chapters}")));
    }
    Ok(Some(found))
}

/// Checks one exercise and notes it.
fn once(desk: &mut Desk, exercise: &Exercise, seed: Option<u64>) -> Result<CheckResult> {
    let result = check(&desk.copy, exercise, seed.unwrap_or_else(any_seed))?;
    if !matches!(result, CheckResult::CannotRun(..)) {
        desk.progress.checked(&exercise.id, result.passed());
        desk.progress.current = Some(exercise.id.clone());
        desk.keep()?;
    }
    Ok(result)
}

fn show(desk: &Desk, exercise: &Exercise, result: &CheckResult) {
    print!("{}", render::text(exercise, result));
    if result.passed() {
        match desk.next() {
            Some(next) => println!("next: `cargo course next` begins `{}`, {}", next.id, next.title),
            None => println!("that was the last one: `cargo course report`"),
        }
    }
}

fn check_all(desk: &mut Desk, exercises: &[Exercise], arguments: &Arguments) -> Result<Status> {
    let mut statuses = Vec::new();
    let mut objects = Vec::new();
    for exercise in exercises {
        let result = once(desk, exercise, arguments.seed)?;
        statuses.push(status(&result));
        if arguments.json {
            objects.push(render::object(exercise, &result));
        } else {
            print!("{}", render::line(exercise, &result));
        }
    }
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    let (failed, skipped) = (count(Status::Fail), count(Status::CannotRunHere));
    if arguments.json {
        println!("{:#}", serde_json::Value::Array(objects));
    } else {
        println!("{} passed, {failed} failed, {skipped} cannot run here", count(Status::Pass));
    }
    Ok(match (failed, skipped) {
        (0, 0) => Status::Pass,
        (0, _) => Status::CannotRunHere,
        _ => Status::Fail,
    })
}

fn watch(desk: &mut Desk, exercise: &Exercise, arguments: &Arguments) -> Result<Status> {
    let folder = desk.copy.root().join(&exercise.folder);
    let directories = ["src", "src/bin"].map(|name| folder.join(name)).into_iter();
    let mut watch = Watch::new(directories.filter(|path| path.is_dir()).collect(), arguments.poll);
    loop {
        let result = once(desk, exercise, arguments.seed)?;
        show(desk, exercise, &result);
        if result.passed() || matches!(result, CheckResult::CannotRun(..)) {
            return Ok(status(&result));
        }
        eprintln!("waiting for you to save {} (Ctrl-C ends this)", exercise.files_in_words());
        watch.wait().context("wait for a file to be saved")?;
        println!();
    }
}

fn status(result: &CheckResult) -> Status {
    match result {
        CheckResult::CannotRun(..) => Status::CannotRunHere,
        _ if result.passed() => Status::Pass,
        _ => Status::Fail,
    }
}

/// Short enough to be typed again.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_micros() as u64 % 1_000_000
}
