//! The three hints of an exercise: a nudge, the man page and the flag, nearly the code.

/// How many there are.
const COUNT: usize = 3;

/// A file that has not three hints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} sections `## …`; an exercise has {COUNT} hints")]
pub struct HintsError {
    found: usize,
}

/// The sections of `hints.md`, headings included. What stands before the first is left out.
///
/// # Errors
/// When there are not three.
pub fn parse(text: &str) -> Result<[String; COUNT], HintsError> {
    let mut sections: Vec<String> = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        if line.starts_with("## ") && !in_code {
            sections.push(String::new());
        }
        if let Some(section) = sections.last_mut() {
            *section += line;
            section.push('\n');
        }
    }
    let sections: Vec<String> = sections.iter().map(|section| section.trim_end().to_owned()).collect();
    sections.try_into().map_err(|sections: Vec<String>| HintsError { found: sections.len() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_section_is_a_hint_and_code_has_no_sections() {
        let hints =
            parse("# Hints\n\n## One\n\na\n\n## Two\nb\n```\n## not one\n```\n## Three\nc\n").unwrap();
        assert_eq!(hints[0], "## One\n\na");
        assert_eq!(hints[1], "## Two\nb\n```\n## not one\n```");
    }

    #[test]
    fn two_hints_are_too_few() {
        assert_eq!(
            parse("## One\n## Two\n").unwrap_err().to_string(),
            "2 sections `## …`; an exercise has 3 hints"
        );
    }
}
