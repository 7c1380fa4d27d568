//! The program that is started: it stays until its standard input ends, and ends with 127. It is allowed to.

use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    ExitCode::from(127)
}
