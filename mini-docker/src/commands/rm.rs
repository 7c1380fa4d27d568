//! `rm`: remove containers. docker-rm(1).

use anyhow::bail;
use mini_engine::find::FindError;
use mini_engine::{Home, remove};

use crate::cli::Rm;

pub(crate) fn run(home: &Home, args: &Rm) -> anyhow::Result<u8> {
    super::repair(home);
    if args.link {
        // Links belong to the default bridge of old, which this engine does not have; names on networks take their place.
        return super::for_each(&args.containers, |name| {
            mini_engine::find(home, name)?;
            bail!("Conflict, cannot remove the default link name of the container")
        });
    }
    super::for_each(&args.containers, |name| {
        match mini_engine::find(home, name) {
            Ok(record) => remove::remove(home, &record, args.force)?,
            // As `rm -f` of a file does: what is not there is gone. Docker says so all the same.
            Err(error @ FindError::NotFound(_)) if args.force => {
                crate::failure::report(&error.into());
                return Ok(String::new());
            }
            Err(FindError::Record(_)) if args.force => {
                remove::remove_damaged(home, &mini_engine::find::find_id(home, name)?)?;
                super::repair(home);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(format!("{name}\n"))
    })
}
