//! `image prune`, `container prune`, `system prune`: remove what is not used. docker-system-prune(1).

use std::io::BufRead as _;

use anyhow::bail;
use mini_engine::events::{self, Event};
use mini_engine::prune::{self, Pruned, PrunedContainers};
use mini_engine::usage::UnknownImage;
use mini_engine::{Home, RemoveError, id};
use mini_images::{Removed, filter};

use crate::cli;
use crate::commands::{images, print};
use crate::failure::{self, Failure};
use crate::values::exact_size;

/// What containers are chosen by, and what everything is.
const COMMON: [&str; 3] = ["label", "label!", "until"];

pub(crate) fn run(home: &Home, args: &cli::Prune) -> anyhow::Result<u8> {
    let filters = images::filters(&args.filter, &filter::PRUNE)?;
    super::repair(home);
    let what = if args.all {
        "all images without at least one container associated to them"
    } else {
        "all dangling images"
    };
    if !args.force && !is_sure(&format!("WARNING! This will remove {what}.\n"))? {
        return Ok(0);
    }
    let pruned = prune::images(home, args.all, &filters)?;
    events::emit(home, &Event::prune("image", pruned.reclaimed));
    print(&(of_images(&pruned) + &reclaimed(pruned.reclaimed)))?;
    Ok(report(&kept(pruned)))
}

pub(crate) fn containers(home: &Home, args: &cli::ContainerPrune) -> anyhow::Result<u8> {
    let filters = images::filters(&args.filter, &COMMON)?;
    super::repair(home);
    if !args.force && !is_sure("WARNING! This will remove all stopped containers.\n")? {
        return Ok(0);
    }
    let pruned = prune::containers(home, &filters)?;
    events::emit(home, &Event::prune("container", pruned.reclaimed));
    print(&(of_containers(&pruned) + &reclaimed(pruned.reclaimed)))?;
    Ok(report(&errors(pruned.failures)))
}

pub(crate) fn system(home: &Home, args: &cli::SystemPrune) -> anyhow::Result<u8> {
    let filters = images::filters(&args.filter, &COMMON)?;
    if args.volumes && filters.iter().any(|filter| matches!(filter, filter::Filter::Until(_))) {
        bail!("the \"until\" filter is not supported with \"--volumes\"");
    }
    super::repair(home);
    if !args.force && !is_sure(&warning(args))? {
        return Ok(0);
    }
    // Containers go first: some images are needed by nobody afterwards.
    let gone = prune::containers(home, &filters)?;
    let pruned = prune::images(home, args.all, &filters)?;
    events::emit(home, &Event::prune("container", gone.reclaimed));
    events::emit(home, &Event::prune("image", pruned.reclaimed));
    let space = reclaimed(gone.reclaimed + pruned.reclaimed);
    print(&(of_containers(&gone) + &of_images(&pruned) + &space))?;
    Ok(report(&errors(gone.failures)).max(report(&kept(pruned))))
}

/// Docker's list of all that will be removed. Of networks and volumes there are none yet.
fn warning(args: &cli::SystemPrune) -> String {
    let mut text = "WARNING! This will remove:\n  - all stopped containers\n  \
                    - all networks not used by at least one container\n"
        .to_owned();
    if args.volumes {
        text += "  - all anonymous volumes not used by at least one container\n";
    }
    text += if args.all {
        "  - all images without at least one container associated to them\n  - all build cache\n"
    } else {
        "  - all dangling images\n  - unused build cache\n"
    };
    if !args.filter.is_empty() {
        text += "\n  Items to be pruned will be filtered with:\n";
        text.extend(args.filter.iter().map(|filter| format!("  - {filter}\n")));
    }
    text + "\n"
}

/// Asks; the end of the input is a no.
fn is_sure(warning: &str) -> anyhow::Result<bool> {
    print(&format!("{warning}Are you sure you want to continue? [y/N] "))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

fn of_images(pruned: &Pruned) -> String {
    if pruned.removed.is_empty() {
        return String::new();
    }
    let line = |removed: &Removed| match removed {
        Removed::Untagged(name) => format!("untagged: {name}\n"),
        Removed::Deleted(digest) => format!("deleted: {digest}\n"),
    };
    format!("Deleted Images:\n{}\n", pruned.removed.iter().map(line).collect::<String>())
}

fn of_containers(pruned: &PrunedContainers) -> String {
    if pruned.removed.is_empty() {
        return String::new();
    }
    format!("Deleted Containers:\n{}\n\n", pruned.removed.join("\n"))
}

fn reclaimed(bytes: u64) -> String {
    format!("Total reclaimed space: {}\n", exact_size(bytes))
}

/// Why no image was removed that could have been.
fn kept(pruned: Pruned) -> Vec<anyhow::Error> {
    let kept = |unknown: UnknownImage| {
        let hint = format!("`mini-docker rm -f {}` removes the container", id::short(&unknown.container));
        let message = format!("no image is removed: {}", failure::words(&unknown));
        Failure { message, hint: Some(hint), status: 1 }.into()
    };
    pruned.unknown.into_iter().map(kept).collect()
}

fn errors(failures: Vec<RemoveError>) -> Vec<anyhow::Error> {
    failures.into_iter().map(Into::into).collect()
}

fn report(failures: &[anyhow::Error]) -> u8 {
    failures.iter().fold(0, |_, error| failure::report(error))
}
