//! Completion of words in bash, zsh and fish: commands and flags by their descriptions, containers and images by name.
//! As with Docker, a verb is offered the containers that it can do something with.
//!
//! `completion SHELL` prints a few lines for the shell, which call this program again, with the words typed so far, each
//! time somebody presses Tab. A variable of the environment tells that it is such a call.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use mini_engine::{Home, Record, Status};

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
    let verb = command.get_name().to_owned();
    let wanted = move |start: &OsStr| containers(start, of_use(&verb));
    let operand = |arg: clap::Arg| {
        let wanted = wanted.clone();
        let names = arg.get_value_names().unwrap_or_default();
        let first = names.first().map(|name| name.to_string());
        // What follows an image is a command in it, of which nothing is known here.
        let is_alone = names.len() == 1;
        match first.filter(|_| arg.is_positional()).as_deref() {
            Some("CONTAINER") if is_alone => arg.add(ArgValueCompleter::new(wanted)),
            Some("CONTAINER") => arg.add(ArgValueCompleter::new(move |start: &OsStr| {
                once(wanted(start), |start| containers(start, |_| true))
            })),
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
    all: impl Fn(&OsStr) -> Vec<CompletionCandidate>,
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

/// Which containers a verb has a use for; all where it does not matter.
fn of_use(verb: &str) -> fn(Status) -> bool {
    match verb {
        "start" => |status| !status.is_active(),
        "rm" if is_forced() => |_| true,
        "rm" => |status| !status.is_active(),
        "pause" | "attach" | "exec" => |status| status == Status::Running,
        "unpause" => |status| status == Status::Paused,
        "stop" | "kill" | "wait" | "top" | "stats" | "port" | "diff" | "commit" => {
            |status| status.is_active()
        }
        _ => |_| true,
    }
}

/// Whether `rm` is told to end what it removes.
fn is_forced() -> bool {
    std::env::args().any(|word| {
        word == "--force"
            || word
                .strip_prefix('-')
                .is_some_and(|letters| !letters.starts_with('-') && letters.contains('f'))
    })
}

/// The containers whose names begin like this, as far as their state is wanted.
fn containers(start: &OsStr, wanted: impl Fn(Status) -> bool) -> Vec<CompletionCandidate> {
    let Some(home) = home() else { return Vec::new() };
    let is_wanted = |name: &String| {
        let id = fs::read_link(home.names().join(name)).ok();
        // One that cannot be read has a name all the same, and `rm -f` has a use for it.
        id.filter(|id| home.containers().join(id).exists()).is_some_and(|id| {
            let record = Record::load(&home, &id.to_string_lossy()).ok().flatten();
            wanted(record.map_or(Status::Exited, |record| status(&record)))
        })
    };
    starting(names(&home.names()).into_iter().filter(is_wanted), start)
}

/// How far in its life it is. One whose monitor is gone has ended, which the next command will write down.
fn status(record: &Record) -> Status {
    let state = &record.state;
    let is_looked_after = state.monitor.as_ref().is_some_and(|monitor| monitor.is_alive());
    if state.status.is_active() && !is_looked_after { Status::Exited } else { state.status }
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
    let mut all = containers(start, |_| true);
    all.extend(images(start));
    all
}
