//! `course next`: begins the first exercise that is not solved.

use anstream::println;
use anyhow::Result;

use crate::commands::start;
use crate::desk::Desk;
use crate::status::Status;

pub(crate) fn run() -> Result<Status> {
    let mut desk = Desk::open()?;
    let Some(id) = desk.next().map(|exercise| exercise.id.clone()) else {
        let open =
            desk.catalog.exercises.iter().filter(|it| desk.progress.of(&it.id).passed.is_none()).count();
        if open == 0 {
            println!("all {} exercises are solved", desk.catalog.exercises.len());
            return Ok(Status::Pass);
        }
        println!("what is not solved cannot run on this machine ({open} exercises): `cargo course list`");
        return Ok(Status::CannotRunHere);
    };
    start::begin(&mut desk, &id)
}
