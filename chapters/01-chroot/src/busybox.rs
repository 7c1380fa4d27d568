//! Which programs a busybox has inside, read from the file.
//!
//! A busybox is one program that does another's work when it is called by the other's name. It would print
//! those names if it were run; but they also stand in the file as a table, in alphabetical order, each ended
//! by a zero byte, and the table starts with the two names of test(1) that no other table starts with:
//! `[` and `[[`.
//!
//! busybox(1); book ch. 1.

use std::collections::BTreeSet;

const FIRST_NAMES: &[u8] = b"\0[\0[[\0";

/// The names that `busybox`, a whole file, answers to; none when there is no such table in it.
pub(crate) fn applets(busybox: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let Some(start) = busybox.windows(FIRST_NAMES.len()).position(|window| window == FIRST_NAMES) else {
        return names;
    };
    let mut previous = "";
    for name in busybox[start + 1..].split(|&byte| byte == 0) {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"[-_.+".contains(byte);
        match std::str::from_utf8(name) {
            // The table ends where the alphabet starts again.
            Ok(text) if !name.is_empty() && name.iter().all(is_name) && text > previous => previous = text,
            _ => break,
        }
        names.insert(previous.to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::applets;

    #[test]
    fn the_table_ends_where_the_order_does() {
        let file = b"usage\0[\0[[\0acpid\0ping\0ping6\0[x\0Usage: %s\0vi\0";
        assert_eq!(Vec::from_iter(applets(file)), ["[", "[[", "acpid", "ping", "ping6"]);
    }

    #[test]
    fn a_file_without_the_table_has_no_applets() {
        assert!(applets(b"\x7fELF ping\0vi\0").is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = applets(&[super::FIRST_NAMES, &body].concat());
        }
    }
}
