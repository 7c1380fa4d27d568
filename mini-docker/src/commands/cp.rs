//! `cp`: files between a container and this machine. docker-cp(1).

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use mini_engine::cp::{self, How, Place, Typed};
use mini_engine::events::{self, Event};
use mini_engine::{Home, Record};

use crate::cli;
use crate::values::human_size;

pub(crate) fn run(home: &Home, args: &cli::Cp) -> anyhow::Result<u8> {
    let (source, target) = (split(&args.source), split(&args.target));
    if source.1.is_empty() {
        bail!("source can not be empty");
    }
    if target.1.is_empty() {
        bail!("destination can not be empty");
    }
    let how = How { follow: args.follow_link, keep_owners: args.archive };
    match (source, target) {
        ((Some(_), _), (Some(_), _)) => bail!("copying between containers is not supported"),
        ((None, _), (None, _)) => bail!("must specify at least one container source"),
        ((Some(container), path), (None, target)) => {
            let record = find(home, container)?;
            let from = Typed::new(path, Path::new("/"));
            let place = Place { container: Some((&record, container)), path: &from };
            if target == "-" {
                pack(home, place, args.follow_link)?;
            } else {
                let to = Typed::new(target, &here()?);
                let copied = cp::copy(home, place, Place { container: None, path: &to }, how);
                tell(args, copied?, target);
            }
            events::emit(home, &Event::container(&record, "archive-path"));
        }
        ((None, source), (Some(container), path)) => {
            let record = find(home, container)?;
            let to = Typed::new(path, Path::new("/"));
            let place = Place { container: Some((&record, container)), path: &to };
            if source == "-" {
                cp::unpack(home, io::stdin(), place)?;
            } else {
                let from = Typed::new(source, &here()?);
                let copied = cp::copy(home, Place { container: None, path: &from }, place, how);
                tell(args, copied?, &args.target);
            }
            events::emit(home, &Event::container(&record, "extract-to-dir"));
        }
    }
    Ok(0)
}

fn find(home: &Home, name: &str) -> anyhow::Result<Record> {
    super::repair(home);
    Ok(mini_engine::find(home, name)?)
}

fn here() -> anyhow::Result<std::path::PathBuf> {
    std::env::current_dir().context("find the working directory")
}

/// A container and a path in it, or a path here: what begins with a slash or a dot is one, colons or not.
fn split(argument: &str) -> (Option<&str>, &str) {
    match argument.split_once(':') {
        Some((container, path)) if !argument.starts_with(['/', '.']) => (Some(container), path),
        _ => (None, argument),
    }
}

fn pack(home: &Home, from: Place<'_>, follow: bool) -> anyhow::Result<()> {
    let output = io::stdout().as_fd().try_clone_to_owned().context("write to standard output")?;
    Ok(cp::pack(home, from, follow, std::fs::File::from(output))?)
}

/// Docker's line for people, who have a terminal.
fn tell(args: &cli::Cp, bytes: u64, target: &str) {
    if !args.quiet.unwrap_or(!mini_sys::tty::is_terminal(io::stdout())) {
        // A closed standard error leaves nothing to say it on.
        let _ = writeln!(io::stderr(), "Successfully copied {} to {target}", human_size(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_colon_makes_a_container_unless_it_is_in_a_path() {
        assert_eq!(split("web:/etc"), (Some("web"), "/etc"));
        assert_eq!(split("web:a:b"), (Some("web"), "a:b"));
        for here in ["/a:b", "./a:b", "a", "-", "../x:y"] {
            assert_eq!(split(here), (None, here));
        }
    }
}
