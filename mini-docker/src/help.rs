//! `--help` as Docker prints it: commands in groups, flags by the alphabet, and examples at the end.
//!
//! The texts are those of [`crate::cli`]; this lays them out. It is called when somebody asks for help, so that no other
//! command pays for it.

pub(crate) mod examples;

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _};

use crate::cli::Cli;
use crate::terminal;

/// Commands that everyone needs, in Docker's order. What has commands of its own is listed apart.
const COMMON: [&str; 12] =
    ["run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info"];

/// Columns of a text that goes to no terminal.
const WIDTH: usize = 80;

/// The commands that the arguments name, one in the other: `container`, `ls`.
pub(crate) fn path(root: &Command, arguments: &[OsString]) -> Vec<String> {
    let mut command = root;
    let mut path = Vec::new();
    let mut is_value = false;
    for word in arguments.iter().skip(1).filter_map(|word| word.to_str()) {
        if std::mem::take(&mut is_value) || (path.is_empty() && word == "help") {
            continue;
        }
        if word.starts_with('-') {
            // The one flag before commands that has a value.
            is_value = path.is_empty() && word == "--root";
            continue;
        }
        let Some(next) = command.find_subcommand(word) else { break };
        path.push(next.get_name().to_owned());
        command = next;
    }
    path
}

/// The help for the command that the arguments name.
pub(crate) fn of(arguments: &[OsString]) -> String {
    let mut root = Cli::command();
    root.build();
    text(&root, &path(&root, arguments))
}

/// What a message about wrong arguments tells of the command that they name.
pub(crate) struct About {
    /// `mini-docker container ls`.
    pub(crate) name: String,
    /// Its usage on a line.
    pub(crate) usage: String,
    /// Docker's words for how many operands it wants.
    pub(crate) operands: String,
    /// Its flags that have a letter too: `--env`, and `-e, --env`.
    pub(crate) flags: Vec<(String, String)>,
}

/// The command that the arguments name.
pub(crate) fn about(arguments: &[OsString]) -> About {
    let mut root = Cli::command();
    root.build();
    let path = path(&root, arguments);
    let command = find(&root, &path);
    let name = full_name(&path);
    let flags = command.get_arguments().filter_map(|flag| Some((flag.get_short()?, flag.get_long()?)));
    let flags = flags.map(|(letter, long)| (format!("--{long}"), format!("-{letter}, --{long}"))).collect();
    About { usage: usage(command, &name), operands: operands(command), name, flags }
}

fn operands(command: &Command) -> String {
    let is_list = |operand: &&Arg| {
        matches!(operand.get_action(), clap::ArgAction::Append)
            || operand.get_num_args().is_some_and(|count| count.max_values() > 1)
    };
    let least = command.get_positionals().filter(|operand| operand.is_required_set()).count();
    let most = command.get_positionals().count();
    let arguments = |count: usize| if count == 1 { "argument" } else { "arguments" };
    if command.get_positionals().any(|operand| is_list(&operand)) {
        return format!("requires at least {least} {}", arguments(least));
    }
    match (least, most) {
        (_, 0) => "accepts no arguments".to_owned(),
        (0, most) => format!("requires at most {most} {}", arguments(most)),
        (least, most) if least == most => format!("requires {least} {}", arguments(least)),
        (least, most) => format!("requires at least {least} and at most {most} {}", arguments(most)),
    }
}

fn find<'a>(root: &'a Command, path: &[String]) -> &'a Command {
    path.iter().fold(root, |command, name| command.find_subcommand(name).unwrap_or(command))
}

fn full_name(path: &[String]) -> String {
    ["mini-docker"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

/// The help for the program as a whole.
pub(crate) fn of_all() -> String {
    let mut root = Cli::command();
    root.build();
    text(&root, &[])
}

fn text(root: &Command, path: &[String]) -> String {
    let command = path.iter().fold(root, |command, name| command.find_subcommand(name).unwrap_or(command));
    let name =
        ["mini-docker"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("Usage:  {}\n\n{about}\n", usage(command, &name));
    if command.has_subcommands() {
        text += &if path.is_empty() { groups(command) } else { section("Commands", all(command)) };
        text += &options("Global Options", command.get_arguments().filter(|_| path.is_empty()));
        return format!("{text}\nRun '{name} COMMAND --help' for more information on a command.\n");
    }
    let twins = twins(root, path);
    if twins.len() > 1 {
        text += &format!("\nAliases:\n  {}\n", twins.join(", "));
    }
    text += &options("Options", command.get_arguments().filter(|flag| !flag.is_global_set()));
    // runc's commands have the names of Docker's, and do something else.
    let verb = path.last().filter(|_| path[0] != "oci");
    let examples = verb.map_or(&[][..], |verb| examples::of(verb));
    if !examples.is_empty() {
        let line = |example: &&str| format!("  {example}\n");
        text += &format!("\nExamples:\n{}", examples.iter().map(line).collect::<String>());
    }
    text
}

/// `mini-docker run [OPTIONS] IMAGE [COMMAND] [ARG...]`.
pub(crate) fn usage(command: &Command, name: &str) -> String {
    if command.has_subcommands() {
        let options = if name.contains(' ') { "" } else { " [OPTIONS]" };
        return format!("{name}{options} COMMAND");
    }
    let has_flags = command.get_arguments().any(|flag| is_flag(flag) && !flag.is_global_set());
    let mut words = vec![name.to_owned()];
    words.extend(has_flags.then(|| "[OPTIONS]".to_owned()));
    for operand in command.get_positionals() {
        let names: Vec<&str> = match operand.get_value_names() {
            Some(names) => names.iter().map(|name| name.as_str()).collect(),
            None => vec![operand.get_id().as_str()],
        };
        let is_list = operand.get_num_args().is_some_and(|count| count.max_values() > 1)
            || matches!(operand.get_action(), clap::ArgAction::Append);
        let last = names.len() - 1;
        for (index, name) in names.iter().enumerate() {
            let is_needed = operand.is_required_set() && index == 0;
            let more = is_list && index == last;
            words.push(match (is_needed, more) {
                (true, false) => (*name).to_owned(),
                (true, true) => format!("{name} [{name}...]"),
                (false, true) => format!("[{name}...]"),
                (false, false) => format!("[{name}]"),
            });
        }
    }
    words.join(" ")
}

fn groups(root: &Command) -> String {
    let (groups, single): (Vec<&Command>, Vec<&Command>) =
        all(root).into_iter().partition(|command| command.has_subcommands());
    let is_common = |command: &&Command| COMMON.contains(&command.get_name());
    let (mut common, others): (Vec<&Command>, Vec<&Command>) = single.into_iter().partition(is_common);
    common.sort_by_key(|command| COMMON.iter().position(|name| *name == command.get_name()));
    section("Common Commands", common)
        + &section("Management Commands", groups)
        + &section("Commands", others)
}

/// The commands of a command that are to be seen, by the alphabet.
fn all(command: &Command) -> Vec<&Command> {
    let is_shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    let mut commands: Vec<&Command> = command.get_subcommands().filter(is_shown).collect();
    commands.sort_by_key(|command| command.get_name().to_owned());
    commands
}

fn section(title: &str, commands: Vec<&Command>) -> String {
    let width = commands.iter().map(|command| command.get_name().len()).max().unwrap_or(0).max(11);
    let line = |command: &Command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {:<width$} {about}\n", command.get_name())
    };
    if commands.is_empty() {
        return String::new();
    }
    format!("\n{title}:\n{}", commands.into_iter().map(line).collect::<String>())
}

/// The names under which the same command is found: `container ls` and `ps`.
fn twins(root: &Command, path: &[String]) -> Vec<String> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let verb = match names[..] {
        ["oci", ..] => "",
        ["container", "ls"] => "ps",
        ["image", "ls"] => "images",
        ["image", "rm"] => "rmi",
        [_, "inspect" | "prune" | "ls"] | ["inspect"] | [] => "",
        [.., verb] => verb,
    };
    let (group, long) = match verb {
        "ps" => ("container", "ls"),
        "images" => ("image", "ls"),
        "rmi" => ("image", "rm"),
        verb => {
            let has = |group: &&str| {
                root.find_subcommand(group).is_some_and(|group| group.find_subcommand(verb).is_some())
            };
            (["container", "image", "system"].into_iter().find(has).unwrap_or_default(), verb)
        }
    };
    let names = |command: &Command, before: &str| {
        let aliases = command.get_visible_aliases();
        let names = std::iter::once(command.get_name()).chain(aliases);
        names.map(|name| format!("mini-docker {before}{name}")).collect::<Vec<_>>()
    };
    let long = root.find_subcommand(group).and_then(|group| group.find_subcommand(long));
    let short = root.find_subcommand(verb).filter(|command| !command.has_subcommands());
    match (long, short) {
        (Some(long), Some(short)) => {
            let mut all = names(long, &format!("{group} "));
            all.sort_by_key(|name| name.rsplit(' ').next() != Some(long.get_name()));
            all.extend(names(short, ""));
            all
        }
        _ => Vec::new(),
    }
}

fn is_flag(arg: &Arg) -> bool {
    !arg.is_positional() && !arg.is_hide_set() && arg.get_id() != "help"
}

fn options<'a>(title: &str, args: impl Iterator<Item = &'a Arg>) -> String {
    let mut flags: Vec<&Arg> = args.filter(|arg| is_flag(arg)).collect();
    flags.sort_by_key(|flag| flag.get_long().unwrap_or_default().to_owned());
    let lefts: Vec<String> = flags.iter().map(|flag| left(flag)).collect();
    let Some(width) = lefts.iter().map(String::len).max() else { return String::new() };
    let columns = terminal::size().map_or(WIDTH, |size| usize::from(size.columns)).max(width + 30);
    let line = |(flag, left): (&&Arg, &String)| {
        let lines = wrap(&right(flag), columns - width - 4);
        let indent = format!("\n{:1$}", "", width + 3);
        format!("{left:<width$}   {}\n", lines.join(&indent))
    };
    format!("\n{title}:\n{}", flags.iter().zip(&lefts).map(line).collect::<String>())
}

/// `  -f, --filter filter`.
fn left(flag: &Arg) -> String {
    let short = flag.get_short().map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let long = flag.get_long().unwrap_or_default();
    let needs_value =
        flag.get_action().takes_values() && flag.get_num_args().is_none_or(|count| count.min_values() > 0);
    let value = if !needs_value {
        String::new()
    } else {
        let names = flag.get_value_names().and_then(|names| names.first());
        format!(" {}", names.map_or("string", |name| name.as_str()))
    };
    format!("  {short}--{long}{value}")
}

fn right(flag: &Arg) -> String {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults = flag.get_default_values();
    match defaults.first().map(|value| value.to_string_lossy()) {
        Some(default) if !flag.is_hide_default_value_set() && default != "false" && !default.is_empty() => {
            let is_bare = default == "true" || default.parse::<f64>().is_ok();
            let quote = if is_bare { "" } else { "\"" };
            format!("{help} (default {quote}{default}{quote})")
        }
        _ => help,
    }
}

/// The text in lines of at most `width` letters, where its words allow.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word.to_owned(),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
