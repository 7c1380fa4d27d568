//! Requests that are made again when trying again can help.
//!
//! A connection that fails, a server that is overloaded (429) or broken (5xx) may serve the next time; a refusal
//! stays one. The waits grow, and a server that says how long to wait is heard. Redirections are followed, to at
//! most ten places, and what proves who we are is sent to the first place only: a registry that sends us to its
//! storage must not hand our password on with us. RFC 9110, "Retry-After", "Redirection 3xx".

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use ureq::http::request::Builder;
use ureq::http::{Method, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, Proxy, SendBody};

use crate::registry::address::{joined, origin};
use crate::registry::proxy::Proxies;
use crate::registry::server::{Endpoint, Patience};

/// How often a request is made, all in all.
pub(crate) const TRIES: u32 = 5;

/// How often one that nobody answers is: each time costs a minute.
const TRIES_IN_SILENCE: u32 = 2;

/// How many redirections are followed.
const REDIRECTIONS: u32 = 10;

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection, or none that lasted until the answer.
    #[error("ask {url}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// No answer for another reason.
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
        source: io::Error,
    },
    /// From one place to the next without end.
    #[error("{0} leads from one place to the next and never to an answer")]
    Redirections(String),
    /// From a place with TLS to one without.
    #[error("{url} is left for {to}, which has no TLS")]
    Downgrade {
        /// What was asked for.
        url: String,
        /// Where it leads.
        to: String,
    },
    /// What the environment names is none. It is not shown, because it may have a password in it.
    #[error("the proxy for {0} has no address that can be read")]
    Proxy(String),
}

impl HttpError {
    /// Whether it was the server's certificate, which trying again does not change.
    pub fn is_about_trust(&self) -> bool {
        matches!(self, Self::Unanswered { source, .. } if matches!(**source, ureq::Error::Rustls(_) | ureq::Error::Tls(_)))
            || self.text().contains("certificate")
    }

    /// Whether there is no host of that name, says who must know.
    fn is_about_a_name(&self) -> bool {
        self.text().contains("Name or service not known")
    }

    fn text(&self) -> String {
        match self {
            Self::Unanswered { source, .. } => source.to_string(),
            Self::Unreachable { source, .. } | Self::Broken { source, .. } => source.to_string(),
            other => other.to_string(),
        }
    }

    /// How often to try, all in all.
    fn tries(&self) -> u32 {
        match self {
            Self::Redirections(_) | Self::Downgrade { .. } | Self::Proxy(_) => 1,
            _ if self.is_about_trust() || self.is_about_a_name() => 1,
            Self::Unanswered { source, .. } if matches!(**source, ureq::Error::Timeout(_)) => {
                TRIES_IN_SILENCE
            }
            _ => TRIES,
        }
    }
}

/// What is asked for. It can be asked for again: content is read anew each time.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) content: Content<'a>,
}

/// What a request brings along.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'a> {
    None,
    Bytes(&'a [u8]),
    /// A piece of a file, so that no more of it is in memory than is on its way.
    Part {
        file: &'a File,
        from: u64,
        length: u64,
    },
}

impl<'a> Request<'a> {
    pub(crate) fn new(method: Method, url: &'a str) -> Self {
        Self { method, url, headers: Vec::new(), content: Content::None }
    }

    pub(crate) fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Whether `status` sends this request elsewhere; only what can be asked for twice goes there as it is.
    fn is_sent_on(&self, status: u16) -> bool {
        let reads = matches!(self.method, Method::GET | Method::HEAD);
        matches!(status, 307 | 308) || reads && matches!(status, 301..=303)
    }
}

/// One pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    agent: Agent,
    proxies: Proxies,
    patience: Patience,
    /// Whether a server that proved who it is may not send us to one that does not.
    stays_encrypted: bool,
}

/// An answer whose content has not been read yet.
#[derive(Debug)]
pub(crate) struct Answer {
    url: String,
    response: ureq::http::Response<Body>,
}

impl Http {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let patience = endpoint.patience;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("mini-docker/", env!("CARGO_PKG_VERSION")))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .tls_config(tls(endpoint));
        Self {
            agent: config.build().into(),
            proxies: endpoint.proxies.clone(),
            patience,
            stays_encrypted: endpoint.is_encrypted() && !endpoint.unverified,
        }
    }

    /// Whether what is secret may be sent to `url`.
    pub(crate) fn trusts(&self, url: &str) -> bool {
        !self.stays_encrypted || url.starts_with("https:")
    }

    /// Asks for `url` until there is an answer, or no hope.
    pub(crate) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, HttpError> {
        self.send(&Request { headers: headers.to_vec(), ..Request::new(Method::GET, url) })
    }

    /// Makes the request until there is an answer, or no hope.
    pub(crate) fn send(&self, request: &Request) -> Result<Answer, HttpError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let result = self.once(request);
            let wait = match &result {
                Ok(answer) if tried < TRIES && matches!(answer.status(), 429 | 500..=599) => {
                    answer.wait(tried).min(self.patience.longest_wait)
                }
                Err(error) if tried < error.tries() => back_off(tried),
                _ => return result,
            };
            sleep(wait);
        }
    }

    /// Makes the request once: for what may well fail.
    pub(crate) fn once(&self, request: &Request) -> Result<Answer, HttpError> {
        let mut request = request.clone();
        let first = request.url.to_owned();
        let mut url = first.clone();
        for _ in 0..=REDIRECTIONS {
            let answer = self.ask(&Request { url: &url, ..request.clone() })?;
            let Some(location) = answer.header("location").filter(|_| request.is_sent_on(answer.status()))
            else {
                return Ok(answer);
            };
            let next = joined(&url, &location);
            if !self.trusts(&next) {
                return Err(HttpError::Downgrade { url: first, to: origin(&next).to_owned() });
            }
            if origin(&next) != origin(&url) {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            }
            url = next;
        }
        Err(HttpError::Redirections(first))
    }

    fn ask(&self, request: &Request) -> Result<Answer, HttpError> {
        let url = request.url;
        let unanswered = |error| match error {
            ureq::Error::Io(source) => HttpError::Unreachable { url: shown(url), source },
            error => HttpError::Unanswered { url: shown(url), source: Box::new(error) },
        };
        let proxy = self.proxies.of(url).map(Proxy::new).transpose();
        let proxy = proxy.map_err(|_| HttpError::Proxy(origin(url).to_owned()))?;
        let mut builder = ureq::http::Request::builder().method(request.method.clone()).uri(url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, *value);
        }
        let length = match request.content {
            Content::None => 0,
            Content::Bytes(content) => content.len() as u64,
            Content::Part { length, .. } => length,
        };
        if !matches!(request.method, Method::GET | Method::HEAD) {
            builder = builder.header("content-length", length);
        }
        let response = match request.content {
            Content::None => self.run(builder, proxy, SendBody::none()),
            Content::Bytes(mut content) => self.run(builder, proxy, SendBody::from_reader(&mut content)),
            Content::Part { file, from, length } => {
                let mut part = Part { file, from, left: length };
                self.run(builder, proxy, SendBody::from_reader(&mut part))
            }
        };
        Ok(Answer { url: shown(url), response: response.map_err(unanswered)? })
    }

    fn run(
        &self,
        request: Builder,
        proxy: Option<Proxy>,
        body: SendBody,
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        let request = self.agent.configure_request(request.body(body)?).proxy(proxy).build();
        self.agent.run(request)
    }

    /// Sends a form.
    pub(crate) fn post_form(&self, url: &str, form: &str) -> Result<Answer, HttpError> {
        let request = Request { content: Content::Bytes(form.as_bytes()), ..Request::new(Method::POST, url) };
        self.send(&request.with("content-type", "application/x-www-form-urlencoded"))
    }
}

/// The address as messages show it: what storage is redirected to has proof of who asks in its query.
fn shown(url: &str) -> String {
    url.split('?').next().unwrap_or_default().to_owned()
}

/// A piece of a file.
struct Part<'a> {
    file: &'a File,
    from: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.file.read_at(&mut buffer[..most], self.from)?;
        self.from += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// `401 Unauthorized`.
    pub(crate) fn status_text(&self) -> String {
        status_text(self.response.status())
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

    /// How long the server wants us to wait: in seconds, or until a date.
    fn wait(&self, tried: u32) -> Duration {
        let asked = self.header("retry-after").and_then(|text| match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => until(&text, Timestamp::now()),
        });
        asked.unwrap_or_else(|| back_off(tried))
    }
}

fn status_text(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()).trim_end().to_owned()
}

/// From now until a date as HTTP writes it. RFC 9110, "Date/Time Formats".
fn until(date: &str, now: Timestamp) -> Option<Duration> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_to_wait_for_is_understood() {
        let now = "2015-10-21T07:27:50Z".parse().unwrap();
        assert_eq!(until("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(until("Wed, 21 Oct 2015 07:27:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(until("soon", now), None);
    }

    #[test]
    fn a_server_that_never_answers_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let short = Duration::from_millis(200);
        let settings = crate::registry::Settings {
            patience: Patience { connect: short, silence: short, longest_wait: short },
            mirrors: vec![format!("http://{}", silent.local_addr().unwrap())],
            ..crate::registry::Settings::default()
        };
        let endpoint = settings.endpoints("docker.io").remove(0);
        let url = format!("{}/v2/", endpoint.base());
        let begun = std::time::Instant::now();
        let error = Http::new(&endpoint).get(&url, &[]).unwrap_err();
        assert!(
            matches!(&error, HttpError::Unanswered { source, .. } if source.to_string().contains("timeout"))
        );
        assert_eq!(error.to_string(), format!("ask {url}"));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
