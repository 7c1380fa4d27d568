//! The conditions of `ps --filter`, as Docker has them. docker-ps(1), "Filtering".
//!
//! Conditions of one kind are alternatives, but for labels, which all have to be there; conditions of different kinds all
//! count.

use jiff::Timestamp;
use regex_lite::Regex;

use crate::find::{self, FindError};
use crate::health;
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
    /// It is so well; `none` for one that is not looked after.
    Health(String),
    /// It is in this network.
    Network(String),
    /// It has this volume, or one mounted there. Nothing has volumes yet.
    Volume(String),
    /// It publishes one of these ports. Nothing does yet.
    Publish(Ports),
    /// It exposes one of these ports. Nothing does yet.
    Expose(Ports),
    /// How it is isolated, which on Linux is the same for all.
    Isolation(String),
    /// It is a task of a service, of which there are none.
    IsTask(bool),
}

/// Ports of a protocol: `80`, `80/udp`, `8000-8080/tcp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last, which may be the first.
    pub last: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
}

/// A filter that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Docker's words for a text without `=`.
    #[error("bad format of filter (expected name=value)")]
    Format(String),
    /// Docker's words for a name that is no filter.
    #[error("invalid filter '{0}'")]
    Unknown(String),
    /// A value that the filter cannot have.
    #[error("invalid filter '{0}={1}'")]
    Value(String, String),
    /// Docker's words for one that is not among the few it can have.
    #[error("invalid filter '{filter}={value}': invalid value for {what} ({value}): must be one of {known}")]
    Choice {
        /// The filter.
        filter: String,
        /// What it was given.
        value: String,
        /// What its values are to Docker.
        what: &'static str,
        /// Those there are.
        known: String,
    },
    /// Docker's words for what is no number.
    #[error("invalid filter '{0}={1}': strconv.Atoi: parsing \"{1}\": invalid syntax")]
    Number(String, String),
    /// Docker's words for what is neither true nor false.
    #[error("invalid filter '{0}=[{1}]'")]
    Truth(String, String),
    /// Docker's words for ports that are none.
    #[error("error while looking up for {0} {1}: strconv.ParseUint: parsing \"{2}\": {3}")]
    Ports(String, String, String, &'static str),
    /// Docker's words for ports whose last stands before the first.
    #[error("error while looking up for {0} {1}: Invalid range specified for the Port: {1}")]
    Range(String, String),
}

/// The statuses that Docker knows; some of them no container of ours has.
const STATUSES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

const HEALTHS: [&str; 4] = ["none", "starting", "healthy", "unhealthy"];

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let (name, value) = text.split_once('=').ok_or_else(|| FilterError::Format(text.to_owned()))?;
        // Docker takes spaces around either, and capitals in the name.
        let (name, value) = (name.trim().to_lowercase(), value.trim().to_owned());
        let wrong = || FilterError::Value(name.clone(), value.clone());
        let choice = |what, known: &[&str]| {
            let known = known.join(", ");
            Err(FilterError::Choice { filter: name.clone(), value: value.clone(), what, known })
        };
        Ok(match name.as_str() {
            "id" => Self::Id(Regex::new(&value).map_err(|_| wrong())?),
            "name" => Self::Name(Regex::new(&value).map_err(|_| wrong())?),
            "ancestor" => Self::Ancestor(value),
            "status" if STATUSES.contains(&value.as_str()) => Self::Status(value),
            "status" => return choice("state", &STATUSES),
            "exited" => match value.parse() {
                Ok(status) => Self::Exited(status),
                Err(_) => return Err(FilterError::Number(name, value)),
            },
            "label" => match value.split_once('=') {
                Some((label, wanted)) => Self::Label(label.to_owned(), Some(wanted.to_owned())),
                None => Self::Label(value, None),
            },
            "before" => Self::Before(value),
            "since" => Self::Since(value),
            "health" if HEALTHS.contains(&value.as_str()) => Self::Health(value),
            "health" => return choice("health", &HEALTHS),
            "network" => Self::Network(value),
            "volume" => Self::Volume(value),
            "publish" => Self::Publish(ports(&name, &value)?),
            "expose" => Self::Expose(ports(&name, &value)?),
            "isolation" => Self::Isolation(value),
            "is-task" => match value.as_str() {
                "true" | "1" => Self::IsTask(true),
                "false" | "0" => Self::IsTask(false),
                _ => return Err(FilterError::Truth(name, value)),
            },
            other => return Err(FilterError::Unknown(other.to_owned())),
        })
    }
}

fn ports(filter: &str, text: &str) -> Result<Ports, FilterError> {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let port = |number: &str| {
        number.parse().map_err(|_| {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let why = if is_number { "value out of range" } else { "invalid syntax" };
            FilterError::Ports(filter.to_owned(), text.to_owned(), number.to_owned(), why)
        })
    };
    let (first, last) = (port(first)?, port(last)?);
    if last < first {
        return Err(FilterError::Range(filter.to_owned(), text.to_owned()));
    }
    Ok(Ports { first, last, protocol: protocol.to_owned() })
}

/// The filters, with the time that `before` and `since` compare with.
///
/// # Errors
/// A container that is not there.
pub(crate) fn prepare<'a>(
    home: &Home,
    filters: &'a [Filter],
) -> Result<Vec<(&'a Filter, Option<Timestamp>)>, FindError> {
    let time = |filter| match filter {
        &Filter::Before(ref name) | &Filter::Since(ref name) => {
            find::find(home, name).map(|record| (filter, Some(record.created)))
        }
        _ => Ok((filter, None)),
    };
    filters.iter().map(time).collect()
}

/// Whether the filters let the container through.
pub(crate) fn passes(home: &Home, record: &Record, filters: &[(&Filter, Option<Timestamp>)]) -> bool {
    filters.iter().all(|(filter, time)| match filter {
        Filter::Label(..) => matches(home, record, filter, *time),
        _ => {
            let kind = std::mem::discriminant(*filter);
            let same = filters.iter().filter(|(other, _)| std::mem::discriminant(*other) == kind);
            same.into_iter().any(|(filter, time)| matches(home, record, filter, *time))
        }
    })
}

fn matches(home: &Home, record: &Record, filter: &Filter, time: Option<Timestamp>) -> bool {
    match filter {
        Filter::Id(pattern) => pattern.is_match(&record.id),
        Filter::Name(pattern) => {
            pattern.is_match(&record.name) || pattern.is_match(&format!("/{}", record.name))
        }
        Filter::Ancestor(image) => is_of(record, image),
        Filter::Status(word) => record.state.status.word() == word,
        Filter::Exited(code) => record.state.status == Status::Exited && record.state.exit_code == *code,
        Filter::Label(label, value) => {
            record.config.labels.get(label).is_some_and(|own| value.as_ref().is_none_or(|value| own == value))
        }
        Filter::Before(_) => time.is_some_and(|time| record.created < time),
        Filter::Since(_) => time.is_some_and(|time| record.created > time),
        Filter::Health(word) => health::word(home, record).unwrap_or("none") == word,
        Filter::Network(name) => record.host_config.network_mode == *name,
        Filter::Volume(_) | Filter::Publish(_) | Filter::Expose(_) => false,
        Filter::Isolation(_) => true,
        Filter::IsTask(is_task) => !is_task,
    }
}

/// Whether it was made of the image that is called so.
fn is_of(record: &Record, image: &str) -> bool {
    let name = |text: &str| text.parse::<mini_images::Reference>().map(|name| name.to_string());
    let start = image.strip_prefix("sha256:").unwrap_or(image);
    name(image).is_ok_and(|wanted| name(&record.config.image).is_ok_and(|own| own == wanted))
        || (start.len() >= 4 && record.image.hex().starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_filter_is_refused() {
        let refused = |text: &str| text.parse::<Filter>().err().map(|error| error.to_string());
        assert_eq!(refused("name=^x"), None);
        assert_eq!(refused("publish=8000-8080/udp"), None);
        let refused = |text: &str| refused(text).unwrap_or_default();
        assert_eq!(refused("name=("), "invalid filter 'name=('");
        assert_eq!(
            refused("status=asleep"),
            "invalid filter 'status=asleep': invalid value for state (asleep): must be one of created, running, \
             paused, restarting, removing, exited, dead"
        );
        assert_eq!(
            refused("exited=x"),
            "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax"
        );
        assert_eq!(refused("colour=red"), "invalid filter 'colour'");
        assert_eq!(refused("name"), "bad format of filter (expected name=value)");
        assert_eq!(
            refused("health=ill"),
            "invalid filter 'health=ill': invalid value for health (ill): must be one of none, starting, healthy, \
             unhealthy"
        );
        assert_eq!(refused("is-task=maybe"), "invalid filter 'is-task=[maybe]'");
        assert_eq!(
            refused("publish=80-70"),
            "error while looking up for publish 80-70: Invalid range specified for the Port: 80-70"
        );
        assert_eq!(
            refused("publish=99999"),
            "error while looking up for publish 99999: strconv.ParseUint: parsing \"99999\": value out of range"
        );
        assert_eq!(
            refused("expose=x/tcp"),
            "error while looking up for expose x/tcp: strconv.ParseUint: parsing \"x\": invalid syntax"
        );
    }
}
