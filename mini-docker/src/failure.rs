//! What goes wrong, as one line and a way out, and the exit status it gives.

use std::io::Write as _;

use mini_engine::log_options::LogOptionError;
use mini_engine::logs::LogsError;
use mini_engine::{CommitError, HomeError, StartError, SurveyError};
use mini_images::StoreError;
use mini_images::pull::PullError;
use mini_images::push::PushError;
use mini_images::registry::catalog::SearchError;
use mini_images::registry::login::LoginError;
use mini_images::registry::{AuthError, HttpError, RegistryError};
use mini_sys::Errno;

/// The status for what is our fault and not a program's.
pub(crate) const OURS: u8 = 125;

/// A failure that brings its own exit status or its own hint.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One line.
    pub(crate) message: String,
    /// A way out.
    pub(crate) hint: Option<String>,
    /// The exit status.
    pub(crate) status: u8,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Docker's words for a filter that is no condition, with the status of a wrong flag.
pub(crate) fn no_condition(flag: &str, text: &str) -> anyhow::Error {
    let why = "bad format of filter (expected name=value)";
    let message = format!("invalid argument \"{text}\" for \"{flag}\" flag: {why}");
    Failure { message, hint: None, status: OURS }.into()
}

/// Prints the error with its causes, and a way out where one is known. Returns the exit status.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    let Failure { message, hint, status } = told(error);
    let mut text = format!("mini-docker: {}\n", visible(&message));
    if let Some(hint) = hint {
        text += &format!("hint: {}\n", visible(&hint));
    }
    // A closed standard error leaves nothing to say it on.
    let _ = std::io::stderr().write_all(text.as_bytes());
    status
}

/// The text with control characters made visible: an operand is somebody's text, and must neither break the line
/// nor reach the terminal as a command.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

/// The error as one line, for what is told and gone on from.
pub(crate) fn line(error: &anyhow::Error) -> String {
    visible(&chain(error))
}

/// The error and its causes on one line. A cause that its error repeats is left out.
fn chain(error: &anyhow::Error) -> String {
    words(error.as_ref())
}

/// An error that is no `anyhow` one, and its causes, on one line.
pub(crate) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in anyhow::Chain::new(error) {
        let text = plain(&cause.to_string());
        if parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

/// Rust's own words end in `(os error 2)`, which tells nobody more.
pub(crate) fn plain(text: &str) -> String {
    match text.rfind(" (os error ") {
        Some(at) if text.ends_with(')') => text[..at].to_owned(),
        _ => text.to_owned(),
    }
}

/// The way out, as far as the kinds of error tell one.
fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(StoreError::NotFound { suggestion: None, .. }) = cause.downcast_ref() {
            return Some(
                "`mini-docker images` lists what is here, `pull`, `import` and `load -i` bring more; the image `host` is always there"
                    .to_owned(),
            );
        }
        if let Some(hint) = of_remote(cause) {
            return Some(hint);
        }
        if let Some(HomeError::Unusable { path, .. }) = cause.downcast_ref() {
            return Some(format!(
                "`--root DIR` (or MINI_DOCKER_ROOT) keeps everything in a directory of your choice instead of {}",
                path.parent().unwrap_or(path).display()
            ));
        }
        match of_survey(cause) {
            Some(SurveyError::Plan(mini_runtime::PlanError::Limits(limits))) => {
                return limits.hint().map(str::to_owned);
            }
            Some(SurveyError::OnlyRoot(_)) => {
                return Some("leave out --user, or run the container as root".to_owned());
            }
            _ => {}
        }
        if let Some(CommitError::Pause { .. }) = cause.downcast_ref() {
            return Some("`--pause=false` commits it as it runs".to_owned());
        }
        if let Some(LogOptionError::Driver(_)) = cause.downcast_ref() {
            return Some("there are `json-file`, `journald` and `none`".to_owned());
        }
        if let Some(LogsError::NoReading { hint }) = cause.downcast_ref() {
            return hint.clone();
        }
        let of_io = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
        let of_call = cause.downcast_ref::<mini_sys::Error>().map(|error| error.errno() as i32);
        of_io.or(of_call).and_then(|number| of_errno(Errno::from_raw(number)))
    })
}

/// What is missing for a start, by itself or as the reason why there was none.
fn of_survey<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a SurveyError> {
    match cause.downcast_ref() {
        Some(StartError::Survey(error)) => Some(error),
        _ => cause.downcast_ref(),
    }
}

/// Errors that say what their source says, which is therefore not in the chain, and those that bring one.
fn of_remote(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(PullError::Registry(error)) = cause.downcast_ref() {
        return of_registry(error);
    }
    if let Some(PushError::Registry(error)) = cause.downcast_ref() {
        return of_registry(error);
    }
    match cause.downcast_ref() {
        Some(SearchError::Http(error)) => return of_http(error),
        Some(SearchError::Auth(error)) => return of_auth(error),
        _ => {}
    }
    match cause.downcast_ref() {
        Some(LoginError::Http(error)) => of_http(error),
        _ => None,
    }
}

fn of_registry(error: &RegistryError) -> Option<String> {
    match error {
        RegistryError::Http(error) => of_http(error),
        RegistryError::Auth(error) => of_auth(error),
        _ => None,
    }
}

fn of_auth(error: &AuthError) -> Option<String> {
    match error {
        AuthError::NoCredentials(registry) => {
            Some(format!("`mini-docker login {registry}` asks for them, and keeps them"))
        }
        _ => None,
    }
}

fn of_http(error: &HttpError) -> Option<String> {
    error.is_about_trust().then(|| {
        "the certificate of its authority goes into /etc/mini-docker/certs.d/REGISTRY/, as a file *.crt"
            .to_owned()
    })
}

fn of_errno(errno: Errno) -> Option<String> {
    let text = match errno {
        Errno::ENOSPC => {
            "the disk is full: `mini-docker rm` and `rmi` make room, `--root DIR` uses another disk"
        }
        Errno::EROFS => "the file system is read-only: `--root DIR` keeps everything elsewhere",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The error as it is told to another process: one line, the way out, and the exit status.
pub(crate) fn told(error: &anyhow::Error) -> Failure {
    let failure = error.downcast_ref::<Failure>();
    Failure {
        message: chain(error),
        hint: failure.and_then(|failure| failure.hint.clone()).or_else(|| hint(error)),
        status: failure.map_or(1, |failure| failure.status),
    }
}

/// The error as it is, with this exit status.
pub(crate) fn with_status(error: &anyhow::Error, status: u8) -> anyhow::Error {
    Failure { message: chain(error), hint: hint(error), status }.into()
}
