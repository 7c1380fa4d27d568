//! What a monitor and those attached to its container say to each other.
//!
//! A message is one packet of a `SOCK_SEQPACKET` socket: a byte that says what it is, then its content. The
//! kernel keeps packets apart, so there is no length to send and none to get wrong. unix(7).

use std::os::fd::AsFd;

use mini_sys::tty::WindowSize;
use mini_sys::{Errno, Error, Result, ipc};

/// The most bytes of a stream that one message carries.
pub const CHUNK: usize = 32 * 1024;

/// What a monitor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromMonitor {
    /// A step of the start, as a line to show. Only when asked to explain.
    Step(String),
    /// The program runs, as this process.
    Started(i32),
    /// The container could not be started.
    Failed {
        /// Why, on one line.
        message: String,
        /// A way out, where one is known.
        hint: Option<String>,
        /// The exit status.
        status: i32,
    },
    /// Bytes of the program's standard output, or of its terminal.
    Stdout(Vec<u8>),
    /// Bytes of its standard error.
    Stderr(Vec<u8>),
    /// The program has ended with this status, and all its output has been sent.
    Exited(i32),
}

/// What a program says that has connected to a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToMonitor {
    /// It wants the program's output from now on, and may send input.
    Attach,
    /// It wants to know how the program ends, and nothing else.
    Await,
    /// The container's record has changed, and the monitor should look at it.
    LookAgain,
    /// Bytes for the program's standard input. None at all: there may be some later.
    Stdin(Vec<u8>),
    /// There will be no more of them.
    CloseStdin,
    /// The terminal on this side has a new size.
    Resize(WindowSize),
}

impl FromMonitor {
    /// The message's first byte and the rest.
    fn parts(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Step(line) => (b's', line.clone().into_bytes()),
            Self::Started(pid) => (b'r', pid.to_le_bytes().to_vec()),
            Self::Failed { message, hint, status } => {
                let hint = hint.as_deref().unwrap_or_default();
                (b'f', [&status.to_le_bytes(), message.as_bytes(), b"\0", hint.as_bytes()].concat())
            }
            Self::Stdout(bytes) => (b'1', bytes.clone()),
            Self::Stderr(bytes) => (b'2', bytes.clone()),
            Self::Exited(status) => (b'x', status.to_le_bytes().to_vec()),
        }
    }

    fn parse(kind: u8, content: &[u8]) -> Option<Self> {
        Some(match kind {
            b's' => Self::Step(text(content)),
            b'r' => Self::Started(i32::from_le_bytes(content.try_into().ok()?)),
            b'f' => {
                let (status, texts) = content.split_first_chunk()?;
                let texts = text(texts);
                let (message, hint) = texts.split_once('\0')?;
                Self::Failed {
                    message: message.to_owned(),
                    hint: Some(hint.to_owned()).filter(|hint| !hint.is_empty()),
                    status: i32::from_le_bytes(*status),
                }
            }
            b'1' => Self::Stdout(content.to_vec()),
            b'2' => Self::Stderr(content.to_vec()),
            b'x' => Self::Exited(i32::from_le_bytes(content.try_into().ok()?)),
            _ => return None,
        })
    }

    /// Sends this message.
    ///
    /// # Errors
    /// `EPIPE` when the other side is gone; without `wait`, `EAGAIN` when it reads too slowly.
    pub fn send(&self, socket: impl AsFd, wait: bool) -> Result<()> {
        let (kind, content) = self.parts();
        ipc::send(socket, &[&[kind], &content], wait)
    }

    /// Waits for a message; none when the other side is gone.
    ///
    /// # Errors
    /// `EAGAIN` from a socket that does not wait, `EPROTO` for what no monitor says.
    pub fn receive(socket: impl AsFd) -> Result<Option<Self>> {
        receive(socket, Self::parse)
    }
}

impl ToMonitor {
    fn parts(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Attach => (b'a', Vec::new()),
            Self::Await => (b'x', Vec::new()),
            Self::LookAgain => (b'l', Vec::new()),
            Self::Stdin(bytes) => (b'0', bytes.clone()),
            Self::CloseStdin => (b'e', Vec::new()),
            Self::Resize(size) => (b'w', [size.columns.to_le_bytes(), size.rows.to_le_bytes()].concat()),
        }
    }

    fn parse(kind: u8, content: &[u8]) -> Option<Self> {
        Some(match kind {
            b'a' => Self::Attach,
            b'x' => Self::Await,
            b'l' => Self::LookAgain,
            b'0' => Self::Stdin(content.to_vec()),
            b'e' => Self::CloseStdin,
            b'w' => {
                let (columns, rows) = content.split_first_chunk()?;
                let rows = u16::from_le_bytes(rows.try_into().ok()?);
                Self::Resize(WindowSize { columns: u16::from_le_bytes(*columns), rows })
            }
            _ => return None,
        })
    }

    /// Sends this message, waiting while the monitor is busy.
    ///
    /// # Errors
    /// `EPIPE` when the monitor is gone.
    pub fn send(&self, socket: impl AsFd) -> Result<()> {
        let (kind, content) = self.parts();
        ipc::send(socket, &[&[kind], &content], true)
    }

    /// Takes a message; none when the other side is gone.
    ///
    /// # Errors
    /// `EAGAIN` from a socket that does not wait, `EPROTO` for what no client says.
    pub fn receive(socket: impl AsFd) -> Result<Option<Self>> {
        receive(socket, Self::parse)
    }
}

fn receive<T>(socket: impl AsFd, parse: impl Fn(u8, &[u8]) -> Option<T>) -> Result<Option<T>> {
    let mut packet = vec![0; CHUNK + 64];
    let (length, _) = ipc::receive(socket, &mut packet)?;
    match packet[..length].split_first() {
        None => Ok(None),
        Some((kind, content)) => parse(*kind, content)
            .map(Some)
            .ok_or_else(|| Error::new("read from the monitor's socket", Errno::EPROTO)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_were() {
        let (here, there) = ipc::socketpair().unwrap();
        let sent = [
            FromMonitor::Step("1 mount".to_owned()),
            FromMonitor::Started(42),
            FromMonitor::Failed { message: "no".to_owned(), hint: None, status: 127 },
            FromMonitor::Failed { message: "no".to_owned(), hint: Some("so".to_owned()), status: 125 },
            FromMonitor::Stdout(vec![0; CHUNK]),
            FromMonitor::Stderr(vec![7]),
            FromMonitor::Exited(3),
        ];
        for message in &sent {
            message.send(&here, false).unwrap();
            assert_eq!(FromMonitor::receive(&there).unwrap().as_ref(), Some(message));
        }
        let size = WindowSize { columns: 80, rows: 25 };
        let said = [ToMonitor::Attach, ToMonitor::Await, ToMonitor::LookAgain, ToMonitor::CloseStdin];
        for message in said.into_iter().chain([ToMonitor::Stdin(vec![1]), ToMonitor::Resize(size)]) {
            message.send(&there).unwrap();
            assert_eq!(ToMonitor::receive(&here).unwrap(), Some(message));
        }
        drop(there);
        assert_eq!(ToMonitor::receive(&here).unwrap(), None);
    }
}
