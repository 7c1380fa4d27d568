//! A stream that survives a broken connection: the rest is asked for from where it stopped. RFC 9110, "Range".

use std::io::{self, Read};
use std::thread::sleep;

use crate::registry::http::{TRIES, back_off};
use crate::registry::{RegistryError, Repository};

/// A blob on its way.
pub(crate) struct Resuming {
    from: Repository,
    url: String,
    body: Box<dyn Read + Send>,
    /// How long all of it is, where the server told.
    length: Option<u64>,
    /// Where reading goes on.
    at: u64,
    /// How often it broke off since the last byte.
    broken: u32,
}

/// Opens what is at `url`, from the byte `at` on.
pub(crate) fn open(mut from: Repository, url: String, at: u64) -> Result<Resuming, RegistryError> {
    let (body, length) = ask(&mut from, &url, at)?;
    Ok(Resuming { from, url, body, length, at, broken: 0 })
}

/// The rest and the length of the whole.
fn ask(
    from: &mut Repository,
    url: &str,
    at: u64,
) -> Result<(Box<dyn Read + Send>, Option<u64>), RegistryError> {
    let range = format!("bytes={at}-");
    let headers = [("range", range.as_str())];
    let answer = match from.get(url, if at > 0 { &headers } else { &[] }) {
        // There is nothing behind what is here: whether it is right, its digest tells.
        Err(RegistryError::Status { status: 416, .. }) => return Ok((Box::new(io::empty()), None)),
        answer => answer?,
    };
    let is_rest = answer.status() == 206;
    let length = answer.header("content-length").and_then(|length| length.parse::<u64>().ok());
    let mut body = answer.into_reader();
    if is_rest || at == 0 {
        return Ok((Box::new(body), length.map(|length| if is_rest { at + length } else { length })));
    }
    // It sends everything once more: what is here already is passed over.
    match io::copy(&mut body.by_ref().take(at), &mut io::sink()) {
        Ok(_) => Ok((Box::new(body), length)),
        // Reading tells, and is tried again.
        Err(error) => Ok((Box::new(Broken(Some(error))), length)),
    }
}

struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.take().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
    }
}

impl Read for Resuming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let cause = match self.body.read(buffer) {
                Ok(0) if !buffer.is_empty() && self.length.is_some_and(|length| self.at < length) => {
                    io::Error::from(io::ErrorKind::UnexpectedEof)
                }
                Ok(count) => {
                    self.at += count as u64;
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
            let (body, length) = ask(&mut self.from, &self.url, self.at).map_err(io::Error::other)?;
            (self.body, self.length) = (body, length.or(self.length));
        }
    }
}
