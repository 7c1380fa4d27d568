//! `driver DIRECTORY WORD LINES`: a program that writes LINES lines about WORD, and a relay of chapter 7 around your code.
//!
//! Who connects to the socket `starter` in DIRECTORY counts as the one who started the program, who connects to `door`
//! looks on, and the log is `log`. Prints `ready`; the program begins at a line on standard input. Then `ended`, when it
//! has, and `done`, when everybody has been told. Stays until its standard input ends.

use std::error::Error;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use ex_slow_reader::log::{Log, Options, Rotation, Target};
use ex_slow_reader::relay::Relay;
use ex_slow_reader::stdio;
use mini_sys::clone::{ABANDONED, fork, leave};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::pidfd;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory, word, lines] = &words[..] else {
        return Err("usage: driver DIRECTORY WORD LINES".into());
    };
    let directory = Path::new(directory);
    let lines: usize = lines.parse()?;
    let (starter, door) = (ipc::listen(directory, "starter")?, ipc::listen(directory, "door")?);
    println!("ready");
    let starter = wait_for(&starter)?;
    let to_files = Options { to: Target::Files(Rotation::default()), attributes: Vec::new() };
    let mut relay = Relay::new(Some(Log::open(&directory.join("log"), &to_files)?), Some(door), false);
    let (program, monitor) = stdio::pair(false, false)?;
    let child = fork(|| leave(write(&program.stdout, word, lines).map_or(ABANDONED, |()| 0)))?;
    drop(program);
    relay.begin(monitor, child.pid.as_raw());
    relay.attach(starter);
    while !relay.turn(&[child.pidfd.as_fd()], None)?.ready[0] {}
    let status = pidfd::wait(&child.pidfd)?.shell_code();
    relay.drain();
    relay.end(status);
    println!("ended");
    relay.finish()?;
    println!("done");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Who comes in first.
fn wait_for(listener: &OwnedFd) -> Result<OwnedFd, Box<dyn Error>> {
    ipc::poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], None)?;
    ipc::accept(listener)?.ok_or_else(|| "nobody came in".into())
}

/// The program: waits for a line, and writes.
fn write(output: &OwnedFd, word: &str, lines: usize) -> mini_sys::Result<()> {
    ipc::read(std::io::stdin(), &mut [0; 64])?;
    for first in (0..lines).step_by(1000) {
        let text: String = (first..lines.min(first + 1000)).map(|number| line(word, number)).collect();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let length = ipc::write(output, rest)?;
            rest = &rest[length..];
        }
    }
    Ok(())
}

/// A line of 100 bytes.
fn line(word: &str, number: usize) -> String {
    format!("{:.<99}\n", format!("{word} {number} "))
}
