//! `rename`: another name for a container. docker-rename(1).

use mini_engine::Home;
use mini_engine::rename::{self, RenameError};

use crate::cli::Rename;

pub(crate) fn run(home: &Home, args: &Rename) -> anyhow::Result<u8> {
    super::repair(home);
    if args.container.is_empty() {
        return Err(RenameError::Empty.into());
    }
    let record = mini_engine::find(home, &args.container)?;
    rename::rename(home, &record, &args.name)?;
    Ok(0)
}
