//! `course update`: takes over what is new in the course.

use anstream::println;
use anstyle::AnsiColor;
use anyhow::Result;

use crate::desk::Desk;
use crate::status::Status;

pub(crate) fn run() -> Result<Status> {
    let desk = Desk::open()?;
    let origin = desk.copy.origin()?;
    let update = desk.copy.update(&origin)?;
    if update == course::copy::Update::default() {
        println!("nothing is new in {}", origin.display());
        return Ok(Status::Pass);
    }
    println!("{} files new or changed, {} removed", update.written.len(), update.removed.len());
    let yellow = AnsiColor::Yellow.on_default();
    for file in &update.kept {
        println!("{yellow}kept yours{yellow:#}: {} (changed by you and in the course)", file.display());
    }
    if !update.kept.is_empty() {
        println!(
            "hint: the course's version is below .course/pristine; `cargo course reset ID` takes it over"
        );
    }
    Ok(Status::Pass)
}
