//! What a check says: one JSON object a line, on its standard output.
//!
//! The checker reads it there. The student's program has pipes of its own and never sees this one.

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// A claim about the student's program, and whether it is true.
    Invariant {
        /// The invariant's number on the chapter's page.
        number: u32,
        /// What is claimed here.
        claim: String,
        /// Whether it holds.
        holds: bool,
        /// What there should be.
        #[serde(default)]
        expected: String,
        /// What the kernel showed.
        #[serde(default)]
        found: String,
        /// What most often leads to this.
        #[serde(default)]
        cause: String,
    },
    /// The student's program ended, or said something else than it should, before the check could look.
    Stopped {
        /// The invariant that was being looked at, if there was one.
        number: Option<u32>,
        /// What went wrong.
        reason: String,
    },
    /// What the student's program wrote to its standard error.
    Stderr {
        /// The text, cut short when it is long.
        text: String,
    },
    /// The check has looked at everything. Without this line, something ended it before.
    Complete,
}

impl Verdict {
    /// The verdict as a line.
    pub fn line(&self) -> String {
        // Strings, numbers and booleans always have a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The verdict that stands on `line`; none when that is no verdict.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn a_verdict_is_a_line_of_json_and_is_read_back() {
        let verdict = Verdict::Invariant {
            number: 2,
            claim: "the old root is gone".to_owned(),
            holds: false,
            expected: "one mount".to_owned(),
            found: "two\nmounts".to_owned(),
            cause: String::new(),
        };
        let line = verdict.line();
        assert!(line.starts_with(r#"{"verdict":"invariant","number":2,"#), "{line}");
        assert!(!line.contains('\n'));
        assert_eq!(Verdict::parse(&line), Some(verdict));
        assert_eq!(Verdict::Complete.line(), r#"{"verdict":"complete"}"#);
        assert_eq!(Verdict::parse("hello"), None);
    }
}
