//! `diff`: what a container has changed in its file system. docker-diff(1).

use anyhow::Context as _;
use mini_engine::{Home, diff};

use crate::cli;
use crate::commands::print;

pub(crate) fn run(home: &Home, args: &cli::Diff) -> anyhow::Result<u8> {
    super::repair(home);
    let record = mini_engine::find(home, &args.container)?;
    let changes =
        diff::diff(home, &record).with_context(|| format!("cannot compare `{}`", args.container))?;
    print(&changes.iter().map(|change| format!("{change}\n")).collect::<String>())
}
