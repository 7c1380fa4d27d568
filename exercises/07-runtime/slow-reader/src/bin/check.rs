//! Does a reader that stops hold up the program, lose what it should not, or fill the memory?

use std::error::Error;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, sleep};
use std::time::Duration;

use course_check::{Check, Program, kernel};
use mini_sys::ipc;

/// So many lines of 100 bytes the program writes: 48 MB.
const LINES: usize = 480_000;

/// The relay's queues together are to stay well below what the program writes, in kB.
const MEMORY: u64 = 36_000;

/// What a program can have written at most while nobody reads: pipes, sockets and one queue, with a margin.
const HELD: u64 = 16_000_000;

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
            Err(error) => format!("{error}; the log has {} bytes", run.log_size()),
        })
        .cause("one process serves all: it may never wait for a client to read (`false` in `send`), and the program may wait for one client only")
        .holds(ended.is_ok());
    if !went_on {
        return Ok(false);
    }
    run.program.line()?;
    run.memory(check, "that one has to be sent away when too much waits for it: the log has what it misses")?;
    drop(onlooker);
    let read = reader.join().map_err(|_| "the reader's thread panicked")??;
    run.compare(check, &read)?;
    run.program.finish()?;
    Ok(true)
}

/// The starter does not read until nothing moves any more.
fn starter_is_slow(check: &mut Check) -> Result<(), Box<dyn Error>> {
    let mut run = Run::new(check, "starter")?;
    let starter = run.connect("starter")?;
    run.program.say("go")?;
    run.stands_still();
    let written = run.log_size();
    check
        .invariant(5, "while its starter does not read, the program waits")
        .expected(format!("the log stops short of {HELD} bytes"))
        .found(format!("the log has {written} bytes"))
        .cause("what waits for the starter is bounded, and it must lose nothing: so from some length on the program's output stays in its pipe")
        .holds(written < HELD);
    let read = thread::spawn(move || all_of(&starter));
    let read = read.join().map_err(|_| "the reader's thread panicked")??;
    run.program.line()?;
    run.program.line()?;
    run.memory(check, "the starter's queue has no end")?;
    run.compare(check, &read)?;
    run.program.finish()?;
    Ok(())
}

/// One run of the relay.
struct Run {
    program: Program,
    directory: PathBuf,
    word: String,
}

impl Run {
    fn new(check: &mut Check, name: &str) -> Result<Self, Box<dyn Error>> {
        let directory = check.directory(name)?;
        let word = check.word();
        let words = [directory.as_os_str(), word.as_ref(), LINES.to_string().as_ref()].map(ToOwned::to_owned);
        let mut program = check.start("driver", words)?;
        program.patience(Duration::from_secs(30));
        program.line()?;
        Ok(Self { program, directory, word })
    }

    fn connect(&self, name: &str) -> mini_sys::Result<OwnedFd> {
        ipc::connect(&self.directory, name)
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn log_size(&self) -> u64 {
        size(&self.log())
    }

    /// Waits until the log does not grow any more.
    fn stands_still(&self) {
        let mut before = (self.log_size(), 0);
        while before.1 < 8 {
            sleep(Duration::from_millis(100));
            let now = self.log_size();
            // Before the first byte it has not begun.
            let still = now == before.0 && now > 0;
            before = (now, if still { before.1 + 1 } else { 0 });
        }
    }

    fn memory(&self, check: &mut Check, cause: &str) -> Result<(), Box<dyn Error>> {
        let most = kernel::status(self.program.pid(), "VmHWM")?;
        let kilobytes: u64 = most.split(' ').next().unwrap_or_default().parse()?;
        check
            .invariant(5, "no queue grows without end: VmHWM of /proc/PID/status")
            .expected(format!("less than {MEMORY} kB, of 48 MB that were written"))
            .found(&most)
            .cause(cause)
            .holds(kilobytes < MEMORY);
        Ok(())
    }

    /// What the starter read, and the log, against what was written.
    fn compare(&self, check: &mut Check, read: &[u8]) -> Result<(), Box<dyn Error>> {
        let written: String = (0..LINES).map(|number| line(&self.word, number)).collect();
        check
            .invariant(5, "who started the program reads all that it wrote, in order")
            .expected(format!("{} bytes", written.len()))
            .found(difference(read, written.as_bytes()))
            .cause("what could not be sent now stays at the head of the queue; only what was sent is taken from it")
            .holds(read == written.as_bytes());
        let log = fs::read_to_string(self.log())?;
        let logged = log.lines().zip(0..).filter(|(record, number)| {
            let text = line(&self.word, *number);
            record.strip_prefix("{\"log\":\"").is_some_and(|rest| rest.starts_with(text.trim_end()))
        });
        let logged = logged.count();
        check
            .invariant(5, "the log has every line")
            .expected(format!("{LINES} records"))
            .found(format!("{logged} records that are right"))
            .cause("the log is written before any client is told")
            .holds(logged == LINES && log.lines().count() == LINES);
        Ok(())
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The next packet; empty when the other side is gone.
fn message(socket: &OwnedFd) -> mini_sys::Result<Vec<u8>> {
    let mut packet = vec![0; 40_000];
    let (length, _) = ipc::receive(socket, &mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

/// All of a program's output: what follows a `1`, until the other side is gone or has told the end with an `x`.
fn all_of(socket: &OwnedFd) -> mini_sys::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        match message(socket)?.split_first() {
            Some((b'1', bytes)) => all.extend_from_slice(bytes),
            Some((b'x', _)) | None => return Ok(all),
            Some(_) => {}
        }
    }
}

fn difference(read: &[u8], written: &[u8]) -> String {
    match read.iter().zip(written).position(|(one, other)| one != other) {
        Some(place) => format!("{} bytes, wrong from byte {place} on", read.len()),
        None => format!("{} bytes", read.len()),
    }
}

/// As the driver writes it.
fn line(word: &str, number: usize) -> String {
    format!("{:.<99}\n", format!("{word} {number} "))
}
