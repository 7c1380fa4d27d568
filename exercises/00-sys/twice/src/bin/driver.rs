//! `driver TASK FILE`: begins TASK, makes a child whose code panics, waits for it, and notes in FILE that it has cleaned
//! up. What it prints and notes should stand there once.

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ex_twice::clone;
use ex_twice::pidfd::{self, Exit};

/// Something that is to be taken away in the end, by the one process that made it.
struct CleanUp(PathBuf);

impl Drop for CleanUp {
    fn drop(&mut self) {
        let file = File::options().append(true).create(true).open(&self.0);
        let noted = file.and_then(|mut file| writeln!(file, "cleaned up by {}", std::process::id()));
        if let Err(error) = noted {
            eprintln!("driver: cannot note in {}: {error}", self.0.display());
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [task, file] = &words[..] else { return Err("usage: driver TASK FILE".into()) };
    let _clean_up = CleanUp(Path::new(file).to_owned());
    // Without a line end it stays in the buffer, which is memory, and is copied like all memory.
    print!("{task} begun; ");
    let child = clone::fork(|| panic!("the child's code panics"))?;
    match pidfd::wait(child.pidfd)? {
        Exit::Code(code) => println!("child ended with {code}"),
        Exit::Signal(number) => println!("child ended by signal {number}"),
    }
    Ok(())
}
