//! Which ids of other users an ordinary user was given: `/etc/subuid` and `/etc/subgid`.
//!
//! One id is too few for a container: its files belong to root, to a mail user, to nobody. An administrator
//! gives each user a range of ids that are nobody else's, a line such as `alice:100000:65536`, and two small
//! set-user-id programs, newuidmap(1) and newgidmap(1), let her map what she was given. This module reads;
//! [`crate::idmap`] plans.
//!
//! subuid(5), subgid(5), newuidmap(1); book ch. 2.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use mini_sys::{Gid, Uid, file};

/// A range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first one.
    pub start: u32,
    /// How many there are.
    pub count: u32,
}

/// The programs that map subordinate ids for an ordinary user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helpers {
    /// Where newuidmap(1) is.
    pub newuidmap: PathBuf,
    /// Where newgidmap(1) is.
    pub newgidmap: PathBuf,
}

/// An ordinary user, and what it may map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
    /// The user ids that it was given.
    pub subuids: Vec<Range>,
    /// The group ids that it was given.
    pub subgids: Vec<Range>,
    /// The programs that map them; without, they are of no use.
    pub helpers: Option<Helpers>,
}

impl User {
    /// The user of this process. `path` is the search path that the two programs are looked for in, written
    /// as in the environment. A file that is missing gives nothing, as an empty one does.
    pub fn of_this_process(path: &OsStr) -> Self {
        let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
        let read = |path: &str| file::read_text(Path::new(path)).unwrap_or_default();
        let passwd = read("/etc/passwd");
        let name = user_name(&passwd, uid);
        Self {
            uid,
            gid,
            subuids: ranges(&read("/etc/subuid"), name, uid),
            // These, too, are listed by the user and not by its group.
            subgids: ranges(&read("/etc/subgid"), name, uid),
            helpers: Helpers::find(path),
        }
    }
}

impl Helpers {
    /// Both programs, or none: one alone is of no use.
    pub fn find(path: &OsStr) -> Option<Self> {
        let find = |name: &str| {
            // An empty element means the working directory, which is not where such programs live.
            let directories = std::env::split_paths(path).filter(|directory| directory.is_absolute());
            directories.map(|directory| directory.join(name)).find(|file| file.is_file())
        };
        Some(Self { newuidmap: find("newuidmap")?, newgidmap: find("newgidmap")? })
    }
}

/// The name of the user `uid` in the text of `/etc/passwd`. passwd(5).
pub fn user_name(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid)).then_some(name)
    })
}

/// The ranges that `text`, a whole `/etc/subuid` or `/etc/subgid`, gives to a user by name or by number.
///
/// Lines of others may hold anything. One of the user's own that makes no sense, or gives the id 0, is left
/// out: newuidmap(1) would refuse it.
pub fn ranges(text: &str, name: Option<&str>, uid: u32) -> Vec<Range> {
    let own = |line: &str| {
        let mut fields = line.trim().split(':');
        let user = fields.next()?;
        if Some(user) != name && user.parse() != Ok(uid) {
            return None;
        }
        let (start, count): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let fits = start > 0 && count > 0 && start.checked_add(count).is_some() && fields.next().is_none();
        fits.then_some(Range { start, count })
    };
    text.lines().filter_map(own).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_given_by_name_or_by_number() {
        let text = "alice:100000:65536\nbob:165536:65536\n# a comment\n1000:300000:10\n";
        assert_eq!(
            ranges(text, Some("alice"), 1000),
            [Range { start: 100_000, count: 65536 }, Range { start: 300_000, count: 10 }]
        );
        assert_eq!(ranges(text, None, 1000), [Range { start: 300_000, count: 10 }]);
        assert!(ranges(text, Some("carol"), 1002).is_empty());
    }

    #[test]
    fn lines_that_make_no_sense_give_nothing() {
        for line in
            ["a", "a:1", "a:x:1", "a:1:x", "a:0:5", "a:5:0", "a:4294967295:1", "a:1:2:3", "a::", ":1:2"]
        {
            assert!(ranges(line, Some("a"), 1).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_name_is_found_by_its_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        assert_eq!(user_name(passwd, 1000), Some("alice"));
        assert_eq!(user_name(passwd, 1), None);
        assert_eq!(user_name("broken\n::\n", 0), None);
    }

    #[test]
    fn helpers_count_only_as_a_pair() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("newuidmap"), "").unwrap();
        assert_eq!(Helpers::find(directory.path().as_os_str()), None);
        std::fs::write(directory.path().join("newgidmap"), "").unwrap();
        assert!(Helpers::find(directory.path().as_os_str()).is_some());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_or_give_root(text in "([a:0-9\n]|4294967295){0,60}") {
            for range in ranges(&text, Some("a"), 7) {
                prop_assert!(range.start > 0 && range.count > 0 && range.start.checked_add(range.count).is_some());
            }
            let _ = user_name(&text, 7);
        }
    }
}
