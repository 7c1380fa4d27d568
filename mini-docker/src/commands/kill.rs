//! `kill`: send a signal to containers. docker-kill(1).

use anyhow::{Context as _, anyhow};
use mini_engine::stop::StopError;
use mini_engine::{Home, stop};

use crate::cli::Kill;

pub(crate) fn run(home: &Home, args: &Kill) -> anyhow::Result<u8> {
    super::repair(home);
    // No name for it is Docker's own default.
    let signal = if args.signal.is_empty() { "KILL" } else { &args.signal };
    let number = mini_sys::signal::parse(signal).ok_or_else(|| StopError::Signal(signal.to_owned()));
    super::for_each(&args.containers, |name| {
        let context = || format!("cannot kill container: {name}");
        let number = number.as_ref().map_err(|error| anyhow!("{error}")).with_context(context)?;
        let record = mini_engine::find(home, name).with_context(context)?;
        stop::kill(home, &record, *number)?;
        Ok(format!("{name}\n"))
    })
}
