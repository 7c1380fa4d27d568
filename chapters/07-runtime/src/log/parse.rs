//! A line of a log as a record.
//!
//! A line that this engine wrote is read in place: its last part has a fixed form, and between that and the first
//! part stands the text. Any other, a record with attributes or of Docker's, is read as the JSON it is. Book ch. 7.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::Stream;
use super::escape::unescape;

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The text, with its newline; without one when the line goes on in the next record of this stream.
    pub text: &'a [u8],
    /// Where it was written.
    pub stream: Stream,
    /// When, as the record says: RFC 3339. Most readers do not ask, so it stays the bytes that it was read as.
    time: &'a [u8],
    /// What the record says of the container: see [`super::Options`].
    pub attributes: &'a BTreeMap<String, String>,
}

impl Entry<'_> {
    /// When.
    pub fn timestamp(&self) -> Timestamp {
        // Checked when the record was read.
        std::str::from_utf8(self.time).ok().and_then(|time| time.parse().ok()).unwrap_or_default()
    }

    /// When, with nine digits after the point, as `logs --timestamps` shows it.
    pub fn long_time(&self) -> Cow<'_, [u8]> {
        const LENGTH: usize = "2026-01-02T03:04:05.000000006Z".len();
        if self.time.len() == LENGTH && self.time.ends_with(b"Z") {
            return Cow::Borrowed(self.time);
        }
        Cow::Owned(format!("{:.9}", self.timestamp()).into_bytes())
    }
}

/// A record as JSON has it.
#[derive(Deserialize)]
struct Whole {
    log: String,
    stream: String,
    time: Timestamp,
    #[serde(default)]
    attrs: BTreeMap<String, String>,
}

/// What a record says beside its text.
#[derive(Debug)]
pub(super) struct Parsed {
    /// How the line ends, from the end of its text on, if it has the form that this engine writes.
    ending: Option<Vec<u8>>,
    stream: Stream,
    time: Time,
    attributes: BTreeMap<String, String>,
}

#[derive(Debug)]
enum Time {
    /// At the end of the line, before a quote and a brace, in so many bytes.
    Here(usize),
    Other(String),
}

impl Parsed {
    /// The record, with the line it was read from and the text that was read.
    pub(super) fn entry<'a>(&'a self, line: &'a [u8], text: &'a [u8]) -> Entry<'a> {
        let time = match &self.time {
            Time::Here(length) => &line[line.len() - LAST.len() - length..line.len() - LAST.len()],
            Time::Other(time) => time.as_bytes(),
        };
        Entry { text, stream: self.stream, time, attributes: &self.attributes }
    }
}

/// What stands before the text of a record, and after its time.
const FIRST: &[u8] = b"{\"log\":\"";
const LAST: &[u8] = b"\"}";

/// Reads the record on `line`, which has no newline; its text is put into `text` and the rest into `parsed`, in place of
/// what was there. None if it is none.
pub(super) fn parse(line: &[u8], text: &mut Vec<u8>, parsed: &mut Option<Parsed>) -> Option<()> {
    text.clear();
    // All that was written at once ends in the same way, and is understood already.
    let ending = parsed.as_ref().and_then(|last| last.ending.as_ref());
    let known = ending.and_then(|ending| line.strip_prefix(FIRST)?.strip_suffix(ending.as_slice()));
    if let Some(escaped) = known {
        return unescape(text, escaped);
    }
    if let Some((escaped, stream, time)) = parts(line) {
        unescape(text, escaped)?;
        let ending = Some(line[FIRST.len() + escaped.len()..].to_vec());
        *parsed = Some(Parsed { ending, stream, time: Time::Here(time), attributes: BTreeMap::new() });
        return Some(());
    }
    let whole: Whole = serde_json::from_slice(line).ok()?;
    let stream = if whole.stream == Stream::Stderr.word() { Stream::Stderr } else { Stream::Stdout };
    *text = whole.log.into_bytes();
    let time = Time::Other(whole.time.to_string());
    *parsed = Some(Parsed { ending: None, stream, time, attributes: whole.attrs });
    Some(())
}

/// The parts of a line in the form that this engine writes: the text as it is escaped, the stream, the time's length.
fn parts(line: &[u8]) -> Option<(&[u8], Stream, usize)> {
    let inner = line.strip_prefix(FIRST)?.strip_suffix(LAST)?;
    let name = inner.iter().rposition(|byte| *byte == b'"')?;
    let (before, time) = inner.split_at(name + 1);
    let before = before.strip_suffix(b",\"time\":\"")?;
    let (escaped, stream) = match before.strip_suffix(b"\",\"stream\":\"stdout\"") {
        Some(escaped) => (escaped, Stream::Stdout),
        None => (before.strip_suffix(b"\",\"stream\":\"stderr\"")?, Stream::Stderr),
    };
    is_plausible(time)?.then_some((escaped, stream, time.len()))
}

/// Whether it is a time in UTC as it is written here; what looks otherwise is for the JSON reader.
fn is_plausible(time: &[u8]) -> Option<bool> {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let (start, fraction) = time.split_at_checked(FORM.len())?;
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    let digits = fraction.strip_suffix(b"Z")?;
    let digits = if digits.is_empty() { digits } else { digits.strip_prefix(b".")? };
    let all = start.iter().zip(FORM).all(fits) && digits.iter().all(u8::is_ascii_digit);
    Some(all && digits.len() <= 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, Stream, String, usize)> {
        let mut text = Vec::new();
        let mut parsed = None;
        parse(line.as_bytes(), &mut text, &mut parsed)?;
        let entry = parsed.as_ref()?.entry(line.as_bytes(), &text);
        let text = String::from_utf8(entry.text.to_vec()).unwrap();
        let time = String::from_utf8(entry.long_time().into_owned()).unwrap();
        Some((text, entry.stream, time, entry.attributes.len()))
    }

    #[test]
    fn records_of_any_writer_are_read() {
        let time = |fraction: &str| format!("2026-01-02T03:04:05.{fraction}Z");
        let expected =
            |attributes| Some(("a \"b\"\n".to_owned(), Stream::Stderr, time("120000000"), attributes));
        let own = r#"{"log":"a \"b\"\n","stream":"stderr","time":"2026-01-02T03:04:05.12Z"}"#;
        assert_eq!(read(own), expected(0));
        let attributes =
            r#"{"log":"a \"b\"\n","stream":"stderr","attrs":{"x":"y"},"time":"2026-01-02T03:04:05.12Z"}"#;
        assert_eq!(read(attributes), expected(1));
        let other = r#"{ "time": "2026-01-02T05:04:05.12+02:00", "stream": "stderr", "log": "a \"b\"\n" }"#;
        assert_eq!(read(other), expected(0));
    }

    #[test]
    fn what_is_no_record_is_not_taken_for_one() {
        for line in [
            "",
            "{}",
            r#"{"log":"half{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}"#,
            r#"{"log":"x\","stream":"stdout","time":"2026-01-02T03:04:05Z"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"yesterday"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z""#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
