//! Does a reader that stops hold up the program, lose what it should not, or fill the memory?

use std::error::Error;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use course_check::flood::{Flood, LINES, all_of, message};
use course_check::{Check, Program};
use mini_sys::ipc;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(5);
        if onlooker_stops(check)? {
            starter_is_slow(check)?;
        }
        Ok(())
    })
}

/// One looks on and stops reading; the starter reads on. False when nothing more can be learned.
fn onlooker_stops(check: &mut Check) -> Result<bool, Box<dyn Error>> {
    let mut run = Run::new(check, "onlooker")?;
    let starter = run.connect("starter")?;
    let onlooker = run.connect("door")?;
    ipc::send(&onlooker, &[b"a"], true)?;
    // It is told that the program is there, and hears nothing more from then on.
    message(&onlooker)?;
    let reader = thread::spawn(move || all_of(&starter));
    run.program.say("go")?;
    let ended = run.program.line();
    if ended.is_err() && !run.program.stderr().is_empty() {
        ended?;
        return Ok(false);
    }
    let went_on = check
        .invariant(5, "one who looks on stops reading: the program and its log go on")
        .expected("the program writes all it has and ends")
        .found(match &ended {
            Ok(_) => "it ended".to_owned(),
            Err(error) => format!("{error}; the log has {} bytes", run.flood.log_size()),
        })
        .cause("one process serves all: it may never wait for a client to read (`false` in `send`), and the program may wait for one client only")
        .holds(ended.is_ok());
    if !went_on {
        return Ok(false);
    }
    run.program.line()?;
    run.flood.memory(
        check,
        run.program.pid(),
        "that one has to be sent away when too much waits for it: the log has what it misses",
    )?;
    drop(onlooker);
    let read = reader.join().map_err(|_| "the reader's thread panicked")??;
    run.flood.compare(check, &read)?;
    run.program.finish()?;
    Ok(true)
}

/// The starter does not read until nothing moves any more.
fn starter_is_slow(check: &mut Check) -> Result<(), Box<dyn Error>> {
    let mut run = Run::new(check, "starter")?;
    let starter = run.connect("starter")?;
    run.program.say("go")?;
    run.flood.stands_still();
    run.flood.is_held(check);
    let read = thread::spawn(move || all_of(&starter));
    let read = read.join().map_err(|_| "the reader's thread panicked")??;
    run.program.line()?;
    run.program.line()?;
    run.flood.memory(check, run.program.pid(), "the starter's queue has no end")?;
    run.flood.compare(check, &read)?;
    run.program.finish()?;
    Ok(())
}

/// One run of the relay.
struct Run {
    program: Program,
    directory: PathBuf,
    flood: Flood,
}

impl Run {
    fn new(check: &mut Check, name: &str) -> Result<Self, Box<dyn Error>> {
        let directory = check.directory(name)?;
        let word = check.word();
        let words = [directory.as_os_str(), word.as_ref(), LINES.to_string().as_ref()].map(ToOwned::to_owned);
        let mut program = check.start("driver", words)?;
        program.patience(Duration::from_secs(30));
        program.line()?;
        let flood = Flood { word, log: directory.join("log"), invariant: 5 };
        Ok(Self { program, directory, flood })
    }

    fn connect(&self, name: &str) -> mini_sys::Result<OwnedFd> {
        ipc::connect(&self.directory, name)
    }
}
