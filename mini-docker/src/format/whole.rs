//! Reads a template to its end.
//!
//! The parser stops at an `{{end}}` that ends nothing, and takes the end of the text for an `{{end}}` that is missing. So
//! a mark is put behind the template: where the mark stands in the tree tells whether all of it was read.

use gotmpl::parse::{DefineNode, ListNode, Node, Parser};

use super::fault::{Error, line_and_column, not_a_template};

/// No template has this in it.
const MARK: char = '\u{1}';

/// The tree of the template, and those that it defines.
pub(super) fn parse(source: &str) -> Result<(ListNode, Vec<DefineNode>), Error> {
    let (mut tree, defines) = read(source)?;
    if let Some(Node::Text(text)) = tree.nodes.last_mut()
        && let Some(whole) = text.text.strip_suffix(MARK)
    {
        text.text = whole.into();
        return Ok((tree, defines));
    }
    let is_open = holds(&tree) || defines.iter().any(|define| holds(&define.body));
    let (offset, message) =
        if is_open { (source.len(), "unexpected EOF".to_owned()) } else { too_many(source) };
    let (line, column) = line_and_column(source, offset);
    Err(Error::Parse { line, column, message })
}

fn read(source: &str) -> Result<(ListNode, Vec<DefineNode>), Error> {
    let marked = format!("{source}{MARK}");
    let parse = |text| Parser::new(text, "{{", "}}").and_then(Parser::parse);
    // What is wrong is told best without the mark.
    let parsed = parse(source).and_then(|_| parse(&marked));
    parsed.map_err(|error| match not_a_template(&error, source) {
        // The parser has one message for all places where a value is missing.
        Error::Parse { line, column, message } if message == "empty command" => {
            let before = source.lines().nth(line - 1).and_then(|line| line.get(..column)).unwrap_or_default();
            let action = before.rsplit("{{").next().unwrap_or_default().trim_matches(['}', '-', ' ']);
            let what = if ["if", "range", "with"].contains(&action) { action } else { "command" };
            Error::Parse { line, column, message: format!("missing value for {what}") }
        }
        other => other,
    })
}

/// Whether the mark is somewhere in the tree.
fn holds(list: &ListNode) -> bool {
    list.nodes.iter().any(|node| match node {
        Node::Text(text) => text.text.contains(MARK),
        Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
            holds(&branch.body) || branch.else_body.as_ref().is_some_and(holds)
        }
        Node::List(list) => holds(list),
        Node::Define(define) => holds(&define.body),
        _ => false,
    })
}

/// The first action that ends, or goes on with, what has not begun.
fn too_many(source: &str) -> (usize, String) {
    let ends = source.match_indices("}}").map(|(at, _)| at + 2);
    let stops = |end: &usize| {
        read(&source[..*end])
            .is_ok_and(|(tree, defines)| !holds(&tree) && !defines.iter().any(|define| holds(&define.body)))
    };
    let end = ends.into_iter().find(stops).unwrap_or(source.len());
    let start = source[..end].rfind("{{").unwrap_or(0);
    let word = source[start..end].trim_matches(['{', '}', '-', ' ']).split(' ').next().unwrap_or_default();
    (start + 2, format!("unexpected {{{{{word}}}}}"))
}
