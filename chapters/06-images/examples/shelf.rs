//! A registry that can be read: `cargo run -p mini-images --example shelf -- DIRECTORY` serves the OCI image layout in a
//! directory on `localhost:5000`. It believes its own files, as registries do: whoever asks has to check.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use oci_spec::image::{Descriptor, ImageIndex};

fn main() -> anyhow::Result<()> {
    let layout = PathBuf::from(std::env::args_os().nth(1).context("usage: shelf DIRECTORY")?);
    let listener = TcpListener::bind("127.0.0.1:5000").context("listen on localhost:5000")?;
    for stream in listener.incoming() {
        // Whoever hangs up early is no concern of the next one.
        let _ = answer(&layout, stream?);
    }
    Ok(())
}

fn answer(layout: &Path, mut stream: TcpStream) -> anyhow::Result<()> {
    let mut first = [0];
    stream.peek(&mut first)?;
    // 22 is how TLS begins, and we do not speak it.
    anyhow::ensure!(first != [22], "no TLS");
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().context("no request")??;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let found = find(layout, request.split(' ').nth(1).unwrap_or_default());
    let status = if found.is_ok() { "200 OK" } else { "404 Not Found" };
    let (kind, digest, content) = found.unwrap_or_default();
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\n")?;
    write!(stream, "Docker-Content-Digest: {digest}\r\nContent-Length: {}\r\n\r\n", content.len())?;
    Ok(stream.write_all(&content)?)
}

// ANCHOR: find
/// `/v2/NAME/manifests/TAG-OR-DIGEST` or `/v2/NAME/blobs/DIGEST`: its type, its digest, its bytes.
fn find(layout: &Path, path: &str) -> anyhow::Result<(String, String, Vec<u8>)> {
    let (above, what) = path.rsplit_once('/').context("no path")?;
    let index: ImageIndex = serde_json::from_slice(&fs::read(layout.join("index.json"))?)?;
    let tag = format!(":{what}");
    let is_tagged = |entry: &&Descriptor| {
        let notes = entry.annotations().as_ref();
        let name = notes.and_then(|notes| notes.get("org.opencontainers.image.ref.name"));
        name.is_some_and(|name| name.ends_with(&tag))
    };
    let digest = index.manifests().iter().find(is_tagged).map(|entry| entry.digest().to_string());
    let digest = digest.unwrap_or_else(|| what.to_owned());
    let hex = digest.strip_prefix("sha256:").context("neither a tag nor a digest")?;
    let kind = if above.ends_with("/blobs") {
        "application/octet-stream"
    } else {
        "application/vnd.oci.image.manifest.v1+json"
    };
    let content = fs::read(layout.join("blobs/sha256").join(hex))?;
    Ok((kind.to_owned(), digest, content))
}
// ANCHOR_END: find
