//! `course list`: all exercises, chapter by chapter.

use std::env;

use anstream::println;
use anstyle::AnsiColor;
use anyhow::{Context as _, Result};
use course::copy::Place;
use course::progress::Progress;
use course::proof::first_missing;
use course::{Catalog, Exercise, render};

use crate::desk::Desk;
use crate::status::Status;

pub(crate) fn run() -> Result<Status> {
    let here = env::current_dir().context("find the working directory")?;
    let (catalog, progress) = match Place::around(&here) {
        // Who looks around before making a copy has no progress yet.
        Place::Project(project) => (Catalog::read(&project)?, Progress::default()),
        _ => Desk::open().map(|desk| (desk.catalog, desk.progress))?,
    };
    let width = catalog.exercises.iter().map(|exercise| exercise.id.len()).max().unwrap_or(0);
    for chapter in catalog.chapters() {
        println!("{chapter}");
        for exercise in catalog.exercises.iter().filter(|exercise| exercise.chapter() == chapter) {
            println!("  {}", line(exercise, &progress, width));
        }
    }
    let solved =
        catalog.exercises.iter().filter(|exercise| progress.of(&exercise.id).passed.is_some()).count();
    let minutes: u32 = catalog.exercises.iter().map(|exercise| exercise.minutes).sum();
    println!("{solved} of {} solved; {minutes} minutes in all", catalog.exercises.len());
    Ok(Status::Pass)
}

fn line(exercise: &Exercise, progress: &Progress, width: usize) -> String {
    let record = progress.of(&exercise.id);
    let (mark, color) = if record.passed.is_some() {
        ("solved", AnsiColor::Green)
    } else if record.started.is_some() {
        ("begun", AnsiColor::Yellow)
    } else {
        ("", AnsiColor::White)
    };
    let style = color.on_default();
    let lacks =
        first_missing(exercise).map(|(ability, _)| format!("  (needs {ability})")).unwrap_or_default();
    format!(
        "{:<width$}  {style}{mark:<6}{style:#}  {:>2} min  {:<7}  {}{lacks}",
        exercise.id,
        exercise.minutes,
        render::kind(exercise.kind),
        exercise.title
    )
}
