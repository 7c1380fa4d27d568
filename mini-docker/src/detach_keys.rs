//! The keys that leave a container without ending it: `ctrl-p,ctrl-q`, or what `--detach-keys` says.
//!
//! Whatever is typed goes to the program, so the keys are looked for in the stream of bytes on its way there. A
//! key that may be the first of them is held back until the next one tells; if it was not, it goes on after all,
//! and nothing is lost. Docker's grammar: keys are separated by commas, each is a letter or `ctrl-` and one of
//! `a`-`z`, `@`, `[`, `\`, `]`, `^`, `_`. docker-attach(1).

use std::str::FromStr;

/// Docker's default: ctrl-p, ctrl-q.
const DEFAULT: [u8; 2] = [0x10, 0x11];

/// What may follow `ctrl-`, at the place that is the key's code. ascii(7).
const CONTROLS: &str = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

/// A sequence of keys, as a terminal sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetachKeys(Vec<u8>);

impl Default for DetachKeys {
    fn default() -> Self {
        Self(DEFAULT.to_vec())
    }
}

impl FromStr for DetachKeys {
    type Err = String;

    /// An empty text means the default.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let keys: Option<Vec<u8>> = text.split(',').map(code).collect();
        keys.map(Self).ok_or_else(|| format!("Invalid detach keys ({text}) provided"))
    }
}

/// The byte that a key sends.
fn code(key: &str) -> Option<u8> {
    match (key.as_bytes(), key.strip_prefix("ctrl-").map(str::as_bytes)) {
        ([byte], _) if byte.is_ascii() => Some(*byte),
        (_, Some([byte])) => CONTROLS.bytes().position(|known| known == *byte).map(|place| place as u8),
        _ if key == "DEL" => Some(0x7f),
        _ => None,
    }
}

/// What becomes of typed bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// They go to the program.
    pub(crate) pass: Vec<u8>,
    /// The sequence is complete; what was typed after it goes nowhere.
    pub(crate) detach: bool,
}

/// Looks for the sequence in what is typed.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    keys: Vec<u8>,
    /// How many of the keys have come and are held back.
    held: usize,
}

impl Watch {
    /// Looks for these keys.
    pub(crate) fn new(keys: &DetachKeys) -> Self {
        Self { keys: keys.0.clone(), held: 0 }
    }

    /// Takes typed bytes, in any pieces.
    pub(crate) fn take(&mut self, typed: &[u8]) -> Typed {
        let mut pass = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.is_last(*byte, &mut pass) {
                return Typed { pass, detach: true };
            }
        }
        Typed { pass, detach: false }
    }

    /// Lets go of what is held back: there will be no more keys.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        self.keys[..held].to_vec()
    }

    /// Whether this byte completes the sequence.
    fn is_last(&mut self, byte: u8, pass: &mut Vec<u8>) -> bool {
        while self.keys.get(self.held) != Some(&byte) {
            if self.held == 0 {
                pass.push(byte);
                return false;
            }
            // The longest end of what is held that may begin the sequence stays.
            let kept = (0..self.held)
                .rev()
                .find(|length| self.keys[..self.held].ends_with(&self.keys[..*length]))
                .unwrap_or(0);
            pass.extend_from_slice(&self.keys[..self.held - kept]);
            self.held = kept;
        }
        self.held += 1;
        let complete = self.held == self.keys.len();
        if complete {
            self.held = 0;
        }
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<Vec<u8>, String> {
        text.parse::<DetachKeys>().map(|keys| keys.0)
    }

    #[test]
    fn keys_are_read_as_docker_reads_them() {
        assert_eq!(keys(""), Ok(vec![16, 17]));
        assert_eq!(keys("ctrl-p,ctrl-q"), Ok(vec![16, 17]));
        assert_eq!(keys("ctrl-@,ctrl-a,ctrl-z"), Ok(vec![0, 1, 26]));
        assert_eq!(keys("ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_"), Ok(vec![27, 28, 29, 30, 31]));
        assert_eq!(keys("a,B,~,DEL"), Ok(b"aB~\x7f".to_vec()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["ctrl-", "ctrl-%", "ctrl-A", "ab", "a,,b", "é", "ctrl-pp"] {
            assert_eq!(keys(text), Err(format!("Invalid detach keys ({text}) provided")));
        }
    }

    fn typed(keys: &str, pieces: &[&str]) -> (String, bool) {
        let mut watch = Watch::new(&keys.parse().unwrap());
        let mut passed = Vec::new();
        for piece in pieces {
            let Typed { pass, detach } = watch.take(piece.as_bytes());
            passed.extend(pass);
            if detach {
                return (String::from_utf8(passed).unwrap(), true);
            }
        }
        passed.extend(watch.finish());
        (String::from_utf8(passed).unwrap(), false)
    }

    #[test]
    fn the_sequence_is_found_in_any_pieces_and_not_passed_on() {
        assert_eq!(typed("ctrl-p,ctrl-q", &["ls\r\x10\x11lost"]), ("ls\r".to_owned(), true));
        assert_eq!(typed("ctrl-p,ctrl-q", &["ls", "\x10", "\x11"]), ("ls".to_owned(), true));
        assert_eq!(typed("x", &["abx"]), ("ab".to_owned(), true));
    }

    #[test]
    fn what_only_begins_like_the_sequence_is_passed_on_whole() {
        assert_eq!(typed("ctrl-p,ctrl-q", &["\x10", "a\x11"]), ("\x10a\x11".to_owned(), false));
        assert_eq!(typed("ctrl-p,ctrl-q", &["a\x10"]), ("a\x10".to_owned(), false));
    }

    #[test]
    fn a_key_pressed_twice_may_begin_the_sequence_the_second_time() {
        assert_eq!(typed("ctrl-p,ctrl-q", &["\x10\x10\x11"]), ("\x10".to_owned(), true));
        assert_eq!(typed("a,b,a,c", &["ababac"]), ("ab".to_owned(), true));
    }
}
