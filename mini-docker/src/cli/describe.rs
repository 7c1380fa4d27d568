//! Commands and flags as clap has them described: those of one verb to read what was typed, all to show them.
//!
//! There are some hundred verbs under all their names, and describing the flags of each takes a third of a millisecond,
//! which is more than the kernel takes for a new mount namespace. So a verb's are described when its name is met.

use std::ops::Deref;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, CommandFactory as _, Error, FromArgMatches};

use crate::cli::Cli;

/// What was typed after a verb. It is boxed, as the largest verb has sixty flags and most have three.
#[derive(Debug)]
pub(crate) struct Late<T>(Box<T>);

impl<T> Deref for Late<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: FromArgMatches> FromArgMatches for Late<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(|typed| Self(Box::new(typed)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Late<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(|verb| {
            // What is said of the flags as a whole is for who reads the code.
            let about = verb.get_about().cloned().unwrap_or_default();
            as_docker_reads(T::augment_args(verb)).about(about).long_about(None)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The last of a repeated flag counts, a switch may be given a value (`--rm=false`), and what follows a flag that wants
/// one is its value, whatever it looks like: `--cpus -1`.
pub(crate) fn as_docker_reads(command: Command) -> Command {
    let read = |arg: Arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_parser(clap::value_parser!(bool)),
        _ if arg.get_action().takes_values() && !arg.is_positional() => arg.allow_hyphen_values(true),
        _ => arg,
    };
    command.args_override_self(true).mut_args(read).mut_subcommands(as_docker_reads)
}

/// All commands with all their flags, for who shows them; a switch is shown without the value that it may have.
pub(crate) fn as_shown() -> Command {
    fn shown(command: Command) -> Command {
        let show = |arg: Arg| match arg.get_default_values() {
            [default] if default == "false" && arg.is_require_equals_set() => {
                arg.action(ArgAction::SetTrue).num_args(0).require_equals(false).default_value(None)
            }
            _ => arg,
        };
        command.mut_args(show).mut_subcommands(shown)
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    shown(command)
}
