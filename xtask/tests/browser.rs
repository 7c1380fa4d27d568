//! What the check in a browser finds, on pages that are broken on purpose.
//!
//! Requires chromium.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;
use std::path::Path;

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

/// The complaints about one page, `page.html`, which holds `body` and stands beside a whole `other.html`.
fn complaints(bodies: &[(&str, &str)]) -> Option<Vec<String>> {
    let Some(program) = devtools::find() else {
        assert!(std::env::var_os("MINI_REQUIRE_ALL").is_none_or(|value| value != "1"), "needs chromium");
        eprintln!("skipped: needs chromium");
        return None;
    };
    let folder = tempfile::tempdir().expect("set the pages up");
    for (name, text) in [("tiny.svg", TINY), ("cut.svg", CUT), ("fine.svg", FINE)] {
        fs::write(folder.path().join(name), text).expect("set the pages up");
    }
    for (name, body) in bodies {
        let page = format!(
            "<!doctype html><html><head><meta name=viewport content='width=device-width'>\
             {THEME}</head><body style='margin: 0'><main>{body}</main></body></html>"
        );
        fs::write(folder.path().join(name), page).expect("set the pages up");
    }
    Some(check(&program, folder.path()))
}

fn check(program: &Path, folder: &Path) -> Vec<String> {
    let base = server::serve(folder).expect("set the pages up");
    let mut chromium = Chromium::start(program).expect("set the pages up");
    let visits = probe::visit(&mut chromium, &base, &probe::pages(folder).expect("list the pages"))
        .expect("open the pages");
    judge::complaints(&visits, &base, |path| folder.join(path).is_file())
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
