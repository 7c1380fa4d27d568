//! The extended header of a tar entry: `length key=value` records, which say what the old fields cannot.
//!
//! Long names, large numbers, times finer than a second, extended attributes and the maps of sparse files
//! arrive this way. A value is bytes, newlines included, so a record is cut by its length and never by lines.
//! Attributes have two spellings: `SCHILY.xattr.` with the value as it is, and `LIBARCHIVE.xattr.` with the
//! name percent-encoded and the value in base64. pax(1), "Extended header"; book ch. 5.

use std::ffi::CString;

use mini_sys::file::Timespec;

/// The records of one extended header, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pax(Vec<(Vec<u8>, Vec<u8>)>);

/// An extended header that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaxError {
    /// A record's length does not fit it.
    #[error("its extended header is malformed")]
    Record,
    /// A number is not one.
    #[error("its extended header says `{key}={value}`, which is no number")]
    Number {
        /// The record's key.
        key: String,
        /// The record's value.
        value: String,
    },
    /// An extended attribute is badly encoded.
    #[error("its extended attribute `{0}` is badly encoded")]
    Attribute(String),
}

impl Pax {
    /// Cuts a header's data into records.
    pub(crate) fn parse(mut data: &[u8]) -> Result<Self, PaxError> {
        let mut records = Vec::new();
        while !data.is_empty() && data != [0] {
            let space = data.iter().position(|&byte| byte == b' ').ok_or(PaxError::Record)?;
            let length = decimal::<usize>(&data[..space]).ok_or(PaxError::Record)?;
            let record = data.get(space + 1..length).ok_or(PaxError::Record)?;
            let record = record.strip_suffix(b"\n").ok_or(PaxError::Record)?;
            let equals = record.iter().position(|&byte| byte == b'=').ok_or(PaxError::Record)?;
            records.push((record[..equals].to_vec(), record[equals + 1..].to_vec()));
            data = &data[length..];
        }
        Ok(Self(records))
    }

    /// Adds the records of `other`, which count more. An empty value takes a record back.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.retain(|(key, _)| !other.0.iter().any(|(newer, _)| newer == key));
        self.0.extend(other.0);
    }

    /// How much memory the records take, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    /// The value of `key`; where there are several, the last.
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        let found = self.0.iter().rev().find(|(other, _)| other == key.as_bytes());
        found.map(|(_, value)| value.as_slice()).filter(|value| !value.is_empty())
    }

    /// The whole number that `key` says.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, PaxError> {
        self.parsed(key, decimal)
    }

    /// The time that `key` says, seconds since 1970 with a fraction.
    pub(crate) fn time(&self, key: &str) -> Result<Option<Timespec>, PaxError> {
        self.parsed(key, time)
    }

    fn parsed<T>(&self, key: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, PaxError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let not_a_number = || PaxError::Number {
            key: key.to_owned(),
            value: String::from_utf8_lossy(value).escape_debug().to_string(),
        };
        parse(value).map(Some).ok_or_else(not_a_number)
    }

    /// The extended attributes: names and values.
    pub(crate) fn attributes(&self) -> Result<Vec<(CString, Vec<u8>)>, PaxError> {
        let mut attributes: Vec<(CString, Vec<u8>)> = Vec::new();
        for (key, value) in &self.0 {
            let decoded = if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                Some((name.to_vec(), value.clone()))
            } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                percent_decoded(name).zip(base64_decoded(value))
            } else {
                continue;
            };
            let bad = || PaxError::Attribute(String::from_utf8_lossy(key).escape_debug().to_string());
            let (name, value) = decoded.ok_or_else(bad)?;
            let name = CString::new(name).map_err(|_| bad())?;
            if !attributes.iter().any(|(other, _)| *other == name) {
                attributes.push((name, value));
            }
        }
        Ok(attributes)
    }

    /// The offsets and lengths of a sparse file's data as formats 0.0 (one record each) and 0.1 (one list)
    /// give them. GNU tar manual, "PAX Format, Version 0.0" and "0.1".
    pub(crate) fn sparse_map(&self) -> Option<Option<Vec<(u64, u64)>>> {
        let numbers: Option<Vec<u64>> = if let Some(list) = self.get("GNU.sparse.map") {
            list.split(|&byte| byte == b',').map(decimal).collect()
        } else {
            let keys: [&[u8]; 2] = [b"GNU.sparse.offset", b"GNU.sparse.numbytes"];
            let values = self.0.iter().filter(|(key, _)| keys.contains(&key.as_slice()));
            values.map(|(_, value)| decimal(value)).collect()
        };
        match numbers {
            Some(numbers) if numbers.is_empty() => None,
            Some(numbers) => Some(pairs(&numbers)),
            None => Some(None),
        }
    }
}

/// Numbers two by two; none when one is left over.
pub(crate) fn pairs(numbers: &[u64]) -> Option<Vec<(u64, u64)>> {
    numbers.len().is_multiple_of(2).then(|| numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect())
}

/// Decimal digits and nothing else.
pub(crate) fn decimal<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn time(text: &[u8]) -> Option<Timespec> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = text.splitn(2, |&byte| byte == b'.');
    let seconds: i64 = decimal(parts.next()?)?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanoseconds = digits.fold(0, |number: i64, digit| number * 10 + i64::from(digit - b'0'));
    // The fraction of a Timespec counts upwards from the second below, also before 1970.
    Some(match (negative, nanoseconds) {
        (false, _) => Timespec { tv_sec: seconds, tv_nsec: nanoseconds },
        (true, 0) => Timespec { tv_sec: -seconds, tv_nsec: 0 },
        (true, _) => Timespec { tv_sec: -seconds - 1, tv_nsec: 1_000_000_000 - nanoseconds },
    })
}

fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(first);
        }
    }
    Some(bytes)
}

/// Base64 with or without padding, RFC 4648, section 4.
fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let end = text.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    let mut bytes = Vec::new();
    for group in text[..end].chunks(4) {
        let mut bits: u32 = 0;
        for &byte in group {
            bits = bits << 6 | u32::from(digit(byte)?);
        }
        bits <<= 6 * (4 - group.len());
        // Two digits make one byte, three make two, four make three; one makes none.
        let whole = group.len().checked_sub(1).filter(|&count| count > 0)?;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..=whole]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_newlines_and_any_byte() {
        let pax = Pax::parse(b"27 SCHILY.xattr.user.a=\n\0\xff\n12 path=a b\n").unwrap();
        assert_eq!(pax.attributes().unwrap(), vec![(c"user.a".to_owned(), b"\n\0\xff".to_vec())]);
        assert_eq!(pax.get("path"), Some(&b"a b"[..]));
    }

    #[test]
    fn a_record_that_does_not_fit_its_length_is_refused() {
        for bad in ["12 path=abc", "99 path=a\n", "path=a\n", "5 a\n", "2 \n", "0 path=a\n", "-9 path=a\n"] {
            assert_eq!(Pax::parse(bad.as_bytes()), Err(PaxError::Record), "{bad:?}");
        }
    }

    #[test]
    fn both_spellings_of_an_attribute_are_read() {
        let record = |text: &str| format!("{} {text}\n", text.len() + 4);
        let text = record("LIBARCHIVE.xattr.user.%25a=aGVsbG8");
        let pax = Pax::parse(text.as_bytes()).unwrap();
        assert_eq!(pax.attributes().unwrap(), vec![(c"user.%a".to_owned(), b"hello".to_vec())]);
        assert_eq!(base64_decoded(b"aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!((base64_decoded(b"a"), base64_decoded(b"a*aa")), (None, None));
    }

    #[test]
    fn times_have_fractions_and_may_lie_before_1970() {
        let at = |tv_sec, tv_nsec| Some(Timespec { tv_sec, tv_nsec });
        assert_eq!(time(b"12.5"), at(12, 500_000_000));
        assert_eq!(time(b"12.0000000019"), at(12, 1));
        assert_eq!(time(b"-1.25"), at(-2, 750_000_000));
        assert_eq!(time(b"-3"), at(-3, 0));
        assert_eq!((time(b""), time(b"1.x"), time(b"+1"), time(b"--1")), (None, None, None, None));
    }

    #[test]
    fn later_records_count_more_and_an_empty_one_takes_back() {
        let mut pax = Pax::parse(b"9 path=a\n12 comment=x\n").unwrap_or_default();
        pax.extend(Pax::parse(b"9 path=b\n11 comment=\n").unwrap_or_default());
        assert_eq!((pax.get("path"), pax.get("comment")), (None, None));
    }

    #[test]
    fn the_maps_of_sparse_files_are_read_in_both_old_forms() {
        let list = Pax(vec![(b"GNU.sparse.map".to_vec(), b"0,5,512,1".to_vec())]);
        assert_eq!(list.sparse_map(), Some(Some(vec![(0, 5), (512, 1)])));
        let record = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        let single = Pax(vec![record("GNU.sparse.offset", "7"), record("GNU.sparse.numbytes", "2")]);
        assert_eq!(single.sparse_map(), Some(Some(vec![(7, 2)])));
        assert_eq!(Pax(vec![record("GNU.sparse.map", "0,5,5")]).sparse_map(), Some(None));
        assert_eq!(Pax::default().sparse_map(), None);
    }
}
