//! `export`: a container's file system as a tar. docker-export(1).

use anyhow::Context as _;
use mini_engine::events::{self, Event};
use mini_engine::{Home, find};

use crate::cli;
use crate::output;

pub(crate) fn run(home: &Home, args: &cli::Export) -> anyhow::Result<u8> {
    super::repair(home);
    let record = find(home, &args.container)?;
    output::to(args.output.as_deref(), "save", |file| {
        mini_engine::export(home, &record, file)
            .with_context(|| format!("cannot export `{}`", args.container))
    })?;
    events::emit(home, &Event::container(&record, "export"));
    Ok(0)
}
