//! A token server, as a registry of the `Bearer` kind has one beside it: it knows `me` with the password `s3cret`, lets
//! anybody read repositories below `open/`, and signs with a key of its own through openssl(1).
//! distribution, "Token Authentication Implementation".

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::Engine;
use crate::needs;

/// For so many seconds after its end, a registry still takes a token: clocks may differ.
const LEEWAY: i64 = 60;

/// `me:s3cret`.
const BASIC: &str = "Basic bWU6czNjcmV0";

/// What stands for the password of `me`.
pub(crate) const IDENTITY: &str = "identity-of-me";

/// What the server does beside its usual work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Whether it gives out a token that stands for the password.
    pub(crate) identity: bool,
    /// How long a token is good, in seconds.
    pub(crate) life: i64,
}

/// The server.
pub(crate) struct TokenServer {
    port: u16,
    directory: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TokenServer {
    pub(crate) fn start(engine: &Engine, manner: Manner) -> Option<Self> {
        if !needs::program("openssl") {
            return None;
        }
        let directory = engine.path("tokens");
        std::fs::create_dir(&directory).unwrap();
        let line = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens -keyout key.pem -out cert.pem";
        let made = Command::new("openssl").args(line.split(' ')).current_dir(&directory).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, keys) = (Arc::clone(&asked), directory.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let (heard, keys) = (Arc::clone(&heard), keys.clone());
                thread::spawn(move || serve(&client, &keys, manner, &heard));
            }
        });
        Some(Self { port, directory, asked })
    }

    pub(crate) fn realm(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join("cert.pem")
    }

    /// Who asked for what, since the last time: `me repository:a/b:pull`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn serve(mut client: &TcpStream, keys: &Path, manner: Manner, heard: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let header = |name: &str| {
        let of = |line: &String| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        lines[1..].iter().find_map(of)
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let is_form = lines[0].starts_with("POST ");
    let target = lines[0].split(' ').nth(1).unwrap();
    let query =
        if is_form { String::from_utf8(body).unwrap() } else { target.split_once('?').unwrap().1.to_owned() };
    let fields: Vec<(String, String)> = query
        .split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(a, b)| (a.to_owned(), decoded(b)))
        .collect();
    let all = |name: &str| {
        fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let one = |name: &str| all(name).into_iter().next().unwrap_or_default();
    let user = match header("authorization") {
        _ if is_form && one("grant_type") == "refresh_token" && one("refresh_token") == IDENTITY => "me",
        None if !is_form => "",
        Some(basic) if basic == BASIC => "me",
        _ => {
            return answer(
                &mut client,
                "401 Unauthorized",
                &json!({ "details": "incorrect username or password" }),
            );
        }
    };
    let scopes: Vec<String> = all("scope").iter().flat_map(|all| all.split(' ')).map(str::to_owned).collect();
    let who = if user.is_empty() { "anybody" } else { user };
    heard.lock().unwrap().push(format!("{who} {}", scopes.join(" ")));
    let access: Vec<Value> = scopes.iter().filter_map(|scope| granted(user, scope)).collect();
    let mut told = json!({ "token": token(keys, user, &access, manner.life), "expires_in": manner.life });
    if manner.identity && one("offline_token") == "true" {
        told["refresh_token"] = IDENTITY.into();
    }
    answer(&mut client, "200 OK", &told);
}

/// What of `repository:NAME:ACTIONS` the user may do.
fn granted(user: &str, scope: &str) -> Option<Value> {
    let [kind, name, actions] = scope.split(':').collect::<Vec<_>>()[..] else { return None };
    let actions: Vec<&str> = match user {
        "me" => actions.split(',').collect(),
        _ if name.starts_with("open/") => vec!["pull"],
        _ => return None,
    };
    Some(json!({ "type": kind, "name": name, "actions": actions }))
}

/// A JSON web token. RFC 7519, RS256 of RFC 7518.
fn token(keys: &Path, user: &str, access: &[Value], life: i64) -> String {
    let pem = std::fs::read_to_string(keys.join("cert.pem")).unwrap();
    let certificate: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let header = json!({ "typ": "JWT", "alg": "RS256", "x5c": [certificate] });
    let claims = json!({
        "iss": "test", "sub": user, "aud": "test", "jti": now.to_string(), "iat": now, "nbf": now - 5,
        "exp": now + life - LEEWAY, "access": access,
    });
    let text = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-sign", "key.pem"]).current_dir(keys);
    let mut openssl = openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let signature = openssl.wait_with_output().unwrap().stdout;
    format!("{text}.{}", base64(&signature))
}

fn answer(client: &mut &TcpStream, status: &str, body: &Value) {
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = client.write_all((head + &body).as_bytes());
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// For addresses, without padding. RFC 4648, section 5.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number =
            three.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(LETTERS[number >> (18 - 6 * place) & 63]));
        }
    }
    text
}
