//! Talks to a registry: the OCI distribution protocol.
//!
//! A registry is a web server with two kinds of things behind it: manifests, found by tag or digest, and blobs, found
//! by digest. Reading is `GET`, here; writing is in `upload`. Who may do it is asked with a challenge, answered with a
//! token, and asked again when the token is too old. Digests make it not matter who sends the bytes: whoever receives
//! them checks. OCI distribution spec 1.1, "Pull"; RFC 9110 (challenges, ranges); book ch. 6.

mod address;
pub mod auth;
pub mod catalog;
pub mod credentials;
pub mod endpoint;
mod http;
mod keyring;
pub mod login;
pub mod proxy;
mod refusal;
mod resume;
pub mod server;
mod tags;
pub(crate) mod upload;

use std::io::Read;

use mini_layers::Digest;
use ureq::http::Method;

use crate::reference::Reference;
pub use auth::AuthError;
pub use credentials::{Credentials, CredentialsError};
pub use endpoint::Settings;
pub use http::HttpError;
pub use keyring::HelperError;
pub use proxy::Proxies;
pub use server::{Endpoint, Patience};

use auth::{Challenge, Claim};
use http::{Answer, Http, Request};
use refusal::refusal;

/// No manifest is longer, in bytes: what a registry of good faith sends has a few thousand.
pub const LARGEST_MANIFEST: u64 = 4 << 20;

/// What a manifest may be, in the order in which we like it.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A registry that does not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No connection, or one that broke off too often.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No token.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Docker's words for a repository that is not there, or not for us: a registry does not say which.
    #[error(
        "{what} access denied for {repository}, repository does not exist or may require 'docker login': {message}"
    )]
    Denied {
        /// `pull` or `push`.
        what: &'static str,
        /// As people write it.
        repository: String,
        /// What the registry said.
        message: String,
    },
    /// Docker's words for a tag or digest that is not there.
    #[error("manifest for {reference} not found: {message}")]
    NotFound {
        /// As people write it.
        reference: String,
        /// What the registry said.
        message: String,
    },
    /// Any other refusal.
    #[error("{url} answers {status}{}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Status {
        /// What was asked for.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// What the registry said.
        message: String,
    },
    /// Something that is no answer of a registry, such as the page of a hotel's network.
    #[error("{url} does not answer as a registry: {what}")]
    NoRegistry {
        /// What was asked for.
        url: String,
        /// What is wrong.
        what: String,
    },
    /// The content is not what its digest says.
    #[error("{url}: expected `{expected}`, received `{received}`")]
    Mismatch {
        /// What was asked for.
        url: String,
        /// The digest asked for.
        expected: Digest,
        /// That of what came.
        received: Digest,
    },
}

/// One repository of one registry.
#[derive(Debug, Clone)]
pub struct Repository {
    http: Http,
    endpoint: Endpoint,
    reference: Reference,
    credentials: Option<Credentials>,
    authorization: Option<String>,
    /// What tokens are asked for, where it is more than reading.
    scopes: Vec<String>,
}

/// A manifest or an index, as it came.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// What it says it is.
    pub media_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// The digest of these bytes.
    pub digest: Digest,
}

impl Repository {
    /// The repository that `reference` names, at `endpoint`. Nothing is sent yet.
    pub fn new(endpoint: Endpoint, reference: Reference, credentials: Option<Credentials>) -> Self {
        Self {
            http: Http::new(&endpoint),
            endpoint,
            reference,
            credentials,
            authorization: None,
            scopes: Vec::new(),
        }
    }

    /// The manifest of a tag or a digest, verified where there is a digest.
    ///
    /// # Errors
    /// What [`RegistryError`] lists.
    pub fn manifest(&mut self, what: &str) -> Result<Manifest, RegistryError> {
        let url = self.url("manifests", what);
        let mut answer = self.get(&url, &[("accept", ACCEPT)])?;
        let media_type = answer.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
        let content = answer.read(LARGEST_MANIFEST)?;
        if content.len() as u64 == LARGEST_MANIFEST {
            let what = format!("a manifest of more than {LARGEST_MANIFEST} bytes");
            return Err(RegistryError::NoRegistry { url, what });
        }
        // ANCHOR: verified
        let received = Digest::of(&content);
        if let Ok(expected) = what.parse::<Digest>()
            && expected != received
        {
            return Err(RegistryError::Mismatch { url, expected, received });
        }
        Ok(Manifest { media_type, content, digest: received })
        // ANCHOR_END: verified
    }

    /// Opens a blob for reading, from the byte `at` on. A connection that breaks is made again, and reading goes on where
    /// it stopped.
    ///
    /// # Errors
    /// What [`RegistryError`] lists.
    pub fn blob(&mut self, digest: &Digest, at: u64) -> Result<impl Read + Send + use<>, RegistryError> {
        resume::open(self.clone(), self.url("blobs", &digest.to_string()), at)
    }

    fn url(&self, kind: &str, what: &str) -> String {
        format!("{}/v2/{}/{kind}/{what}", self.endpoint.base(), self.reference.repository())
    }

    fn get(&mut self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, RegistryError> {
        let request = Request { headers: headers.to_vec(), ..Request::new(Method::GET, url) };
        let answer = self.send(&request)?;
        if matches!(answer.status(), 200 | 206) { Ok(answer) } else { Err(self.refused(url, answer)) }
    }

    /// Makes a request as often as may help; when the registry wants to know who does, once more with a token.
    fn send(&mut self, request: &Request) -> Result<Answer, RegistryError> {
        self.known(request, Http::send)
    }

    /// Makes a request once, and once more when the registry wants to know who does.
    fn once(&mut self, request: &Request) -> Result<Answer, RegistryError> {
        self.known(request, Http::once)
    }

    fn known(
        &mut self,
        request: &Request,
        make: fn(&Http, &Request) -> Result<Answer, HttpError>,
    ) -> Result<Answer, RegistryError> {
        let with = |authorization: &Option<String>, http: &Http| {
            let mut request = request.clone();
            request.headers.extend(authorization.iter().map(|value| ("authorization", value.as_str())));
            make(http, &request)
        };
        let answer = with(&self.authorization, &self.http)?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let Some(challenge) = Challenge::parse(&challenge) else { return Ok(answer) };
        let claim = Claim {
            registry: self.reference.registry(),
            scopes: &self.wanted(&challenge),
            credentials: self.credentials.as_ref(),
            lasting: false,
        };
        self.authorization = Some(auth::answer(&self.http, &challenge, &claim)?.header);
        Ok(with(&self.authorization, &self.http)?)
    }

    /// What to ask a token for: to write it is more than the registry names when it is first read from.
    fn wanted(&self, challenge: &Challenge) -> Vec<String> {
        match challenge {
            _ if !self.scopes.is_empty() => self.scopes.clone(),
            Challenge::Bearer { scope: Some(scope), .. } => vec![scope.clone()],
            _ => vec![format!("repository:{}:pull", self.reference.repository())],
        }
    }

    fn refused(&self, url: &str, mut answer: Answer) -> RegistryError {
        let status = answer.status();
        let message = refusal(&answer.read(64 << 10).unwrap_or_default());
        match status {
            401 | 403 => {
                let message = message
                    .unwrap_or_else(|| "denied: requested access to the resource is denied".to_owned());
                let what = if self.scopes.is_empty() { "pull" } else { "push" };
                RegistryError::Denied { what, repository: self.reference.familiar_repository(), message }
            }
            404 if url.contains("/manifests/") && self.scopes.is_empty() => {
                let message = message.unwrap_or_else(|| "manifest unknown".to_owned());
                RegistryError::NotFound { reference: self.reference.familiar(), message }
            }
            _ => RegistryError::Status {
                url: url.split('?').next().unwrap_or_default().to_owned(),
                status,
                message: message.unwrap_or_default(),
            },
        }
    }
}
