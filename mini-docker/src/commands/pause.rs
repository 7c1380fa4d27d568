//! `pause` and `unpause`: stop the processes of containers, and let them go on. docker-pause(1), docker-unpause(1).

use mini_engine::{Home, pause};

use crate::cli::Containers;

pub(crate) fn run(home: &Home, args: &Containers, stops: bool) -> anyhow::Result<u8> {
    super::repair(home);
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        if stops {
            pause::pause(home, &record)?
        } else {
            pause::unpause(home, &record)?
        }
        Ok(format!("{name}\n"))
    })
}
