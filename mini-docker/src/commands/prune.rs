//! `image prune`: remove unused images. docker-image-prune(1).

use std::io::BufRead as _;

use mini_engine::{Home, prune};
use mini_images::{Removed, filter};

use crate::cli;
use crate::commands::{images, print};
use crate::values::exact_size;

pub(crate) fn run(home: &Home, args: &cli::Prune) -> anyhow::Result<u8> {
    let filters = images::filters(&args.filter, &filter::PRUNE)?;
    super::repair(home);
    let what = if args.all {
        "all images without at least one container associated to them"
    } else {
        "all dangling images"
    };
    if !args.force && !is_sure(&format!("WARNING! This will remove {what}."))? {
        return Ok(0);
    }
    let pruned = prune::images(home, args.all, &filters)?;
    let mut text = String::new();
    if !pruned.removed.is_empty() {
        text += "Deleted Images:\n";
        text.extend(pruned.removed.iter().map(|removed| match removed {
            Removed::Untagged(name) => format!("untagged: {name}\n"),
            Removed::Deleted(digest) => format!("deleted: {digest}\n"),
        }));
        text += "\n";
    }
    print(&format!("{text}Total reclaimed space: {}\n", exact_size(pruned.reclaimed)))
}

/// Asks; the end of the input is a no.
fn is_sure(warning: &str) -> anyhow::Result<bool> {
    print(&format!("{warning}\nAre you sure you want to continue? [y/N] "))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
