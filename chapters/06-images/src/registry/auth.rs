//! Proves to a registry who is asking: the challenge it sets, and the answer.
//!
//! `Basic` wants name and password with each request. `Bearer` names a third party, which gives out tokens: for a while,
//! for one repository, for one purpose, and to anybody where nothing is secret. So the password goes to the third
//! party alone. RFC 9110 "WWW-Authenticate", RFC 7617; distribution spec, "Token Authentication".

use serde::Deserialize;

use crate::registry::address::{encoded, with_field};
use crate::registry::credentials::Credentials;
use crate::registry::http::{Http, HttpError};
use crate::registry::refusal::refusal;

/// No token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The third party cannot be asked.
    #[error("ask for a token")]
    Ask(#[source] HttpError),
    /// It refuses.
    #[error("{realm} gives no token: it answers {status}{}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Refused {
        /// Who was asked.
        realm: String,
        /// The status of HTTP, with its words.
        status: String,
        /// What it says.
        message: String,
    },
    /// It answers something else.
    #[error("{realm} gives no token")]
    NoToken {
        /// Who was asked.
        realm: String,
        /// Why it is none.
        source: serde_json::Error,
    },
    /// It answers without one.
    #[error("{0} gives no token: its answer has none")]
    Empty(String),
    /// Name and password are wanted, and there are none.
    #[error("{0} wants a name and a password")]
    NoCredentials(String),
    /// The registry has TLS, and the third party would be sent the password without.
    #[error("{from} wants the password to be sent to {realm}, which has no TLS")]
    Unsafe {
        /// The registry.
        from: String,
        /// The third party.
        realm: String,
    },
}

/// What is wanted, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// Of which registry.
    pub(crate) registry: &'a str,
    /// For what: `repository:NAME:pull`.
    pub(crate) scopes: &'a [String],
    /// Who asks.
    pub(crate) credentials: Option<&'a Credentials>,
    /// Whether a token in place of the password is wanted too: at a login.
    pub(crate) lasting: bool,
}

/// What meets the challenge.
pub(crate) struct Granted {
    /// The value of an `Authorization` header.
    pub(crate) header: String,
    /// A token in place of the password.
    pub(crate) identity: Option<String>,
}

/// What a registry wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password.
    Basic,
    /// A token.
    Bearer {
        /// Whom to ask for it.
        realm: String,
        /// For which service.
        service: Option<String>,
        /// For what; where it is left out we say.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads a `WWW-Authenticate` header.
    // ANCHOR: parse
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        Some(Self::Bearer { realm: get("realm")?, service: get("service"), scope: get("scope") })
    }
    // ANCHOR_END: parse
}

/// `name="value"`, separated by commas; a value may have commas in it.
fn parameters(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let (value, rest) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        found.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        text = rest.trim_start().trim_start_matches(',').trim_start();
    }
    found
}

/// Meets the challenge of a registry.
///
/// # Errors
/// What [`AuthError`] lists.
pub(crate) fn answer(http: &Http, challenge: &Challenge, claim: &Claim) -> Result<Granted, AuthError> {
    let basic = claim.credentials.and_then(Credentials::basic);
    let (realm, service) = match challenge {
        Challenge::Basic => {
            let header = basic.ok_or_else(|| AuthError::NoCredentials(claim.registry.to_owned()))?;
            return Ok(Granted { header, identity: None });
        }
        Challenge::Bearer { realm, service, .. } => (realm, service.as_deref()),
    };
    if claim.credentials.is_some() && !http.trusts(realm) {
        return Err(AuthError::Unsafe { from: claim.registry.to_owned(), realm: realm.clone() });
    }
    let mut answer = match claim.credentials {
        // An identity token stands for a password that we do not have; it is exchanged by another request.
        Some(Credentials::Identity(token)) => http.post_form(realm, &exchange(token, service, claim.scopes)),
        _ => {
            let headers: Vec<(&str, &str)> =
                basic.iter().map(|value| ("authorization", value.as_str())).collect();
            http.get(&question(realm, service, claim), &headers)
        }
    }
    .map_err(AuthError::Ask)?;
    let body = answer.read(1 << 20).map_err(AuthError::Ask)?;
    if answer.status() != 200 {
        let message = refusal(&body).unwrap_or_default();
        return Err(AuthError::Refused { realm: realm.clone(), status: answer.status_text(), message });
    }
    let no_token = |source| AuthError::NoToken { realm: realm.clone(), source };
    let token: Token = serde_json::from_slice(&body).map_err(no_token)?;
    let identity = token.refresh_token.clone().filter(|token| !token.is_empty());
    let header = token.header().ok_or_else(|| AuthError::Empty(realm.clone()))?;
    Ok(Granted { header, identity })
}

/// The address of a token. Distribution spec, "Requesting a Token".
fn question(realm: &str, service: Option<&str>, claim: &Claim) -> String {
    let mut url = realm.to_owned();
    for scope in claim.scopes {
        url = with_field(&url, "scope", scope);
    }
    if let Some(service) = service {
        url = with_field(&url, "service", service);
    }
    if claim.lasting {
        url = with_field(&url, "offline_token", "true");
    }
    if let Some(Credentials::Password { user, .. }) = claim.credentials {
        url = with_field(&with_field(&url, "client_id", CLIENT), "account", user);
    }
    url
}

/// The form that asks for a token in exchange for another. RFC 6749, "Refreshing an Access Token".
fn exchange(token: &str, service: Option<&str>, scopes: &[String]) -> String {
    let mut form = format!("grant_type=refresh_token&refresh_token={}&client_id={CLIENT}", encoded(token));
    if !scopes.is_empty() {
        form += &format!("&scope={}", encoded(&scopes.join(" ")));
    }
    if let Some(service) = service {
        form += &format!("&service={}", encoded(service));
    }
    form
}

/// How we call ourselves.
const CLIENT: &str = "mini-docker";

/// What the third party answers. Some call the token by one name, some by the other, some by both.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
}

impl Token {
    fn header(self) -> Option<String> {
        let token = self.token.or(self.access_token).filter(|token| !token.is_empty())?;
        Some(format!("Bearer {token}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_of_real_registries_are_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull,push""#;
        assert_eq!(
            Challenge::parse(hub),
            Some(Challenge::Bearer {
                realm: "https://auth.docker.io/token".to_owned(),
                service: Some("registry.docker.io".to_owned()),
                scope: Some("repository:library/debian:pull,push".to_owned()),
            })
        );
        assert_eq!(Challenge::parse(r#"Basic realm="Registry Realm""#), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=x"), None);
    }

    #[test]
    fn a_token_is_read_by_either_name() {
        let header = |text: &str| serde_json::from_str::<Token>(text).ok().and_then(Token::header);
        for text in [r#"{"token":"t"}"#, r#"{"access_token":"t"}"#, r#"{"token":"t","access_token":"t"}"#] {
            assert_eq!(header(text).as_deref(), Some("Bearer t"), "{text}");
        }
        assert_eq!(header("{}"), None);
        assert_eq!(header(r#"{"token":""}"#), None);
    }

    #[test]
    fn a_password_is_not_sent_without_tls_for_a_registry_that_has_it() {
        let settings = crate::registry::Settings::default();
        let http = Http::new(&settings.endpoint("registry.test"));
        let challenge = Challenge::parse(r#"Bearer realm="http://registry.test/token""#).unwrap();
        let password = Credentials::Password { user: "me".to_owned(), password: "s3cret".to_owned() };
        let claim =
            Claim { registry: "registry.test", scopes: &[], credentials: Some(&password), lasting: false };
        let error = answer(&http, &challenge, &claim).err().unwrap();
        assert_eq!(
            error.to_string(),
            "registry.test wants the password to be sent to http://registry.test/token, which has no TLS"
        );
    }

    #[test]
    fn what_a_token_is_asked_for_with_stands_in_the_address_and_no_secret_does() {
        let password = Credentials::Password { user: "me".to_owned(), password: "s3cret".to_owned() };
        let scopes = ["repository:a:pull,push", "repository:b:pull"].map(str::to_owned);
        let claim = Claim { registry: "r", scopes: &scopes, credentials: Some(&password), lasting: true };
        assert_eq!(
            question("https://t/token", Some("r"), &claim),
            "https://t/token?scope=repository%3Aa%3Apull%2Cpush&scope=repository%3Ab%3Apull&service=r\
             &offline_token=true&client_id=mini-docker&account=me"
        );
        assert_eq!(
            exchange("t", Some("r"), &scopes),
            "grant_type=refresh_token&refresh_token=t&client_id=mini-docker\
             &scope=repository%3Aa%3Apull%2Cpush%20repository%3Ab%3Apull&service=r"
        );
    }
}
