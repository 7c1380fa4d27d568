//! Records into the machine's journal: a datagram each.
//!
//! A field is `NAME=value` and a newline, or, where the value may have newlines in it, the name, a newline, the
//! length as 8 bytes and the value. The fields are Docker's. systemd's "Native Journal Protocol"; book ch. 7.

use std::io::{self, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use super::{Piece, Stream};

/// syslog(3): how important what a program writes is, by stream.
const ERROR: u8 = 3;
const INFORMATION: u8 = 6;

#[derive(Debug)]
pub(super) struct Journal {
    socket: UnixDatagram,
    to: PathBuf,
    /// The fields of every record, ready to be sent.
    fields: Vec<u8>,
    datagram: Vec<u8>,
}

impl Journal {
    pub(super) fn open(
        socket: &Path,
        fields: &[(String, String)],
        attributes: &[(String, String)],
    ) -> io::Result<Self> {
        let mut ready = Vec::new();
        for (name, value) in fields {
            field(&mut ready, name, value.as_bytes());
        }
        for (name, value) in attributes {
            field(&mut ready, &field_name(name), value.as_bytes());
        }
        let to = socket.to_owned();
        Ok(Self { socket: UnixDatagram::unbound()?, to, fields: ready, datagram: Vec::new() })
    }

    /// Sends one record. By name each time: a journal that was started again has another socket.
    pub(super) fn send(&mut self, piece: Piece<'_>) -> io::Result<()> {
        let datagram = &mut self.datagram;
        datagram.clear();
        datagram.extend_from_slice(&self.fields);
        let text = piece.text.strip_suffix(b"\n");
        field(datagram, "MESSAGE", text.unwrap_or(piece.text));
        let priority = if piece.stream == Stream::Stderr { ERROR } else { INFORMATION };
        field(datagram, "PRIORITY", priority.to_string().as_bytes());
        field(datagram, "SYSLOG_TIMESTAMP", piece.time.to_string().as_bytes());
        if piece.number > 0 {
            let id = format!("{:x}", piece.time.as_nanosecond());
            field(datagram, "CONTAINER_PARTIAL_ID", id.as_bytes());
            field(datagram, "CONTAINER_PARTIAL_ORDINAL", piece.number.to_string().as_bytes());
            let last = if text.is_some() { "true" } else { "false" };
            field(datagram, "CONTAINER_PARTIAL_LAST", last.as_bytes());
            if text.is_none() {
                field(datagram, "CONTAINER_PARTIAL_MESSAGE", b"true");
            }
        }
        self.socket.send_to(datagram, &self.to).map(drop)
    }
}

fn field(to: &mut Vec<u8>, name: &str, value: &[u8]) {
    to.extend_from_slice(name.as_bytes());
    if value.contains(&b'\n') {
        to.push(b'\n');
        to.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        to.push(b'=');
    }
    // A vector takes whatever is written to it.
    let _ = to.write_all(value);
    to.push(b'\n');
}

/// The name as the journal takes it: capitals, digits and underscores, none of these at the start.
fn field_name(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).collect::<String>().trim_start_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_record_is_a_datagram_with_dockers_fields() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let server = UnixDatagram::bind(&path).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = [pair("CONTAINER_NAME", "web")];
        let mut journal = Journal::open(&path, &fields, &[pair("com.example/os", "a\nb")]).unwrap();
        let piece =
            |text, number| Piece { stream: Stream::Stderr, text, time: Timestamp::UNIX_EPOCH, number };
        let mut buffer = [0; 1000];
        let mut sent = |journal: &mut Journal, text, number| {
            journal.send(piece(text, number)).unwrap();
            let length = server.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        let start = "CONTAINER_NAME=web\nCOM_EXAMPLE_OS\n\u{3}\0\0\0\0\0\0\0a\nb\n";
        let end = "PRIORITY=3\nSYSLOG_TIMESTAMP=1970-01-01T00:00:00Z\n";
        assert_eq!(sent(&mut journal, b"x = y\n", 0), format!("{start}MESSAGE=x = y\n{end}"));
        assert_eq!(
            sent(&mut journal, b"half", 2),
            format!(
                "{start}MESSAGE=half\n{end}CONTAINER_PARTIAL_ID=0\nCONTAINER_PARTIAL_ORDINAL=2\n\
                 CONTAINER_PARTIAL_LAST=false\nCONTAINER_PARTIAL_MESSAGE=true\n"
            )
        );
    }
}
