//! Text as a JSON string, byte for byte as Docker writes it, and back.
//!
//! A log is bytes and JSON is text: each byte that is no UTF-8 becomes U+FFFD. Most bytes are plain letters, and
//! are copied sixteen at a time. RFC 8259, section 7; Docker's `jsonlogbytes.go`; book ch. 7.

/// Adds `bytes` to `to` as they stand between the quotes of a JSON string.
pub(super) fn escape(to: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    loop {
        let plain = plain_length(rest);
        to.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        let Some(&byte) = rest.first() else { return };
        if byte < 0x80 {
            special(to, byte);
            rest = &rest[1..];
        } else {
            let length = rest.iter().position(|byte| *byte < 0x80).unwrap_or(rest.len());
            letters(to, &rest[..length]);
            rest = &rest[length..];
        }
    }
}

const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte < 0x80 && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

fn plain_length(bytes: &[u8]) -> usize {
    // Without a branch inside, so that the compiler looks at all sixteen at once.
    let all_plain = |chunk: &[u8; 16]| chunk.iter().fold(true, |all, byte| all & is_plain(*byte));
    let (chunks, _) = bytes.as_chunks::<16>();
    let start = chunks.iter().take_while(|chunk| all_plain(chunk)).count() * 16;
    let tail = &bytes[start..];
    start + tail.iter().position(|byte| !is_plain(*byte)).unwrap_or(tail.len())
}

/// Go writes `<`, `>` and `&` as numbers, so that JSON can stand in a page.
fn special(to: &mut Vec<u8>, byte: u8) {
    match byte {
        b'\n' => to.extend_from_slice(b"\\n"),
        b'\r' => to.extend_from_slice(b"\\r"),
        b'"' | b'\\' => to.extend_from_slice(&[b'\\', byte]),
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            to.extend_from_slice(b"\\u00");
            to.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
}

/// Bytes beyond ASCII. The two separators are no part of a line in JavaScript, so Go writes them as numbers too.
fn letters(to: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        if valid.contains(['\u{2028}', '\u{2029}']) {
            let text = valid.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
            to.extend_from_slice(text.as_bytes());
        } else {
            to.extend_from_slice(valid.as_bytes());
        }
        chunk.invalid().iter().for_each(|_| to.extend_from_slice(b"\\ufffd"));
    }
}

/// Adds to `to` what stands between the quotes of a JSON string; none if that is no JSON.
pub(super) fn unescape(to: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    let mut rest = text;
    while let Some(position) = memchr::memchr2(b'\\', b'"', rest) {
        to.extend_from_slice(&rest[..position]);
        let (&letter, after) = rest[position..].strip_prefix(b"\\")?.split_first()?;
        rest = after;
        match letter {
            b'n' => to.push(b'\n'),
            b'"' | b'\\' | b'/' => to.push(letter),
            b'r' => to.push(b'\r'),
            b't' => to.push(b'\t'),
            b'b' => to.push(8),
            b'f' => to.push(12),
            b'u' => {
                let letter = number(&mut rest)?;
                to.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return None,
        }
    }
    to.extend_from_slice(rest);
    Some(())
}

/// The letter that four hexadecimal digits mean, or two times four for one beyond 16 bits.
fn number(rest: &mut &[u8]) -> Option<char> {
    let first = four_digits(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    *rest = rest.strip_prefix(b"\\u")?;
    let second = four_digits(rest)?.checked_sub(0xdc00)?;
    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)
}

fn four_digits(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    *rest = after;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_docker_escapes_it() {
        let escaped = |bytes: &[u8]| {
            let mut to = Vec::new();
            escape(&mut to, bytes);
            String::from_utf8(to).unwrap()
        };
        assert_eq!(escaped(b"a\"b\\c\td\r\n\x7f\x1b[0m"), "a\\\"b\\\\c\\u0009d\\r\\n\x7f\\u001b[0m");
        assert_eq!(escaped(b"<a href=\"x\">&</a>"), r#"\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e"#);
        assert_eq!(escaped("é€😀\u{2028}".as_bytes()), "é€😀\\u2028");
        // Three bytes of a letter of four: Go counts each.
        assert_eq!(escaped(b"\xf0\x9f\x98!\xff"), r"\ufffd\ufffd\ufffd!\ufffd");
    }

    #[test]
    fn other_writers_escapes_are_read_too() {
        let read = |text: &str| {
            let mut to = Vec::new();
            unescape(&mut to, text.as_bytes()).map(|()| String::from_utf8(to).unwrap())
        };
        assert_eq!(read(r"\ud83d\ude00\t\/\b\u00e9").as_deref(), Some("😀\t/\u{8}é"));
        for wrong in [r"\", r"\x", r"\u12", r"\ud83d", r"\ud83dx", r"\ud83dA", "a\"b", r"\udc00"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
