//! Every link leads somewhere, and every page is reached.

use std::collections::HashSet;
use std::path::Path;

use super::Complaint;
use crate::book::source::beside;
use crate::book::{Book, Page};

/// Links of `page` that lead to no page, to no heading, or out of the book.
pub(super) fn links(page: &Page, book: &Book) -> Vec<Complaint> {
    let links = page.links.iter().filter(|link| !link.image && !link.target.is_empty());
    links
        .filter_map(|link| Some(Complaint::new(page, link.line, link_fault(page, &link.target, book)?)))
        .collect()
}

fn link_fault(page: &Page, target: &str, book: &Book) -> Option<String> {
    if target.starts_with("http://") || target.starts_with("https://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { page.path.clone() } else { beside(&page.path, file) };
    if !path.starts_with(page.path.parent().unwrap_or(Path::new(""))) {
        return Some(format!(
            "the link `{target}` leads out of the book: name the file in backticks instead"
        ));
    }
    let Some(there) = book.page(&path) else { return Some(format!("the link `{target}` leads to no page")) };
    let anchor = anchor?;
    (!names(there).contains(anchor)).then(|| format!("the link `{target}` leads to no heading of that page"))
}

/// What can stand after `#`: each heading's name as mdbook makes it, and names given in HTML.
fn names(page: &Page) -> HashSet<String> {
    let mut names = HashSet::new();
    for heading in &page.headings {
        let name = heading.name.clone().unwrap_or_else(|| name_of(&heading.text));
        let numbered = std::iter::successors(Some(1), |number| Some(number + 1));
        let mut candidates =
            std::iter::once(name.clone()).chain(numbered.map(|number| format!("{name}-{number}")));
        candidates.find(|candidate| names.insert(candidate.clone()));
    }
    let given = page.source.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    names.extend(given.map(str::to_owned));
    names
}

fn name_of(heading: &str) -> String {
    let name = heading.trim().to_lowercase();
    let character = |character: char| match character {
        '_' | '-' => Some(character),
        _ if character.is_alphanumeric() => Some(character),
        _ if character.is_whitespace() => Some('-'),
        _ => None,
    };
    name.chars().filter_map(character).collect()
}

/// Lines of `SUMMARY.md` that call a page otherwise than it calls itself.
pub(super) fn misnamed(book: &Book) -> Vec<Complaint> {
    let Some(summary) = summary(book) else { return Vec::new() };
    let mut complaints = Vec::new();
    for link in &summary.links {
        let page = book.page(&beside(&summary.path, &link.target));
        let title = page.and_then(|page| page.headings.iter().find(|heading| heading.level == 1));
        if let Some(title) = title.filter(|title| title.text != link.text) {
            let text = format!("`{}` is called `{}` on its page", link.text, title.text);
            complaints.push(Complaint::new(summary, link.line, text));
        }
    }
    complaints
}

fn summary(book: &Book) -> Option<&Page> {
    book.pages.iter().find(|page| page.path.ends_with("SUMMARY.md"))
}

/// Pages that `SUMMARY.md` does not list: mdbook leaves them out.
pub(super) fn unlisted(book: &Book) -> Vec<Complaint> {
    let Some(summary) = summary(book) else { return Vec::new() };
    let listed: HashSet<_> = summary.links.iter().map(|link| beside(&summary.path, &link.target)).collect();
    let lost = book.pages.iter().filter(|page| page.path != summary.path && !listed.contains(&page.path));
    lost.map(|page| Complaint::new(page, 1, "SUMMARY.md does not list this page")).collect()
}

#[cfg(test)]
mod tests {
    use super::{links, misnamed, unlisted};
    use crate::book::{Book, Page};

    fn book(text: &str) -> Book {
        let page = |name: &str, text: &str| Page::parse(format!("book/src/{name}"), text);
        let pages = vec![
            page("SUMMARY.md", "[A](a.md)\n[B](b.md)\n- [later]()\n"),
            page("a.md", text),
            page("b.md", "# B `c`, d\n\n## Twice\n\n## Twice\n\n## Named {#other}\n"),
        ];
        Book { pages, ..Book::default() }
    }

    fn complaints(text: &str) -> usize {
        let book = book(text);
        links(&book.pages[1], &book).len()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let text = "# Here\n\n[1](b.md) [2](b.md#b-c-d) [3](#here) [4](b.md#twice-1) [5](b.md#other) [6](https://kernel.org/#x)\n";
        assert_eq!(complaints(text), 0);
        assert_eq!(unlisted(&book("")), []);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        assert_eq!(complaints("[1](c.md) [2](b.md#c) [3](#there) [4](../../README.md) [5](b.md#twice-2)"), 5);
    }

    #[test]
    fn a_page_with_two_names_is_found() {
        assert_eq!(misnamed(&book("# A\n")).len(), 1, "b.md is called `B c, d`");
        assert_eq!(misnamed(&book("# Another\n")).len(), 2);
    }

    #[test]
    fn a_page_that_nobody_can_reach_is_found() {
        let mut book = book("");
        book.pages[0] = Page::parse("book/src/SUMMARY.md", "[A](a.md)\n");
        assert_eq!(unlisted(&book).len(), 1);
    }
}
