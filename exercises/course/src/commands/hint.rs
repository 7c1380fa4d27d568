//! `course hint [ID]`: one more hint each time.

use anstream::println;
use anyhow::Result;
use clap::Args;

use crate::desk::Desk;
use crate::status::Status;

/// What `hint` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The exercise; without one, that of the working directory, or the one that was begun last
    id: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Status> {
    let mut desk = Desk::open()?;
    let exercise = desk.exercise(arguments.id.as_deref())?.clone();
    let hints = exercise.hints(&desk.copy.pristine())?;
    let record = desk.progress.begin(&exercise.id);
    let had = record.hints as usize;
    record.hints = record.hints.saturating_add(1).min(hints.len() as u32);
    desk.progress.current = Some(exercise.id.clone());
    desk.keep()?;
    if had < hints.len() {
        println!("`{}`, hint {} of {}\n\n{}", exercise.id, had + 1, hints.len(), hints[had]);
    } else {
        println!("`{}`: these are all the hints\n\n{}", exercise.id, hints.join("\n\n"));
        println!("\n`cargo course solution {} --give-up` shows the solution", exercise.id);
    }
    Ok(Status::Pass)
}
