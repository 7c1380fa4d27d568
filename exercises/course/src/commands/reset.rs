//! `course reset ID`: the exercise as the student got it.

use anstream::println;
use anyhow::Result;
use clap::Args;

use crate::desk::Desk;
use crate::status::Status;

/// What `reset` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The exercise
    id: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Status> {
    let desk = Desk::open()?;
    let exercise = desk.exercise(Some(&arguments.id))?;
    let kept = desk.copy.reset(exercise)?;
    println!("`{}` is as you got it", exercise.id);
    for file in kept {
        println!("what you had is in {}", file.display());
    }
    Ok(Status::Pass)
}
