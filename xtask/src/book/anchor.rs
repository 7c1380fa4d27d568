//! The pieces of a source file that a page can show: from `ANCHOR: name` to `ANCHOR_END: name`.

/// Whether `source` has an anchor of this name that also ends.
pub fn exists(source: &str, name: &str) -> bool {
    let marked = |mark| source.lines().any(|line| named(line, mark) == Some(name));
    marked("ANCHOR:") && marked("ANCHOR_END:")
}

/// The lines that mdbook shows for the anchor `name`: those between its marks, without the marks of others.
pub fn anchored<'s>(source: &'s str, name: &str) -> Vec<&'s str> {
    let begins = |line: &&str| named(line, "ANCHOR:") == Some(name);
    let ends = |line: &&str| named(line, "ANCHOR_END:") == Some(name);
    let inside = source.lines().skip_while(|line| !begins(line)).skip(1).take_while(|line| !ends(line));
    inside.filter(|line| named(line, "ANCHOR:").or(named(line, "ANCHOR_END:")).is_none()).collect()
}

/// The name after `mark` in `line`.
fn named<'l>(line: &'l str, mark: &str) -> Option<&'l str> {
    let name = line.split_once(mark)?.1.trim_start();
    let is_name = |character: char| character.is_alphanumeric() || character == '_' || character == '-';
    let name = &name[..name.find(|character| !is_name(character)).unwrap_or(name.len())];
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{anchored, exists};

    const SOURCE: &str = "\
fn f() {
    // ANCHOR: outer
    a();
    // ANCHOR: inner
    b();
    // ANCHOR_END: inner
    // ANCHOR_END: outer
    // ANCHOR: open
    c();
}
";

    #[test]
    fn an_anchor_is_there_when_it_begins_and_ends() {
        assert!(exists(SOURCE, "outer") && exists(SOURCE, "inner"));
        assert!(!exists(SOURCE, "open") && !exists(SOURCE, "out"));
    }

    #[test]
    fn the_marks_of_others_are_not_shown() {
        assert_eq!(anchored(SOURCE, "outer"), ["    a();", "    b();"]);
        assert_eq!(anchored(SOURCE, "inner"), ["    b();"]);
    }
}
