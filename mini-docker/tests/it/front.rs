//! What may stand between a client and a registry: a server that answers some requests itself and passes on the rest.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// The head of a request: its first line, and the others.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) lines: Vec<String>,
}

impl Head {
    /// `GET /v2/`.
    pub(crate) fn line(&self) -> &str {
        self.lines[0].rsplit_once(' ').map_or("", |(line, _)| line)
    }

    pub(crate) fn has(&self, header: &str) -> bool {
        self.lines[1..]
            .iter()
            .any(|line| line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case(header)))
    }
}

/// A whole answer.
pub(crate) fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Starts a server that answers what `decide` answers, and asks the one at `port` for the rest; returns its port.
pub(crate) fn front(port: u16, decide: impl Fn(&Head) -> Option<Vec<u8>> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let decide = Arc::new(decide);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), decide) = (client, Arc::clone(&decide)) else { return };
            thread::spawn(move || pass(client, port, &*decide));
        }
    });
    own
}

/// One request on each connection: `Connection: close` says so to both.
fn pass(mut client: TcpStream, port: u16, decide: &dyn Fn(&Head) -> Option<Vec<u8>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let head = Head { lines };
    if let Some(answer) = decide(&head) {
        let _ = client.write_all(&answer);
        return;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let text = format!("{}\r\nConnection: close\r\n\r\n", head.lines.join("\r\n"));
    let _ = server.write_all(text.as_bytes());
    let (mut from, mut to) = (server.try_clone().unwrap(), client);
    let content = thread::spawn(move || std::io::copy(&mut reader, &mut server));
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    drop(content);
}
