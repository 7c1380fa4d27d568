//! `logs`: what a container has written. docker-logs(1).

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use mini_engine::Home;
use mini_engine::logs::{self, Logs};
use mini_runtime::log::{Entry, Stream};

use crate::cli;

/// How long to wait before looking for more.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn run(home: &Home, args: &cli::Logs) -> anyhow::Result<u8> {
    super::repair(home);
    let tail = match args.tail.as_str() {
        "all" => None,
        number if number.starts_with('-') => None,
        number => match number.parse() {
            Ok(count) => Some(count),
            Err(_) => bail!("invalid value for \"--tail\": `{number}` is neither a number nor \"all\""),
        },
    };
    let record = mini_engine::find(home, &args.container)?;
    let mut log = Logs::open(home, &record, tail)?;
    let mut goes_on = true;
    loop {
        while let Some(entry) = log.next_entry()? {
            if !show(&entry, args.timestamps)? {
                return Ok(0);
            }
        }
        if !args.follow || !goes_on {
            return Ok(0);
        }
        // Once more after the end: what was written last may have come after the last look.
        goes_on = logs::goes_on(home, &record.id)?;
        if goes_on {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Whether anybody still reads.
fn show(entry: &Entry, timestamp: bool) -> anyhow::Result<bool> {
    let text = if timestamp { format!("{:.9} {}", entry.time, entry.log) } else { entry.log.clone() };
    let written = match entry.stream {
        Stream::Stdout => io::stdout().write_all(text.as_bytes()),
        Stream::Stderr => io::stderr().write_all(text.as_bytes()),
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true).context("write the log"),
    }
}
