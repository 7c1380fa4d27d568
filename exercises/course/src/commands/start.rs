//! `course start ID`: shows the task, and makes it the current one.

use std::fs;

use anstream::{print, println};
use anstyle::Style;
use anyhow::{Context as _, Result};
use clap::Args;
use course::proof::first_missing;

use crate::desk::Desk;
use crate::failure::usage;
use crate::status::Status;

/// What `start` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The exercise
    id: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Status> {
    let mut desk = Desk::open()?;
    begin(&mut desk, &arguments.id)
}

/// Shows the task of an exercise and notes that it was begun.
pub(crate) fn begin(desk: &mut Desk, id: &str) -> Result<Status> {
    let exercise = desk.catalog.find(id)?.clone();
    let readme = exercise.folder.join("README.md");
    let text = fs::read_to_string(desk.copy.pristine().join(&readme));
    print!("{}", text.with_context(|| format!("read {}", readme.display()))?);
    let gone = exercise.student_files().into_iter().find(|file| !desk.copy.root().join(file).exists());
    if let Some(file) = gone {
        return Err(usage(
            format!("{} is not there", file.display()),
            format!("`cargo course reset {id}` brings it back"),
        ));
    }
    let bold = Style::new().bold();
    println!("\n{bold}edit{bold:#}   {}", exercise.files_in_words());
    println!("{bold}check{bold:#}  cargo course check {id} --watch");
    println!("{bold}stuck{bold:#}  cargo course hint {id}");
    let open = exercise.needs.iter().filter(|needed| desk.progress.of(needed).passed.is_none());
    let open: Vec<&str> = open.map(String::as_str).collect();
    if !open.is_empty() {
        println!("{bold}before{bold:#} this comes better after {}", open.join(", "));
    }
    desk.progress.begin(id);
    desk.progress.current = Some(id.to_owned());
    desk.keep()?;
    if let Some((ability, missing)) = first_missing(&exercise) {
        println!("\ncannot run here: it needs {ability}: {}\nhint: {}", missing.reason, missing.fix);
        return Ok(Status::CannotRunHere);
    }
    Ok(Status::Pass)
}
