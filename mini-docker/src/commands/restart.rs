//! `restart`: end containers that run, and start them. docker-restart(1).

use mini_engine::events::{self, Event};
use mini_engine::record::ProcessId;
use mini_engine::{Home, Record, stop};

use crate::cli::Stop;
use crate::commands::start;

pub(crate) fn run(home: &Home, args: &Stop) -> anyhow::Result<u8> {
    super::repair(home);
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        if record.state.status.is_active() {
            if record.host_config.auto_remove {
                // It is not to be removed at this end.
                Record::change(home, &record.id, |record| record.maker = ProcessId::own())?;
            }
            stop::stop(home, &record, args.timeout, args.signal.as_deref())?;
        }
        let record = mini_engine::find(home, &record.id)?;
        start::start(home, record.clone())?;
        events::emit(home, &Event::container(&record, "restart"));
        Ok(format!("{name}\n"))
    })
}
