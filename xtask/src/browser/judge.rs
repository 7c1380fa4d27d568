//! What is wrong with pages, by what a browser told of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::probe::{Figure, THEMES, Text, Visit, WIDTH};

/// Smaller letters cannot be read on a phone, in CSS pixels.
const SMALLEST: f64 = 9.0;

/// mdbook's list of pages for browsers without JavaScript, shown in a frame and without a theme of its own.
const FRAME: &str = "toc.html";

/// One complaint for each thing that is wrong. `base` is the address that all pages are below, and `exists` tells
/// whether there is a file of that name below it.
pub fn complaints(visits: &[Visit], base: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let ids: BTreeMap<&str, HashSet<&str>> = visits
        .iter()
        .map(|visit| (visit.page.as_str(), visit.seen.ids.iter().map(String::as_str).collect()))
        .collect();
    let mut complaints = Vec::new();
    let mut drawings = BTreeSet::new();
    for visit in visits {
        let mut say = |text: String| complaints.push(format!("{} ({}): {text}", visit.page, visit.theme));
        visit.troubles.iter().cloned().for_each(&mut say);
        if visit.seen.width > WIDTH {
            let wide = visit.seen.wide.join("; ");
            say(format!("is {} pixels wide on a screen of {WIDTH}: {wide}", visit.seen.width));
        }
        let has_theme = visit.seen.themes.iter().any(|theme| theme == visit.theme);
        if !has_theme && visit.page != FRAME {
            say("does not take this theme".to_owned());
        }
        // The rest does not depend on the theme.
        if visit.theme != THEMES[0] {
            continue;
        }
        for image in &visit.seen.images {
            let name = image.source.strip_prefix(base).unwrap_or(&image.source);
            if image.natural == 0 {
                say(format!("the image {name} is missing"));
            }
            if let Some(figure) = &image.figure {
                drawings.extend(drawing(figure).into_iter().map(|text| format!("{name}: {text}")));
            }
        }
        for link in &visit.seen.links {
            if let Some(fault) =
                link.leads.strip_prefix(base).and_then(|target| link_fault(target, &ids, &exists))
            {
                say(format!("the link `{}` {fault}", link.written));
            }
        }
    }
    // On whichever page a drawing stands, it is mended once.
    complaints.extend(drawings);
    complaints
}

/// What is wrong with a link to `target`, a path below the book's address.
fn link_fault(
    target: &str,
    ids: &BTreeMap<&str, HashSet<&str>>,
    exists: &impl Fn(&str) -> bool,
) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or_default();
    let path = if path.is_empty() { "index.html" } else { path };
    match ids.get(path) {
        Some(ids) if anchor.is_empty() || ids.contains(anchor) => None,
        Some(_) => Some(format!("leads to nothing called `{anchor}` in {path}")),
        None if exists(path) => None,
        None => Some(format!("leads to no page: {path}")),
    }
}

/// What of the letters of a drawing cannot be read.
fn drawing(figure: &Figure) -> Vec<String> {
    let mut complaints = Vec::new();
    if figure.width == 0.0 {
        complaints.push("has no `viewBox`, so it cannot be scaled".to_owned());
    }
    for (index, text) in figure.texts.iter().enumerate() {
        if text.size < SMALLEST {
            let size = format!("{:.1} pixels high where {SMALLEST} are needed", text.size);
            complaints.push(format!("the letters of `{}` are {size}, on a page of {WIDTH}", text.text));
        }
        if text.left < -1.0
            || text.top < -1.0
            || text.right > figure.width + 1.0
            || text.bottom > figure.height + 1.0
        {
            complaints.push(format!("`{}` reaches over the edge", text.text));
        }
        for other in figure.texts[..index].iter().filter(|other| overlap(text, other)) {
            complaints.push(format!("`{}` and `{}` lie on each other", other.text, text.text));
        }
    }
    complaints
}

/// Whether the boxes of two texts share more than a quarter of the smaller one. Boxes include the space above and
/// below letters, so lines that are set tightly share a little.
fn overlap(one: &Text, other: &Text) -> bool {
    let along = one.right.min(other.right) - one.left.max(other.left);
    let down = one.bottom.min(other.bottom) - one.top.max(other.top);
    let area = |text: &Text| (text.right - text.left) * (text.bottom - text.top);
    along > 0.0 && down > 0.0 && along * down > area(one).min(area(other)) / 4.0
}

#[cfg(test)]
mod tests {
    use super::complaints;
    use crate::browser::probe::{Figure, Image, Link, Seen, Text, Visit};

    const BASE: &str = "http://127.0.0.1:1/";

    fn visit(page: &str, seen: Seen) -> Visit {
        let seen = Seen { themes: vec!["light".to_owned()], ..seen };
        Visit { page: page.to_owned(), theme: "light", troubles: Vec::new(), seen }
    }

    fn judged(seen: Seen) -> Vec<String> {
        let there = Seen { ids: vec!["top".to_owned()], ..Seen::default() };
        complaints(&[visit("a.html", seen), visit("b.html", there)], BASE, |path| path == "book.css")
    }

    fn link(target: &str) -> Seen {
        let links = vec![Link { written: target.to_owned(), leads: format!("{BASE}{target}") }];
        Seen { links, ids: vec!["here".to_owned()], ..Seen::default() }
    }

    fn text(text: &str, size: f64, left: f64, right: f64) -> Text {
        Text { text: text.to_owned(), size, left, right, top: 10.0, bottom: 20.0 }
    }

    fn drawing(texts: Vec<Text>) -> Seen {
        let figure = Some(Figure { width: 100.0, height: 100.0, texts });
        Seen { images: vec![Image { natural: 100, figure, ..Image::default() }], ..Seen::default() }
    }

    #[test]
    fn links_to_what_is_there_are_fine() {
        for target in ["b.html", "b.html#top", "a.html#here", "a.html#", "book.css", "b.html?highlight=x#top"]
        {
            assert_eq!(judged(link(target)), [""; 0], "{target}");
        }
        let outside = Link { written: "x".to_owned(), leads: "https://kernel.org/".to_owned() };
        assert_eq!(judged(Seen { links: vec![outside], ..Seen::default() }), [""; 0]);
    }

    #[test]
    fn links_to_what_is_not_there_are_found() {
        assert_eq!(judged(link("c.html")), ["a.html (light): the link `c.html` leads to no page: c.html"]);
        assert!(judged(link("b.html#no"))[0].contains("nothing called `no` in b.html"));
        assert!(judged(link("a.html#no"))[0].contains("nothing called `no` in a.html"));
    }

    #[test]
    fn a_page_wider_than_a_phone_is_found() {
        assert_eq!(judged(Seen { width: 380, ..Seen::default() }), [""; 0]);
        let wide = Seen { width: 381, wide: vec!["<table> x".to_owned()], ..Seen::default() };
        assert_eq!(judged(wide), ["a.html (light): is 381 pixels wide on a screen of 380: <table> x"]);
    }

    #[test]
    fn a_page_that_stays_light_is_found() {
        let dark = Visit { theme: "navy", ..visit("a.html", Seen::default()) };
        assert_eq!(complaints(&[dark], BASE, |_| false), ["a.html (navy): does not take this theme"]);
    }

    #[test]
    fn a_missing_image_is_found() {
        let images = vec![Image { source: "x.svg".to_owned(), ..Image::default() }];
        assert!(judged(Seen { images, ..Seen::default() })[0].contains("x.svg is missing"));
    }

    #[test]
    fn letters_that_cannot_be_read_are_found() {
        assert_eq!(judged(drawing(vec![text("a", 9.0, 0.0, 50.0), text("b", 20.0, 51.0, 100.0)])), [""; 0]);
        assert!(judged(drawing(vec![text("a", 8.9, 0.0, 50.0)]))[0].contains("8.9 pixels high"));
        assert!(judged(drawing(vec![text("a", 9.0, 0.0, 102.0)]))[0].contains("over the edge"));
        assert!(
            judged(drawing(vec![text("a", 9.0, 0.0, 50.0), text("b", 9.0, 20.0, 60.0)]))[0]
                .contains("on each other")
        );
    }
}
