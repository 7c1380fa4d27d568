//! A stream that survives a broken connection: the rest is asked for from where it stopped. RFC 9110, "Range".

use std::io::{self, Read};
use std::thread::sleep;

use crate::registry::http::{Answer, Http, TRIES, back_off};

/// A blob on its way.
pub(crate) struct Resuming {
    http: Http,
    url: String,
    authorization: Option<String>,
    body: Box<dyn Read + Send>,
    /// How long it is, where the server told.
    length: Option<u64>,
    received: u64,
    /// How often it broke off since the last byte.
    broken: u32,
}

impl Resuming {
    pub(crate) fn new(http: Http, url: String, authorization: Option<String>, first: Answer) -> Self {
        let length = first.header("content-length").and_then(|length| length.parse().ok());
        Self { http, url, authorization, body: Box::new(first.into_reader()), length, received: 0, broken: 0 }
    }

    /// Asks for the rest.
    fn again(&mut self) -> io::Result<()> {
        let range = format!("bytes={}-", self.received);
        let mut headers = vec![("range", range.as_str())];
        headers.extend(self.authorization.iter().map(|value| ("authorization", value.as_str())));
        let answer = self.http.get(&self.url, &headers).map_err(io::Error::other)?;
        match answer.status() {
            206 => self.body = Box::new(answer.into_reader()),
            // It sends everything once more: what is here already is passed over.
            200 => {
                let mut body = answer.into_reader();
                io::copy(&mut body.by_ref().take(self.received), &mut io::sink())?;
                self.body = Box::new(body);
            }
            status => return Err(io::Error::other(format!("{} answers {status}", self.url))),
        }
        Ok(())
    }
}

impl Read for Resuming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let cause = match self.body.read(buffer) {
                Ok(0) if self.length.is_some_and(|length| self.received < length) => {
                    io::Error::from(io::ErrorKind::UnexpectedEof)
                }
                Ok(count) => {
                    self.received += count as u64;
                    self.broken = 0;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => error,
            };
            self.broken += 1;
            if self.broken == TRIES {
                return Err(cause);
            }
            sleep(back_off(self.broken));
            // A server that is away for a moment is asked again as often as a stream that breaks off.
            self.again()?;
        }
    }
}
