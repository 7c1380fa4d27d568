//! Names and passwords, where Docker keeps them: `~/.docker/config.json` and its helpers.
//!
//! The file says of each registry who the user is there, or which helper (see `keyring`) to ask. A change keeps all
//! that it says beside, is written elsewhere first, and is nobody's to read but its owner's. Nothing here prints or
//! logs a secret, and [`Credentials`] do not show theirs. docker-login(1), "Credential helpers".

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize as _};
use serde_json::{Map, Value, json};

use crate::reference::HUB;
use crate::registry::keyring::{Helper, HelperError, Kept, TOKEN};

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
    /// A helper.
    #[error(transparent)]
    Helper(#[from] HelperError),
    /// The file cannot be written.
    #[error("write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// `config.json`, as far as it is about credentials.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    auths: Option<HashMap<String, Auth>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers")]
    helpers: Option<HashMap<String, String>>,
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
        let file: File = parse(path, Value::Object(read(path)?))?;
        let key = key(registry);
        if let Some(helper) = file.helper(key) {
            return Ok(helper.get(key)?.map(Self::from));
        }
        let auths = file.auths.unwrap_or_default();
        let exact = auths.get(key);
        // Docker once wrote whole addresses.
        let written = || auths.iter().find(|(name, _)| key != HUB_KEY && host(name) == key);
        Ok(exact.or_else(|| written().map(|(_, auth)| auth)).and_then(Auth::credentials))
    }

    /// Keeps these credentials of `user` for `registry` in the file at `path`, or with the helper that it names.
    /// Returns whether they lie in the file for whoever can read it.
    ///
    /// # Errors
    /// What [`CredentialsError`] lists; the file is as it was then.
    pub fn keep(&self, path: &Path, registry: &str, user: &str) -> Result<bool, CredentialsError> {
        let file: File = parse(path, Value::Object(read(path)?))?;
        let key = key(registry);
        let helper = file.helper(key);
        let entry = match (&helper, self) {
            (Some(helper), Self::Password { user, password }) => {
                helper.store(&kept(key, user, password))?;
                json!({})
            }
            (Some(helper), Self::Identity(token)) => {
                helper.store(&kept(key, TOKEN, token))?;
                json!({})
            }
            (None, Self::Password { user, password }) => {
                json!({ "auth": STANDARD.encode(format!("{user}:{password}")) })
            }
            (None, Self::Identity(token)) => {
                json!({ "auth": STANDARD.encode(format!("{user}:")), "identitytoken": token })
            }
        };
        change(path, |text| {
            let auths = text.entry("auths").or_insert(Value::Null);
            match auths.as_object_mut() {
                Some(auths) => drop(auths.insert(key.to_owned(), entry)),
                // Go writes `null` for what is empty.
                None => *auths = json!({ key: entry }),
            }
        })?;
        Ok(helper.is_none())
    }

    /// Forgets what is kept for `registry`.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn erase(path: &Path, registry: &str) -> Result<(), CredentialsError> {
        let file: File = parse(path, Value::Object(read(path)?))?;
        let key = key(registry);
        if let Some(helper) = file.helper(key) {
            helper.erase(key)?;
        }
        if file.auths.is_none_or(|auths| auths.is_empty()) {
            return Ok(());
        }
        change(path, |text| {
            if let Some(auths) = text.get_mut("auths").and_then(Value::as_object_mut) {
                auths.retain(|name, _| name != key && (key == HUB_KEY || host(name) != key));
            }
        })
    }

    /// The user's name, where it is known.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Password { user, .. } => Some(user),
            Self::Identity(_) => None,
        }
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

impl From<Kept> for Credentials {
    fn from(kept: Kept) -> Self {
        if kept.username == TOKEN {
            Self::Identity(kept.secret)
        } else {
            Self::Password { user: kept.username, password: kept.secret }
        }
    }
}

fn kept(server: &str, user: &str, secret: &str) -> Kept {
    Kept { server: server.to_owned(), username: user.to_owned(), secret: secret.to_owned() }
}

impl File {
    fn helper(&self, key: &str) -> Option<Helper> {
        let name = self.helpers.as_ref().and_then(|helpers| helpers.get(key)).or(self.store.as_ref());
        name.filter(|name| !name.is_empty()).map(|name| Helper::named(name))
    }
}

/// The name under which Docker keeps what belongs to a registry.
fn key(registry: &str) -> &str {
    if registry == HUB { HUB_KEY } else { registry }
}

/// `host:port` of an address, or of what is that already.
fn host(name: &str) -> &str {
    let name = name.split("://").last().unwrap_or_default();
    name.split('/').next().unwrap_or_default()
}

fn parse(path: &Path, text: Value) -> Result<File, CredentialsError> {
    serde_json::from_value(text).map_err(|source| CredentialsError::Parse { path: path.to_owned(), source })
}

/// The whole file; nothing where there is none.
fn read(path: &Path) -> Result<Map<String, Value>, CredentialsError> {
    match std::fs::read(path) {
        Ok(text) if text.trim_ascii().is_empty() => Ok(Map::new()),
        Ok(text) => serde_json::from_slice(&text)
            .map_err(|source| CredentialsError::Parse { path: path.to_owned(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Map::new()),
        Err(source) => Err(CredentialsError::Read { path: path.to_owned(), source }),
    }
}

/// Changes the file, unless it is to stay as it is. A link at its place stays one.
///
/// Two who change it at once take turns, or the later one would write what it read before the earlier one wrote. The
/// lock is on the directory: on the file it would go with the file when that is replaced, and a file for the lock alone
/// would be one more in a directory of the user's. It is not held while a helper runs, which may ask its user.
fn change(path: &Path, change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), CredentialsError> {
    let failed = |source| CredentialsError::Write { path: path.to_owned(), source };
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let alone = std::fs::File::open(directory).map_err(failed)?;
    // A home on a file server may have no locks for directories: there the last one counts, as everywhere with Docker.
    let _ = alone.lock();
    let old = read(&path)?;
    let mut new = old.clone();
    change(&mut new);
    if new == old { Ok(()) } else { write(&path, directory, &new) }
}

/// Replaces the file. The new one is its owner's alone from its first byte on (mode 0600, mkstemp(3)).
fn write(path: &Path, directory: &Path, text: &Map<String, Value>) -> Result<(), CredentialsError> {
    let failed = |source| CredentialsError::Write { path: path.to_owned(), source };
    let mut file = tempfile::Builder::new().prefix("config.json").tempfile_in(directory).map_err(failed)?;
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut file, formatter);
    text.serialize(&mut serializer).map_err(|error| failed(error.into()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
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
    fn what_is_kept_is_found_again_and_all_else_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/config.json");
        let password = Credentials::Password { user: "me".to_owned(), password: "s3c:ret".to_owned() };
        assert!(password.keep(&path, "a:5000", "me").unwrap());
        change(&path, |text| {
            text.insert("detachKeys".to_owned(), json!("ctrl-e"));
            text.insert("credHelpers".to_owned(), Value::Null);
        })
        .unwrap();
        let identity = Credentials::Identity("t".to_owned());
        identity.keep(&path, HUB, "me").unwrap();
        assert_eq!(Credentials::find(&path, "a:5000").unwrap(), Some(password));
        assert_eq!(Credentials::find(&path, HUB).unwrap(), Some(identity));
        Credentials::erase(&path, HUB).unwrap();
        Credentials::erase(&path, "never:1").unwrap();
        assert_eq!(Credentials::find(&path, HUB).unwrap(), None);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "{\n\t\"auths\": {\n\t\t\"a:5000\": {\n\t\t\t\"auth\": \"bWU6czNjOnJldA==\"\n\t\t}\n\t},\n\t\"detachKeys\": \"ctrl-e\",\n\t\"credHelpers\": null\n}"
        );
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn those_who_log_in_at_the_same_time_are_all_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/config.json");
        let token = Credentials::Identity("t".to_owned());
        std::thread::scope(|scope| {
            for number in 0..16 {
                let (token, path) = (&token, &path);
                scope.spawn(move || token.keep(path, &format!("a:{number}"), "me").unwrap());
            }
        });
        assert!((0..16).all(|number| Credentials::find(&path, &format!("a:{number}")).unwrap().is_some()));
    }

    #[test]
    fn what_is_empty_as_go_writes_it_is_filled() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for empty in ["", "{}", r#"{"auths":null,"credsStore":""}"#] {
            std::fs::write(file.path(), empty).unwrap();
            assert_eq!(Credentials::find(file.path(), "a:1").unwrap(), None);
            Credentials::Identity("t".to_owned()).keep(file.path(), "a:1", "me").unwrap();
            assert!(Credentials::find(file.path(), "a:1").unwrap().is_some(), "{empty}");
        }
    }

    #[test]
    fn an_address_in_the_file_means_its_registry() {
        let text = r#"{"auths":{"http://a:5000/v1/":{"auth":"bWU6cHc="}}}"#;
        assert!(find(text, "a:5000").is_some());
        assert_eq!(find(text, "a"), None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Credentials::Password { user: "me".to_owned(), password: "s3cret".to_owned() };
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
