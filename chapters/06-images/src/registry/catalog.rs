//! `search`: which repositories there are.
//!
//! Docker Hub has a search of its own; any other registry can at most list its repositories, page by page, and we
//! look through them. docker-search(1); distribution, "Listing Repositories"; RFC 8288 (the link to the next page).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Method;

use crate::reference::HUB;
use crate::registry::address::{next_page, with_field};
use crate::registry::auth::{self, AuthError, Challenge, Claim};
use crate::registry::credentials::Credentials;
use crate::registry::endpoint::Settings;
use crate::registry::http::{Answer, Http, HttpError, Request};
use crate::registry::refusal::refusal;

/// No page is longer, in bytes.
const LONGEST_PAGE: u64 = 16 << 20;

/// How many pages are read at most: a registry could send us round in circles.
const PAGES: u32 = 10_000;

/// What to look for, and as whom.
#[derive(Debug, Clone)]
pub struct Search {
    /// The registry.
    pub registry: String,
    /// A part of the name.
    pub term: String,
    /// How many results at most.
    pub limit: usize,
    /// How registries are spoken to.
    pub settings: Settings,
    /// Who asks.
    pub credentials: Option<Credentials>,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Found {
    /// Its name, as `pull` takes it.
    pub name: String,
    /// What its owner says about it.
    pub description: String,
    /// How many like it.
    pub star_count: u64,
    /// Whether Docker looks after it.
    pub is_official: bool,
    /// Whether Docker Hub builds it.
    pub is_automated: bool,
}

/// No answer to a search.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// No connection.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No token.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A refusal.
    #[error("{url} answers {status}{}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Refused {
        /// What was asked for.
        url: String,
        /// The status of HTTP, with its words.
        status: String,
        /// What the registry said.
        message: String,
    },
    /// Many registries let nobody list what they have.
    #[error("{0} lists no repositories")]
    NoCatalog(String),
    /// Something else.
    #[error("{url} does not answer as a registry")]
    Answer {
        /// What was asked for.
        url: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// The registry and the term of `registry/term`; of a term alone, Docker Hub. As with names of images.
pub fn parts(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (if matches!(first, "index.docker.io" | "registry-1.docker.io") { HUB } else { first }, rest)
        }
        _ => (HUB, text),
    }
}

/// Looks for repositories.
///
/// # Errors
/// What [`SearchError`] lists.
pub fn search(search: &Search) -> Result<Vec<Found>, SearchError> {
    if search.registry == HUB { search_hub(search) } else { search_catalog(search) }
}

fn search_hub(search: &Search) -> Result<Vec<Found>, SearchError> {
    #[derive(Deserialize)]
    struct Page {
        results: Vec<Found>,
    }
    let http = Http::new(&search.settings.index());
    let url = with_field("https://index.docker.io/v1/search", "q", &search.term);
    let url = with_field(&url, "n", &search.limit.to_string());
    let mut answer = http.send(&Request::new(Method::GET, &url))?;
    let mut found = page::<Page>(&url, &mut answer)?.results;
    found.truncate(search.limit);
    Ok(found)
}

fn search_catalog(search: &Search) -> Result<Vec<Found>, SearchError> {
    #[derive(Deserialize)]
    struct Page {
        repositories: Option<Vec<String>>,
    }
    let endpoint = search.settings.endpoint(&search.registry);
    let http = Http::new(&endpoint);
    let mut url = format!("{}/v2/_catalog?n=1000", endpoint.base());
    let mut authorization = None;
    let mut found = Vec::new();
    for _ in 0..PAGES {
        let mut answer = ask(&http, &url, search, &mut authorization)?;
        if answer.status() == 404 {
            return Err(SearchError::NoCatalog(search.registry.clone()));
        }
        let names = page::<Page>(&url, &mut answer)?.repositories.unwrap_or_default();
        let names = names.into_iter().filter(|name| name.contains(&search.term));
        found.extend(
            names.map(|name| Found { name: format!("{}/{name}", search.registry), ..Found::default() }),
        );
        let next = answer.header("link").and_then(|link| next_page(&url, &link));
        match next {
            Some(next) if found.len() < search.limit => url = next,
            _ => break,
        }
    }
    found.truncate(search.limit);
    Ok(found)
}

fn ask(
    http: &Http,
    url: &str,
    search: &Search,
    authorization: &mut Option<String>,
) -> Result<Answer, SearchError> {
    let once = |authorization: &Option<String>| {
        let mut request = Request::new(Method::GET, url);
        request.headers.extend(authorization.iter().map(|value| ("authorization", value.as_str())));
        http.send(&request)
    };
    let answer = once(authorization)?;
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let Some(challenge) = Challenge::parse(&challenge).filter(|_| answer.status() == 401) else {
        return Ok(answer);
    };
    let claim = Claim {
        registry: &search.registry,
        scopes: &["registry:catalog:*".to_owned()],
        credentials: search.credentials.as_ref(),
        lasting: false,
    };
    *authorization = Some(auth::answer(http, &challenge, &claim)?.header);
    Ok(once(authorization)?)
}

fn page<T: DeserializeOwned>(url: &str, answer: &mut Answer) -> Result<T, SearchError> {
    let body = answer.read(LONGEST_PAGE)?;
    let url = url.split('?').next().unwrap_or_default().to_owned();
    if answer.status() != 200 {
        let message = refusal(&body).unwrap_or_default();
        return Err(SearchError::Refused { url, status: answer.status_text(), message });
    }
    serde_json::from_slice(&body).map_err(|source| SearchError::Answer { url, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_named_before_the_term() {
        assert_eq!(parts("127.0.0.1:5000/lib/app"), ("127.0.0.1:5000", "lib/app"));
        assert_eq!(parts("localhost/"), ("localhost", ""));
        assert_eq!(parts("index.docker.io/busybox"), ("docker.io", "busybox"));
        assert_eq!(parts("bitnami/redis"), ("docker.io", "bitnami/redis"));
    }

    #[test]
    fn what_docker_hub_answers_is_read() {
        let one = r#"{"star_count":3,"is_official":true,"name":"busybox","is_automated":false,"description":"Base"}"#;
        let found: Found = serde_json::from_str(one).unwrap();
        assert_eq!((found.name.as_str(), found.star_count, found.is_official), ("busybox", 3, true));
    }
}
