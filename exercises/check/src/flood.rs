//! Much output, all of which must arrive: at whoever started the program, and in the log.
//!
//! A program writes [`LINES`] lines that differ from each other. What a relay makes of them is looked at from outside: the
//! log's file, the memory of the process, the packets on its sockets.

use std::error::Error;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use mini_sys::ipc;

use crate::{Check, kernel};

/// So many lines of 100 bytes the program writes: 48 MB.
pub const LINES: usize = 480_000;

/// What a program can have written at most while nobody reads, in bytes: pipes, sockets and one queue, with a margin.
pub const HELD: u64 = 16_000_000;

/// The relay's queues together are to stay well below what the program writes, in kB.
const MEMORY: u64 = 36_000;

/// As the program writes it.
pub fn line(word: &str, number: usize) -> String {
    format!("{:.<99}\n", format!("{word} {number} "))
}

/// One flood: its word, where its log is, and the invariant that it is about.
#[derive(Debug)]
pub struct Flood {
    /// What every line begins with.
    pub word: String,
    /// The log's file.
    pub log: PathBuf,
    /// The invariant.
    pub invariant: u32,
}

impl Flood {
    /// Bytes in the log; none where there is no log yet.
    pub fn log_size(&self) -> u64 {
        fs::metadata(&self.log).map_or(0, |metadata| metadata.len())
    }

    /// Waits until the log has begun and does not grow any more.
    pub fn stands_still(&self) {
        let mut before = (self.log_size(), 0);
        while before.1 < 8 {
            sleep(Duration::from_millis(100));
            let now = self.log_size();
            let still = now == before.0 && now > 0;
            before = (now, if still { before.1 + 1 } else { 0 });
        }
    }

    /// Claims that the log stops short of what was written, while nobody reads.
    pub fn is_held(&self, check: &mut Check) {
        let written = self.log_size();
        check
            .invariant(self.invariant, "while its starter does not read, the program waits")
            .expected(format!("the log stops short of {HELD} bytes"))
            .found(format!("the log has {written} bytes"))
            .cause("what waits for the starter is bounded, and it must lose nothing: so from some length on the program's output stays in its pipe")
            .holds(written < HELD);
    }

    /// Claims that the relay, the process `pid`, never had much in memory.
    ///
    /// # Errors
    /// Those of reading `/proc/PID/status`.
    pub fn memory(&self, check: &mut Check, pid: u32, cause: &str) -> Result<(), Box<dyn Error>> {
        let most = kernel::status(pid, "VmHWM")?;
        let kilobytes: u64 = most.split(' ').next().unwrap_or_default().parse()?;
        check
            .invariant(self.invariant, "no queue grows without end: VmHWM of /proc/PID/status")
            .expected(format!("less than {MEMORY} kB, of 48 MB that were written"))
            .found(&most)
            .cause(cause)
            .holds(kilobytes < MEMORY);
        Ok(())
    }

    /// Claims that what the starter `read` is what was written, and that the log has it too.
    ///
    /// # Errors
    /// Those of reading the log.
    pub fn compare(&self, check: &mut Check, read: &[u8]) -> Result<(), Box<dyn Error>> {
        let written: String = (0..LINES).map(|number| line(&self.word, number)).collect();
        check
            .invariant(self.invariant, "who started the program reads all that it wrote, in order")
            .expected(format!("{} bytes", written.len()))
            .found(difference(read, written.as_bytes()))
            .cause("what could not be sent now stays at the head of the queue; only what was sent is taken from it")
            .holds(read == written.as_bytes());
        let log = fs::read_to_string(&self.log)?;
        let logged = log.lines().zip(0..).filter(|(record, number)| {
            let text = line(&self.word, *number);
            record.strip_prefix("{\"log\":\"").is_some_and(|rest| rest.starts_with(text.trim_end()))
        });
        let logged = logged.count();
        check
            .invariant(self.invariant, "the log has every line")
            .expected(format!("{LINES} records"))
            .found(format!("{logged} records that are right"))
            .cause("the log is written before any client is told")
            .holds(logged == LINES && log.lines().count() == LINES);
        Ok(())
    }
}

/// The next packet; empty when the other side is gone.
///
/// # Errors
/// Those of recvmsg(2).
pub fn message(socket: &OwnedFd) -> mini_sys::Result<Vec<u8>> {
    let mut packet = vec![0; 40_000];
    let (length, _) = ipc::receive(socket, &mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

/// All of a program's output: what follows a `1`, until the other side is gone or has told the end with an `x`.
///
/// # Errors
/// Those of recvmsg(2).
pub fn all_of(socket: &OwnedFd) -> mini_sys::Result<Vec<u8>> {
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
