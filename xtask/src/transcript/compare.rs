//! Whether the machine answered what the page says.
//!
//! The patterns are snapbox's, which are cargo's own: `[..]` is anything within a line, a line `...` is any
//! number of lines.

use snapbox::Data;
use snapbox::filter::NormalizeToExpected;
use snapbox::report::{Palette, write_diff};

/// What the page should say: `actual`, but `expected`'s own lines wherever their patterns match it. It equals
/// `expected` when nothing is wrong.
pub fn reconcile(expected: &str, actual: &str) -> String {
    let normalized = normalize(expected, actual);
    if normalized == expected {
        return normalized;
    }
    // Where lines came or went, a pattern still stands for the line that it was written for.
    let patterns: Vec<&str> = expected.lines().filter(|line| line.contains("[..]")).collect();
    let written_for =
        |line: &str| patterns.iter().copied().find(|pattern| normalize(pattern, line) == *pattern);
    let lines = normalized.lines().map(|line| written_for(line).unwrap_or(line).to_owned() + "\n");
    lines.collect()
}

fn normalize(expected: &str, actual: &str) -> String {
    let pattern = Data::text(expected);
    let normalized = NormalizeToExpected::new().redact().normalize(Data::text(actual), &pattern);
    normalized.render().unwrap_or_else(|| actual.to_owned())
}

/// The difference between what the page says and what it should say, for a terminal.
pub fn difference(page: &str, machine: &str) -> String {
    let mut text = String::new();
    let (page, machine) = (Data::text(page), Data::text(machine));
    let written = write_diff(&mut text, &page, &machine, Some(&"page"), Some(&"machine"), Palette::plain());
    written.map_or_else(|_| "the two differ".to_owned(), |()| text)
}

#[cfg(test)]
mod tests {
    use super::{difference, reconcile};

    #[test]
    fn what_varies_matches_and_stays() {
        let page = "pid [..] of 10\n...\nlast\n";
        assert_eq!(reconcile(page, "pid 77 of 10\na\nb\nlast\n"), page);
        assert_eq!(reconcile("", ""), "");
    }

    #[test]
    fn what_differs_is_replaced_and_nothing_else() {
        let page = "pid [..]\nname web\nend [..]\n";
        assert_eq!(reconcile(page, "pid 1\nname db\nend 2\n"), "pid [..]\nname db\nend [..]\n");
        assert_eq!(reconcile(page, "new\npid 1\nname web\nend 2\n"), "new\npid [..]\nname web\nend [..]\n");
        assert_eq!(reconcile(page, ""), "");
    }

    #[test]
    fn a_missing_and_a_surplus_line_are_differences() {
        assert_ne!(reconcile("a\nb\n", "a\n"), "a\nb\n");
        assert_ne!(reconcile("a\n", "a\nb\n"), "a\n");
    }

    #[test]
    fn the_difference_names_both_sides() {
        let text = difference("a\nb\n", "a\nc\n");
        assert!(text.contains("page") && text.contains("machine"), "{text}");
        assert!(text.lines().any(|line| line.contains('-') && line.contains('b')), "{text}");
        assert!(text.lines().any(|line| line.contains('+') && line.contains('c')), "{text}");
    }
}
