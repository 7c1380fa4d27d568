//! Ids of containers: 64 hexadecimal digits by chance, shown by their first twelve.

use std::fs::File;
use std::io::{self, Read as _};

/// How many digits `ps` shows, and a container's host name has.
const SHORT: usize = 12;

/// A new id.
///
/// # Errors
/// A machine without `/dev/urandom`.
pub fn random() -> io::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The start of an id, as people read it.
pub fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
