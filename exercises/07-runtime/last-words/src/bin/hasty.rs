//! A program that ends at once, with 127. A shell does that too, when its last command was not found.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(127)
}
