//! A container's options for its log, with Docker's names and words: `--log-driver`, `--log-opt`.
//!
//! Docker finds wrong values when the container starts, and here they are found before it is made. Docker's
//! `daemon/logger`; docker-run(1); book ch. 10.

use std::collections::BTreeMap;
use std::path::Path;

use mini_runtime::log::{Options, Rotation, Target};
use regex_lite::Regex;

use crate::config::LogConfig;
use crate::id;
use crate::record::Record;

/// Where the machine's journal listens.
const JOURNAL: &str = "/run/systemd/journal/socket";

/// The options of every driver that keeps something.
const ALL: [&str; 7] = ["labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"];

/// Those that `json-file` has besides.
const OF_FILES: [&str; 3] = ["max-size", "max-file", "compress"];

/// Options that cannot be met: Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogOptionError {
    /// A driver that there is not.
    #[error("error looking up logging plugin {0}: plugin \"{0}\" not found")]
    Driver(String),
    /// No journal here.
    #[error("failed to initialize logging driver: journald is not enabled on this host")]
    NoJournal,
    /// Options for what keeps nothing.
    #[error("invalid logging opts for driver {0}")]
    None(String),
    /// An option that the driver does not know.
    #[error("unknown log opt '{option}' for {driver} log driver")]
    Unknown {
        /// The option.
        option: String,
        /// The driver.
        driver: String,
    },
    /// A mode that there is not.
    #[error("logger: logging mode not supported: {0}")]
    Mode(String),
    /// A buffer for a mode without one.
    #[error("logger: max-buffer-size option is only supported with 'mode=non-blocking'")]
    Buffer,
    /// A value that cannot be.
    #[error("failed to initialize logging driver: {0}")]
    Value(String),
}

/// Finds what is wrong with `config`.
///
/// # Errors
/// What [`LogOptionError`] lists.
pub fn check(config: &LogConfig) -> Result<(), LogOptionError> {
    let driver = config.r#type.as_str();
    match driver {
        "none" if config.config.is_empty() => return Ok(()),
        "none" => return Err(LogOptionError::None(driver.to_owned())),
        "json-file" | "journald" => {}
        _ => return Err(LogOptionError::Driver(driver.to_owned())),
    }
    let known = |option: &str| ALL.contains(&option) || (driver == "json-file" && OF_FILES.contains(&option));
    if let Some(option) = config.config.keys().find(|option| !known(option)) {
        return Err(LogOptionError::Unknown { option: option.clone(), driver: driver.to_owned() });
    }
    let mode = option(config, "mode").unwrap_or_default();
    if !matches!(mode, "" | "blocking" | "non-blocking") {
        return Err(LogOptionError::Mode(mode.to_owned()));
    }
    if option(config, "max-buffer-size").is_some() && mode != "non-blocking" {
        return Err(LogOptionError::Buffer);
    }
    if driver == "journald" && !Path::new(JOURNAL).exists() {
        return Err(LogOptionError::NoJournal);
    }
    rotation(config)?;
    expand(option(config, "tag").unwrap_or_default(), |_| Some(String::new()))?;
    ["labels-regex", "env-regex"].iter().try_for_each(|name| pattern(config, name).map(drop))
}

/// Where the output of `record` goes.
///
/// # Errors
/// As [`check`].
pub(crate) fn options(record: &Record) -> Result<Options, LogOptionError> {
    let config = &record.host_config.log_config;
    check(config)?;
    let mut attributes = attributes(record, config)?;
    let tag = |text: &str| expand(text, |field| tag_field(record, field));
    let to = match config.r#type.as_str() {
        "json-file" => {
            if let Some(text) = option(config, "tag").filter(|text| !text.is_empty()) {
                attributes.insert("tag".to_owned(), tag(text)?);
            }
            Target::Files(rotation(config)?)
        }
        "journald" => {
            let tag = tag(option(config, "tag").filter(|text| !text.is_empty()).unwrap_or("{{.ID}}"))?;
            Target::Journal { socket: JOURNAL.into(), fields: journal_fields(record, &tag) }
        }
        _ => Target::Nowhere,
    };
    Ok(Options { to, attributes: attributes.into_iter().collect() })
}

fn journal_fields(record: &Record, tag: &str) -> Vec<(String, String)> {
    let fields = [
        ("CONTAINER_ID", id::short(&record.id)),
        ("CONTAINER_ID_FULL", &record.id),
        ("CONTAINER_NAME", &record.name),
        ("CONTAINER_TAG", tag),
        ("IMAGE_NAME", &record.config.image),
        ("SYSLOG_IDENTIFIER", tag),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn option<'a>(config: &'a LogConfig, name: &str) -> Option<&'a str> {
    config.config.get(name).map(String::as_str)
}

fn rotation(config: &LogConfig) -> Result<Rotation, LogOptionError> {
    let value = |text: String| LogOptionError::Value(text);
    let max_size = match option(config, "max-size") {
        Some(text) => Some(human_size(text).ok_or_else(|| value(format!("invalid size: '{text}'")))?),
        None => None,
    };
    if max_size == Some(0) {
        return Err(value("max-size must be a positive number".to_owned()));
    }
    let max_files = match option(config, "max-file") {
        Some(text) => text
            .parse::<i64>()
            .map_err(|_| value(format!("strconv.Atoi: parsing \"{text}\": invalid syntax")))?,
        None => 1,
    };
    let max_files = u32::try_from(max_files).ok().filter(|count| *count > 0);
    let max_files = max_files.ok_or_else(|| value("max-file cannot be less than 1".to_owned()))?;
    let compress = match option(config, "compress") {
        None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
        Some(text) => return Err(value(format!("strconv.ParseBool: parsing \"{text}\": invalid syntax"))),
    };
    if compress && (max_files == 1 || max_size.is_none()) {
        return Err(value(
            "compress cannot be true when max-file is less than 2 or max-size is not set".to_owned(),
        ));
    }
    Ok(Rotation { max_size, max_files, compress })
}

/// `10m`, `1.5 GB`: thousands, as `FromHumanSize` of docker's go-units reads them.
fn human_size(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let unit = unit.strip_suffix('i').unwrap_or(unit);
    let power = ["", "k", "m", "g", "t", "p"].iter().position(|letter| *letter == unit)?;
    let size = number.parse::<f64>().ok()? * 1000_f64.powi(i32::try_from(power).ok()?);
    Some(size as u64)
}

fn pattern(config: &LogConfig, name: &str) -> Result<Option<Regex>, LogOptionError> {
    let text = option(config, name).filter(|text| !text.is_empty());
    let compiled = text.map(Regex::new).transpose();
    compiled.map_err(|error| LogOptionError::Value(format!("error parsing regexp in {name}: {error}")))
}

/// What each record says of the container: those of its labels and variables that the options name.
fn attributes(record: &Record, config: &LogConfig) -> Result<BTreeMap<String, String>, LogOptionError> {
    let labels = record.config.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let variables = record.config.env.iter().filter_map(|variable| variable.split_once('='));
    let mut all = BTreeMap::new();
    let mut choose = |pairs: Vec<(&str, &str)>, by_name: &str, by_pattern: &str| {
        let names: Vec<&str> = option(config, by_name).unwrap_or_default().split(',').collect();
        let pattern = pattern(config, by_pattern)?;
        for (name, value) in pairs {
            if names.contains(&name) || pattern.as_ref().is_some_and(|pattern| pattern.is_match(name)) {
                all.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(())
    };
    choose(labels.collect(), "labels", "labels-regex")?;
    choose(variables.collect(), "env", "env-regex")?;
    Ok(all)
}

/// A tag with its fields filled in. Of Go's templates it may have fields, which is what tags are made of.
fn expand(text: &str, field: impl Fn(&str) -> Option<String>) -> Result<String, LogOptionError> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let wrong = || LogOptionError::Value(format!("template: log-tag: cannot read \"{text}\""));
        let (inside, after) = after.split_once("}}").ok_or_else(wrong)?;
        let name = inside.trim().strip_prefix('.').filter(|name| FIELDS.contains(name)).ok_or_else(wrong)?;
        expanded += before;
        expanded += &field(name).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(expanded + rest)
}

const FIELDS: [&str; 7] = ["ID", "FullID", "Name", "ImageID", "ImageFullID", "ImageName", "DaemonName"];

fn tag_field(record: &Record, field: &str) -> Option<String> {
    let image = record.image.to_string();
    Some(match field {
        "ID" => id::short(&record.id).to_owned(),
        "FullID" => record.id.clone(),
        "Name" => record.name.clone(),
        "ImageID" => image.chars().take("sha256:".len() + 5).collect(),
        "ImageFullID" => image,
        "ImageName" => record.config.image.clone(),
        "DaemonName" => "docker".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(driver: &str, options: &[(&str, &str)]) -> LogConfig {
        let config = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        LogConfig { r#type: driver.to_owned(), config: config.collect() }
    }

    fn words(driver: &str, options: &[(&str, &str)]) -> String {
        check(&config(driver, options)).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn wrong_options_are_refused_in_dockers_words() {
        for (driver, options, expected) in [
            ("json-file", &[("max-size", "10m"), ("max-file", "3"), ("compress", "true")][..], ""),
            ("json-file", &[("tag", "{{.Name}}/{{ .ID }}"), ("mode", "non-blocking")], ""),
            ("json-file", &[("max-files", "3")], "unknown log opt 'max-files' for json-file log driver"),
            ("none", &[("tag", "x")], "invalid logging opts for driver none"),
            ("syslog", &[], "error looking up logging plugin syslog: plugin \"syslog\" not found"),
            ("json-file", &[("max-size", "x")], "failed to initialize logging driver: invalid size: 'x'"),
            (
                "json-file",
                &[("max-size", "0")],
                "failed to initialize logging driver: max-size must be a positive number",
            ),
            (
                "json-file",
                &[("max-file", "0")],
                "failed to initialize logging driver: max-file cannot be less than 1",
            ),
            (
                "json-file",
                &[("compress", "true"), ("max-file", "3")],
                "failed to initialize logging driver: compress cannot be true when max-file is less than 2 or \
                 max-size is not set",
            ),
            ("json-file", &[("mode", "fast")], "logger: logging mode not supported: fast"),
        ] {
            assert_eq!(words(driver, options), expected);
        }
        assert!(words("json-file", &[("tag", "{{.Nmae}}")]).contains("log-tag"));
    }

    #[test]
    fn sizes_are_thousands_as_docker_has_them_here() {
        let sizes = ["10m", "1.5 GB", "64kib", "7", "", "m", "1x", "-1"].map(human_size);
        let expected = [Some(10_000_000), Some(1_500_000_000), Some(64_000), Some(7), None, None, None, None];
        assert_eq!(sizes, expected);
    }
}
