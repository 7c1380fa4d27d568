//! A chapter's page has the same sections as every other's, in the same order.

use super::Complaint;
use crate::book::Page;

/// The headings of the second level.
pub const SECTIONS: [&str; 13] = [
    "Before and after",
    "What you need",
    "By hand",
    "Predict",
    "Invariants",
    "The code",
    "Exercises",
    "Break it",
    "Errors you will meet",
    "Clean up",
    "How the others do it",
    "Measure",
    "Check yourself",
];

/// A chapter's title bears its number, and its sections are [`SECTIONS`].
pub(super) fn sections(page: &Page) -> Vec<Complaint> {
    let Some((number, _)) = page.chapter() else { return Vec::new() };
    let mut complaints = Vec::new();
    let number = number.trim_start_matches('0');
    let begin = format!("{}. ", if number.is_empty() { "0" } else { number });
    let titles: Vec<_> = page.headings.iter().filter(|heading| heading.level == 1).collect();
    match titles[..] {
        [title] if title.text.starts_with(&begin) => {}
        [title] => {
            complaints.push(Complaint::new(
                page,
                title.line,
                format!("the title does not begin with `{begin}`"),
            ));
        }
        _ => complaints.push(Complaint::new(page, 1, format!("{} titles instead of one", titles.len()))),
    }
    let mut expected = SECTIONS.iter();
    for heading in page.headings.iter().filter(|heading| heading.level == 2) {
        match expected.clone().position(|name| *name == heading.text) {
            Some(skipped) => {
                let missing = expected.by_ref().take(skipped);
                complaints.extend(missing.map(|name| missing_before(page, heading.line, name)));
                expected.next();
            }
            None => {
                let text = format!("`## {}` is no section of a chapter, or not at this place", heading.text);
                complaints.push(Complaint::new(page, heading.line, text));
            }
        }
    }
    let end = page.source.lines().count();
    complaints.extend(expected.map(|name| missing_before(page, end, name)));
    complaints
}

fn missing_before(page: &Page, line: usize, name: &str) -> Complaint {
    Complaint::new(page, line, format!("the section `## {name}` is missing before this"))
}

#[cfg(test)]
mod tests {
    use super::{SECTIONS, sections};
    use crate::book::Page;

    fn complaints(title: &str, names: &[&str]) -> Vec<String> {
        let source = names.iter().fold(format!("# {title}\n"), |page, name| page + "\n## " + name + "\n");
        let complaints = sections(&Page::parse("book/src/03-cgroups.md", source));
        complaints.into_iter().map(|complaint| complaint.text).collect()
    }

    #[test]
    fn a_page_with_all_sections_is_fine() {
        assert_eq!(complaints("3. Limits", &SECTIONS), [""; 0]);
        let zero = Page::parse("00-a.md", "# 0. A\n");
        assert!(!sections(&zero).iter().any(|complaint| complaint.text.contains("title")));
        assert_eq!(sections(&Page::parse("map.md", "# Map\n\n## Anything\n")), []);
    }

    #[test]
    fn a_missing_a_strange_and_a_misplaced_section_are_found() {
        let without = [&SECTIONS[..4], &SECTIONS[5..]].concat();
        assert_eq!(complaints("3. Limits", &without), ["the section `## Invariants` is missing before this"]);
        let more = [&SECTIONS[..], &["More"]].concat();
        assert!(complaints("3. Limits", &more)[0].contains("`## More` is no section"));
        let mut swapped = SECTIONS;
        swapped.swap(2, 3);
        assert_eq!(complaints("3. Limits", &swapped).len(), 2);
        assert_eq!(complaints("3. Limits", &SECTIONS[..12]).len(), 1);
    }

    #[test]
    fn a_title_with_another_number_is_found() {
        assert_eq!(complaints("4. Limits", &SECTIONS), ["the title does not begin with `3. `"]);
    }
}
