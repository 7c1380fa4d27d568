//! Three archives. Beside the directory `tree`, into which an archive is unpacked, stands a file `diary` (another name
//! each time). After unpacking, `text` shall stand in it.

use crate::archive::{Entry, directory, file, link};

/// Gets out of `unpackers::trusting`, which believes every name.
pub fn by_name(diary: &str, text: &str) -> Vec<Entry> {
    // ANCHOR: by-name
    vec![file(format!("../{diary}"), text)]
    // ANCHOR_END: by-name
}

/// Gets out of `unpackers::reads_names`, which refuses `..` and absolute names.
pub fn through_a_link(diary: &str, text: &str) -> Vec<Entry> {
    // ANCHOR: through-a-link
    vec![link("up", ".."), file(format!("up/{diary}"), text)]
    // ANCHOR_END: through-a-link
}

/// Gets out of `unpackers::reads_links`, which also refuses a link whose target leads out.
pub fn past_the_check(diary: &str, text: &str) -> Vec<Entry> {
    // ANCHOR: past-the-check
    // As text, `here/..` goes down and up again. The kernel follows `here` first, and that goes nowhere.
    vec![link("here", "."), link("up", "here/.."), file(format!("up/{diary}"), text)]
    // ANCHOR_END: past-the-check
}
