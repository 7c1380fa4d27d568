//! A figure says in words what it shows, to whoever cannot see it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Complaint;
use crate::book::source::beside;
use crate::book::{Link, Page};

/// What is wrong with the figures of `page`; a chapter has one before its first section.
pub(super) fn figures(page: &Page, files: &BTreeMap<PathBuf, String>) -> Vec<Complaint> {
    let images: Vec<&Link> = page.links.iter().filter(|link| link.image).collect();
    let complaint = |image: &&Link| Some(Complaint::new(page, image.line, figure(page, image, files).err()?));
    let mut complaints: Vec<Complaint> = images.iter().filter_map(complaint).collect();
    let first =
        page.headings.iter().find(|heading| heading.level == 2).map_or(usize::MAX, |heading| heading.line);
    if page.chapter().is_some() && !images.iter().any(|image| image.line < first) {
        complaints.push(Complaint::new(page, 1, "no figure before the first section"));
    }
    complaints
}

fn figure(page: &Page, image: &Link, files: &BTreeMap<PathBuf, String>) -> Result<(), String> {
    let target = &image.target;
    if image.text.trim().is_empty() {
        return Err(format!(
            "the figure `{target}` has no words for whoever cannot see it: ![what it shows](…)"
        ));
    }
    if !target.ends_with(".svg") {
        return Err(format!("the figure `{target}` is no SVG"));
    }
    let text = files.get(&beside(&page.path, target)).ok_or_else(|| format!("no figure `{target}`"))?;
    for part in ["<title", "<desc", "role=\"img\"", "viewBox="] {
        if !text.contains(part) {
            return Err(format!("the figure `{target}` has no `{part}`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::figures;
    use crate::book::Page;

    const FIGURE: &str = "<svg role=\"img\" viewBox=\"0 0 9 9\"><title>T</title><desc>D</desc></svg>";

    fn complaints(source: &str, figure: &str) -> Vec<String> {
        let files = BTreeMap::from([(PathBuf::from("book/src/figures/a.svg"), figure.to_owned())]);
        let complaints = figures(&Page::parse("book/src/01-a.md", source), &files);
        complaints.into_iter().map(|complaint| complaint.text).collect()
    }

    #[test]
    fn a_figure_with_words_is_fine() {
        assert_eq!(complaints("# 1. A\n\n![Two rooms](figures/a.svg)\n\n## B\n", FIGURE), [""; 0]);
    }

    #[test]
    fn what_is_missing_is_found() {
        let page = "# 1. A\n\n![Two rooms](figures/a.svg)\n";
        assert!(complaints(&page.replace("a.svg", "b.svg"), FIGURE)[0].contains("no figure"));
        assert!(complaints(&page.replace("a.svg", "a.png"), FIGURE)[0].contains("no SVG"));
        assert!(complaints(&page.replace("Two rooms", ""), FIGURE)[0].contains("no words"));
        assert!(complaints(page, &FIGURE.replace("<desc", "<x"))[0].contains("no `<desc`"));
        assert!(complaints(page, &FIGURE.replace("<title", "<x"))[0].contains("no `<title`"));
        assert!(
            complaints("# 1. A\n\n## B\n\n![Two rooms](figures/a.svg)\n", FIGURE)[0]
                .contains("no figure before")
        );
    }
}
