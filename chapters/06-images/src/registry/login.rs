//! `login`: whether a registry lets somebody in.
//!
//! Nothing is wanted but the answer: the registry's front door, `/v2/`, is asked once as nobody and once as the user.
//! Where a third party gives out tokens, it may give one that stands for the password, so that the password need not
//! be kept. OCI distribution spec, "Determining Support"; docker-login(1).

use ureq::http::Method;

use crate::reference::{HUB, Reference};
use crate::registry::auth::{self, AuthError, Challenge, Claim};
use crate::registry::credentials::Credentials;
use crate::registry::endpoint::Settings;
use crate::registry::http::{Http, HttpError, Request};

/// A login that does not succeed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Something that no name of an image begins with.
    #[error("`{0}` is no registry: `registry.example` or `host:5000` is one")]
    Server(String),
    /// No connection.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Something else answers, such as the page of a hotel's network.
    #[error("{0} does not answer as a registry: it sends a page for people")]
    NoRegistry(String),
    /// No token.
    #[error("login attempt to {url} failed")]
    Auth {
        /// The registry.
        url: String,
        /// Why.
        source: AuthError,
    },
    /// Docker's words for a password that is wrong.
    #[error("login attempt to {url} failed with status: {status}")]
    Refused {
        /// The registry.
        url: String,
        /// The status of HTTP.
        status: String,
    },
}

impl LoginError {
    /// Whether it was the name or the password.
    pub fn is_about_the_password(&self) -> bool {
        match self {
            Self::Refused { status, .. } => status.starts_with("401"),
            Self::Auth { source: AuthError::Refused { status, .. }, .. } => status.starts_with('4'),
            _ => false,
        }
    }
}

/// The registry that somebody means by an address or a name; by nothing, Docker Hub.
///
/// # Errors
/// [`LoginError::Server`].
pub fn registry_of(server: Option<&str>) -> Result<String, LoginError> {
    let Some(server) = server else { return Ok(HUB.to_owned()) };
    let name = server.split("://").last().unwrap_or_default();
    let name = name.split('/').next().unwrap_or_default();
    if matches!(name, HUB | "index.docker.io" | "registry-1.docker.io") {
        return Ok(HUB.to_owned());
    }
    let reference = format!("{name}/image").parse::<Reference>().ok();
    match reference.filter(|reference| reference.registry() == name) {
        Some(_) => Ok(name.to_owned()),
        None => Err(LoginError::Server(server.to_owned())),
    }
}

/// How Docker calls a registry when it speaks about logins.
pub fn shown(registry: &str) -> &str {
    if registry == HUB { "https://index.docker.io/v1/" } else { registry }
}

/// Tries these credentials; returns what to keep: the same, or a token in their place.
///
/// # Errors
/// What [`LoginError`] lists.
pub fn log_in(
    settings: &Settings,
    registry: &str,
    credentials: &Credentials,
) -> Result<Credentials, LoginError> {
    let endpoint = settings.endpoint(registry);
    let http = Http::new(&endpoint);
    let url = format!("{}/v2/", endpoint.base());
    let mut answer = http.send(&Request::new(Method::GET, &url))?;
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let mut identity = None;
    if answer.status() == 401
        && let Some(challenge) = Challenge::parse(&challenge)
    {
        let claim = Claim { registry, scopes: &[], credentials: Some(credentials), lasting: true };
        let granted = auth::answer(&http, &challenge, &claim)
            .map_err(|source| LoginError::Auth { url: url.clone(), source })?;
        identity = granted.identity.map(Credentials::Identity);
        answer = http.send(&Request::new(Method::GET, &url).with("authorization", &granted.header))?;
    }
    if answer.status() != 200 {
        return Err(LoginError::Refused { url, status: answer.status_text() });
    }
    // A password is kept for a registry only.
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return Err(LoginError::NoRegistry(url));
    }
    Ok(identity.unwrap_or_else(|| credentials.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_known_by_its_address() {
        let of = |server| registry_of(Some(server)).map_err(|error| error.to_string());
        for hub in ["docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"] {
            assert_eq!(of(hub), Ok("docker.io".to_owned()), "{hub}");
        }
        assert_eq!(of("http://127.0.0.1:5000/"), Ok("127.0.0.1:5000".to_owned()));
        assert_eq!(of("registry.example"), Ok("registry.example".to_owned()));
        for none in ["", "a b", "word", "http://", "a:b:c"] {
            assert!(of(none).is_err(), "{none}");
        }
    }
}
