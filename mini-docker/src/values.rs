//! The values of flags, as typed and as they are meant: sizes, processors, limits, variables.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use mini_engine::Ulimit;

/// A whole number, with or without a sign.
pub(crate) fn whole(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

/// A whole number that is not below zero.
pub(crate) fn natural(text: &str) -> Result<u64, String> {
    let number = whole(text)?;
    u64::try_from(number).map_err(|_| format!("{number} is below zero"))
}

/// A time as Go writes it, `1m30s`, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause(pub(crate) i64);

impl FromStr for Pause {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "0" {
            return Ok(Self(0));
        }
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let time = mini_images::moment::duration(digits);
        let time = time.and_then(|time| i64::try_from(time.as_nanos()).ok());
        time.map(|time| Self(sign * time)).ok_or_else(|| format!("time: invalid duration \"{text}\""))
    }
}

/// `NAME=value` for the OCI spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation(pub(crate) String, pub(crate) String);

impl FromStr for Annotation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self(name.to_owned(), value.to_owned())),
            _ => Err(format!("invalid annotation '{text}': write NAME=value")),
        }
    }
}

/// A standard stream that `run` stays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttachTo {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl FromStr for AttachTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "stdin" => Ok(Self::Stdin),
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
        }
    }
}

/// A number of bytes: `64m`, `1.5g`, `1024`, or -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Bytes(pub(crate) i64);

impl TryFrom<String> for Bytes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("invalid size: '{text}'; write bytes, or a number with b, k, m, g or t, such as `64m`")
        };
        if text == "-1" {
            return Ok(Self(-1));
        }
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor: f64 = match lower[digits.len()..].trim_end_matches("ib").trim_end_matches('b') {
            "" => 1.0,
            "k" => 1024.0,
            "m" => 1024.0 * 1024.0,
            "g" => 1024.0 * 1024.0 * 1024.0,
            "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            _ => return Err(wrong()),
        };
        let number: f64 = digits.trim_end().parse().map_err(|_| wrong())?;
        let bytes = number * factor;
        // Beyond 2^63 the cast would be silent.
        if !bytes.is_finite() || !(0.0..9.2e18).contains(&bytes) || digits.starts_with('+') {
            return Err(wrong());
        }
        Ok(Self(bytes as i64))
    }
}

/// A number of processors, in billionths: `1.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cpus(pub(crate) u64);

impl FromStr for Cpus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("failed to parse {text} as a rational number");
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 9;
        if !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) {
            return Err(wrong());
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| wrong())? };
        let part: u64 = format!("{part:0<9}").parse().map_err(|_| wrong())?;
        Ok(Self(whole * 1_000_000_000 + part))
    }
}

/// The options of tmpfs(5) beside the flags of mount(8).
const TMPFS: [&str; 8] = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "huge"];

/// A directory in memory: `/run:size=64k`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tmpfs {
    /// Where.
    pub(crate) target: String,
    /// Options of mount(8).
    pub(crate) options: String,
}

impl FromStr for Tmpfs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (target, options) = text.split_once(':').unwrap_or((text, ""));
        if !target.starts_with('/') || target == "/" {
            return Err(format!(
                "invalid mount path: '{target}' mount path must be absolute, and not the root"
            ));
        }
        let known = |option: &&str| {
            let name = option.split('=').next().unwrap_or_default();
            TMPFS.contains(&name) || mini_chroot::mounts::is_flag(name)
        };
        if let Some(other) =
            options.split(',').filter(|option| !option.is_empty()).find(|option| !known(option))
        {
            return Err(format!("invalid tmpfs option [\"{other}\"]"));
        }
        Ok(Self { target: target.to_owned(), options: options.to_owned() })
    }
}

/// A resource limit: `nofile=1024:2048`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Ulimit);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, numbers) =
            text.split_once('=').ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
        mini_security::limits::resource(name).ok_or_else(|| format!("invalid ulimit type: {name}"))?;
        let number = |text: &str| match text {
            "unlimited" | "-1" => Ok(-1),
            _ => text
                .parse::<i64>()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or_else(|| format!("invalid ulimit value: {text}")),
        };
        let (soft, hard) = numbers.split_once(':').unwrap_or((numbers, numbers));
        let (soft, hard) = (number(soft)?, number(hard)?);
        if hard != -1 && (soft == -1 || soft > hard) {
            return Err(format!(
                "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
            ));
        }
        Ok(Self(Ulimit { name: name.to_owned(), hard, soft }))
    }
}

/// A file of variables, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EnvFile(pub(crate) PathBuf);

impl FromStr for EnvFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(PathBuf::from(text)))
    }
}

impl EnvFile {
    /// The variables in the file; comments and empty lines are none.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<String>> {
        use anyhow::Context as _;
        let path = self.0.display();
        let text = fs::read_to_string(&self.0).with_context(|| format!("read the variables in `{path}`"))?;
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let mut variables = Vec::new();
        for (number, line) in
            lines.filter(|(_, line)| !line.trim_start().is_empty() && !line.trim_start().starts_with('#'))
        {
            let line = line.trim_start();
            let name = line.split('=').next().unwrap_or_default();
            if name.is_empty() || name.contains(char::is_whitespace) {
                anyhow::bail!(
                    "poorly formatted environment: `{line}` in line {} of `{path}` has no name without spaces",
                    number + 1
                );
            }
            variables.extend(variable(line));
        }
        Ok(variables)
    }
}

/// A variable for a flag: it must have a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable(pub(crate) String);

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.starts_with('=') {
            return Err(format!("invalid environment variable: {text}"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A variable as it was given: `NAME=value`, or `NAME` alone for its value here; none if it has none.
pub(crate) fn variable(text: &str) -> Option<String> {
    if text.contains('=') {
        return Some(text.to_owned());
    }
    std::env::var(text).ok().map(|value| format!("{text}={value}"))
}

/// A size as Docker's tables show it: three digits and a unit of thousands, `28.1MB`.
pub(crate) fn human_size(bytes: u64) -> String {
    with_unit(bytes, 3)
}

/// A size as Docker tells it elsewhere: four digits, `28.14MB`.
pub(crate) fn exact_size(bytes: u64) -> String {
    with_unit(bytes, 4)
}

/// A size in powers of two, as Docker tells memory: `1.5GiB`.
pub(crate) fn binary_size(bytes: u64) -> String {
    in_units(bytes, 4, 1024.0, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

fn with_unit(bytes: u64, digits: usize) -> String {
    in_units(bytes, digits, 1000.0, ["B", "kB", "MB", "GB", "TB", "PB"])
}

fn in_units(bytes: u64, digits: usize, base: f64, units: [&str; 6]) -> String {
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= base && unit < units.len() - 1 {
        size /= base;
        unit += 1;
    }
    format!("{}{}", significant(size, digits), units[unit])
}

/// C's `%.3g` and the like, of a little more than a thousand at most: significant digits, no zeros at the end.
fn significant(number: f64, digits: usize) -> String {
    let whole = if number >= 1000.0 {
        4
    } else if number >= 100.0 {
        3
    } else if number >= 10.0 {
        2
    } else {
        1
    };
    let decimals = digits.saturating_sub(whole);
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        let read = |text: &str| text.parse::<Bytes>().map(|bytes| bytes.0).ok();
        assert_eq!(
            [read("64m"), read("1.5g"), read("1024"), read("2KiB"), read("-1")],
            [Some(67_108_864), Some(1_610_612_736), Some(1024), Some(2048), Some(-1)]
        );
        assert_eq!(
            [read("64MB"), read("m"), read(""), read("1x"), read("-5"), read("1e99g")],
            [Some(67_108_864), None, None, None, None, None]
        );
    }

    #[test]
    fn processors_are_read_exactly() {
        let read = |text: &str| text.parse::<Cpus>().map(|cpus| cpus.0).ok();
        assert_eq!(
            [read("1.5"), read("2"), read(".25"), read("x"), read("-1"), read("1.")],
            [Some(1_500_000_000), Some(2_000_000_000), Some(250_000_000), None, None, Some(1_000_000_000)]
        );
    }

    #[test]
    fn resource_limits_are_checked() {
        let read = |text: &str| text.parse::<Limit>().map(|limit| (limit.0.soft, limit.0.hard));
        assert_eq!(read("nofile=10:20"), Ok((10, 20)));
        assert_eq!(read("core=-1"), Ok((-1, -1)));
        assert_eq!(read("nofiles=1"), Err("invalid ulimit type: nofiles".to_owned()));
        assert_eq!(
            read("nofile=20:10"),
            Err("ulimit soft limit must be less than or equal to hard limit: 20 > 10".to_owned())
        );
    }

    #[test]
    fn sizes_are_shown_as_docker_shows_them() {
        assert_eq!(
            [0, 999, 1000, 28_140_000, 170_000_000].map(human_size),
            ["0B", "999B", "1kB", "28.1MB", "170MB"]
        );
        assert_eq!(
            [0, 1023, 1024, 1_585_152, 16_000_000_000].map(binary_size),
            ["0B", "1023B", "1KiB", "1.512MiB", "14.9GiB"]
        );
        assert_eq!([999, 28_140_000, 1_234_567].map(exact_size), ["999B", "28.14MB", "1.235MB"]);
    }
}
