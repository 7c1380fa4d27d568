//! `course-probe [--break-out] [PATH…]`: reports what a process sees here, and waits until its input ends.
#![allow(clippy::print_stderr, reason = "its errors go to whoever started it")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match course_check::probe(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("probe: {error}");
            ExitCode::FAILURE
        }
    }
}
