//! Texts of two engines made comparable.

use std::collections::HashMap;

use regex_lite::{Captures, Regex};

use crate::harness::Done;

/// Ids that have been seen, in their order.
#[derive(Default)]
pub(super) struct Plain {
    ids: HashMap<String, usize>,
}

/// What is different each time, and what to write for it.
const VOLATILE: [(&str, &str); 11] = [
    // RFC 3339, Go's own form, and how long ago.
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \w+", "TIME"),
    (r"(Less than a second|(About )?(a|an|\d+) (second|minute|hour)s?)( ago)?", "AGO"),
    (r"\b[a-z]+_[a-z]+\d?\b", "BY_CHANCE"),
    (r"\b1\d{9}(\d{9})?\b", "MOMENT"),
    (r#"(execDuration"?)[:=]"?\d+"?"#, "$1:N"),
    // Columns are as wide as what is different.
    (r" {2,}", "  "),
    (r"(?m) +$", ""),
    // Sizes count other things: blocks of a disk, directories.
    (r"\b\d+(\.\d+)?[kMG]?B\b", "SIZE"),
    (r"/[^ ]*/(theirs|ours)/", "/HERE/"),
    (r"step \d+ \([^)]*\): ", ""),
];

/// Where both say the same in different words, in all verbs: what is written for either, and why we stay with ours.
const WORDS: [(&str, &str); 13] = [
    // Docker 26 ended messages of its command so.
    (r"(?m)\.$", ""),
    (
        r#"(?m)^['"]docker [a-z ]+['"] (requires|accepts no) .*$|^a required argument is missing: .*$"#,
        "WRONG ARGUMENTS",
    ),
    // One line says it, once for each name; Docker adds another.
    (r"^failed to (rename container named|start containers:) .*\n", ""),
    // A name is shown as it was typed, without a slash.
    (r"(I|i)nvalid container name \(/", "${1}nvalid container name ("),
    // A number that is none, in Go's words.
    (r#"strconv\.\w+: parsing "([^"]*)": invalid syntax"#, "`$1` is not a whole number"),
    (r"no such image: \S+: No such image", "no such image"),
    // Names that are not there are shown as they were typed, perhaps with one that is meant.
    (
        r"(?m)no such image: ([^ \n]+?)(:latest)?$|no image named `([^`]+)`(; did you mean `[^`]+`\?)?$",
        "NO IMAGE $1$3",
    ),
    (r"repository name \(library/([^)]+)\) must be", "repository name `$1` must be"),
    // The operand that a verb was at stands first.
    (r"cannot (start|save|load|import) `[^`]+`: ", ""),
    // We are one program: there are no components that each add where they were.
    (
        r"(failed to create task for container: )?failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ",
        "",
    ),
    (r"(?m): unknown$", ""),
    // A file that is not there, in the kernel's words or in Go's.
    (r"open [^ ]+: no such file or directory", "No such file or directory"),
    // A fault in a template is told with its column.
    (r"template: :(\d+):\d+: (unclosed action|function)", "template: :$1: $2"),
];

/// Who speaks: the command, and Docker's daemon, which we do not have.
const SPEAKERS: &str = r"^(mini-docker: |docker: |Error response from daemon: |Error: )+";

/// Messages begin with a small letter; some of Docker's do not.
fn small(line: &str) -> String {
    let mut letters = line.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

impl Plain {
    /// What a line printed, and how it ended.
    pub(super) fn answer(&mut self, done: &Done) -> String {
        let (out, err) = (self.text(&done.out()), self.errors(&done.err()));
        let err: String = err.lines().map(|line| format!("! {line}\n")).collect();
        format!("{out}{err}[{}]\n", done.code)
    }

    pub(super) fn text(&mut self, text: &str) -> String {
        let id = Regex::new(r"\b(sha256:)?([0-9a-f]{64}|[0-9a-f]{12})\b").unwrap();
        let text = id.replace_all(text, |found: &Captures<'_>| {
            let next = self.ids.len();
            let number = *self.ids.entry(found[2][..12].to_owned()).or_insert(next);
            let length = if found[2].len() == 12 { "id" } else { "ID" };
            format!("{}{length}{number}", found.get(1).map_or("", |text| text.as_str()))
        });
        VOLATILE.iter().fold(text.into_owned(), |text, (pattern, word)| {
            Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
        })
    }

    /// As [`Self::text`], without who speaks, where to look for more, and what Docker's command logs at times.
    pub(super) fn errors(&mut self, text: &str) -> String {
        let speakers = Regex::new(SPEAKERS).unwrap();
        let more = |line: &&str| {
            let is_help = ["hint: ", "Run '", "See '", "time=\""].iter().any(|start| line.starts_with(start));
            !line.is_empty() && !is_help
        };
        // One line says what is wrong, `--help` how it would be right.
        let lines = text
            .lines()
            .take_while(|line| !line.starts_with("Usage: "))
            .filter(more)
            .map(|line| speakers.replace(line, "").replace("mini-docker", "docker") + "\n");
        let text = self.text(&lines.map(|line| small(&line)).collect::<String>());
        let text = text.lines().map(|line| {
            WORDS.iter().fold(line.to_owned() + "\n", |text, (pattern, word)| {
                Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
            })
        });
        text.collect()
    }
}
