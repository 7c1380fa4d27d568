//! `course solution ID`: what stands in the finished chapter.

use std::fs;

use anstream::{print, println};
use anyhow::{Context as _, Result};
use clap::Args;
use course::starter;

use crate::desk::Desk;
use crate::failure::usage;
use crate::status::Status;

/// What `solution` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The exercise; without one, that of the working directory, or the one that was begun last
    id: Option<String>,
    /// Show it though the check has not passed yet
    #[arg(long)]
    give_up: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Status> {
    let mut desk = Desk::open()?;
    let exercise = desk.exercise(arguments.id.as_deref())?.clone();
    let id = &exercise.id;
    if desk.progress.of(id).passed.is_none() {
        if !arguments.give_up {
            return Err(usage(
                format!("`{id}` is not solved yet"),
                format!(
                    "`cargo course hint {id}` helps; `cargo course solution {id} --give-up` shows the solution"
                ),
            ));
        }
        desk.progress.begin(id).gave_up = true;
        desk.keep()?;
    }
    for part in &exercise.parts {
        let source = desk.copy.pristine().join(&part.source);
        let source = fs::read_to_string(&source).with_context(|| format!("read {}", source.display()))?;
        for (region, text) in starter::answers(part, &source)? {
            println!("{} (region `{region}`):\n", part.source.display());
            print!("{text}");
            println!();
        }
    }
    println!("compare with {}", exercise.files_in_words());
    Ok(Status::Pass)
}
