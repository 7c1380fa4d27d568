//! Completion of words in bash, zsh and fish: commands and flags by their descriptions, containers and images by name.
//!
//! `completion SHELL` prints a few lines for the shell, which call this program again, with the words typed so far, each
//! time somebody presses Tab. A variable of the environment tells that it is such a call.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use mini_engine::Home;

use crate::cli::as_shown;
use crate::place;

/// The variable; its value is the shell.
pub(crate) const VARIABLE: &str = "_MINI_DOCKER_COMPLETE";

/// Answers a shell that asks for words, if one does.
pub(crate) fn answer() {
    if std::env::var_os(VARIABLE).is_some() {
        CompleteEnv::with_factory(command).var(VARIABLE).complete();
    }
}

/// The command with what its operands can be. As in Docker, flags are offered to who begins to type one.
fn command() -> clap::Command {
    let is_flag = std::env::args_os().next_back().is_some_and(|word| word.to_string_lossy().starts_with('-'));
    completed(as_shown(), is_flag)
}

fn completed(command: clap::Command, flags: bool) -> clap::Command {
    let operand = |arg: clap::Arg| {
        let names = arg.get_value_names().unwrap_or_default();
        let first = names.first().map(|name| name.to_string());
        // What follows an image is a command in it, of which nothing is known here.
        let is_alone = names.len() == 1;
        match first.filter(|_| arg.is_positional()).as_deref() {
            Some("CONTAINER") if is_alone => arg.add(ArgValueCompleter::new(containers)),
            Some("CONTAINER") => {
                arg.add(ArgValueCompleter::new(|start: &OsStr| once(containers(start), containers)))
            }
            Some("IMAGE") if !is_alone => {
                arg.add(ArgValueCompleter::new(|start: &OsStr| once(images(start), images)))
            }
            Some(
                "IMAGE" | "NAME[:TAG|@DIGEST]" | "SOURCE_IMAGE[:TAG]" | "REPOSITORY[:TAG]" | "NAME[:TAG]",
            ) => arg.add(ArgValueCompleter::new(images)),
            Some("VOLUME") => arg.add(ArgValueCompleter::new(volumes)),
            Some("NAME|ID") => arg.add(ArgValueCompleter::new(objects)),
            _ if arg.is_positional() => arg,
            _ => arg.hide(!flags),
        }
    };
    command.mut_args(operand).mut_subcommands(|inner| completed(inner, flags))
}

/// The engine that the typed command is about.
fn home() -> Option<Home> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let root = words.windows(2).find(|pair| pair[0] == "--root").map(|pair| pair[1].clone());
    let root = root.or_else(|| std::env::var_os("MINI_DOCKER_ROOT"));
    place::home(root.map(Into::into)).ok()
}

fn starting(names: impl IntoIterator<Item = String>, start: &OsStr) -> Vec<CompletionCandidate> {
    let start = start.to_string_lossy();
    let mut names: Vec<String> = names.into_iter().filter(|name| name.starts_with(&*start)).collect();
    names.sort();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The names that begin like this, unless one of all has been typed before.
fn once(
    found: Vec<CompletionCandidate>,
    all: fn(&OsStr) -> Vec<CompletionCandidate>,
) -> Vec<CompletionCandidate> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let before = words.split_last().map_or(&[][..], |(_, before)| before);
    let is_typed = all(OsStr::new("")).iter().any(|name| before.iter().any(|word| word == name.get_value()));
    if is_typed { Vec::new() } else { found }
}

/// The names in a directory; none where there is none.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn containers(start: &OsStr) -> Vec<CompletionCandidate> {
    let Some(home) = home() else { return Vec::new() };
    let exists = |name: &String| {
        fs::read_link(home.names().join(name)).is_ok_and(|id| home.containers().join(id).exists())
    };
    starting(names(&home.names()).into_iter().filter(exists), start)
}

fn images(start: &OsStr) -> Vec<CompletionCandidate> {
    // Whoever presses Tab does not want directories to be made.
    let home = home().filter(|home| home.path().join("images").exists());
    let images = home.and_then(|home| home.images().ok()?.list().ok()).unwrap_or_default();
    let names = images.iter().flat_map(|image| &image.names).filter(|name| name.digest().is_none());
    let tagged = |name: &mini_images::Reference| {
        let repository = name.familiar_repository();
        match name.tag() {
            Some(tag) if tag != "latest" => format!("{repository}:{tag}"),
            _ => repository,
        }
    };
    starting(names.map(tagged), start)
}

fn volumes(start: &OsStr) -> Vec<CompletionCandidate> {
    starting(home().map(|home| names(&home.path().join("volumes"))).unwrap_or_default(), start)
}

fn objects(start: &OsStr) -> Vec<CompletionCandidate> {
    let mut all = containers(start);
    all.extend(images(start));
    all
}
