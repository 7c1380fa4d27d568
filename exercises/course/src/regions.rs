//! Marked regions of a source: `// ANCHOR: name` to `// ANCHOR_END: name`, as mdBook has them.
//!
//! Pure text. A mark stands on a line of its own, after the comment sign of its language (`//`, `#`, `--`, `<!--`).
//! Regions may lie in each other: the book shows larger pieces than an exercise blanks.

/// Why a region cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// No line begins it.
    #[error("no region `{0}`: there is no line `ANCHOR: {0}`")]
    Missing(String),
    /// No line ends it.
    #[error("region `{0}` does not end: there is no line `ANCHOR_END: {0}` after its beginning")]
    Endless(String),
    /// Two lines begin it.
    #[error("region `{0}` begins twice")]
    Twice(String),
}

enum Mark<'l> {
    Begin(&'l str),
    End(&'l str),
}

fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim();
    let comment = ["//", "#", "--", "<!--"].iter().find_map(|sign| line.strip_prefix(sign))?.trim();
    let comment = comment.strip_suffix("-->").unwrap_or(comment).trim();
    if let Some(name) = comment.strip_prefix("ANCHOR_END:") {
        Some(Mark::End(name.trim()))
    } else {
        comment.strip_prefix("ANCHOR:").map(|name| Mark::Begin(name.trim()))
    }
}

/// The text, line ends included, cut into what is before the region, in it, and after it. The marks are in neither.
fn cut<'t>(text: &'t str, name: &str) -> Result<(&'t str, &'t str, &'t str), RegionError> {
    let mut begin = None;
    let mut end = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match mark(line) {
            Some(Mark::Begin(found)) if found == name => {
                if begin.is_some() {
                    return Err(RegionError::Twice(name.to_owned()));
                }
                begin = Some((at, at + line.len()));
            }
            Some(Mark::End(found)) if found == name && begin.is_some() && end.is_none() => {
                end = Some((at, at + line.len()));
            }
            _ => {}
        }
        at += line.len();
    }
    let begin = begin.ok_or_else(|| RegionError::Missing(name.to_owned()))?;
    let end = end.ok_or_else(|| RegionError::Endless(name.to_owned()))?;
    Ok((&text[..begin.0], &text[begin.1..end.0], &text[end.1..]))
}

/// What is in the region, without marks of other regions.
///
/// # Errors
/// When there is no such region.
pub fn region(text: &str, name: &str) -> Result<String, RegionError> {
    cut(text, name).map(|(_, inside, _)| without_marks(inside))
}

/// The text with other lines in place of the region, indented as the region is. The region's own marks are gone.
///
/// # Errors
/// When there is no such region.
pub fn replace(text: &str, name: &str, with: &str) -> Result<String, RegionError> {
    let (before, inside, after) = cut(text, name)?;
    Ok(format!("{before}{}{after}", indented(with, indent(inside))))
}

/// The text without any line that is a mark.
pub fn without_marks(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| mark(line).is_none()).collect()
}

/// The text moved so far to the right that its leftmost line begins as deep as `indent`.
fn indented(text: &str, indent: &str) -> String {
    let lines = || text.trim_matches('\n').lines();
    let filled = lines().filter(|line| !line.trim().is_empty());
    let own = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let line = |line: &str| match line.get(own..) {
        Some(rest) if !rest.trim().is_empty() => format!("{indent}{rest}\n"),
        _ => "\n".to_owned(),
    };
    lines().map(line).collect()
}

/// The blanks before the first line that holds something.
fn indent(text: &str) -> &str {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    &line[..line.len() - line.trim_start().len()]
}

#[cfg(test)]
mod tests {
    use super::{RegionError, region, replace, without_marks};

    const SOURCE: &str = "\
fn f() {
    // ANCHOR: all
    one();
    // ANCHOR: two
    if two() {
        three();
    }
    // ANCHOR_END: two
    // ANCHOR_END: all
}
";

    #[test]
    fn a_region_is_what_stands_between_its_marks() {
        assert_eq!(region(SOURCE, "two").unwrap(), "    if two() {\n        three();\n    }\n");
        assert_eq!(region(SOURCE, "all").unwrap(), "    one();\n    if two() {\n        three();\n    }\n");
    }

    #[test]
    fn other_lines_take_the_regions_place_and_its_depth() {
        let replaced = replace(SOURCE, "two", "if x {\n    y();\n\n}\n").unwrap();
        assert!(replaced.contains(
            "    // ANCHOR: all\n    one();\n    if x {\n        y();\n\n    }\n    // ANCHOR_END: all\n"
        ));
        let from_depth = replace(SOURCE, "two", "\n            a();\n                b();\n").unwrap();
        assert!(from_depth.contains("one();\n    a();\n        b();\n"), "{from_depth}");
    }

    #[test]
    fn marks_of_other_languages_are_marks_too() {
        let text = "# ANCHOR: a\nx = 1\n# ANCHOR_END: a\n<!-- ANCHOR: b -->\n<!-- ANCHOR_END: b -->\n";
        assert_eq!(without_marks(text), "x = 1\n");
        assert_eq!(replace(text, "b", "y").unwrap(), "# ANCHOR: a\nx = 1\n# ANCHOR_END: a\ny\n");
        assert_eq!(without_marks("let anchor = \"ANCHOR: a\";\n"), "let anchor = \"ANCHOR: a\";\n");
    }

    #[test]
    fn a_region_that_is_not_whole_is_named() {
        let missing = |name: &str| RegionError::Missing(name.to_owned());
        assert_eq!(region(SOURCE, "three"), Err(missing("three")));
        assert_eq!(region("// ANCHOR: a\n", "a"), Err(RegionError::Endless("a".to_owned())));
        assert_eq!(
            region("// ANCHOR: a\n// ANCHOR_END: a\n// ANCHOR: a\n", "a"),
            Err(RegionError::Twice("a".to_owned()))
        );
        assert_eq!(missing("x").to_string(), "no region `x`: there is no line `ANCHOR: x`");
    }
}
