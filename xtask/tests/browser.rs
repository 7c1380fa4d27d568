//! What the check in a browser finds, on pages that are broken on purpose.
//!
//! Requires chromium.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;

use tempfile::TempDir;
use xtask::browser::devtools::{self, Chromium};
use xtask::browser::{judge, probe, server};

const THEME: &str =
    "<script>document.documentElement.className = localStorage.getItem('mdbook-theme')</script>";
const TINY: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 100'>\
    <text x='10' y='50' font-size='12'>small</text></svg>";
const CUT: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 380 100'>\
    <g transform='translate(300 0)'><text x='10' y='50' font-size='30'>over the edge</text></g></svg>";
const FINE: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 380 100' width='760'>\
    <text x='10' y='50' font-size='14'>fine</text></svg>";

/// Chromium, and the address of pages with these names and bodies, which stay while the directory does.
fn serve(bodies: &[(&str, &str)]) -> Option<(Chromium, String, TempDir)> {
    let Some(program) = devtools::find() else {
        assert!(std::env::var_os("MINI_REQUIRE_ALL").is_none_or(|value| value != "1"), "needs chromium");
        eprintln!("skipped: needs chromium");
        return None;
    };
    let folder = tempfile::tempdir().expect("make a directory");
    for (name, text) in [("tiny.svg", TINY), ("cut.svg", CUT), ("fine.svg", FINE)] {
        fs::write(folder.path().join(name), text).expect("write a drawing");
    }
    for (name, body) in bodies {
        let page = format!(
            "<!doctype html><html><head><meta name=viewport content='width=device-width'>\
             {THEME}</head><body style='margin: 0'><main>{body}</main></body></html>"
        );
        fs::write(folder.path().join(name), page).expect("write a page");
    }
    let base = server::serve(folder.path()).expect("serve the pages");
    Some((Chromium::start(&program).expect("start Chromium"), base, folder))
}

/// The complaints about these pages.
fn complaints(bodies: &[(&str, &str)]) -> Option<Vec<String>> {
    let (mut chromium, base, folder) = serve(bodies)?;
    let pages = probe::pages(folder.path()).expect("list the pages");
    let visits = probe::visit(&mut chromium, &base, &pages).expect("open the pages");
    Some(judge::complaints(&visits, &base, |path| folder.path().join(path).is_file()))
}

#[test]
fn a_search_that_finds_nothing_is_told_from_one_that_does() {
    let late = "<ul id=mdbook-searchresults></ul><script>setTimeout(() => {
        if (location.search === '?search=room') document.querySelector('ul').innerHTML = '<li>1<li>2'
        }, 300)</script>";
    let Some((mut chromium, base, _folder)) = serve(&[("page.html", late)]) else { return };
    let mut found = |word| probe::search(&mut chromium, &base, "page.html", word).unwrap();
    assert_eq!((found("room"), found("house")), (2, 0));
}

#[test]
fn a_whole_page_has_no_complaint() {
    let body = "<h1 id=top>A</h1><a href='#top'>up</a> <a href='other.html#there'>on</a>\
        <img src=fine.svg style='max-width: 100%'><pre style='overflow-x: auto'>a long line of code, which scrolls by itself</pre>";
    let bodies = [("page.html", body), ("other.html", "<h1 id=there>B</h1>")];
    assert_eq!(complaints(&bodies).unwrap_or_default(), [""; 0]);
}

#[test]
fn every_fault_is_found_on_its_page_and_nowhere_else() {
    let faults = [
        ("anchor.html", "<a href='#nowhere'>x</a>", "nothing called `nowhere`"),
        ("console.html", "<script>console.error('broken', 1)</script>", "console error: broken 1"),
        (
            "cut.html",
            "<img src=cut.svg style='width: 100%'>",
            "cut.svg: `over the edge` reaches over the edge",
        ),
        ("dark.html", "<style>.navy main { width: 400px }</style>long", "(navy): is 400 pixels wide"),
        ("image.html", "<img src=none.png>", "the image"),
        ("link.html", "<a href='none.html'>x</a>", "leads to no page: none.html"),
        ("script.html", "<script src=none.js></script>", "404"),
        ("thrown.html", "<script>throw new Error('thrown')</script>", "Error: thrown"),
        (
            "tiny.html",
            "<img src=tiny.svg style='width: 100%'>",
            "tiny.svg: the letters of `small` are 6.0 pixels",
        ),
        ("warning.html", "<script>console.warn('odd')</script>", "console warning: odd"),
        (
            "wide.html",
            "<div style='width: 400px'>long</div>",
            "(light): is 400 pixels wide on a screen of 380: <div> long",
        ),
    ];
    let bodies = faults.map(|(name, body, _)| (name, body));
    let Some(complaints) = complaints(&bodies) else { return };
    let is_about = |complaint: &str, name: &str| complaint.starts_with(name.trim_end_matches("html"));
    for (name, _, expected) in faults {
        let of_page: Vec<&String> = complaints.iter().filter(|complaint| is_about(complaint, name)).collect();
        assert!(of_page.iter().any(|complaint| complaint.contains(expected)), "{name}: {of_page:#?}");
    }
    for complaint in &complaints {
        assert!(faults.iter().any(|(name, _, _)| is_about(complaint, name)), "{complaint}");
    }
}
