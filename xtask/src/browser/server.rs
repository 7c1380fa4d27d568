//! Serves a directory on this machine, as a book's readers get it: over HTTP.
//!
//! It answers `GET` with a file or with 404, one request for each connection, and nobody but this machine
//! reaches it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

/// Starts to serve `folder`, until this process ends, and returns the address: `http://127.0.0.1:PORT/`.
///
/// # Errors
/// When there is no port to listen on.
pub fn serve(folder: &Path) -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("listen on 127.0.0.1")?;
    let address = listener.local_addr().context("ask for the port")?;
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            // A browser that hangs up is no fault of the page; one that misses a file says so itself.
            std::thread::spawn(move || drop(answer(&stream, &folder)));
        }
    });
    Ok(format!("http://{address}/"))
}

fn answer(mut stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut request = BufReader::new(stream);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut header = String::new();
    while request.read_line(&mut header)? > 0 && !header.trim().is_empty() {
        header.clear();
    }
    let target = first.split_whitespace().nth(1).unwrap_or("/");
    if target == "/favicon.ico" {
        // Browsers ask for it without being told to by a page.
        return stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    }
    let file = file(folder, target).and_then(|path| Some((fs::read(&path).ok()?, kind(&path))));
    let (status, (body, kind)) = match file {
        Some(file) => ("200 OK", file),
        None => ("404 Not Found", (b"not found".to_vec(), "text/plain")),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// The file below `folder` that `target` asks for; none for what would leave the folder.
fn file(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.trim_start_matches('/').replace("%20", " ");
    let path = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path };
    let inside = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(path))
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::file;

    #[test]
    fn an_address_becomes_a_file_below_the_folder() {
        let folder = Path::new("/b");
        assert_eq!(file(folder, "/"), Some(PathBuf::from("/b/index.html")));
        assert_eq!(file(folder, "/a/c.js?v=1"), Some(PathBuf::from("/b/a/c.js")));
        assert_eq!(file(folder, "/../etc/passwd"), None);
        assert_eq!(file(folder, "//etc/passwd"), Some(PathBuf::from("/b/etc/passwd")));
    }
}
