//! Rust source without what is not code: comments and the text inside quotes become blanks.
//!
//! Every other character stays where it is, line by line, so a word that is found afterwards is a word that
//! the compiler sees, on the line that an editor shows. This is no parser: it knows quotes and comments, and
//! nothing else. The Rust Reference, "Tokens" and "Comments".

/// `source` with comments and the insides of texts and characters blanked out.
pub fn code_only(source: &str) -> String {
    let characters: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let before = at.checked_sub(1).map(|last| characters[last]);
        let length = comment(rest)
            .or_else(|| raw_text(rest, before))
            .or_else(|| text(rest))
            .or_else(|| character(rest));
        match length {
            Some(length) => {
                let skipped = &rest[..length.min(rest.len())];
                code.extend(skipped.iter().map(|character| if *character == '\n' { '\n' } else { ' ' }));
                at += skipped.len();
            }
            None => {
                code.push(rest[0]);
                at += 1;
            }
        }
    }
    code
}

/// The words of a line: letters, digits and underscores, as in identifiers and keywords.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
}

/// The length of the comment that `rest` begins with. Block comments nest.
fn comment(rest: &[char]) -> Option<usize> {
    if rest.starts_with(&['/', '/']) {
        return Some(rest.iter().position(|character| *character == '\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with(&['/', '*']) {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    Some(at)
}

/// The length of the raw text (`r"…"`, `r#"…"#`, also after `b` or `c`) that `rest` begins with. An `r` at the
/// end of a name, as in `for"`, begins none.
fn raw_text(rest: &[char], before: Option<char>) -> Option<usize> {
    if rest[0] != 'r'
        || before.is_some_and(|last| (last.is_alphanumeric() && !"bc".contains(last)) || last == '_')
    {
        return None;
    }
    let hashes = rest[1..].iter().take_while(|character| **character == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let start = hashes + 2;
    let mut end: Vec<char> = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let inside = rest[start..].windows(end.len()).position(|window| window == end);
    Some(inside.map_or(rest.len(), |length| start + length + end.len()))
}

/// The length of the text in double quotes that `rest` begins with.
fn text(rest: &[char]) -> Option<usize> {
    if rest[0] != '"' {
        return None;
    }
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    Some(at + 1)
}

/// The length of the character in single quotes that `rest` begins with; a lifetime is none.
fn character(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', _, more @ ..] => more.iter().position(|it| *it == '\'').map(|length| 3 + length + 1),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{code_only, words};

    fn kept(source: &str) -> Vec<String> {
        words(&code_only(source)).map(str::to_owned).collect()
    }

    #[test]
    fn comments_and_texts_are_no_code() {
        assert_eq!(
            kept("let a = 1; // unsafe\nlet b = \"unsafe \\\" unsafe\";"),
            ["let", "a", "1", "let", "b"]
        );
        assert_eq!(kept("a /* x /* y */ z */ b"), ["a", "b"]);
        assert_eq!(kept("a(r#\"x \" y\"#, br\"z\\\", c)"), ["a", "b", "c"]);
    }

    #[test]
    fn a_quote_character_opens_no_text_and_a_lifetime_no_character() {
        assert_eq!(kept("f('\"', x, '\\'', y, '\\u{22}', z)"), ["f", "x", "y", "z"]);
        assert_eq!(kept("fn f<'a>(x: &'a str) -> &'a str { x }").len(), 9);
    }

    #[test]
    fn a_name_that_ends_in_r_begins_no_raw_text() {
        assert_eq!(kept("for\"x\" after r#type"), ["for", "after", "r", "type"]);
    }

    #[test]
    fn lines_keep_their_numbers() {
        let code = code_only("/* a\nb */ one\n\"c\nd\" two");
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        assert_eq!(lines, ["", "one", "", "two"]);
    }
}
