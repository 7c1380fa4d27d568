//! `cargo course`: the exercises, from a student's copy to the verdict.
//!
//! A verb is a file in `commands`. Each reads its arguments, makes a few calls of the library, and prints; only
//! this program prints or picks an exit status: 0 pass, 1 fail, 2 usage, 3 cannot run here.

mod cli;
mod commands {
    pub(crate) mod author;
    pub(crate) mod check;
    pub(crate) mod doctor;
    pub(crate) mod hint;
    pub(crate) mod init;
    pub(crate) mod list;
    pub(crate) mod next;
    pub(crate) mod report;
    pub(crate) mod reset;
    pub(crate) mod restore;
    pub(crate) mod solution;
    pub(crate) mod start;
    pub(crate) mod update;
}
mod desk;
mod failure;
mod status;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(status) => status.into(),
        Err(error) => failure::report(&error).into(),
    }
}
