//! What goes wrong, as one line and a way out, and the exit status it gives.

use anstream::eprintln;
use course::catalog::Unknown;
use course::copy::CopyError;
use outer_box::BoxError;

use crate::status::Status;

/// A failure that brings its own exit status and hint.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    message: String,
    hint: String,
    status: Status,
}

/// A command that makes no sense here.
pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Failure { message: message.into(), hint: hint.into(), status: Status::Usage }.into()
}

/// Prints the error with its causes, and a way out where one is known.
pub(crate) fn report(error: &anyhow::Error) -> Status {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    eprintln!("{red}course{red:#}: {}", chain(error));
    if let Some(hint) = hint(error) {
        eprintln!("hint: {hint}");
    }
    status(error)
}

/// The error and its causes on one line; a cause that its error repeats is left out.
fn chain(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return Some(failure.hint.clone());
        }
        if cause.downcast_ref::<Unknown>().is_some() {
            return Some("`cargo course list` shows all of them".to_owned());
        }
        match cause.downcast_ref::<CopyError>() {
            Some(CopyError::NotEmpty(_)) => {
                return Some(
                    "choose a directory that does not exist yet, or `cargo course update` in a copy"
                        .to_owned(),
                );
            }
            Some(CopyError::Inside(_)) => {
                return Some("choose a directory elsewhere, such as ~/containers".to_owned());
            }
            Some(CopyError::NoOrigin(_)) => {
                return Some(
                    "`.course/origin` holds that path: write where the course is now into it".to_owned(),
                );
            }
            _ => {}
        }
        cause.downcast_ref::<BoxError>().and_then(BoxError::hint)
    })
}

fn status(error: &anyhow::Error) -> Status {
    let is = |cause: &(dyn std::error::Error + 'static)| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return Some(failure.status);
        }
        if cause.downcast_ref::<Unknown>().is_some()
            || matches!(
                cause.downcast_ref(),
                Some(CopyError::NotEmpty(_) | CopyError::Inside(_) | CopyError::NoOrigin(_))
            )
        {
            return Some(Status::Usage);
        }
        cause.downcast_ref::<BoxError>().map(|_| Status::CannotRunHere)
    };
    error.chain().find_map(is).unwrap_or(Status::Fail)
}
