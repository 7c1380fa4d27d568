//! A layer is sent in pieces, and an upload that breaks off is taken up where it stopped.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mini_images::push::{Event, Push};
use mini_images::registry::Settings;
use mini_images::store::NewLayer;
use mini_images::{Images, Reference};
use mini_layers::compression::Compression;
use mini_layers::{Digest, Owners};
use serde_json::json;

use crate::FORKS;

/// How much is sent at a time, and how many times that the layer is long.
const PIECE: u64 = 1000;
const PIECES: u64 = 10;

/// A registry that ends with the test.
struct Registry {
    server: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Registry {
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = json!({
            "version": "0.1", "log": { "level": "error" },
            "storage": { "filesystem": { "rootdirectory": directory.path() } },
            "http": { "addr": format!("127.0.0.1:{port}") },
        });
        let path = directory.path().join("config.yml");
        std::fs::write(&path, config.to_string()).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path).stdout(Stdio::null()).stderr(Stdio::null());
        let spawned = {
            let _alone = FORKS.write().unwrap_or_else(PoisonError::into_inner);
            command.spawn()
        };
        let Ok(server) = spawned else {
            assert!(
                std::env::var_os("MINI_REQUIRE_ALL").is_none_or(|all| all != "1"),
                "needs docker-registry"
            );
            eprintln!("skipped: needs the program `docker-registry`");
            return None;
        };
        let registry = Self { server, port, _directory: directory };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the registry does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Passes connections on to `port`. Hears the first line of each request, and breaks the connection off instead of
/// passing on the request whose number among those for pieces is `breaks`.
fn way(port: u16, breaks: usize) -> (u16, Arc<Mutex<Vec<String>>>) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&heard);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(mut client), Ok(mut server)) = (client, TcpStream::connect(("127.0.0.1", port))) else {
                return;
            };
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let lines = Arc::clone(&lines);
            thread::spawn(move || {
                let mut piece = [0; 64 << 10];
                while let Ok(length) = client.read(&mut piece)
                    && length > 0
                {
                    // A request comes in one piece or begins one: the layer is without the letters of a method.
                    let text = String::from_utf8_lossy(&piece[..length]).into_owned();
                    let line = text.lines().next().unwrap_or_default();
                    let mut lines = lines.lock().unwrap();
                    if line.ends_with(" HTTP/1.1") {
                        lines.push(line.to_owned());
                        let sent = lines.iter().filter(|line| line.starts_with("PATCH ")).count();
                        if line.starts_with("PATCH ") && sent == breaks {
                            break;
                        }
                    }
                    drop(lines);
                    if server.write_all(&piece[..length]).is_err() {
                        break;
                    }
                }
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    (own, heard)
}

/// Pushes an image of one layer; returns the first lines of the requests, and how much had come at each telling.
fn push(breaks: usize) -> Option<(Vec<String>, Vec<u64>)> {
    let registry = Registry::start()?;
    let (port, heard) = way(registry.port, breaks);
    let directory = tempfile::tempdir().unwrap();
    let (layout, layers) = (directory.path().join("images"), directory.path().join("layers"));
    let images = Images::open(&layout, &layers, Owners::Mine).unwrap();
    let layer = vec![0; usize::try_from(PIECE * PIECES).unwrap()];
    let blob = images.blobs.put_bytes(&layer).unwrap();
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": [blob.to_string()] },
    });
    let name: Reference = format!("127.0.0.1:{port}/a/b:1").parse().unwrap();
    let layers = [NewLayer { blob, size: PIECE * PIECES, compression: Compression::Plain }];
    images.add(config.to_string().as_bytes(), &layers, std::slice::from_ref(&name)).unwrap();
    let told = Mutex::new(Vec::new());
    let push = Push { name, settings: Settings::default(), credentials: None, piece: PIECE };
    let pushed = images.push(&push, &|event| {
        if let Event::Sent { bytes, .. } = event {
            told.lock().unwrap().push(bytes);
        }
    });
    pushed.unwrap();
    let url = format!("http://127.0.0.1:{}/v2/a/b/blobs/{blob}", registry.port);
    let there = ureq::get(&url).call().unwrap().body_mut().read_to_vec().unwrap();
    assert_eq!(Digest::of(&there), blob);
    let heard = heard.lock().unwrap().clone();
    Some((heard, told.into_inner().unwrap()))
}

fn count(heard: &[String], method: &str) -> usize {
    heard.iter().filter(|line| line.starts_with(method)).count()
}

#[test]
fn a_layer_is_sent_in_pieces() {
    let Some((heard, told)) = push(0) else { return };
    let expected: Vec<u64> = (1..=PIECES).map(|number| number * PIECE).collect();
    assert_eq!(told, expected);
    // The configuration is shorter than a piece.
    assert_eq!((count(&heard, "PATCH "), count(&heard, "POST ")), (11, 2), "{heard:#?}");
}

#[test]
fn an_upload_that_breaks_off_goes_on_where_it_stopped() {
    let Some((heard, told)) = push(4) else { return };
    let expected: Vec<u64> = (1..=PIECES).map(|number| number * PIECE).collect();
    assert_eq!(told, expected);
    let asked = heard.iter().filter(|line| line.starts_with("GET ") && line.contains("/uploads/")).count();
    // One piece twice, one question, and nothing begun anew.
    assert_eq!((count(&heard, "PATCH "), asked, count(&heard, "POST ")), (12, 1, 2), "{heard:#?}");
}
