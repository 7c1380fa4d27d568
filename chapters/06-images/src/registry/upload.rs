//! Writing to a registry: blobs first, then the manifest that names them.
//!
//! A blob is sent to a place that the registry gives out for it, in pieces; each answer says where the next one goes.
//! When the connection breaks, that place is asked how much has come, and sending goes on from there; a registry that
//! has forgotten it gives out another. The digest comes last, and only then is the blob there. What the registry has
//! already is not sent at all: either because it is in the repository, or because it is mounted from another one.
//! OCI distribution spec 1.1, "Push".

use std::fs::File;
use std::thread::sleep;

use mini_layers::Digest;
use ureq::http::Method;

use crate::reference::Reference;
use crate::registry::address::{joined, with_field};
use crate::registry::credentials::Credentials;
use crate::registry::http::{Answer, Content, Request, TRIES, back_off};
use crate::registry::server::Endpoint;
use crate::registry::{RegistryError, Repository};

/// How much is sent at a time, in bytes: what is lost at most when a connection breaks, and what a registry that
/// takes no second piece can have.
pub(crate) const PIECE: u64 = 64 << 20;

/// How it went with a blob of another repository.
#[derive(Debug)]
pub(crate) enum Mount {
    /// It is in this one too.
    Done,
    /// It is not; here it can be sent.
    SendTo(String),
}

/// A blob in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blob<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) file: &'a File,
    pub(crate) size: u64,
    /// How much is sent at a time.
    pub(crate) piece: u64,
}

impl Repository {
    /// As [`Repository::new`], for writing; blobs may be mounted from these other repositories.
    pub(crate) fn for_push(
        endpoint: Endpoint,
        reference: Reference,
        credentials: Option<Credentials>,
        others: &[String],
    ) -> Self {
        let own = format!("repository:{}:pull,push", reference.repository());
        let others = others.iter().map(|other| format!("repository:{other}:pull"));
        let scopes = std::iter::once(own).chain(others).collect();
        Self { scopes, ..Self::new(endpoint, reference, credentials) }
    }

    /// Whether the repository has this blob.
    pub(crate) fn has_blob(&mut self, digest: &Digest) -> Result<bool, RegistryError> {
        let url = self.url("blobs", &digest.to_string());
        let answer = self.send(&Request::new(Method::HEAD, &url))?;
        let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        match answer.status() {
            200 if is_page => {
                Err(RegistryError::NoRegistry { url, what: "it sends a page for people".to_owned() })
            }
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(self.refused(&url, answer)),
        }
    }

    /// Takes the blob over from another repository of the registry.
    pub(crate) fn mount(&mut self, digest: &Digest, from: &str) -> Result<Mount, RegistryError> {
        let url = with_field(&self.uploads(), "mount", &digest.to_string());
        let url = with_field(&url, "from", from);
        let answer = self.send(&Request::new(Method::POST, &url))?;
        match answer.status() {
            201 => Ok(Mount::Done),
            202 => Ok(Mount::SendTo(next_place(&url, &answer)?)),
            _ => Err(self.refused(&url, answer)),
        }
    }

    /// Sends a blob, to the place that the registry has given out for it already, if there is one. `tell` hears how
    /// many bytes have come.
    pub(crate) fn upload(
        &mut self,
        blob: Blob,
        place: Option<String>,
        tell: &dyn Fn(u64),
    ) -> Result<(), RegistryError> {
        let (mut sent, mut furthest, mut broken) = (0, 0, 0);
        let mut place = match place {
            Some(place) => place,
            None => self.begin()?,
        };
        while sent < blob.size {
            let result = self.send_piece(blob, sent, &place);
            if let Ok(next) = result {
                (place, sent) = next;
            } else {
                broken += 1;
                match result {
                    Err(error) if broken == TRIES || !may_pass(&error) => return Err(error),
                    _ => sleep(back_off(broken)),
                }
                (place, sent) = match self.arrived(&place) {
                    Some(arrived) => arrived,
                    None => (self.begin()?, 0),
                };
            }
            if sent > furthest {
                (furthest, broken) = (sent, 0);
                tell(sent);
            }
        }
        self.finish(blob.digest, &place)
    }

    fn begin(&mut self) -> Result<String, RegistryError> {
        let url = self.uploads();
        let answer = self.send(&Request::new(Method::POST, &url))?;
        if answer.status() == 202 { next_place(&url, &answer) } else { Err(self.refused(&url, answer)) }
    }

    /// Sends the next piece; returns where the one after it goes, and how much has come so far.
    fn send_piece(&mut self, blob: Blob, from: u64, place: &str) -> Result<(String, u64), RegistryError> {
        let length = blob.piece.min(blob.size - from);
        let range = format!("{from}-{}", from + length - 1);
        let content = Content::Part { file: blob.file, from, length };
        let request = Request { content, ..Request::new(Method::PATCH, place) };
        let request = request.with("content-type", "application/octet-stream").with("content-range", &range);
        let answer = self.once(&request)?;
        if answer.status() != 202 {
            return Err(self.refused(place, answer));
        }
        // Most take the piece whole; who took less says so.
        let sent = range_end(&answer).unwrap_or(from + length).min(from + length);
        if sent <= from {
            let url = place.split('?').next().unwrap_or_default().to_owned();
            return Err(RegistryError::NoRegistry { url, what: "it takes nothing of a blob".to_owned() });
        }
        Ok((next_place(place, &answer)?, sent))
    }

    /// Where an upload that broke off goes on, and from which byte. None when it must be begun anew.
    fn arrived(&mut self, place: &str) -> Option<(String, u64)> {
        let answer = self.send(&Request::new(Method::GET, place)).ok()?;
        if answer.status() != 204 {
            return None;
        }
        let sent = range_end(&answer)?;
        Some((next_place(place, &answer).unwrap_or_else(|_| place.to_owned()), sent))
    }

    fn finish(&mut self, digest: &Digest, place: &str) -> Result<(), RegistryError> {
        let url = with_field(place, "digest", &digest.to_string());
        let answer = self.send(&Request::new(Method::PUT, &url))?;
        if answer.status() == 201 {
            return Ok(());
        }
        // When only the answer was lost, the blob is there and the place is not.
        let is_lost = answer.status() == 404;
        let refused = self.refused(&url, answer);
        if is_lost && self.has_blob(digest)? { Ok(()) } else { Err(refused) }
    }

    /// Gives a manifest its name, or its digest, in the repository.
    pub(crate) fn put_manifest(
        &mut self,
        name: &str,
        media_type: &str,
        content: &[u8],
    ) -> Result<(), RegistryError> {
        let url = self.url("manifests", name);
        let request = Request { content: Content::Bytes(content), ..Request::new(Method::PUT, &url) };
        let answer = self.send(&request.with("content-type", media_type))?;
        if answer.status() != 201 {
            return Err(self.refused(&url, answer));
        }
        let expected = Digest::of(content);
        let received = answer.header("docker-content-digest").and_then(|digest| digest.parse().ok());
        match received {
            Some(received) if received != expected => {
                Err(RegistryError::Mismatch { url, expected, received })
            }
            _ => Ok(()),
        }
    }

    fn uploads(&self) -> String {
        format!("{}/v2/{}/blobs/uploads/", self.endpoint.base(), self.reference.repository())
    }
}

/// Whether sending the piece again may go better: the connection broke, the server is unwell, or the two of us
/// disagree about how much has come (416).
fn may_pass(error: &RegistryError) -> bool {
    match error {
        RegistryError::Http(error) => !error.is_about_trust(),
        RegistryError::Status { status, .. } => matches!(status, 404 | 416 | 429 | 500..=599),
        _ => false,
    }
}

/// Where the registry wants what comes next.
fn next_place(url: &str, answer: &Answer) -> Result<String, RegistryError> {
    let location = answer.header("location").ok_or_else(|| RegistryError::NoRegistry {
        url: url.split('?').next().unwrap_or_default().to_owned(),
        what: "it takes a blob and does not say where".to_owned(),
    })?;
    Ok(joined(url, &location))
}

/// How many bytes a `Range: 0-N` stands for. Nothing has a range of its own, so that `0-0` is nothing or one byte:
/// it tells nobody anything.
fn range_end(answer: &Answer) -> Option<u64> {
    let range = answer.header("range")?;
    let (_, end) = range.trim_start_matches("bytes=").split_once('-')?;
    end.trim().parse::<u64>().ok().filter(|end| *end > 0).map(|end| end.saturating_add(1))
}
