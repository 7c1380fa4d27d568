//! The way to a registry: redirections, servers that are busy or broken, plain HTTP, proxies.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::front::{Head, answer, front};
use crate::harness::{Done, Engine, binary, finish};
use crate::needs;
use crate::registry::Registry;
use crate::tars;

/// Runs a command as a user with a directory of Docker's of the test's own, and these variables.
fn call(engine: &Engine, line: &str, operand: &str, variables: &[(&str, &str)]) -> Done {
    let mut command = engine.command(line, &[operand]);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"] {
        command.env_remove(name);
    }
    command.env("DOCKER_CONFIG", engine.path("docker")).envs(variables.iter().copied());
    finish(&mut command, Some(b"s3cret".to_vec()))
}

const LOGIN: &str = "login -u me --password-stdin";

/// A registry with `lib/app:1`.
fn filled(engine: &Engine) -> Option<Registry> {
    let registry = Registry::start(engine)?;
    registry.image("lib/app", "1", "amd64", &[&tars::root()]);
    Some(registry)
}

#[test]
fn storage_that_a_registry_sends_us_to_does_not_get_the_password() {
    let Some(engine) = Engine::empty() else { return };
    let Some(open) = filled(&engine) else { return };
    let Some(registry) = Registry::start_with_password(&engine) else { return };
    let heard: Arc<Mutex<Vec<Head>>> = Arc::default();
    // The storage is the open registry over the same files, with an ear at the door.
    let listen = Arc::clone(&heard);
    let storage = front(open.port(), move |head| {
        listen.lock().unwrap().push(head.clone());
        None
    });
    let own = front(registry.port(), move |head| {
        let blob = head.line().strip_prefix("GET ").filter(|path| path.contains("/blobs/"))?;
        let location = format!("location: http://127.0.0.1:{storage}{blob}?signature=x");
        head.has("authorization").then(|| answer("307 Temporary Redirect", &[&location], b""))
    });
    let address = format!("127.0.0.1:{own}");
    call(&engine, LOGIN, &address, &[]).ok();
    call(&engine, "pull -q", &format!("{address}/lib/app:1"), &[]).ok();
    let heard = heard.lock().unwrap();
    // The configuration and the layer.
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard.iter().all(|head| !head.has("authorization")), "{heard:?}");
}

#[test]
fn redirections_without_end_are_given_up() {
    let engine = Engine::anywhere();
    let own = front(1, |head| {
        let location = format!("location: {}x", head.line().strip_prefix("GET ")?);
        Some(answer("302 Found", &[&location], b""))
    });
    let told = call(&engine, "pull -q", &format!("127.0.0.1:{own}/a:1"), &[]).fails(1);
    assert!(told.ends_with("leads from one place to the next and never to an answer"), "{told}");
}

#[test]
fn a_registry_that_is_busy_is_asked_again_when_it_says() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = filled(&engine) else { return };
    let count = AtomicUsize::new(0);
    let own = front(registry.port(), move |head| {
        let busy = head.line().contains("/manifests/") && count.fetch_add(1, Ordering::SeqCst) < 2;
        busy.then(|| answer("429 Too Many Requests", &["retry-after: 1"], b""))
    });
    let begun = Instant::now();
    call(&engine, "pull -q", &format!("127.0.0.1:{own}/lib/app:1"), &[]).ok();
    assert!(begun.elapsed() >= Duration::from_secs(2), "it was not waited for");
}

#[test]
fn a_registry_that_stays_broken_is_told_with_its_status() {
    let engine = Engine::anywhere();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let own = front(1, move |head| {
        if head.line().starts_with("GET ") {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Some(answer("503 Service Unavailable", &["retry-after: 0"], b"<html>"))
    });
    let address = format!("127.0.0.1:{own}");
    let told = [("pull -q", "/a/b:1"), (LOGIN, ""), ("search", "/x")].map(|(line, rest)| {
        let told = call(&engine, line, &format!("{address}{rest}"), &[]).fails(1);
        told.replace(&address, "REGISTRY")
    });
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(count.load(Ordering::SeqCst), 15, "five times each");
}

#[test]
fn a_page_for_people_is_no_registry_to_log_in_to() {
    let engine = Engine::anywhere();
    let own = front(1, |_| Some(answer("200 OK", &["content-type: text/html"], b"<html>Welcome</html>")));
    let told = call(&engine, LOGIN, &format!("127.0.0.1:{own}"), &[]).fails(1);
    assert_eq!(
        told,
        format!("http://127.0.0.1:{own}/v2/ does not answer as a registry: it sends a page for people")
    );
    assert!(!engine.path("docker").exists());
    let told = call(&engine, "search", &format!("127.0.0.1:{own}/x"), &[]).fails(1);
    assert!(told.contains("/v2/_catalog does not answer as a registry: "), "{told}");
    let name = format!("127.0.0.1:{own}/a:1");
    engine.feed("import -", &[&name], tars::Tar::new().file("a", b"a").end()).ok();
    let told = call(&engine, "push -q", &name, &[]).fails(1);
    assert!(told.ends_with(" does not answer as a registry: it sends a page for people"), "{told}");
}

#[test]
fn an_authority_that_nobody_knows_is_told_with_a_way_out() {
    let engine = Engine::anywhere();
    let Some(registry) = Registry::start_guarded(&engine) else { return };
    for (line, rest) in [(LOGIN, ""), ("pull -q", "/a:1"), ("search", "/x")] {
        let done = call(&engine, line, &format!("{}{rest}", registry.address()), &[]);
        assert!(done.fails(1).contains("invalid peer certificate: UnknownIssuer"), "{line}: {}", done.err());
        assert!(
            done.err().contains("hint: the certificate of its authority goes into "),
            "{line}: {}",
            done.err()
        );
    }
}

#[test]
fn another_machine_is_spoken_to_without_tls_only_where_the_user_says_so() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = filled(&engine) else { return };
    drop(registry);
    if !["unshare", "bash", "ip"].into_iter().all(needs::program) {
        return;
    }
    // In a network of its own this machine has an address that is not 127.0.0.1 and that nobody else hears.
    let files = engine.path("registry");
    let config = format!(
        "{{version: 0.1, storage: {{filesystem: {{rootdirectory: {}}}}}, http: {{addr: \"10.77.0.1:5000\"}}}}",
        files.display()
    );
    let config = engine.file("other.yml", config);
    let script = r#"
        ip link set lo up && ip address add 10.77.0.1/32 dev lo || exit 99
        docker-registry serve "$1" >/dev/null 2>&1 &
        server=$!
        for try in $(seq 500); do (exec 3<>/dev/tcp/10.77.0.1/5000) 2>/dev/null && break; sleep 0.02; done
        "$2" --root "$3" pull -q 10.77.0.1:5000/lib/app:1
        status=$?
        kill $server
        wait $server
        exit $status"#;
    let settings = engine.path("settings/mini-docker");
    std::fs::create_dir_all(&settings).unwrap();
    let pull = || {
        let mut command = Command::new("unshare");
        command.args(["--net", "bash", "-c", script, "pull"]).arg(&config).arg(binary()).arg(engine.root());
        command.env("XDG_CONFIG_HOME", engine.path("settings")).env("DOCKER_CONFIG", engine.path("docker"));
        finish(&mut command, None)
    };
    let told = pull().fails(1);
    assert!(told.starts_with("ask https://10.77.0.1:5000/v2/lib/app/manifests/1: "), "{told}");
    std::fs::write(settings.join("config.toml"), "[registry]\ninsecure = [\"10.77.0.1:5000\"]\n").unwrap();
    assert_eq!(pull().ok(), "10.77.0.1:5000/lib/app:1");
}

/// A proxy that leads every name to this port; returns its own, and what it was asked for.
fn proxy(port: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&asked);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(mut client), Ok(mut server)) = (client, TcpStream::connect(("127.0.0.1", port))) else {
                return;
            };
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|length| length > 0) {}
            heard.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
            let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            let (mut from, mut to) = (server.try_clone().unwrap(), client);
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || std::io::copy(&mut reader, &mut server));
        }
    });
    (own, asked)
}

#[test]
fn a_proxy_is_used_for_what_is_neither_here_nor_excepted() {
    let engine = Engine::anywhere();
    let Some(registry) = Registry::start_guarded(&engine) else { return };
    // Nobody can look up this name.
    let trusted = engine.path("docker/certs.d/registry.test:5000");
    std::fs::create_dir_all(&trusted).unwrap();
    std::fs::copy(engine.path("ca.crt"), trusted.join("ca.crt")).unwrap();
    let (port, asked) = proxy(registry.port());
    let address = format!("http://127.0.0.1:{port}");
    let through = [("HTTPS_PROXY", address.as_str())];
    call(&engine, LOGIN, "registry.test:5000", &through).ok();
    assert_eq!(std::mem::take(&mut *asked.lock().unwrap())[0], "CONNECT registry.test:5000 HTTP/1.1");

    for except in ["test", "registry.test:5000", "*"] {
        let told = call(&engine, LOGIN, "registry.test:5000", &[through[0], ("no_proxy", except)]).fails(1);
        assert!(told.starts_with("ask https://registry.test:5000/v2/: failed to lookup"), "{told}");
    }
    // The other proxy is for addresses without TLS; and nothing on this machine needs one.
    call(&engine, LOGIN, "registry.test:5000", &[("HTTP_PROXY", &address)]).fails(1);
    registry.trust(&engine, &engine.path("docker"));
    call(&engine, LOGIN, &registry.address(), &through).ok();
    assert!(asked.lock().unwrap().is_empty());

    let secret = [("https_proxy", "nonsense://me:s3cret@x")];
    let told = call(&engine, LOGIN, "registry.test:5000", &secret).fails(1);
    assert_eq!(told, "the proxy for https://registry.test:5000 has no address that can be read");
}
