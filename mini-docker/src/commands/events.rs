//! `events`: what happens to containers and images, as it happens. docker-events(1).

use std::time::Duration;

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use mini_engine::Home;
use mini_engine::event_filter::{EventFilter, is_wanted};
use mini_engine::events::{Event, Events};
use mini_engine::filter::FilterError;
use serde_json::{Value, json};

use crate::cli;
use crate::failure;
use crate::format;

pub(crate) fn run(home: &Home, args: &cli::Events) -> anyhow::Result<u8> {
    let filters = args.filter.iter().map(|text| text.parse()).collect::<Result<Vec<EventFilter>, _>>();
    let filters = filters.map_err(|error| match error {
        FilterError::Format(text) => failure::no_condition("-f, --filter", &text),
        _ => error.into(),
    })?;
    let now = Timestamp::now();
    let (from, until) = (moment(args.since.as_deref(), now)?, moment(args.until.as_deref(), now)?);
    if let (Some(from), Some(until)) = (from, until)
        && from > until
    {
        let (from, until) = (from.as_second(), until.as_second());
        bail!("`since` time ({from}) cannot be after `until` time ({until})");
    }
    if let Some(format) = &args.format {
        // A wrong template is told now and not with the first event.
        render(&Event::image("", "", ""), format)?;
    }
    home.prepare()?;
    let mut events = Events::open(home, from.is_none() && until.is_none())?;
    super::repair(home);
    loop {
        // Before the look, so that what comes up to then is shown.
        let left = until.map(|until| until.duration_since(Timestamp::now()));
        while let Some(event) = events.next_event()? {
            if until.is_some_and(|until| event.timestamp() > until) {
                return Ok(0);
            }
            let is_new = from.is_none_or(|from| event.timestamp() >= from);
            if is_new && is_wanted(&event, &filters) && !show(&event, args.format.as_deref())? {
                return Ok(0);
            }
        }
        match left.map(Duration::try_from) {
            None => events.wait(None)?,
            Some(Ok(left)) if !left.is_zero() => events.wait(Some(left))?,
            Some(_) => return Ok(0),
        }
    }
}

/// A moment, or Docker's words for what is none, which are not those of `logs`.
fn moment(text: Option<&str>, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let moment = mini_images::moment::parse(text, now);
    moment.map(Some).ok_or_else(|| anyhow!("failed to parse value as time or duration: \"{text}\""))
}

/// Whether anybody still reads.
fn show(event: &Event, format: Option<&str>) -> anyhow::Result<bool> {
    use std::io::Write as _;
    let text = match format {
        None => line(event),
        Some(format) => render(event, format)?,
    };
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        other => Ok(other.map(|()| true)?),
    }
}

/// Docker's line for people.
fn line(event: &Event) -> String {
    let mut text = format!("{:.9} {} {} {}", event.timestamp(), event.kind, event.action, event.actor.id);
    if !event.actor.attributes.is_empty() {
        let pairs = event.actor.attributes.iter().map(|(name, value)| format!("{name}={value}"));
        text += &format!(" ({})", pairs.collect::<Vec<_>>().join(", "));
    }
    text
}

/// Templates name the fields of Go's structure, JSON those of the API.
fn render(event: &Event, format: &str) -> anyhow::Result<String> {
    if matches!(format, "json" | "{{json .}}" | "{{ json . }}") {
        return Ok(serde_json::to_string(event)?);
    }
    let data: Value = json!({
        "Status": event.status, "ID": event.id, "From": event.from, "Type": event.kind, "Action": event.action,
        "Actor": { "ID": event.actor.id, "Attributes": event.actor.attributes },
        "Scope": event.scope, "Time": event.time, "TimeNano": event.time_nano,
    });
    format::object(&data, format)
}
