//! Requests that are made again when trying again can help.
//!
//! A connection that fails, a server that is overloaded (429) or broken (5xx) may serve the next time; a refusal
//! stays one. The waits grow, and a server that says how long to wait is heard. Redirections are followed, to at
//! most ten places, and what proves who we are is sent to the first place only: a registry that sends us to its
//! storage must not hand our password on with us. RFC 9110, "Retry-After".

use std::io::Read;
use std::thread::sleep;
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};

use crate::registry::endpoint::Endpoint;

/// How often a request is made, all in all.
pub(crate) const TRIES: u32 = 5;

/// The longest that a server may have us wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection, or none that lasted until the answer.
    #[error("ask {url}")]
    Unanswered {
        /// What was asked for.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The answer broke off.
    #[error("read the answer of {url}")]
    Broken {
        /// What was asked for.
        url: String,
        /// Why.
        source: std::io::Error,
    },
}

impl HttpError {
    /// Whether it was the server's certificate, which trying again does not change.
    pub fn is_about_trust(&self) -> bool {
        matches!(self, Self::Unanswered { source, .. } if matches!(**source, ureq::Error::Rustls(_) | ureq::Error::Tls(_)))
            || self.text().contains("certificate")
    }

    fn text(&self) -> String {
        match self {
            Self::Unanswered { source, .. } => source.to_string(),
            Self::Broken { source, .. } => source.to_string(),
        }
    }
}

/// One pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    agent: Agent,
}

/// An answer whose content has not been read yet.
#[derive(Debug)]
pub(crate) struct Answer {
    url: String,
    response: ureq::http::Response<Body>,
}

impl Http {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("mini-docker/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .tls_config(tls(endpoint));
        Self { agent: config.build().into() }
    }

    /// Asks for `url` until there is an answer, or no hope.
    pub(crate) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, HttpError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let result = self.once(url, headers);
            let wait = match &result {
                _ if tried == TRIES => None,
                Ok(answer) if matches!(answer.status(), 429 | 500..=599) => Some(answer.wait(tried)),
                Err(error) if !error.is_about_trust() => Some(back_off(tried)),
                _ => None,
            };
            match wait {
                Some(wait) => sleep(wait),
                None => return result,
            }
        }
    }

    /// Asks once: for what may well fail.
    pub(crate) fn once(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, HttpError> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match request.call() {
            Ok(response) => Ok(Answer { url: url.to_owned(), response }),
            Err(error) => Err(HttpError::Unanswered { url: url.to_owned(), source: Box::new(error) }),
        }
    }

    /// Sends a form, once.
    pub(crate) fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Answer, HttpError> {
        match self.agent.post(url).send_form(fields.iter().copied()) {
            Ok(response) => Ok(Answer { url: url.to_owned(), response }),
            Err(error) => Err(HttpError::Unanswered { url: url.to_owned(), source: Box::new(error) }),
        }
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let value = self.response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    }

    /// The content, or its first `most` bytes.
    pub(crate) fn read(&mut self, most: u64) -> Result<Vec<u8>, HttpError> {
        let mut content = Vec::new();
        let read = self.response.body_mut().as_reader().take(most).read_to_end(&mut content);
        read.map_err(|source| HttpError::Broken { url: self.url.clone(), source })?;
        Ok(content)
    }

    /// The content as a stream.
    pub(crate) fn into_reader(self) -> impl Read + Send + 'static {
        self.response.into_body().into_with_config().limit(u64::MAX).reader()
    }

    fn wait(&self, tried: u32) -> Duration {
        let asked = self.header("retry-after").and_then(|seconds| seconds.parse().ok());
        asked.map_or_else(|| back_off(tried), Duration::from_secs).min(PATIENCE)
    }
}

/// A quarter of a second, and twice as long each time.
pub(crate) fn back_off(tried: u32) -> Duration {
    Duration::from_millis(250) * 2_u32.pow(tried.min(6) - 1)
}

/// Whom we trust: the machine's certificates, and those that somebody put down for this registry.
fn tls(endpoint: &Endpoint) -> TlsConfig {
    let config = TlsConfig::builder().provider(TlsProvider::Rustls);
    if !endpoint.is_encrypted() {
        return config.build();
    }
    let machine = rustls_native_certs::load_native_certs().certs;
    let all = machine.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    let all: Vec<Certificate<'static>> = all.chain(endpoint.authorities.iter().cloned()).collect();
    config.root_certs(RootCerts::new_with_certs(&all)).disable_verification(endpoint.unverified).build()
}
