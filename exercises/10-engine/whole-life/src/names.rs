//! Names of containers: given by people, or an adjective and the name of someone who made computers better.
//!
//! A name is a symbolic link `names/<name>` whose text is the id. Making a link fails when it is there, so two
//! commands cannot get the same name, and no lock is needed to see to it. Taking a name away needs one: it is a look
//! and a removal. symlink(2); book ch. 10.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use mini_sys::file::{self, Lock};

use crate::home::Home;
use crate::record::{self, Record};

/// A name that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Docker's words for a name with other letters.
    #[error("Invalid container name ({0}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    Invalid(String),
    /// Docker's words for a name that another container has.
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". You have to remove (or rename) that container to be able to reuse that name."
    )]
    Taken {
        /// The name.
        name: String,
        /// Who has it.
        id: String,
    },
    /// The link cannot be made.
    #[error("reserve the name `{name}`")]
    Reserve {
        /// The name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// Gives `name` to the container `id`.
///
/// # Errors
/// [`NameError::Taken`] while another container has it.
pub fn reserve(home: &Home, name: &str, id: &str) -> Result<(), NameError> {
    let first = |c: char| c.is_ascii_alphanumeric();
    if !name.starts_with(first)
        || !name.chars().all(|c| first(c) || matches!(c, '_' | '.' | '-'))
        || name.len() < 2
    {
        return Err(NameError::Invalid(name.to_owned()));
    }
    let failed = |source| NameError::Reserve { name: name.to_owned(), source };
    todo!("reserve: one call that makes the name or fails, and what to do when it fails")
}

/// Gives the container `id` a name by chance that no other has.
///
/// # Errors
/// As [`reserve`].
pub fn reserve_any(home: &Home, id: &str) -> Result<String, NameError> {
    let seed = id.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())) as usize;
    let mut attempt = 0;
    loop {
        let adjective = ADJECTIVES[seed % ADJECTIVES.len()];
        let surname = SURNAMES[(seed / ADJECTIVES.len() + attempt) % SURNAMES.len()];
        let number =
            if attempt < SURNAMES.len() { String::new() } else { (attempt / SURNAMES.len()).to_string() };
        let name = format!("{adjective}_{surname}{number}");
        match reserve(home, &name, id) {
            Err(NameError::Taken { .. }) => attempt += 1,
            other => return other.map(|()| name),
        }
    }
}

/// Takes `name` back from `id`; if another has it by now, it stays theirs.
///
/// # Errors
/// Those of unlink(2), but for a link that is gone.
pub fn release(home: &Home, name: &str, id: &str) -> io::Result<()> {
    // Between the look and the removal nobody else removes the name, so nobody can have taken it anew.
    let _lock = file::lock(&home.path().join("names.lock"), Lock::Exclusive).map_err(io::Error::other)?;
    if owner(home, name).as_deref() != Some(id) {
        return Ok(());
    }
    match fs::remove_file(link(home, name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The id of the container that has this name.
pub fn owner(home: &Home, name: &str) -> Option<String> {
    if name.contains('/') || name.is_empty() {
        return None;
    }
    fs::read_link(link(home, name)).ok().map(|id| id.to_string_lossy().into_owned())
}

/// Whether the container `id` exists and has this name. A rename that was killed leaves a name that points to a container
/// of another: such a name is let go.
pub(crate) fn is_held(home: &Home, name: &str, id: &str) -> bool {
    let says_so = || match Record::load(home, id) {
        // It is being made, and gets its name last.
        Ok(Some(record)) => record.name == name || record.name.is_empty(),
        Ok(None) => false,
        // A damaged record says nothing.
        Err(_) => true,
    };
    if says_so() {
        return true;
    }
    // A rename under way reserves the name before the record has it.
    let Ok(Some(_lock)) = record::lock(home, id) else { return false };
    let held = says_so();
    if !held {
        let _ = release(home, name, id);
    }
    held
}

/// Takes all names back from `id`, found by looking at all of them. What stays points nowhere, and the next who wants it
/// takes it.
pub(crate) fn release_all(home: &Home, id: &str) {
    for name in of(home, id) {
        let _ = release(home, &name, id);
    }
}

/// The names of the container `id`, found by looking at all of them.
pub(crate) fn of(home: &Home, id: &str) -> Vec<String> {
    let entries = fs::read_dir(home.names()).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| owner(home, name).as_deref() == Some(id)).collect()
}

fn link(home: &Home, name: &str) -> PathBuf {
    home.names().join(name)
}

const ADJECTIVES: [&str; 48] = [
    "able", "amber", "apt", "brave", "breezy", "bright", "brisk", "calm", "clear", "clever", "cosmic",
    "crisp", "curious", "deft", "eager", "early", "fair", "fleet", "frank", "fresh", "gentle", "glad",
    "grand", "happy", "humble", "jolly", "keen", "kind", "lively", "lucid", "mellow", "merry", "neat",
    "nimble", "noble", "patient", "plucky", "polite", "proud", "quick", "quiet", "sharp", "steady", "sunny",
    "swift", "tidy", "warm", "witty",
];

const SURNAMES: [&str; 48] = [
    "allen",
    "antonelli",
    "babbage",
    "bartik",
    "boole",
    "brooks",
    "cerf",
    "clarke",
    "codd",
    "conway",
    "curie",
    "dijkstra",
    "easley",
    "engelbart",
    "feinler",
    "floyd",
    "goldberg",
    "hamilton",
    "hamming",
    "hoare",
    "holberton",
    "hopper",
    "iverson",
    "johnson",
    "kahan",
    "kay",
    "kernighan",
    "knuth",
    "lamarr",
    "lamport",
    "liskov",
    "lovelace",
    "mccarthy",
    "meitner",
    "naur",
    "noether",
    "perlman",
    "ritchie",
    "shannon",
    "sutherland",
    "thompson",
    "torvalds",
    "turing",
    "vaughan",
    "wilkes",
    "wirth",
    "yao",
    "zuse",
];
