//! `cargo course`: the exercises, from a student's copy to the verdict.
//!
//! A verb is a file in `commands`. Each reads its arguments, makes a few calls of the library, and prints; only
//! this program prints or picks an exit status: 0 pass, 1 fail, 2 usage, 3 cannot run here.

mod cli;
mod commands {
    pub(crate) mod author;
}
mod status;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
