//! `course report`: what a student has done so far.

use anstream::println;
use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::desk::Desk;
use crate::status::Status;

/// What `report` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Status> {
    let desk = Desk::open()?;
    if arguments.json {
        println!("{:#}", object(&desk));
        return Ok(Status::Pass);
    }
    let (mut solved, mut minutes) = (0, 0);
    println!("{:<24}  {:<8}  {:>8}  {:>5}", "exercise", "", "attempts", "hints");
    for exercise in &desk.catalog.exercises {
        let record = desk.progress.of(&exercise.id);
        let word = match (record.passed, record.started) {
            (Some(_), _) if record.gave_up => "shown",
            (Some(_), _) => "solved",
            (None, Some(_)) => "begun",
            (None, None) => "",
        };
        solved += usize::from(record.passed.is_some());
        minutes += if record.passed.is_some() { exercise.minutes } else { 0 };
        println!("{:<24}  {word:<8}  {:>8}  {:>5}", exercise.id, record.attempts, record.hints);
    }
    let all: u32 = desk.catalog.exercises.iter().map(|exercise| exercise.minutes).sum();
    println!("{solved} of {} solved, {minutes} of {all} minutes", desk.catalog.exercises.len());
    Ok(Status::Pass)
}

fn object(desk: &Desk) -> serde_json::Value {
    let line = |exercise: &course::Exercise| {
        let record = desk.progress.of(&exercise.id);
        let modified = desk.copy.is_modified(&exercise.folder.join("src/bin/check.rs"));
        json!({
            "exercise": exercise.id, "chapter": exercise.chapter(), "minutes": exercise.minutes,
            "started": record.started, "passed": record.passed, "attempts": record.attempts,
            "hints": record.hints, "gave_up": record.gave_up, "check_modified": modified,
        })
    };
    json!({ "version": 1, "exercises": desk.catalog.exercises.iter().map(line).collect::<Vec<_>>() })
}
