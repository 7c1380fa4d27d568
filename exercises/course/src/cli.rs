//! The command line as it is typed.

use std::process::ExitCode;

use anstream::eprintln;
use clap::{Parser, Subcommand};

use crate::commands::author;
use crate::status::Status;

/// Exercises on how containers work, with a checker that asks the kernel.
#[derive(Debug, Parser)]
#[command(name = "cargo course", bin_name = "cargo course", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// For authors: generate starters, prove checks.
    #[command(hide = true)]
    Author {
        #[command(subcommand)]
        verb: author::Verb,
    },
}

pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.verb {
        Verb::Author { verb } => author::run(verb),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("course: {error:#}");
            Status::Fail.into()
        }
    }
}
