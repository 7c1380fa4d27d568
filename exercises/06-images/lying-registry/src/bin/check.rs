//! Are the three clients deceived, and is mini-images not?

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;

use course_check::Check;
use mini_images::platform::Platform;
use mini_images::pull::{Pull, PullError};
use mini_images::registry::Settings;
use mini_images::{Images, Reference};
use mini_layers::{Digest, Owners};

#[path = "../clients.rs"]
mod clients;
#[path = "../image.rs"]
mod image;

use image::{Answer, Answers, Image};

type Client = fn(&Answers, &Digest) -> io::Result<String>;

/// What the driver wrote.
fn read(directory: &Path) -> Result<Answers, Box<dyn Error>> {
    let mut answers = Answers::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none() {
            let hex = path.file_name().unwrap_or_default().to_string_lossy();
            let says = fs::read_to_string(path.with_extension("says"))?.parse()?;
            answers.insert(format!("sha256:{hex}").parse()?, Answer { says, content: fs::read(&path)? });
        }
    }
    Ok(answers)
}

/// Answers whoever connects, for as long as this process lives.
fn serve(answers: Answers) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever hangs up early, or tries TLS, is no concern of the next one.
            let _ = answer(&answers, stream);
        }
    });
    Ok(port)
}

fn answer(answers: &Answers, mut stream: TcpStream) -> io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first)?;
    // 22 is how TLS begins, and we do not speak it.
    if first == [22] {
        return Ok(());
    }
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let asked = request.split(' ').nth(1).and_then(|path| path.rsplit('/').next());
    let answer = asked.and_then(|digest| digest.parse().ok()).and_then(|digest: Digest| answers.get(&digest));
    let Some(Answer { says, content }) = answer else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let kind = if content.starts_with(b"{") {
        "application/vnd.oci.image.manifest.v1+json"
    } else {
        "application/octet-stream"
    };
    let length = content.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nDocker-Content-Digest: {says}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(content)
}

/// What mini-images says to the same answers, and whether there is an image afterwards.
fn pull(answers: Answers, wanted: &Digest, store: &Path) -> Result<(String, bool), Box<dyn Error>> {
    let port = serve(answers)?;
    let images = Images::open(&store.join("images"), &store.join("layers"), Owners::Mine)?;
    let name: Reference = format!("127.0.0.1:{port}/motd@{wanted}").parse()?;
    let settings = Settings::default();
    let pull = Pull { name, platform: Platform::own(), settings, credentials: None };
    let said = images.pull(&pull, &|_| {}).err().map(|error: PullError| whole(&error)).unwrap_or_default();
    let kept = !images.list()?.is_empty() || fs::read_dir(store.join("layers"))?.count() > 0;
    Ok((said, kept))
}

fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

fn attack(
    check: &mut Check,
    number: usize,
    name: &str,
    client: Client,
    cause: &str,
) -> Result<(), Box<dyn Error>> {
    let (mine, text) = (check.word(), check.word());
    let directory = check.directory(&format!("answers-{number}"))?;
    let arguments = [&number.to_string(), &mine, &text].map(std::ffi::OsString::from);
    let ended = check.start("driver", arguments.into_iter().chain([directory.clone().into()]))?.finish()?;
    let answers = read(&directory)?;
    if answers.is_empty() {
        check
            .invariant(2, format!("registry {number} answers"))
            .expected("an answer for at least one digest")
            .found(ended.stderr.trim())
            .holds(false);
        return Ok(());
    }
    let real = Image::with(&mine);
    let wanted = real.manifest_digest();
    let found = client(&answers, &wanted)
        .map_or_else(|error| format!("it refused: {error}"), |read| format!("it read `{read}`"));
    check
        .invariant(2, format!("registry {number} deceives `{name}`"))
        .expected(format!("it read `{text}`"))
        .found(&found)
        .cause(cause)
        .holds(found == format!("it read `{text}`"));

    let store = check.directory(&format!("store-{number}"))?;
    let (said, kept) = pull(answers, &wanted, &store)?;
    check
        .invariant(2, format!("mini-images refuses registry {number}, and keeps nothing"))
        .expected("a refusal with the digest that was expected; no image and no layer in its store")
        .found(if kept { format!("something was kept. It said: {said}") } else { said.clone() })
        .cause("what you answer is the real image, or nothing of it is served at all")
        .holds(!kept && said.contains("expected"));
    Ok(())
}

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(2);
        attack(
            check,
            1,
            "trusting",
            clients::trusting,
            "it asks for two digests, the manifest's and the one that the manifest names; only what stands under these is read",
        )?;
        attack(
            check,
            2,
            "reads_labels",
            clients::reads_labels,
            "it compares the digest that it asked for with what the header says, and you write the header",
        )?;
        attack(
            check,
            3,
            "hashes_layers",
            clients::hashes_layers,
            "it hashes the layer and takes the digest from the manifest; who vouches for the manifest?",
        )
    })
}
