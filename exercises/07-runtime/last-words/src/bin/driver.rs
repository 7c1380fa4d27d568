//! `driver DIRECTORY FILES MOST PROGRAM`: starts PROGRAM with your code, and prints `runs PID`, or `step N: ERRNO`. Where it
//! runs, `ended STATUS` follows. Stays until its standard input ends.

#[path = "../start.rs"]
mod start;

use std::error::Error;
use std::ffi::CString;
use std::io::Read as _;

use mini_sys::pidfd;
use start::{Failure, Order};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [directory, files, most, program] = &words[..] else {
        return Err("usage: driver DIRECTORY FILES MOST PROGRAM".into());
    };
    let order = Order {
        directory: directory.into(),
        files: (files.parse()?, most.parse()?),
        program: CString::new(program.as_str())?,
    };
    match start::start(&order)? {
        Ok(child) => {
            println!("runs {}", child.pid);
            println!("ended {}", pidfd::wait(child.pidfd)?.shell_code());
        }
        Err(Failure { step, errno }) => println!("step {step}: {errno:?}"),
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
