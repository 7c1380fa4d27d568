//! The glossary and the table of errors can be searched by eye.

use std::collections::HashSet;

use super::Complaint;
use crate::book::{Book, Page};

fn page<'b>(book: &'b Book, name: &str) -> Option<&'b Page> {
    book.pages.iter().find(|page| page.path.ends_with(name))
}

/// Terms are sorted, each stands once, and some page defines it: it is in bold type there.
pub(super) fn glossary(book: &Book) -> Vec<Complaint> {
    let Some(page) = page(book, "glossary.md") else { return Vec::new() };
    let bold: HashSet<String> =
        book.pages.iter().flat_map(|page| &page.bold).map(|words| words.trim().to_lowercase()).collect();
    let mut complaints = Vec::new();
    let mut last = String::new();
    for heading in page.headings.iter().filter(|heading| heading.level == 3) {
        let term = heading.text.to_lowercase();
        if term == last {
            complaints.push(Complaint::new(page, heading.line, format!("`{term}` stands here twice")));
        } else if term < last {
            complaints.push(Complaint::new(page, heading.line, format!("`{term}` comes before `{last}`")));
        }
        if !bold.contains(&term) && !bold.contains(&format!("{term}s")) {
            let text = format!("no page defines `{term}`: it is nowhere in bold type");
            complaints.push(Complaint::new(page, heading.line, text));
        }
        last = term;
    }
    complaints
}

/// The rows of the table of errors are sorted by errno.
pub(super) fn errors(book: &Book) -> Vec<Complaint> {
    let Some(page) = page(book, "errno.md") else { return Vec::new() };
    let rows = page.source.lines().enumerate().filter(|(_, line)| line.starts_with('|')).skip(2);
    let name = |row: &str| row.split('|').nth(1).unwrap_or_default().trim().to_owned();
    let names: Vec<(usize, String)> = rows.map(|(index, row)| (index + 1, name(row))).collect();
    let unsorted = names.windows(2).filter(|pair| pair[1].1 < pair[0].1);
    unsorted
        .map(|pair| Complaint::new(page, pair[1].0, format!("{} comes before {}", pair[1].1, pair[0].1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{errors, glossary};
    use crate::book::{Book, Page};

    fn book(name: &str, text: &str) -> Book {
        let pages = vec![
            Page::parse("book/src/a.md", "An **anchor** and a **Boat** and **cats**.\n"),
            Page::parse(format!("book/src/{name}"), text),
        ];
        Book { pages, ..Book::default() }
    }

    #[test]
    fn a_sorted_glossary_of_defined_terms_is_fine() {
        assert_eq!(glossary(&book("glossary.md", "### anchor\n\n### boat\n\n### cat\n")), []);
    }

    #[test]
    fn an_unsorted_a_repeated_and_an_undefined_term_are_found() {
        let complaints = |text| glossary(&book("glossary.md", text)).len();
        assert_eq!(complaints("### boat\n\n### anchor\n"), 1);
        assert_eq!(complaints("### boat\n\n### boat\n"), 1);
        assert_eq!(complaints("### dog\n"), 1);
    }

    #[test]
    fn errors_are_sorted_by_name() {
        let table =
            |rows| errors(&book("errno.md", &format!("| errno | who |\n| --- | --- |\n{rows}"))).len();
        assert_eq!(table("| `EACCES` | a |\n| `EINVAL` | b |\n| `EINVAL` | c |\n"), 0);
        assert_eq!(table("| `EINVAL` | b |\n| `EACCES` | a |\n"), 1);
    }
}
