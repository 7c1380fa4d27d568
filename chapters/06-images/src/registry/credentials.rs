//! Names and passwords, where Docker keeps them: `~/.docker/config.json` and its helpers.
//!
//! A helper is a program `docker-credential-NAME` that keeps secrets in a keyring and is asked over a pipe. Nothing here
//! prints or logs a secret, and [`Credentials`] do not show theirs. docker-login(1), "Credential helpers".

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::reference::HUB;

/// The name under which Docker keeps what belongs to Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// What proves who is asking.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that stands for a password.
    Identity(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// The file or a helper does not tell.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} is not what `docker login` writes", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A helper cannot be asked.
    #[error("ask `{helper}`")]
    Helper {
        /// Its program.
        helper: String,
        /// Why.
        source: io::Error,
    },
}

/// `config.json`, as far as it is about credentials.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    auths: HashMap<String, Auth>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers")]
    helpers: HashMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    identitytoken: Option<String>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(…)")
    }
}

impl Credentials {
    /// What is kept for `registry` in the file at `path`, or by the helper that it names. None where nothing is.
    ///
    /// # Errors
    /// What [`CredentialsError`] lists; that there is no file is no error.
    pub fn find(path: &Path, registry: &str) -> Result<Option<Self>, CredentialsError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CredentialsError::Read { path: path.to_owned(), source }),
        };
        let file: File = serde_json::from_slice(&text)
            .map_err(|source| CredentialsError::Parse { path: path.to_owned(), source })?;
        let key = if registry == HUB { HUB_KEY } else { registry };
        if let Some(helper) = file.helpers.get(key).or(file.store.as_ref()) {
            return ask(&format!("docker-credential-{helper}"), key);
        }
        Ok(file
            .auths
            .get(key)
            .or_else(|| file.auths.get(&format!("https://{key}")))
            .and_then(Auth::credentials))
    }

    /// The value of an `Authorization` header with name and password. RFC 7617.
    pub(crate) fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Self::Identity(_) => None,
        }
    }
}

impl Auth {
    fn credentials(&self) -> Option<Credentials> {
        if let Some(token) = self.identitytoken.as_ref().filter(|token| !token.is_empty()) {
            return Some(Credentials::Identity(token.clone()));
        }
        let text = String::from_utf8(STANDARD.decode(self.auth.as_deref()?).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Credentials::Password {
            user: user.to_owned(),
            password: password.trim_end_matches('\0').to_owned(),
        })
    }
}

/// What a helper keeps: it is given the registry on its input and answers in JSON. None where it knows nothing.
fn ask(helper: &str, registry: &str) -> Result<Option<Credentials>, CredentialsError> {
    let failed = |source| CredentialsError::Helper { helper: helper.to_owned(), source };
    let mut command = Command::new(helper);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(registry.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Ok(None);
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Kept {
        username: String,
        secret: String,
    }
    let kept: Kept = serde_json::from_slice(&output.stdout)
        .map_err(|source| CredentialsError::Parse { path: PathBuf::from(helper), source })?;
    // By this name a helper says that the secret is a token.
    Ok(Some(if kept.username == "<token>" {
        Credentials::Identity(kept.secret)
    } else {
        Credentials::Password { user: kept.username, password: kept.secret }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, registry: &str) -> Option<Credentials> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Credentials::find(file.path(), registry).unwrap()
    }

    #[test]
    fn what_docker_login_wrote_is_found_by_registry() {
        let text = r#"{"auths":{"localhost:5000":{"auth":"bWU6czNjOnJldA=="},"https://index.docker.io/v1/":{"identitytoken":"t"}}}"#;
        let password = Credentials::Password { user: "me".to_owned(), password: "s3c:ret".to_owned() };
        assert_eq!(find(text, "localhost:5000"), Some(password));
        assert_eq!(find(text, "docker.io"), Some(Credentials::Identity("t".to_owned())));
        assert_eq!(find(text, "gcr.io"), None);
        assert_eq!(find("{}", "gcr.io"), None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Credentials::Password { user: "me".to_owned(), password: "s3cret".to_owned() };
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
