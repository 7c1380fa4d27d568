//! What process 1 of the box tells the process that made the box: one message of the socket each.

use std::os::fd::AsFd;

use mini_sys::pidfd::Exit;
use mini_sys::{Error, Result, ipc};

use crate::leak::{Leak, LeakKind};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// From outside: the box may be made, its id maps are written.
    Go,
    /// The box could not be made, or the program not be started: a sentence.
    Failed(String),
    /// The program may start: its time runs from here.
    Starting,
    /// The program has ended.
    Ended(Exit),
    /// Something was left.
    Leak(Leak),
    /// That was all.
    Done,
}

/// A longer text is cut: a message of a socket is not endless.
const LONGEST_TEXT: usize = 4096;

/// Separates texts within a message; no path has it.
const NUL: char = '\0';

impl Message {
    fn encode(&self) -> String {
        match self {
            Self::Go => "go".to_owned(),
            Self::Failed(text) => format!("failed{NUL}{}", cut(text)),
            Self::Starting => "starting".to_owned(),
            Self::Ended(Exit::Code(code)) => format!("exited{NUL}{code}"),
            Self::Ended(Exit::Signal(signal)) => format!("killed{NUL}{signal}"),
            Self::Leak(Leak { kind, subject, text, mend }) => {
                format!("leak{NUL}{kind}{NUL}{}{NUL}{}{NUL}{}", cut(subject), cut(text), cut(mend))
            }
            Self::Done => "done".to_owned(),
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split(NUL);
        Some(match (parts.next()?, parts.next(), parts.next(), parts.next(), parts.next()) {
            ("go", ..) => Self::Go,
            ("failed", Some(text), ..) => Self::Failed(text.to_owned()),
            ("starting", ..) => Self::Starting,
            ("exited", Some(code), ..) => Self::Ended(Exit::Code(code.parse().ok()?)),
            ("killed", Some(signal), ..) => Self::Ended(Exit::Signal(signal.parse().ok()?)),
            ("leak", Some(kind), Some(subject), Some(text), Some(mend)) => Self::Leak(Leak {
                kind: LeakKind::ALL.into_iter().find(|it| it.name() == kind)?,
                subject: subject.to_owned(),
                text: text.to_owned(),
                mend: mend.to_owned(),
            }),
            ("done", ..) => Self::Done,
            _ => return None,
        })
    }

    /// Sends it.
    ///
    /// # Errors
    /// `EPIPE` when nobody listens any more.
    pub(crate) fn send(&self, socket: impl AsFd) -> Result<()> {
        ipc::send(socket, &[self.encode().as_bytes()], true)
    }

    /// Waits for the next one; none when the other side has ended.
    ///
    /// # Errors
    /// That of recvmsg(2); `EBADMSG` for what is no message.
    pub(crate) fn receive(socket: impl AsFd) -> Result<Option<Self>> {
        let mut buffer = vec![0; 4 * LONGEST_TEXT];
        let (length, _) = ipc::receive(socket, &mut buffer)?;
        if length == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&buffer[..length]);
        let unknown = || Error::new(format!("understand {text:?} from the box"), mini_sys::Errno::EBADMSG);
        Self::decode(&text).map(Some).ok_or_else(unknown)
    }
}

fn cut(text: &str) -> String {
    let end = (0..=LONGEST_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].replace(NUL, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_as_it_was_sent() {
        let leak = Leak {
            kind: LeakKind::Mount,
            subject: "/tmp/a".to_owned(),
            text: "a mount".to_owned(),
            mend: "umount it".to_owned(),
        };
        for message in [
            Message::Go,
            Message::Failed("cannot".to_owned()),
            Message::Starting,
            Message::Ended(Exit::Code(3)),
            Message::Ended(Exit::Signal(9)),
            Message::Leak(leak),
            Message::Done,
        ] {
            assert_eq!(Message::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "é".repeat(LONGEST_TEXT);
        assert_eq!(cut(&text).len(), LONGEST_TEXT);
        assert_eq!(cut(&format!("a{text}")).len(), LONGEST_TEXT - 1);
    }
}
