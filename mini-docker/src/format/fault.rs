//! What is wrong with a template, and where: in Go's words, and at Go's places.

use gotmpl::TemplateError;

/// A template that cannot be read, or not be filled in: Go's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It is none.
    #[error("template: :{line}:{column}: {message}")]
    Parse {
        /// From 1.
        line: usize,
        /// From 0.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// What it asks for is not there.
    #[error("template: :{line}:{column}: executing \"\" at <{at}>: {message}")]
    Execute {
        /// From 1.
        line: usize,
        /// From 0.
        column: usize,
        /// The part of the template.
        at: String,
        /// What is wrong.
        message: String,
    },
}

/// What went wrong, in Go's words where they differ.
pub(super) fn words(error: &TemplateError) -> String {
    match error {
        TemplateError::Exec(message) => match message.split_once(": ") {
            Some(("incompatible types for comparison", _)) => "incompatible types for comparison".to_owned(),
            _ => message
                .replace("cannot index string with", "cannot index slice/array with")
                .replace("cannot index list with", "cannot index slice/array with"),
        },
        TemplateError::UndefinedTemplate(name) => format!("template \"{name}\" not defined"),
        other => other.to_string(),
    }
}

pub(super) fn not_a_template(error: &TemplateError, source: &str) -> Error {
    match error {
        TemplateError::Parse { line, col, message, .. } | TemplateError::Lex { line, col, message, .. } => {
            Error::Parse { line: *line, column: col.saturating_sub(1), message: message.clone() }
        }
        other => {
            let (line, column) = line_and_column(source, 0);
            Error::Parse { line, column, message: words(other) }
        }
    }
}

/// The line, from 1, and the byte in it, from 0.
pub(super) fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let before = &source.as_bytes()[..offset.min(source.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (line, before.len() - start)
}
