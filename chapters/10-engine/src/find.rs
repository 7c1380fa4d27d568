//! Which container a text means: a name, an id, or the start of an id that no other has. Book ch. 10.

use std::fs;
use std::io;

use crate::home::Home;
use crate::names;
use crate::record::{Record, RecordError};

/// No container, or too many.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Docker's words for a text that means none.
    #[error("No such container: {0}")]
    NotFound(String),
    /// Docker's words for the start of several ids.
    #[error("multiple IDs found with provided prefix: {0}")]
    Ambiguous(String),
    /// The directory of containers cannot be read.
    #[error("list the containers")]
    List(#[source] io::Error),
    /// The container's record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// The container that `text` means.
///
/// # Errors
/// What [`FindError`] lists.
pub fn find(home: &Home, text: &str) -> Result<Record, FindError> {
    let id = find_id(home, text)?;
    Record::load(home, &id)?.ok_or_else(|| FindError::NotFound(text.to_owned()))
}

/// As [`find`], but does not read the record: also for a container whose record is damaged.
///
/// # Errors
/// What [`FindError`] lists.
pub fn find_id(home: &Home, text: &str) -> Result<String, FindError> {
    let name = text.strip_prefix('/').unwrap_or(text);
    if let Some(id) = names::owner(home, name).filter(|id| names::is_held(home, name, id)) {
        return Ok(id);
    }
    let none = || FindError::NotFound(text.to_owned());
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(none());
    }
    let mut matches = ids(home).map_err(FindError::List)?.into_iter().filter(|id| id.starts_with(text));
    match (matches.next(), matches.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(none()),
        _ => Err(FindError::Ambiguous(text.to_owned())),
    }
}

/// The ids of all containers.
///
/// # Errors
/// Those of readdir(3); no directory at all means no containers.
pub fn ids(home: &Home) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(home.containers()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    names.filter(|name| !name.as_ref().is_ok_and(|name| name.starts_with('.'))).collect()
}
