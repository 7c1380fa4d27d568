//! `pull`: images from a real registry, and what a registry or the way to it can do wrong.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::json;

use crate::harness::{Engine, finish};
use crate::passage::Passage;
use crate::registry::{INDEX, Registry};
use crate::tars::{self, Tar, noise};

fn layers() -> [Vec<u8>; 2] {
    [tars::root(), Tar::new().dir("etc").file("etc/which", b"pulled\n").end()]
}

/// An engine, and a registry with one image, `lib/app:1`.
fn registry() -> Option<(Engine, Registry)> {
    let engine = Engine::empty()?;
    let registry = Registry::start(&engine)?;
    let [base, top] = layers();
    registry.image("lib/app", "1", "amd64", &[&base, &top]);
    Some((engine, registry))
}

/// The output without what is different each time.
fn settled(text: &str, registry: &Registry) -> String {
    text.replace(&registry.address(), "REGISTRY")
}

#[test]
fn an_image_is_pulled_with_dockers_words_and_known_the_second_time() {
    let Some((engine, registry)) = registry() else { return };
    let name = format!("{}/lib/app:1", registry.address());
    let first = engine.with("pull", &[&name]).ok();
    // Layers arrive in any order; each is complete after it has arrived.
    let lines: Vec<&str> = first.lines().collect();
    let of_layers = &lines[1..lines.len() - 3];
    assert_eq!(of_layers.iter().filter(|line| line.ends_with(": Pulling fs layer")).count(), 2, "{first}");
    assert_eq!(of_layers.iter().filter(|line| line.ends_with(": Download complete")).count(), 2, "{first}");
    assert_eq!(of_layers.iter().filter(|line| line.ends_with(": Pull complete")).count(), 2, "{first}");
    let outline = [&lines[..1], &lines[lines.len() - 3..]].concat().join("\n");
    let again = engine.with("pull", &[&name]).ok();
    insta::assert_snapshot!(settled(&format!("{outline}\n\n{again}"), &registry));
    assert_eq!(engine.with("run --rm", &[&name, "cat", "/etc/which"]).ok(), "pulled");
}

#[test]
fn quiet_tells_the_name_alone() {
    let Some((engine, registry)) = registry() else { return };
    let name = format!("{}/lib/app:1", registry.address());
    assert_eq!(engine.with("pull -q", &[&name]).ok(), name);
}

#[test]
fn all_tags_of_a_repository_are_pulled() {
    let Some((engine, registry)) = registry() else { return };
    for tag in ["2", "three"] {
        registry.image(
            "lib/app",
            tag,
            "amd64",
            &[&tars::root(), &Tar::new().file("tag", tag.as_bytes()).end()],
        );
    }
    let name = format!("{}/lib/app", registry.address());
    let told = engine.with("pull -a", &[&name]).ok();
    assert!(told.ends_with(&format!("Status: Downloaded newer image for {name}\n{name}")), "{told}");
    let mut tags: Vec<String> =
        engine.with("images --format {{.Tag}}", &[&name]).ok().lines().map(str::to_owned).collect();
    tags.sort();
    assert_eq!(tags, ["1", "2", "three"]);
    let refused = engine.with("pull -a", &[format!("{name}:1")]).fails(1);
    assert_eq!(refused, "tag can't be used with --all-tags/-a");
    assert_eq!(
        engine.with("pull --disable-content-trust=false", &[&name]).fails(1),
        "content trust is not supported: digests are always verified, signatures are not"
    );
}

#[test]
fn the_manifest_of_the_platform_is_taken_from_an_index() {
    let Some((engine, registry)) = registry() else { return };
    let entries = ["amd64", "arm64"].map(|architecture| {
        let layer = Tar::new().file("for", architecture.as_bytes()).end();
        let mut entry = registry.image("lib/many", architecture, architecture, &[&layer]);
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        entry
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    let digest = registry.manifest("lib/many", "1", INDEX, &index)["digest"].as_str().unwrap().to_owned();
    let name = format!("{}/lib/many:1", registry.address());
    let told = engine.with("pull --platform linux/arm64", &[&name]).ok();
    assert!(told.contains(&format!("Digest: {digest}\n")), "{told}");
    assert_eq!(engine.inspect(&name, ".Architecture"), "arm64");
    // By its digest, the index leads to this machine's image.
    let by_digest = format!("{}/lib/many@{digest}", registry.address());
    engine.with("pull", &[&by_digest]).ok();

    let before = engine.listing();
    let refused = engine.with("pull --platform linux/s390x", &[&name]).fails(1);
    assert!(
        refused.contains("no matching manifest for linux/s390x")
            && refused.contains("linux/amd64, linux/arm64"),
        "{refused}"
    );
    engine.assert_unchanged(&before, "a platform that is not there");
}

#[test]
fn what_a_registry_does_not_have_is_told_in_its_words() {
    let Some((engine, registry)) = registry() else { return };
    let told = ["lib/app:2", "nobody/nothing"].map(|name| {
        let name = format!("{}/{name}", registry.address());
        settled(&engine.with("pull -q", &[&name]).fails(1), &registry)
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_layer_that_is_not_what_its_digest_says_leaves_nothing() {
    let Some((engine, registry)) = registry() else { return };
    engine.call("images").ok();
    let [base, top] = layers();
    let manifest = registry.image("lib/bad", "1", "amd64", &[&base, &top]);
    let name = format!("{}/lib/bad:1", registry.address());
    let before = engine.listing();
    let layer =
        registry.blob("lib/bad", "", &crate::registry::gzip(&top))["digest"].as_str().unwrap().to_owned();
    let file = registry.file_of(&layer);
    let good = std::fs::read(&file).unwrap();

    // As long as it should be, but another: its digest tells.
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(&file, bad).unwrap();
    let told = engine.with("pull -q", &[&name]).fails(1);
    assert!(told.contains(&format!("layer {layer} of")) && told.contains("received"), "{told}");
    engine.assert_unchanged(&before, "another layer");

    // Whole again, it is pulled.
    std::fs::write(&file, good).unwrap();
    engine.with("pull -q", &[&name]).ok();
    assert!(manifest["digest"].is_string());
}

#[test]
fn a_connection_that_breaks_is_taken_up_where_it_stopped() {
    let Some((engine, registry)) = registry() else { return };
    let layer = Tar::new().file("noise", &noise(400_000)).end();
    registry.image("lib/long", "1", "amd64", &[&layer]);
    let way = Passage::to(registry.port()).breaking_after(100_000).open();
    let name = format!("{}/lib/long:1", way.address());
    engine.with("pull -q", &[&name]).ok();
    assert_eq!(engine.inspect(&name, ".RootFS.Type"), "layers");
    assert!(way.broken() >= 3, "the way was too good");
}

#[test]
fn a_registry_behind_tls_and_a_password_lets_in_who_has_both() {
    let Some((engine, _open)) = registry() else { return };
    let Some(guarded) = Registry::start_guarded(&engine) else { return };
    let docker = engine.path("docker");
    let pull = || {
        let mut command = engine.command("pull -q", &[format!("{}/lib/app:1", guarded.address())]);
        command.env("DOCKER_CONFIG", &docker);
        finish(&mut command, None)
    };
    let refused = |what: &str| {
        let told = pull().fails(1);
        assert!(told.contains(what), "{told}");
    };
    // Nobody knows its authority.
    refused("invalid peer certificate: UnknownIssuer");
    let trusted = docker.join("certs.d").join(guarded.address());
    std::fs::create_dir_all(&trusted).unwrap();
    std::fs::copy(engine.path("ca.crt"), trusted.join("ca.crt")).unwrap();
    refused("wants a name and a password");
    let log_in = |pair: &str| {
        let auth = json!({ "auths": { guarded.address(): { "auth": pair } } });
        std::fs::write(docker.join("config.json"), auth.to_string()).unwrap();
    };
    // `me:wrong`, and then the right one.
    log_in("bWU6d3Jvbmc=");
    refused("pull access denied for");
    log_in("bWU6czNjcmV0");
    assert_eq!(pull().ok(), format!("{}/lib/app:1", guarded.address()));
}

#[test]
fn a_mirror_is_asked_before_docker_hub() {
    let Some((engine, registry)) = registry() else { return };
    registry.image("library/app", "1", "amd64", &[&tars::root()]);
    let settings = engine.path("settings/mini-docker");
    std::fs::create_dir_all(&settings).unwrap();
    let write = |text: String| std::fs::write(settings.join("config.toml"), text).unwrap();
    let pull = || {
        let mut command = engine.command("pull -q app:1", &[] as &[&str]);
        command.env("XDG_CONFIG_HOME", engine.path("settings"));
        finish(&mut command, None)
    };
    write(format!("[registry]\nmirrors = [\"http://{}/\"]\n", registry.address()));
    assert_eq!(pull().ok(), "docker.io/library/app:1");
    assert_eq!(engine.call("run --rm app:1 true").ok(), "");

    write("[registry]\nmirror = []\n".to_owned());
    let told = pull().fails(1);
    assert!(
        told.ends_with(
            "config.toml cannot be read: line 2: unknown field `mirror`, expected `mirrors` or `insecure`"
        ),
        "{told}"
    );
}

#[test]
fn what_is_no_registry_is_told_apart() {
    let engine = Engine::anywhere();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            let _ = client.read(&mut [0; 4096]);
            let page = "<html>Welcome to our hotel</html>";
            let _ = write!(
                client,
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
                page.len()
            );
        }
    });
    let told = engine.with("pull -q", &[format!("127.0.0.1:{port}/a/b:1")]).fails(1);
    assert!(told.contains("/a/b:1 is no image but `text/html`"), "{told}");
}
