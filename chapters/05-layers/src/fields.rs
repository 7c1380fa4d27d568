//! The numbers in a tar header: octal digits, or for those too large, the number itself in base 256.
//!
//! tar(5), "Numeric Extensions"; book ch. 5.

use tar::Header;

/// The number in a field; an empty field means 0, as it does to every other reader.
pub(crate) fn number(field: &[u8]) -> Option<i64> {
    match field.first()? {
        0x80.. => base_256(field),
        _ => {
            let text: &[u8] = field.split(|&byte| byte == 0).next()?;
            let digits = text.trim_ascii();
            if digits.is_empty() {
                return Some(0);
            }
            let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with(['+', '-']))?;
            i64::from_str_radix(text, 8).ok()
        }
    }
}

/// Two's complement with the most significant byte first; the topmost bit only marks the format.
fn base_256(field: &[u8]) -> Option<i64> {
    let negative = field[0] & 0x40 != 0;
    let first = if negative { field[0] } else { field[0] & 0x7f };
    let start: i64 = if negative { -1 } else { 0 };
    std::iter::once(first).chain(field[1..].iter().copied()).try_fold(start, |number, byte| {
        let shifted = number.checked_mul(256)?;
        Some(shifted | i64::from(byte))
    })
}

/// The major and minor number of a device's entry.
pub(crate) fn device(header: &Header) -> Option<(u32, u32)> {
    let (major, minor) = if let Some(ustar) = header.as_ustar() {
        (&ustar.dev_major, &ustar.dev_minor)
    } else {
        let gnu = header.as_gnu()?;
        (&gnu.dev_major, &gnu.dev_minor)
    };
    Some((u32::try_from(number(major)?).ok()?, u32::try_from(number(minor)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn octal_fields_may_be_padded_with_spaces_and_zeros() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"77777777777"), Some(0o77_777_777_777));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!((number(b"9\0"), number(b"-1\0"), number(b"+1\0"), number(b"")), (None, None, None, None));
    }

    #[test]
    fn large_and_negative_numbers_stand_in_base_256() {
        assert_eq!(number(&[0x80, 0, 0, 0, 0x77, 0x35, 0x94, 0]), Some(2_000_000_000));
        assert_eq!(number(&[0xff; 12]), Some(-1));
        assert_eq!(number(&[0xff, 0xff, 0xff, 0xfe]), Some(-2));
        assert_eq!(number(&[0x80, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
