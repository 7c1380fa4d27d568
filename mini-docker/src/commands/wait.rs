//! `wait`: wait until containers end, and tell how. docker-wait(1).

use mini_engine::{Home, attach};

use crate::cli::Containers;

pub(crate) fn run(home: &Home, args: &Containers) -> anyhow::Result<u8> {
    super::repair(home);
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        Ok(format!("{}\n", attach::wait(home, &record)?))
    })
}
