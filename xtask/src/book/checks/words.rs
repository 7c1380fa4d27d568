//! Words that this book does without. What is told as easy is not easier for being told so.

use super::Complaint;
use crate::book::Page;
use crate::rust_source::words;

const BANNED: [&str; 3] = ["simply", "just", "magic"];

/// Banned words in the prose of `page`; in code they may be somebody else's.
pub(super) fn banned(page: &Page) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for prose in &page.prose {
        let found = words(&prose.text).map(str::to_lowercase).filter(|word| BANNED.contains(&word.as_str()));
        complaints.extend(found.map(|word| Complaint::new(page, prose.line, format!("the word `{word}`"))));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::banned;
    use crate::book::Page;

    #[test]
    fn banned_words_are_found_in_prose_and_not_in_code() {
        let page =
            "It Just works.\n\nAdjust the `magic` number, justly.\n\n```sh\nsimply\n```\n\n- [magic](#x)\n";
        let complaints: Vec<_> =
            banned(&Page::parse("p.md", page)).into_iter().map(|it| (it.line, it.text)).collect();
        assert_eq!(complaints, [(1, "the word `just`".to_owned()), (9, "the word `magic`".to_owned())]);
    }
}
