//! Proves to a registry who is asking: the challenge it sets, and the answer.
//!
//! `Basic` wants name and password with each request. `Bearer` names a third party, which gives out tokens: for a while,
//! for one repository, for one purpose, and to anybody where nothing is secret. So the password goes to the third
//! party alone. RFC 9110 "WWW-Authenticate", RFC 7617; distribution spec, "Token Authentication".

use serde::Deserialize;

use crate::registry::credentials::Credentials;
use crate::registry::http::{Http, HttpError};

/// No token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The third party cannot be asked.
    #[error("ask for a token")]
    Ask(#[source] HttpError),
    /// It refuses.
    #[error("{realm} gives no token: it answers {status}")]
    Refused {
        /// Who was asked.
        realm: String,
        /// The status of HTTP.
        status: u16,
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

/// The value of an `Authorization` header that meets the challenge of the registry `from`.
///
/// # Errors
/// What [`AuthError`] lists.
pub(crate) fn answer(
    http: &Http,
    from: &str,
    challenge: &Challenge,
    scope: &str,
    credentials: Option<&Credentials>,
) -> Result<String, AuthError> {
    let (realm, service, asked) = match challenge {
        Challenge::Basic => {
            let basic = credentials.and_then(Credentials::basic);
            return basic.ok_or_else(|| AuthError::NoCredentials(from.to_owned()));
        }
        Challenge::Bearer { realm, service, scope } => (realm, service, scope),
    };
    let scope = asked.as_deref().unwrap_or(scope);
    let mut answer = match credentials {
        // An identity token stands for a password that we do not have; it is exchanged by another request.
        Some(Credentials::Identity(token)) => {
            let mut fields = vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
                ("client_id", "mini-docker"),
                ("scope", scope),
            ];
            fields.extend(service.as_deref().map(|service| ("service", service)));
            http.post_form(realm, &fields)
        }
        _ => {
            let mut url =
                format!("{realm}{}scope={}", if realm.contains('?') { '&' } else { '?' }, encoded(scope));
            if let Some(service) = service {
                url += &format!("&service={}", encoded(service));
            }
            let basic = credentials.and_then(Credentials::basic);
            let headers: Vec<(&str, &str)> =
                basic.iter().map(|value| ("authorization", value.as_str())).collect();
            http.get(&url, &headers)
        }
    }
    .map_err(AuthError::Ask)?;
    if answer.status() != 200 {
        return Err(AuthError::Refused { realm: realm.clone(), status: answer.status() });
    }
    let body = answer.read(1 << 20).map_err(AuthError::Ask)?;
    let no_token = |source| AuthError::NoToken { realm: realm.clone(), source };
    serde_json::from_slice::<Token>(&body)
        .map_err(no_token)?
        .header()
        .ok_or_else(|| AuthError::Empty(realm.clone()))
}

/// What the third party answers. Some call the token by one name, some by the other, some by both.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Token {
    fn header(self) -> Option<String> {
        let token = self.token.or(self.access_token).filter(|token| !token.is_empty())?;
        Some(format!("Bearer {token}"))
    }
}

/// Percent-encoded, all but what RFC 3986 calls unreserved.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
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
    fn a_scope_survives_being_put_into_an_address() {
        assert_eq!(encoded("repository:a/b:pull"), "repository%3Aa%2Fb%3Apull");
    }
}
