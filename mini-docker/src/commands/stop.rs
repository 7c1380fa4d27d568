//! `stop`: ask containers to end, and see to it. docker-stop(1).

use std::time::Duration;

use mini_engine::{Home, stop};

use crate::cli::Stop;

pub(crate) fn run(home: &Home, args: &Stop) -> anyhow::Result<u8> {
    super::repair(home);
    let patience = u64::try_from(args.timeout).ok().map(Duration::from_secs);
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        stop::stop(&record, patience, args.signal.as_deref())?;
        Ok(format!("{name}\n"))
    })
}
