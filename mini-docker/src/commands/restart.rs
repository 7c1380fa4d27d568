//! `restart`: end containers that run, and start them. docker-restart(1).

use mini_engine::events::{self, Event};
use mini_engine::{Home, stop};

use crate::cli::Restart;
use crate::commands::start;

pub(crate) fn run(home: &Home, args: &Restart) -> anyhow::Result<u8> {
    super::repair(home);
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        if record.state.status.is_active() {
            stop::stop(home, &record, args.timeout, args.signal.as_deref())?;
        }
        let record = mini_engine::find(home, &record.id)?;
        start::start(home, record.clone())?;
        events::emit(home, &Event::container(&record, "restart"));
        Ok(format!("{name}\n"))
    })
}
