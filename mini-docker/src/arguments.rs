//! Reads the arguments as Docker reads them, and says what is wrong with them in its words.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, as_docker_reads};
use crate::failure::{Failure, OURS};
use crate::help;

/// What somebody wants.
pub(crate) enum Asked {
    /// That a command is carried out.
    Command(Box<Cli>),
    /// This help.
    Help(String),
}

/// Reads the arguments.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Asked, Failure> {
    let arguments: Vec<OsString> = arguments.collect();
    let matches = as_docker_reads(Cli::command()).try_get_matches_from(&arguments);
    let read = matches.and_then(|matches| {
        let root_is_typed = matches.value_source("root") == Some(ValueSource::CommandLine);
        Cli::from_arg_matches(&matches).map(|mut cli| {
            cli.root_is_typed = root_is_typed;
            cli
        })
    });
    match read {
        Ok(cli) => Ok(Asked::Command(Box::new(cli))),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            ) =>
        {
            Ok(Asked::Help(help::of(&arguments)))
        }
        Err(error) => Err(usage(&error, &arguments)),
    }
}

/// Docker's words for arguments that cannot be read, on one line.
fn usage(error: &clap::Error, arguments: &[OsString]) -> Failure {
    let about = help::about(arguments);
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        Some(ContextValue::StyledStrs(texts)) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    };
    // What follows is how the value is called in the help.
    let flag = text(ContextKind::InvalidArg).split([' ', '[', '=']).next().unwrap_or_default().to_owned();
    let value = text(ContextKind::InvalidValue);
    let spelled = about.flags.iter().find(|(long, _)| *long == flag).map_or(&flag, |(_, both)| both);
    let message = match error.kind() {
        ErrorKind::UnknownArgument if !flag.starts_with('-') => {
            format!("'{}' {}", about.name, about.operands)
        }
        ErrorKind::UnknownArgument => format!("unknown flag: {flag}"),
        ErrorKind::InvalidSubcommand => {
            format!("unknown command: {} {}", about.name, text(ContextKind::InvalidSubcommand))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("flag needs an argument: {flag}"),
        ErrorKind::InvalidValue => format!("invalid argument \"{value}\" for \"{spelled}\" flag"),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("invalid argument \"{value}\" for \"{spelled}\" flag: {why}")
        }
        ErrorKind::MissingRequiredArgument => format!("'{}' {}", about.name, about.operands),
        ErrorKind::ArgumentConflict => format!("{flag} was given twice, or beside what excludes it"),
        _ => first_line(&error.to_string()),
    };
    let suggestion =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
            .map(text)
            .into_iter()
            .find(|text| !text.is_empty());
    let more = format!("usage is `{}`, and `{} --help` tells more", about.usage, about.name);
    let hint = suggestion.map_or(more.clone(), |word| format!("did you mean `{word}`? {more}"));
    // Docker keeps 125 for flags; a command that does not exist or lacks an operand is 1.
    let status = match error.kind() {
        ErrorKind::InvalidSubcommand | ErrorKind::MissingRequiredArgument => 1,
        ErrorKind::UnknownArgument if !flag.starts_with('-') => 1,
        _ => OURS,
    };
    Failure { message, hint: Some(hint), status }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
