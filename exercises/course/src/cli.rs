//! The command line as it is typed.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::commands::{
    author, check, doctor, hint, init, list, next, report, reset, restore, solution, start, update,
};
use crate::status::Status;

/// Exercises on how containers work, with a checker that asks the kernel.
///
/// `init` makes a directory to work in; all other commands are typed there. The exit status is 0 when what was checked
/// passes, 1 when it fails, 2 for a command that makes no sense, and 3 when this machine cannot run it.
#[derive(Debug, Parser)]
#[command(name = "cargo course", bin_name = "cargo course", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Look what this machine can do, and say how to mend what it cannot
    Doctor,
    /// Make a copy of the course to work in
    Init(init::Arguments),
    /// List all exercises, and how far you are
    List,
    /// Begin the first exercise that you have not solved
    Next,
    /// Begin an exercise: show the task, and what to edit
    Start(start::Arguments),
    /// Check an exercise, or several
    Check(check::Arguments),
    /// Show one more hint
    Hint(hint::Arguments),
    /// Show the solution, after a pass or when you give up
    Solution(solution::Arguments),
    /// Bring an exercise back to how you got it; your changes are kept aside
    Reset(reset::Arguments),
    /// Take over what is new in the course; files that you changed stay yours
    Update,
    /// Take away what a killed check has left on this machine
    Restore,
    /// Show what you have done so far
    Report(report::Arguments),
    /// For authors: generate starters, prove checks
    #[command(hide = true)]
    Author {
        #[command(subcommand)]
        verb: author::Verb,
    },
}

/// Reads the arguments and does what they say. Wrong ones end the program here, with status 2.
pub(crate) fn run() -> Result<Status> {
    match Arguments::parse().verb {
        Verb::Doctor => doctor::run(),
        Verb::Init(arguments) => init::run(&arguments),
        Verb::List => list::run(),
        Verb::Next => next::run(),
        Verb::Start(arguments) => start::run(&arguments),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Hint(arguments) => hint::run(&arguments),
        Verb::Solution(arguments) => solution::run(&arguments),
        Verb::Reset(arguments) => reset::run(&arguments),
        Verb::Update => update::run(),
        Verb::Restore => restore::run(),
        Verb::Report(arguments) => report::run(&arguments),
        Verb::Author { verb } => author::run(verb),
    }
}
