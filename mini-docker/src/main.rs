//! `mini-docker`: Docker's command line over this workspace's engine.
//!
//! This crate is glue: it reads arguments and the environment, makes one call of an engine, and prints. Whatever
//! is worth knowing about containers is in the chapter crates. Book ch. 10.

mod arguments;
mod cli;
mod commands;
mod complete;
mod detach_keys;
mod failure;
mod format;
mod help;
mod output;
mod place;
mod progress;
mod ps_options;
mod sealed;
mod session;
mod settings;
mod terminal;
mod values;

use std::process::ExitCode;

use arguments::Asked;

fn main() -> ExitCode {
    complete::answer();
    match arguments::read(std::env::args_os()) {
        Ok(Asked::Command(cli)) => finish(commands::run(*cli)),
        Ok(Asked::Help(text)) => finish(commands::print(&text)),
        Err(failure) => finish(Err(failure.into())),
    }
}

fn finish(result: anyhow::Result<u8>) -> ExitCode {
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => ExitCode::from(failure::report(&error)),
    }
}
