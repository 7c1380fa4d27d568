//! `logs`: what a container has written. docker-logs(1).

use std::io::{self, Write};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use mini_engine::Home;
use mini_engine::logs::{self, Logs, Wanted};
use mini_images::moment;
use mini_runtime::log::{Entry, Stream};

use crate::cli;

/// How much is written at once.
const BATCH: usize = 128 * 1024;

pub(crate) fn run(home: &Home, args: &cli::Logs) -> anyhow::Result<u8> {
    super::repair(home);
    let now = Timestamp::now();
    let wanted = Wanted {
        tail: tail(&args.tail)?,
        since: since("since", args.since.as_deref(), now)?,
        until: since("until", args.until.as_deref(), now)?,
    };
    let record = mini_engine::find(home, &args.container)?;
    let mut log = Logs::open(home, &record, wanted, args.follow)?;
    let mut outputs = Outputs::default();
    let mut goes_on = true;
    loop {
        while let Some(entry) = log.next_entry()? {
            outputs.add(&entry, args.timestamps, args.details)?;
            if outputs.bytes.len() > BATCH && !outputs.flush()? {
                return Ok(0);
            }
        }
        if !outputs.flush()? || !args.follow || !goes_on || log.is_over() {
            return Ok(0);
        }
        // Once more after the end: what was written last may have come after the last look.
        goes_on = logs::goes_on(home, &record.id)?;
        if goes_on {
            log.wait()?;
        }
    }
}

fn tail(text: &str) -> anyhow::Result<Option<usize>> {
    match text {
        "all" => Ok(None),
        number if number.starts_with('-') => Ok(None),
        number => match number.parse() {
            Ok(count) => Ok(Some(count)),
            Err(_) => bail!("invalid value for \"--tail\": `{number}` is neither a number nor \"all\""),
        },
    }
}

/// A moment as Docker's flags take it.
fn since(flag: &str, text: Option<&str>, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    match moment::parse(text, now) {
        Some(moment) => Ok(Some(moment)),
        None => bail!("invalid value for \"{flag}\": failed to parse value as time or duration: \"{text}\""),
    }
}

/// What is to be written, all of it to one of the two outputs, so that what went to both stays in order.
#[derive(Default)]
struct Outputs {
    bytes: Vec<u8>,
    to: Option<Stream>,
    unread: bool,
}

impl Outputs {
    fn add(&mut self, entry: &Entry<'_>, timestamps: bool, details: bool) -> anyhow::Result<()> {
        if self.to != Some(entry.stream) {
            // Told by the next flush.
            self.unread |= !self.flush()?;
            self.to = Some(entry.stream);
        }
        if timestamps {
            self.bytes.extend_from_slice(&entry.long_time());
            self.bytes.push(b' ');
        }
        if details {
            let pairs = entry.attributes.iter();
            let pairs = pairs.map(|(name, value)| format!("{}={}", for_url(name), for_url(value)));
            self.bytes.extend_from_slice(pairs.collect::<Vec<_>>().join(",").as_bytes());
            self.bytes.push(b' ');
        }
        self.bytes.extend_from_slice(entry.text);
        Ok(())
    }

    /// Whether anybody still reads.
    fn flush(&mut self) -> anyhow::Result<bool> {
        let written = match self.to {
            // The two write to descriptors without a buffer between: there is one here.
            Some(Stream::Stdout) => write(&mut io::stdout().lock(), &self.bytes),
            Some(Stream::Stderr) => write(&mut io::stderr().lock(), &self.bytes),
            None => Ok(()),
        };
        self.bytes.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            other => other.map(|()| !self.unread).context("write the log"),
        }
    }
}

fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).and_then(|()| to.flush())
}

/// As it may stand in an address: Go's `url.QueryEscape`.
fn for_url(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte.into()),
            b' ' => escaped.push('+'),
            _ => escaped += &format!("%{byte:02X}"),
        }
    }
    escaped
}
