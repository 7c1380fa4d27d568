//! Which crate may use which.
//!
//! A chapter's number is its place in the reading order. A chapter that used a later one could not be
//! understood, or tested, before that one; so it uses lower numbers only, and nothing outside the chapters.

use crate::workspace::Member;

/// Chapters that are built with a member of the workspace that does not come before them.
pub fn arrows_to_higher_numbers(members: &[Member]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        let Some((number, _)) = member.chapter() else { continue };
        for dependency in &member.dependencies {
            let Some(other) = members.iter().find(|other| other.name == *dependency) else { continue };
            if other.chapter().is_none_or(|(lower, _)| lower >= number) {
                let (name, folder) = (&member.name, other.folder.display());
                complaints
                    .push(format!("chapter {number}, `{name}`, uses `{dependency}`, which is {folder}"));
            }
        }
    }
    complaints
}

/// Folders in `chapters` without a number, numbers that two chapters have, and packages that are not named
/// after their folders.
pub fn misnamed(members: &[Member]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut numbers = Vec::new();
    for member in members.iter().filter(|member| member.folder.starts_with("chapters")) {
        let folder = member.folder.display();
        let Some((number, name)) = member.chapter() else {
            complaints.push(format!("{folder} is not named NN-name"));
            continue;
        };
        if numbers.contains(&number) {
            complaints.push(format!("{folder}: another chapter has the number {number}"));
        }
        numbers.push(number);
        if member.name != format!("mini-{name}") {
            complaints
                .push(format!("{folder}: its package is `{}` and should be `mini-{name}`", member.name));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::{arrows_to_higher_numbers, misnamed};
    use crate::workspace::Member;

    fn member(folder: &str, name: &str, dependencies: &[&str]) -> Member {
        let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
        Member { name: name.to_owned(), folder: folder.into(), dependencies }
    }

    #[test]
    fn a_chapter_may_use_those_before_it_and_what_others_made() {
        let members = [
            member("chapters/00-sys", "mini-sys", &["nix"]),
            member("chapters/01-a", "mini-a", &["mini-sys"]),
        ];
        assert_eq!(arrows_to_higher_numbers(&members), [""; 0]);
    }

    #[test]
    fn an_arrow_upwards_to_itself_or_out_of_the_chapters_is_found() {
        let members = [
            member("chapters/01-a", "mini-a", &["mini-b", "mini-a", "xtask"]),
            member("chapters/02-b", "mini-b", &[]),
            member("xtask", "xtask", &["mini-b"]),
        ];
        let complaints = arrows_to_higher_numbers(&members);
        assert_eq!(complaints.len(), 3);
        assert_eq!(complaints[0], "chapter 1, `mini-a`, uses `mini-b`, which is chapters/02-b");
    }

    #[test]
    fn a_wrong_name_a_missing_number_and_one_used_twice_are_found() {
        let members = [
            member("chapters/01-a", "mini-a", &[]),
            member("chapters/01-b", "mini-01-b", &[]),
            member("chapters/c", "mini-c", &[]),
            member("xtask", "xtask", &[]),
        ];
        let complaints = misnamed(&members);
        assert_eq!(
            complaints,
            [
                "chapters/01-b: another chapter has the number 1",
                "chapters/01-b: its package is `mini-01-b` and should be `mini-b`",
                "chapters/c is not named NN-name",
            ]
        );
    }
}
