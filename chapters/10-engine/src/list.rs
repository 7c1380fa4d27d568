//! `ps`: what there is, and in which words. docker-ps(1); book ch. 10.

use jiff::Timestamp;

use crate::filter::{self, Filter};
use crate::find::{self, FindError};
use crate::home::Home;
use crate::record::{Record, Status};

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
    Ok((select(home, records, all, filters)?, damaged))
}

/// Those of the containers that [`list()`] lists, in its order.
///
/// # Errors
/// A filter that names a container that is not there.
pub fn select(
    home: &Home,
    mut records: Vec<Record>,
    all: bool,
    filters: &[Filter],
) -> Result<Vec<Record>, FindError> {
    records.sort_by_key(|record| std::cmp::Reverse(record.created));
    let any_status = filters.iter().any(|filter| matches!(filter, Filter::Status(_) | Filter::Exited(_)));
    let filters = filter::prepare(home, filters)?;
    records.retain(|record| {
        (all || any_status || record.state.status.is_active()) && filter::passes(home, record, &filters)
    });
    Ok(records)
}

/// Docker's words for a container's state: `Up 3 minutes`, `Exited (0) 5 seconds ago`, `Created`.
pub fn status(record: &Record, health: Option<&str>, now: Timestamp) -> String {
    let since = |time: Option<Timestamp>| time.map_or_else(String::new, |time| ago(now, time));
    match record.state.status {
        Status::Created => "Created".to_owned(),
        Status::Running => {
            let health = match health {
                Some("starting") => " (health: starting)".to_owned(),
                Some(health) => format!(" ({health})"),
                None => String::new(),
            };
            format!("Up {}{health}", since(record.state.started_at))
        }
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
}
