//! A registry that wants tokens: who gets one for what, and what happens when it is too old.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Done, Engine, finish};
use crate::registry::Registry;
use crate::tars::{self, Tar};
use crate::token_server::{IDENTITY, Manner, TokenServer};

/// A registry with `open/app:1` and `closed/app:1`, and its token server.
struct Guarded {
    engine: Engine,
    registry: Registry,
    tokens: TokenServer,
    docker: PathBuf,
}

impl Guarded {
    fn new(manner: Manner) -> Option<Self> {
        let engine = Engine::empty()?;
        let open = Registry::start(&engine)?;
        for repository in ["open/app", "closed/app"] {
            open.image(repository, "1", "amd64", &[&tars::root()]);
        }
        drop(open);
        let tokens = TokenServer::start(&engine, manner)?;
        let registry = Registry::start_with_tokens(&engine, &tokens)?;
        let docker = engine.path("docker");
        Some(Self { engine, registry, tokens, docker })
    }

    fn call(&self, line: &str, operand: &str, input: &str) -> Done {
        let mut command = self.engine.command(line, &[operand.replace("REGISTRY", &self.registry.address())]);
        finish(command.env("DOCKER_CONFIG", &self.docker), Some(input.into()))
    }

    fn log_in(&self) {
        self.call("login -u me --password-stdin", "REGISTRY", "s3cret\n").ok();
    }

    fn kept(&self) -> Value {
        let text = std::fs::read(self.docker.join("config.json")).unwrap();
        let config: Value = serde_json::from_slice(&text).unwrap();
        config["auths"][self.registry.address()].clone()
    }
}

const LONG: Manner = Manner { identity: false, life: 600 };

#[test]
fn anybody_reads_what_is_open_and_nothing_else() {
    let Some(guarded) = Guarded::new(LONG) else { return };
    guarded.call("pull -q", "REGISTRY/open/app:1", "").ok();
    assert_eq!(guarded.tokens.asked(), ["anybody repository:open/app:pull"]);
    let told = guarded.call("pull -q", "REGISTRY/closed/app:1", "").fails(1);
    assert!(
        told.starts_with("pull access denied for ") && told.contains("authentication required"),
        "{told}"
    );
    // What may be read may not be written.
    let told = guarded.call("push -q", "REGISTRY/open/app:1", "").fails(1);
    assert!(told.starts_with("push access denied for "), "{told}");
    assert!(guarded.tokens.asked().contains(&"anybody repository:open/app:pull,push".to_owned()));
}

#[test]
fn the_password_is_for_the_token_server_and_opens_what_is_closed() {
    let Some(guarded) = Guarded::new(LONG) else { return };
    let told = guarded.call("login -u me --password-stdin", "REGISTRY", "wrong").fails(1);
    assert!(
        told.ends_with("gives no token: it answers 401 Unauthorized: incorrect username or password"),
        "{told}"
    );
    assert!(!guarded.docker.exists());
    guarded.log_in();
    assert_eq!(guarded.kept(), json!({ "auth": "bWU6czNjcmV0" }));
    guarded.tokens.asked();
    guarded.call("pull -q", "REGISTRY/closed/app:1", "").ok();
    guarded.call("push -q", "REGISTRY/closed/app:1", "").ok();
    let expected = ["me repository:closed/app:pull", "me repository:closed/app:pull,push"];
    assert_eq!(guarded.tokens.asked(), expected);
    let found = guarded.call("search --format {{.Name}}", "REGISTRY/closed", "").ok();
    assert_eq!(found, format!("{}/closed/app", guarded.registry.address()));
}

#[test]
fn an_identity_token_is_kept_instead_of_the_password_and_does_as_well() {
    let Some(guarded) = Guarded::new(Manner { identity: true, ..LONG }) else { return };
    guarded.log_in();
    // `me:`, and no password.
    assert_eq!(guarded.kept(), json!({ "auth": "bWU6", "identitytoken": IDENTITY }));
    guarded.tokens.asked();
    guarded.call("pull -q", "REGISTRY/closed/app:1", "").ok();
    guarded.call("push -q", "REGISTRY/closed/app:1", "").ok();
    let expected = ["me repository:closed/app:pull", "me repository:closed/app:pull,push"];
    assert_eq!(guarded.tokens.asked(), expected);
    assert_eq!(guarded.call("login", "REGISTRY", "").ok(), "Login Succeeded");
}

#[test]
fn a_token_that_is_too_old_is_replaced_while_layers_are_sent() {
    let Some(guarded) = Guarded::new(Manner { life: 2, ..LONG }) else { return };
    let address = format!("127.0.0.1:{}", slow_way(guarded.registry.port(), Duration::from_secs(4)));
    let name = format!("{address}/closed/long:1");
    let engine = &guarded.engine;
    let tar = Tar::new().file("noise", &tars::noise(1_000_000)).end();
    engine.feed("import -", &[&name], tar).ok();
    guarded.call("login -u me --password-stdin", &address, "s3cret").ok();
    guarded.tokens.asked();
    guarded.call("push -q", &name, "").ok();
    let asked = guarded.tokens.asked();
    assert!(
        asked.len() >= 2 && asked.iter().all(|asked| asked == "me repository:closed/long:pull,push"),
        "{asked:?}"
    );
    // Through the registry itself: it has all of it.
    guarded.log_in();
    guarded.call("pull -q", "REGISTRY/closed/long:1", "").ok();
}

/// Passes connections on to `port`, and the first piece of a layer not before this time is over.
fn slow_way(port: u16, wait: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let is_first = Arc::new(AtomicBool::new(true));
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(mut client), Ok(mut server)) = (client, TcpStream::connect(("127.0.0.1", port))) else {
                return;
            };
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let is_first = Arc::clone(&is_first);
            thread::spawn(move || {
                let mut piece = [0; 64 << 10];
                while let Ok(length) = client.read(&mut piece)
                    && length > 0
                {
                    if piece.starts_with(b"PATCH ") && is_first.swap(false, Ordering::SeqCst) {
                        thread::sleep(wait);
                    }
                    if server.write_all(&piece[..length]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    own
}
