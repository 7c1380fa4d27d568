//! `ps`: what there is, and in which words. Filters as Docker has them. docker-ps(1); book ch. 10.

use jiff::Timestamp;
use regex_lite::Regex;

use crate::find::{self, FindError};
use crate::home::Home;
use crate::record::{Record, Status};

/// A condition of `--filter`.
#[derive(Debug, Clone)]
pub enum Filter {
    /// The id matches.
    Id(Regex),
    /// The name matches, with or without the slash that Docker puts before it.
    Name(Regex),
    /// The image is this one, by name or id.
    Ancestor(String),
    /// It is so far in its life.
    Status(String),
    /// It ended with this status.
    Exited(i32),
    /// It has this label, with this value if one is given.
    Label(String, Option<String>),
    /// It was made before the container of this name or id.
    Before(String),
    /// It was made after it.
    Since(String),
}

/// A filter that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Docker's words for a text without `=`.
    #[error("bad format of filter (expected name=value): `{0}`")]
    Format(String),
    /// Docker's words for a name that is no filter.
    #[error("invalid filter '{0}'")]
    Unknown(String),
    /// A value that the filter cannot have.
    #[error("invalid filter '{0}={1}'")]
    Value(String, String),
}

/// The statuses that Docker knows; some of them no container of ours has yet.
const STATUSES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let (name, value) = text.split_once('=').ok_or_else(|| FilterError::Format(text.to_owned()))?;
        let wrong = || FilterError::Value(name.to_owned(), value.to_owned());
        let value = value.to_owned();
        Ok(match name {
            "id" => Self::Id(Regex::new(&value).map_err(|_| wrong())?),
            "name" => Self::Name(Regex::new(&value).map_err(|_| wrong())?),
            "ancestor" => Self::Ancestor(value),
            "status" if STATUSES.contains(&value.as_str()) => Self::Status(value),
            "status" => return Err(wrong()),
            "exited" => Self::Exited(value.parse().map_err(|_| wrong())?),
            "label" => match value.split_once('=') {
                Some((label, wanted)) => Self::Label(label.to_owned(), Some(wanted.to_owned())),
                None => Self::Label(value, None),
            },
            "before" => Self::Before(value),
            "since" => Self::Since(value),
            other => return Err(FilterError::Unknown(other.to_owned())),
        })
    }
}

/// The containers, the last made first, and what went wrong with those whose records cannot be read. Without
/// `all`, those that run.
///
/// # Errors
/// A filter that names a container that is not there.
pub fn list(home: &Home, all: bool, filters: &[Filter]) -> Result<(Vec<Record>, Vec<FindError>), FindError> {
    let mut records = Vec::new();
    let mut damaged = Vec::new();
    for id in find::ids(home).map_err(FindError::List)? {
        match Record::load(home, &id) {
            Ok(record) => records.extend(record),
            Err(error) => damaged.push(error.into()),
        }
    }
    records.sort_by_key(|record| std::cmp::Reverse(record.created));
    let any_status = filters.iter().any(|filter| matches!(filter, Filter::Status(_) | Filter::Exited(_)));
    let times = filters.iter().map(|filter| time(home, filter)).collect::<Result<Vec<_>, _>>()?;
    records.retain(|record| {
        (all || any_status || record.state.status.is_active()) && passes(record, filters, &times)
    });
    Ok((records, damaged))
}

/// The time that `before` and `since` compare with.
fn time(home: &Home, filter: &Filter) -> Result<Option<Timestamp>, FindError> {
    match filter {
        Filter::Before(name) | Filter::Since(name) => {
            find::find(home, name).map(|record| Some(record.created))
        }
        _ => Ok(None),
    }
}

/// Filters of one kind are alternatives, filters of different kinds all count.
fn passes(record: &Record, filters: &[Filter], times: &[Option<Timestamp>]) -> bool {
    filters.iter().all(|filter| {
        let same_kind = |other: &&(&Filter, &Option<Timestamp>)| {
            std::mem::discriminant(other.0) == std::mem::discriminant(filter)
        };
        let pairs: Vec<_> = filters.iter().zip(times).collect();
        // Labels all have to be there; of the rest, one of a kind is enough.
        match filter {
            Filter::Label(..) => matches(record, filter, None),
            _ => pairs.iter().filter(same_kind).any(|(filter, time)| matches(record, filter, **time)),
        }
    })
}

fn matches(record: &Record, filter: &Filter, time: Option<Timestamp>) -> bool {
    match filter {
        Filter::Id(pattern) => pattern.is_match(&record.id),
        Filter::Name(pattern) => {
            pattern.is_match(&record.name) || pattern.is_match(&format!("/{}", record.name))
        }
        Filter::Ancestor(image) => {
            let name = |text: &str| text.parse::<mini_images::Reference>().map(|name| name.to_string());
            let start = image.strip_prefix("sha256:").unwrap_or(image);
            name(image).is_ok_and(|wanted| name(&record.config.image).is_ok_and(|own| own == wanted))
                || (start.len() >= 4 && record.image.hex().starts_with(start))
        }
        Filter::Status(word) => record.state.status.word() == word,
        Filter::Exited(code) => record.state.status == Status::Exited && record.state.exit_code == *code,
        Filter::Label(label, value) => {
            record.config.labels.get(label).is_some_and(|own| value.as_ref().is_none_or(|value| own == value))
        }
        Filter::Before(_) => time.is_some_and(|time| record.created < time),
        Filter::Since(_) => time.is_some_and(|time| record.created > time),
    }
}

/// Docker's words for a container's state: `Up 3 minutes`, `Exited (0) 5 seconds ago`, `Created`.
pub fn status(record: &Record, now: Timestamp) -> String {
    let since = |time: Option<Timestamp>| time.map_or_else(String::new, |time| ago(now, time));
    match record.state.status {
        Status::Created => "Created".to_owned(),
        Status::Running => format!("Up {}", since(record.state.started_at)),
        Status::Paused => format!("Up {} (Paused)", since(record.state.started_at)),
        Status::Restarting => {
            format!("Restarting ({}) {} ago", record.state.exit_code, since(record.state.finished_at))
        }
        Status::Exited => {
            format!("Exited ({}) {} ago", record.state.exit_code, since(record.state.finished_at))
        }
    }
}

/// How long ago `then` was, roughly, as Docker says it.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    let several = |count: i64, unit: &str| format!("{count} {unit}");
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => several(seconds, "seconds"),
        60..120 => "About a minute".to_owned(),
        _ if minutes < 60 => several(minutes, "minutes"),
        _ if hours <= 1 => "About an hour".to_owned(),
        _ if hours < 48 => several(hours, "hours"),
        _ if hours < 24 * 14 => several(hours / 24, "days"),
        _ if hours < 24 * 60 => several(hours / 24 / 7, "weeks"),
        _ if hours < 24 * 365 * 2 => several(hours / 24 / 30, "months"),
        _ => several(hours / 24 / 365, "years"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_docker_tells_them() {
        let told = |seconds: i64| ago(Timestamp::from_second(seconds).unwrap(), Timestamp::UNIX_EPOCH);
        let day = 24 * 3600;
        let times = [0, 1, 59, 60, 119, 120, 3599, 3600, 5400, day, 2 * day, 14 * day, 60 * day, 730 * day];
        let expected = [
            "Less than a second",
            "1 second",
            "59 seconds",
            "About a minute",
            "About a minute",
            "2 minutes",
            "59 minutes",
            "About an hour",
            "2 hours",
            "24 hours",
            "2 days",
            "2 weeks",
            "2 months",
            "2 years",
        ];
        assert_eq!(times.map(told), expected.map(str::to_owned));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let refused = |text: &str| text.parse::<Filter>().err().map(|error| error.to_string());
        assert_eq!(refused("name=^x"), None);
        assert_eq!(refused("name=("), Some("invalid filter 'name=('".to_owned()));
        assert_eq!(refused("status=asleep"), Some("invalid filter 'status=asleep'".to_owned()));
        assert_eq!(refused("colour=red"), Some("invalid filter 'colour'".to_owned()));
        assert_eq!(refused("name"), Some("bad format of filter (expected name=value): `name`".to_owned()));
    }
}
