//! Three archives. Beside the directory `tree`, into which an archive is unpacked, stands a file `diary` (another name
//! each time). After unpacking, `text` shall stand in it.

use crate::archive::{Entry, directory, file, link};

/// Gets out of `unpackers::trusting`, which believes every name.
pub fn by_name(diary: &str, text: &str) -> Vec<Entry> {
    todo!("a name that leads out")
}

/// Gets out of `unpackers::reads_names`, which refuses `..` and absolute names.
pub fn through_a_link(diary: &str, text: &str) -> Vec<Entry> {
    todo!("a link that leads out, and something below it")
}

/// Gets out of `unpackers::reads_links`, which also refuses a link whose target leads out.
pub fn past_the_check(diary: &str, text: &str) -> Vec<Entry> {
    todo!("a link that leads out and does not look so")
}
