//! `kill`: send a signal to containers. docker-kill(1).

use anyhow::Context as _;
use mini_engine::stop::StopError;
use mini_engine::{Home, stop};

use crate::cli::Kill;

pub(crate) fn run(home: &Home, args: &Kill) -> anyhow::Result<u8> {
    super::repair(home);
    let number =
        mini_sys::signal::parse(&args.signal).ok_or_else(|| StopError::Signal(args.signal.clone()))?;
    super::for_each(&args.containers, |name| {
        let record =
            mini_engine::find(home, name).with_context(|| format!("cannot kill container: {name}"))?;
        stop::kill(home, &record, number)?;
        Ok(format!("{name}\n"))
    })
}
