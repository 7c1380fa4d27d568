//! `stop`: ask containers to end, and see to it. docker-stop(1).

use mini_engine::{Home, stop};

use crate::cli::Stop;

pub(crate) fn run(home: &Home, args: &Stop) -> anyhow::Result<u8> {
    super::repair(home);
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        stop::stop(home, &record, args.timeout, args.signal.as_deref())?;
        Ok(format!("{name}\n"))
    })
}
