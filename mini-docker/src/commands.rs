//! One file per verb: arguments → request → one call of the engine → output.

mod attach;
mod commit;
mod completion;
mod cp;
mod create;
mod df;
mod diff;
mod doctor;
mod events;
mod exec;
mod export;
mod history;
mod images;
mod import;
mod info;
mod inspect;
mod kill;
mod leaks;
mod load;
mod login;
mod logout;
mod logs;
mod manifest;
mod oci;
mod pause;
mod port;
mod prune;
mod ps;
mod pull;
mod push;
mod rename;
mod restart;
mod restore;
mod rm;
mod rmi;
mod run;
mod save;
mod search;
mod start;
mod stats;
mod stop;
mod tag;
mod top;
mod tree;
mod update;
mod version;
mod wait;

use std::io::Write as _;

use anyhow::Context as _;
use mini_engine::Home;

use crate::cli::{Cli, Command, Container, Image, Manifest, System, Verb};
use crate::place;

/// Does what was asked for; returns the exit status.
pub(crate) fn run(cli: Cli) -> anyhow::Result<u8> {
    if cli.version {
        return print(&version::short());
    }
    let home = place::home(cli.root.clone());
    let Some(command) = cli.command else {
        return print(&crate::help::of_all());
    };
    match command {
        Command::Verb(verb) | Command::Container(Container::Verb(verb)) => on_containers(&home?, verb),
        Command::Ps(args) | Command::Container(Container::Ls(args)) => ps::run(&home?, &args),
        Command::Events(args) | Command::System(System::Events(args)) => events::run(&home?, &args),
        Command::Container(Container::Inspect(args)) => inspect::run(&home?, &args, Some("container")),
        Command::Images(args) | Command::Image(Image::Ls(args)) => images::run(&home?, &args),
        Command::Pull(args) | Command::Image(Image::Pull(args)) => pull::run(&home?, &args),
        Command::Push(args) | Command::Image(Image::Push(args)) => push::run(&home?, &args),
        Command::Search(args) => search::run(&args),
        Command::Login(args) => login::run(&args),
        Command::Logout(args) => logout::run(&args),
        Command::Rmi(args) | Command::Image(Image::Rm(args)) => rmi::run(&home?, &args),
        Command::Import(args) | Command::Image(Image::Import(args)) => import::run(&home?, &args),
        Command::Load(args) | Command::Image(Image::Load(args)) => load::run(&home?, &args),
        Command::Tag(args) | Command::Image(Image::Tag(args)) => tag::run(&home?, &args),
        Command::History(args) | Command::Image(Image::History(args)) => history::run(&home?, &args),
        Command::Image(Image::Prune(args)) => prune::run(&home?, &args),
        Command::Container(Container::Prune(args)) => prune::containers(&home?, &args),
        Command::System(System::Prune(args)) => prune::system(&home?, &args),
        Command::Image(Image::Tree(args)) => tree::run(&home?, &args),
        Command::Manifest(Manifest::Inspect(args)) => manifest::run(&args),
        Command::System(System::Restore) => restore::run(&home?),
        Command::System(System::Unit) => restore::unit(&home?),
        Command::System(System::Df(args)) => df::run(&home?, &args),
        Command::Save(args) | Command::Image(Image::Save(args)) => save::run(&home?, &args),
        Command::Image(Image::Inspect(args)) => inspect::run(&home?, &args, Some("image")),
        Command::Inspect(args) => inspect::run(&home?, &args, None),
        Command::Version(args) => version::run(&args),
        Command::Info(args) | Command::System(System::Info(args)) => info::run(&home?, &args),
        Command::Doctor => doctor::run(&home?),
        // It keeps its states elsewhere, and those who call it may have the engine's variable in their environment.
        Command::Oci(args) => oci::run(cli.root.filter(|_| cli.root_is_typed), &args),
        Command::Completion(args) => completion::run(&args),
        Command::Man(args) => completion::man(&args),
        Command::Leaks => leaks::run(&home?),
        Command::Restore => leaks::restore(&home?),
    }
}

fn on_containers(home: &Home, verb: Verb) -> anyhow::Result<u8> {
    match verb {
        Verb::Run(args) => run::run(home, &args),
        Verb::Create(args) => create::run(home, &args),
        Verb::Start(args) => start::run(home, &args),
        Verb::Attach(args) => attach::run(home, &args),
        Verb::Restart(args) => restart::run(home, &args),
        Verb::Pause(args) => pause::run(home, &args, true),
        Verb::Unpause(args) => pause::run(home, &args, false),
        Verb::Wait(args) => wait::run(home, &args),
        Verb::Rename(args) => rename::run(home, &args),
        Verb::Update(args) => update::run(home, &args),
        Verb::Exec(args) => exec::run(home, &args),
        Verb::Logs(args) => logs::run(home, &args),
        Verb::Stats(args) => stats::run(home, &args),
        Verb::Stop(args) => stop::run(home, &args),
        Verb::Kill(args) => kill::run(home, &args),
        Verb::Rm(args) => rm::run(home, &args),
        Verb::Top(args) => top::run(home, &args),
        Verb::Export(args) => export::run(home, &args),
        Verb::Commit(args) => commit::run(home, &args),
        Verb::Cp(args) => cp::run(home, &args),
        Verb::Diff(args) => diff::run(home, &args),
        Verb::Port(args) => port::run(home, &args),
    }
}

/// Writes to standard output. That its reader has gone away is no failure of ours.
pub(crate) fn print(text: &str) -> anyhow::Result<u8> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("write to standard output")
        }
        _ => Ok(0),
    }
}

/// Writes to standard error, for what is no failure.
fn warn(text: &str) {
    // A closed standard error leaves nothing to say it on.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Does the same for several names: prints each that went well, reports each that did not, and goes on.
fn for_each(names: &[String], mut action: impl FnMut(&str) -> anyhow::Result<String>) -> anyhow::Result<u8> {
    let mut status = 0;
    for name in names {
        match action(name) {
            Ok(line) => drop(print(&line)?),
            Err(error) => {
                crate::failure::report(&error);
                status = 1;
            }
        }
    }
    Ok(status)
}

/// Puts right what a killed command left, before anything is shown or changed.
fn repair(home: &Home) {
    let layout = mini_cgroups::Layout::detect().ok();
    mini_engine::repair::sweep(home, layout.as_ref());
}
