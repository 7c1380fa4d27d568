//! Opens every page of a built book and writes down what the browser says of it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::devtools::{Chromium, Tab};

/// The width of a small phone, in CSS pixels.
pub const WIDTH: u32 = 380;

/// The themes that every page is opened in: mdbook's name of the light and of the dark one.
pub const THEMES: [&str; 2] = ["light", "navy"];

/// What is asked in the page.
const QUESTION: &str = include_str!("probe.js");

/// A page in one theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Its path below the book's directory: `01-chroot.html`.
    pub page: String,
    /// One of [`THEMES`].
    pub theme: &'static str,
    /// Errors and warnings on the console, and requests that failed.
    pub troubles: Vec<String>,
    /// What the page looks like.
    pub seen: Seen,
}

/// What the browser made of a page.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Seen {
    /// The classes of the root element, of which one is the theme's name.
    pub themes: Vec<String>,
    /// How wide the page is when it is [`WIDTH`] wide on screen.
    pub width: u32,
    /// Elements that reach over the edge.
    pub wide: Vec<String>,
    /// Names that a link can lead to.
    pub ids: Vec<String>,
    /// Where links lead.
    pub links: Vec<Link>,
    /// What images there are.
    pub images: Vec<Image>,
}

/// A link.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Link {
    /// As it stands in the page.
    pub written: String,
    /// As the browser follows it.
    pub leads: String,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Image {
    /// Its address.
    pub source: String,
    /// Its own width; 0 when it did not load.
    pub natural: u32,
    /// What it says to whoever does not see it.
    pub alt: String,
    /// What is written in it, if it is a drawing.
    pub figure: Option<Figure>,
}

/// The letters of a drawing, in the units of its `viewBox`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Figure {
    /// The width of the `viewBox`.
    pub width: f64,
    /// The height of it.
    pub height: f64,
    /// Its texts.
    pub texts: Vec<Text>,
}

/// A text in a drawing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Text {
    /// How it begins.
    pub text: String,
    /// The smallest size of its letters on the page, in CSS pixels.
    pub size: f64,
    /// The left edge.
    pub left: f64,
    /// The right edge.
    pub right: f64,
    /// The upper edge.
    pub top: f64,
    /// The lower edge.
    pub bottom: f64,
}

/// The pages below `folder`: every file that ends in `.html`, sorted.
///
/// # Errors
/// When a directory cannot be read.
pub fn pages(folder: &Path) -> Result<Vec<String>> {
    let mut pages = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        let path = folder.join(&below);
        for entry in fs::read_dir(&path).with_context(|| format!("list {}", path.display()))? {
            let entry = entry.with_context(|| format!("list {}", path.display()))?;
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(name + "/");
            } else if name.ends_with(".html") {
                pages.push(name);
            }
        }
    }
    pages.sort();
    Ok(pages)
}

/// Opens each of `pages` below the address `base`, in each of [`THEMES`].
///
/// # Errors
/// When Chromium ends or is silent.
pub fn visit(chromium: &mut Chromium, base: &str, pages: &[String]) -> Result<Vec<Visit>> {
    let tab = chromium.tab()?;
    for domain in ["Page", "Runtime", "Log", "Network"] {
        chromium.call(Some(&tab), &format!("{domain}.enable"), &json!({}))?;
    }
    let phone = json!({ "width": WIDTH, "height": 800, "deviceScaleFactor": 1, "mobile": false });
    chromium.call(Some(&tab), "Emulation.setDeviceMetricsOverride", &phone)?;
    let mut visits = Vec::new();
    for theme in THEMES {
        // `window.print` is what mdbook's page for printing does first.
        let source = format!(
            "try {{ localStorage.setItem('mdbook-theme', '{theme}') }} catch {{}} window.print = () => {{}};"
        );
        let script = json!({ "source": source });
        let script = chromium.call(Some(&tab), "Page.addScriptToEvaluateOnNewDocument", &script)?;
        for page in pages {
            let visit = open(chromium, &tab, base, page, theme);
            visits.push(visit.with_context(|| format!("open {page} in the theme `{theme}`"))?);
        }
        chromium.call(Some(&tab), "Page.removeScriptToEvaluateOnNewDocument", &script)?;
    }
    Ok(visits)
}

/// How many results mdbook's search has for `word`, asked from `page`.
///
/// # Errors
/// When Chromium ends or is silent.
pub fn search(chromium: &mut Chromium, base: &str, page: &str, word: &str) -> Result<u64> {
    let tab = chromium.tab()?;
    chromium.call(Some(&tab), "Page.enable", &json!({}))?;
    chromium.events();
    chromium.call(Some(&tab), "Page.navigate", &json!({ "url": format!("{base}{page}?search={word}") }))?;
    chromium.events_until("Page.loadEventFired")?;
    // The index is loaded with the first question, so the results come later than the page.
    let results = "(async () => {
        const found = () => document.querySelectorAll('#mdbook-searchresults > li').length;
        for (let tries = 0; tries < 100 && !found(); tries++) await new Promise((go) => setTimeout(go, 50));
        return found();
    })()";
    Ok(chromium.evaluate(&tab, results)?.as_u64().unwrap_or(0))
}

fn open(chromium: &mut Chromium, tab: &Tab, base: &str, page: &str, theme: &'static str) -> Result<Visit> {
    chromium.events();
    chromium.call(Some(tab), "Page.navigate", &json!({ "url": format!("{base}{page}") }))?;
    let mut events = chromium.events_until("Page.loadEventFired")?;
    let answer = chromium.evaluate(tab, QUESTION)?;
    let seen = serde_json::from_value(answer).context("read what the page answers")?;
    events.extend(chromium.events());
    let troubles = events.iter().filter_map(trouble).collect();
    Ok(Visit { page: page.to_owned(), theme, troubles, seen })
}

/// What is wrong, if `event` tells of something wrong.
fn trouble(event: &Value) -> Option<String> {
    let parameters = &event["params"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match event["method"].as_str()? {
        "Runtime.consoleAPICalled" => {
            let kind = text(&parameters["type"]);
            let said: Vec<String> =
                parameters["args"].as_array()?.iter().map(|value| said(&value["value"])).collect();
            ["error", "warning", "assert"]
                .contains(&kind.as_str())
                .then(|| format!("console {kind}: {}", said.join(" ")))
        }
        "Runtime.exceptionThrown" => {
            let details = &parameters["exceptionDetails"];
            Some(format!("{} {}", text(&details["text"]), text(&details["exception"]["description"])))
        }
        "Log.entryAdded" => {
            let entry = &parameters["entry"];
            let level = text(&entry["level"]);
            ["error", "warning"]
                .contains(&level.as_str())
                .then(|| format!("{level}: {} {}", text(&entry["text"]), text(&entry["url"])))
        }
        "Network.loadingFailed" => Some(format!("a request failed: {}", text(&parameters["errorText"]))),
        "Network.responseReceived" => {
            let response = &parameters["response"];
            let status = response["status"].as_u64()?;
            (status >= 400).then(|| format!("answer {status} for {}", text(&response["url"])))
        }
        _ => None,
    }
}

fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::trouble;

    #[test]
    fn errors_and_warnings_are_troubles_and_the_rest_is_not() {
        let log = |kind: &str| {
            trouble(
                &json!({ "method": "Runtime.consoleAPICalled", "params": { "type": kind, "args": [{ "value": "x" }, { "value": 1 }] } }),
            )
        };
        assert_eq!(log("warning").as_deref(), Some("console warning: x 1"));
        assert!(log("error").is_some());
        assert_eq!(log("log"), None);
        let answer = |status: u32| {
            trouble(
                &json!({ "method": "Network.responseReceived", "params": { "response": { "status": status, "url": "u" } } }),
            )
        };
        assert_eq!(answer(404).as_deref(), Some("answer 404 for u"));
        assert_eq!(answer(304), None);
        assert_eq!(trouble(&json!({ "method": "Page.loadEventFired" })), None);
    }
}
