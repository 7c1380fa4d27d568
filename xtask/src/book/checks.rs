//! What a browser would not notice, and mdbook does not mind.

mod code;
mod exercises;
mod figures;
mod links;
mod order;
mod terms;
mod words;

use std::fmt;
use std::path::PathBuf;

use super::{Book, Page};
use crate::transcript;

pub use order::SECTIONS;

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// From the project's root.
    pub page: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl Complaint {
    fn new(page: &Page, line: usize, text: impl Into<String>) -> Self {
        Self { page: page.path.clone(), line, text: text.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.page.display(), self.line, self.text)
    }
}

/// Everything that is wrong with the book, in the order of its pages.
pub fn check(book: &Book) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for page in &book.pages {
        complaints.extend(order::sections(page));
        complaints.extend(code::blocks(page, &book.files));
        complaints.extend(consoles(page));
        complaints.extend(figures::figures(page, &book.files));
        complaints.extend(links::links(page, book));
        complaints.extend(words::banned(page));
        complaints.extend(exercises::named(page, &book.exercises));
    }
    complaints.extend(links::unlisted(book));
    complaints.extend(links::misnamed(book));
    complaints.extend(terms::glossary(book));
    complaints.extend(terms::errors(book));
    complaints.sort();
    complaints
}

/// Console blocks that cannot be replayed as they are written.
fn consoles(page: &Page) -> Vec<Complaint> {
    let (blocks, complaints) = transcript::blocks(page);
    let mut complaints: Vec<Complaint> =
        complaints.into_iter().map(|(line, text)| Complaint::new(page, line, text)).collect();
    for block in blocks {
        let unknown = block.requires.iter().filter(|name| !transcript::ABILITIES.contains(&name.as_str()));
        complaints.extend(unknown.map(|name| {
            let known = transcript::ABILITIES.join(", ");
            Complaint::new(page, block.line, format!("no ability `{name}`; there are {known}"))
        }));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::consoles;
    use crate::book::Page;

    #[test]
    fn a_console_block_that_no_machine_could_replay_is_found() {
        let complaints = |source| consoles(&Page::parse("p.md", source));
        assert_eq!(complaints("```console\n$ true\n```\n"), []);
        assert_eq!(complaints("```console\noutput\n```\n").len(), 1);
        assert_eq!(complaints("<!-- transcript: requires=luck -->\n```console\n$ true\n```\n").len(), 1);
    }
}
