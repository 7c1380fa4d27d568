//! A passage to a registry: a proxy of the test's own, which may be slow, may break, and hears what is asked for.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A passage that is to be opened.
#[derive(Clone, Copy)]
pub(crate) struct Passage {
    port: u16,
    /// How many bytes of answers a connection lasts.
    most: usize,
    /// How many bytes of requests a connection lasts, and how many connections break so.
    asked: (usize, usize),
    /// What it waits after each few bytes.
    pause: Duration,
}

/// One that is open, until the test's process ends.
pub(crate) struct Open {
    port: u16,
    broken: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// How many bytes pass at a time.
const PIECE: usize = 4096;

impl Passage {
    pub(crate) fn to(port: u16) -> Self {
        Self { port, most: usize::MAX, asked: (usize::MAX, 0), pause: Duration::ZERO }
    }

    /// Each connection ends after so many bytes of answers.
    pub(crate) fn breaking_after(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The first connections that are so much asked over end with that: so many of them.
    pub(crate) fn breaking_when_asked(self, most: usize, times: usize) -> Self {
        Self { asked: (most, times), ..self }
    }

    /// It waits after each 4 KiB.
    pub(crate) fn slow(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    pub(crate) fn open(self) -> Open {
        let (broken, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Open { port, broken: Arc::clone(&broken), heard: Arc::clone(&heard) };
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", self.port))) else {
                    return;
                };
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (count, heard) = (Arc::clone(&broken), Arc::clone(&heard));
                thread::spawn(move || self.ask(from, to, &count, &heard));
                let count = Arc::clone(&broken);
                thread::spawn(move || self.answer(server, client, &count));
            }
        });
        open
    }

    fn answer(self, mut server: TcpStream, mut client: TcpStream, broken: &AtomicUsize) {
        let (mut passed, mut piece) = (0, [0; PIECE]);
        while let Ok(count) = server.read(&mut piece)
            && count > 0
            && passed < self.most
        {
            passed += count;
            thread::sleep(self.pause);
            if client.write_all(&piece[..count]).is_err() {
                break;
            }
        }
        if passed >= self.most {
            broken.fetch_add(1, Ordering::SeqCst);
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    }

    fn ask(self, mut client: TcpStream, mut server: TcpStream, broken: &AtomicUsize, heard: &Mutex<Vec<u8>>) {
        let ((most, times), mut passed, mut piece) = (self.asked, 0, [0; PIECE]);
        while let Ok(count) = client.read(&mut piece)
            && count > 0
        {
            heard.lock().unwrap().extend_from_slice(&piece[..count]);
            if server.write_all(&piece[..count]).is_err() {
                return;
            }
            passed += count;
            if passed > most && broken.load(Ordering::SeqCst) < times {
                broken.fetch_add(1, Ordering::SeqCst);
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

impl Open {
    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many connections it has broken.
    pub(crate) fn broken(&self) -> usize {
        self.broken.load(Ordering::SeqCst)
    }

    /// The requests so far, in lower case.
    pub(crate) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).to_ascii_lowercase()
    }
}
