//! `rename`: another name for a container. docker-rename(1).

use mini_engine::{Home, rename};

use crate::cli::Rename;

pub(crate) fn run(home: &Home, args: &Rename) -> anyhow::Result<u8> {
    super::repair(home);
    let record = mini_engine::find(home, &args.container)?;
    rename::rename(home, &record, &args.name)?;
    Ok(0)
}
