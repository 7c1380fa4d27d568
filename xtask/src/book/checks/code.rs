//! Code is shown by include from the file that is compiled, and the reader is told which file that is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Complaint;
use crate::book::source::beside;
use crate::book::{Code, Page, anchored, exists};

/// Languages that are only ever included.
const INCLUDED: [&str; 5] = ["rust", "rs", "c", "cpp", "toml"];
/// Those that may be written on the page: output that is replayed, commands without output, and drawings.
const WRITTEN: [&str; 3] = ["console", "sh", "text"];
/// A longer piece is two pieces.
const LONGEST_PIECE: usize = 30;

/// What is wrong with the code blocks of `page`; `files` are those that it includes.
pub(super) fn blocks(page: &Page, files: &BTreeMap<PathBuf, String>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut shown = None;
    for code in &page.code {
        if let Err(text) = block(page, code, files, shown.as_ref()) {
            complaints.push(Complaint::new(page, code.line, text));
        }
        shown = code.include().map(|(path, _)| beside(&page.path, path)).or(shown);
    }
    let inside: usize = page.code.iter().filter(|code| code.include().is_some()).count();
    let all = page.source.matches("{{#").count();
    if all > inside {
        complaints.push(Complaint::new(
            page,
            1,
            "an include or another `{{#` outside of a code block of its own",
        ));
    }
    complaints
}

/// What is wrong with one block; `shown` is the file that the page showed last.
fn block(
    page: &Page,
    code: &Code,
    files: &BTreeMap<PathBuf, String>,
    shown: Option<&PathBuf>,
) -> Result<(), String> {
    let language = code.language();
    if WRITTEN.contains(&language) && code.include().is_none() {
        return Ok(());
    }
    if !INCLUDED.contains(&language) && !WRITTEN.contains(&language) {
        return Err(format!(
            "a block marked `{language}`: write `rust`, `console`, `sh` or `text` after the fence"
        ));
    }
    let (path, anchor) = code.include().ok_or(
        "pasted code: a block of code holds one line, `{{#include ../../path:anchor}}`, and nothing else",
    )?;
    if !code.prefix.is_empty() {
        return Err("an include in a list or a quote: all its lines but the first would fall out".to_owned());
    }
    let path = beside(&page.path, path);
    let named = format!("`{}`", path.display());
    let before = paragraph_before(page, code);
    let is_same = shown == Some(&path) && before.contains("same file");
    if !before.contains(&named) && !is_same {
        return Err(format!("the paragraph before the block does not name its file, {named}"));
    }
    let source = files.get(&path).ok_or_else(|| format!("no file {named}"))?;
    if anchor.is_empty() || anchor.starts_with(|character: char| character.is_ascii_digit()) {
        return Err(format!("an include of {named} without an anchor's name"));
    }
    if !exists(source, anchor) {
        return Err(format!("{named} has no anchor `{anchor}` that begins and ends"));
    }
    match anchored(source, anchor).len() {
        0 => Err(format!("the anchor `{anchor}` of {named} is empty")),
        lines if lines > LONGEST_PIECE => Err(format!(
            "the anchor `{anchor}` of {named} has {lines} lines; show at most {LONGEST_PIECE} at once"
        )),
        _ => Ok(()),
    }
}

/// The lines right before the block, without the empty ones between, as one.
fn paragraph_before(page: &Page, code: &Code) -> String {
    let before = page.source[..code.range.start].trim_end();
    let lines: Vec<&str> = before.lines().rev().take_while(|line| !line.trim().is_empty()).collect();
    lines.into_iter().rev().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::blocks;
    use crate::book::Page;

    fn complaints(source: &str) -> Vec<String> {
        let long = "line\n".repeat(31);
        let file =
            format!("// ANCHOR: x\nlet a;\n// ANCHOR_END: x\n// ANCHOR: long\n{long}// ANCHOR_END: long\n");
        let files = BTreeMap::from([(PathBuf::from("chapters/a.rs"), file)]);
        blocks(&Page::parse("book/src/a.md", source), &files)
            .into_iter()
            .map(|complaint| complaint.text)
            .collect()
    }

    #[test]
    fn an_include_that_names_its_file_is_fine() {
        assert_eq!(
            complaints("`chapters/a.rs`:\n\n```rust,ignore\n{{#include ../../chapters/a.rs:x}}\n```\n"),
            [""; 0]
        );
        assert_eq!(complaints("```console\n$ x\n```\n\n```sh\nx\n```\n\n```text\nx\n```\n"), [""; 0]);
    }

    #[test]
    fn the_same_file_again_needs_no_name() {
        let first = "`chapters/a.rs`:\n\n```rust\n{{#include ../../chapters/a.rs:x}}\n```\n";
        let again = "\nThe rest of the same\nfile:\n\n```rust\n{{#include ../../chapters/a.rs:x}}\n```\n";
        assert_eq!(complaints(&format!("{first}{again}")), [""; 0]);
        assert!(complaints(again)[0].contains("does not name its file"));
    }

    #[test]
    fn pasted_code_is_found() {
        assert!(complaints("`a.rs`:\n\n```rust\nfn f() {}\n```\n")[0].contains("pasted"));
        assert!(complaints("```c\nint f();\n```\n")[0].contains("pasted"));
        assert!(complaints("```\nfn f() {}\n```\n")[0].contains("marked"));
        let mixed = "`chapters/a.rs`:\n\n```rust\n{{#include ../../chapters/a.rs:x}}\nfn f() {}\n```\n";
        assert!(complaints(mixed)[0].contains("pasted"));
    }

    #[test]
    fn an_include_of_nothing_is_found() {
        let include = |target| {
            format!(
                "`chapters/a.rs` or `chapters/b.rs`:\n\n```rust\n{{{{#include ../../chapters/{target}}}}}\n```\n"
            )
        };
        assert!(complaints(&include("a.rs:y"))[0].contains("no anchor `y`"));
        assert!(complaints(&include("b.rs:x"))[0].contains("no file"));
        assert!(complaints(&include("a.rs"))[0].contains("without an anchor"));
        assert!(complaints(&include("a.rs:3:9"))[0].contains("without an anchor"));
        assert!(complaints(&include("a.rs:long"))[0].contains("31 lines"));
    }

    #[test]
    fn a_block_that_a_reader_cannot_place_is_found() {
        let unnamed = "Text.\n\n```rust\n{{#include ../../chapters/a.rs:x}}\n```\n";
        assert!(complaints(unnamed)[0].contains("does not name its file"));
        let quoted = "> `chapters/a.rs`:\n>\n> ```rust\n> {{#include ../../chapters/a.rs:x}}\n> ```\n";
        assert!(complaints(quoted)[0].contains("in a list or a quote"));
        assert!(complaints("Text {{#include ../../chapters/a.rs:x}}\n")[0].contains("outside"));
    }
}
