//! `rename`: another name for a container.
//!
//! The new name is reserved first, then the record is changed, then the old name is let go: at any moment the name in
//! the record is the container's, and a name beside it that a crash has left points to a container that says
//! otherwise, and is let go by whoever comes upon it (see `find`). docker-rename(1); book ch. 10.

use crate::events::{self, Event};
use crate::home::Home;
use crate::names::{self, NameError};
use crate::places;
use crate::record::{self, Record, RecordError};

/// A container that cannot be renamed.
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    /// Docker's words for no name.
    #[error("Neither old nor new names may be empty")]
    Empty,
    /// Docker's words for the name it has.
    #[error("Renaming a container with the same name as its current name")]
    Same,
    /// Docker's words for one that cannot be had.
    #[error("Error when allocating new name")]
    Name(#[source] NameError),
    /// It has been removed.
    #[error("No such container: {0}")]
    Gone(String),
    /// Its record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Gives the container the name `new`.
///
/// # Errors
/// What [`RenameError`] lists; it keeps its name then.
pub fn rename(home: &Home, record: &Record, new: &str) -> Result<(), RenameError> {
    let new = new.strip_prefix('/').unwrap_or(new);
    if new.is_empty() {
        return Err(RenameError::Empty);
    }
    let gone = || RenameError::Gone(record.name.clone());
    let _lock = record::lock(home, &record.id)?.ok_or_else(gone)?;
    let mut record = Record::load(home, &record.id)?.ok_or_else(gone)?;
    if record.name == new {
        return Err(RenameError::Same);
    }
    // A rename that was killed may have left it this very name.
    if names::owner(home, new).as_ref() != Some(&record.id) {
        names::reserve(home, new, &record.id).map_err(RenameError::Name)?;
    }
    places::RENAME_RESERVED.pass();
    let old = std::mem::replace(&mut record.name, new.to_owned());
    if let Err(error) = record.save(home) {
        let _ = names::release(home, new, &record.id);
        return Err(error.into());
    }
    places::RENAME_SAVED.pass();
    // A name that stays points to a container that says otherwise, and the next who finds it lets it go.
    let _ = names::release(home, &old, &record.id);
    places::RENAME_RELEASED.pass();
    events::emit(home, &Event::container(&record, "rename").with("oldName", &format!("/{old}")));
    Ok(())
}
