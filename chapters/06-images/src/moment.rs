//! Moments as people write them for filters: how long ago, a date, or seconds since 1970.
//!
//! Dates without a zone are UTC here, where Docker takes the zone of the client. Go's `time.ParseDuration`;
//! docker-images(1), "until".

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The moment that `text` means: `24h`, `1h30m`, `2026-01-31`, `2026-01-31T12:00:00`, RFC 3339, `1700000000`.
pub fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(ago) = duration(text) {
        return now.checked_sub(ago).ok();
    }
    // Before an hour before now, to Go, is after now.
    if let Some(ahead) = text.strip_prefix('-').and_then(duration) {
        return now.checked_add(ahead).ok();
    }
    let civil = || text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    let utc = |moment: DateTime| moment.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    seconds(text).or_else(|| text.parse().ok()).or_else(|| civil().ok().and_then(utc))
}

/// `1600000000` or `1600000000.25`.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if part.is_empty() || part.len() > 9 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: i32 = format!("{part:0<9}").parse().ok()?;
    Timestamp::new(whole.parse().ok()?, nanoseconds).ok()
}

/// Numbers with units, in a row: `1h30m`, `1.5h`; none for what is no such thing.
pub fn duration(text: &str) -> Option<SignedDuration> {
    let mut sum = SignedDuration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let length = unit.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit.len());
        let seconds = match &unit[..length] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum = sum.checked_add(SignedDuration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = &unit[length..];
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_read_as_docker_reads_them() {
        let now: Timestamp = "2026-02-01T12:00:00Z".parse().unwrap();
        let read = |text: &str| parse(text, now).map(|moment| moment.to_string());
        for (text, expected) in [
            ("24h", "2026-01-31T12:00:00Z"),
            ("1h30m", "2026-02-01T10:30:00Z"),
            ("1.5h", "2026-02-01T10:30:00Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T06:00:00", "2026-01-31T06:00:00Z"),
            ("2026-01-31T06:00:00+02:00", "2026-01-31T04:00:00Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1700000000.5", "2023-11-14T22:13:20.5Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "h", "yesterday", "1x", "1h2", "99999999999999999h", "."] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_moment_or_none(text in "[0-9hms.µT:+Z-]{0,24}|.{0,20}") {
            let _ = parse(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
