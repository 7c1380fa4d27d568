//! `push`: images to a real registry, and back again.

use std::process::Command;

use mini_layers::Digest;
use serde_json::json;

use crate::harness::{Engine, finish};
use crate::made::layer;
use crate::needs;
use crate::passage::Passage;
use crate::pty::Session;
use crate::registry::Registry;
use crate::tars::{self, Tar};

/// Loads an image of these layers under these names.
fn load(engine: &Engine, names: &[String], layers: &[Vec<u8>]) {
    let diff_ids: Vec<String> = layers.iter().map(|tar| Digest::of(tar).to_string()).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Cmd": ["sh"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids }
    });
    let files: Vec<String> = (0..layers.len()).map(|number| format!("{number}.tar")).collect();
    let manifest = json!([{ "Config": "config.json", "RepoTags": names, "Layers": files }]);
    let mut tar = Tar::new().file("config.json", config.to_string().as_bytes());
    for (file, layer) in files.iter().zip(layers) {
        tar = tar.file(file, layer);
    }
    let tar = tar.file("manifest.json", manifest.to_string().as_bytes()).end();
    engine.feed("load -q", &[] as &[&str], tar).ok();
}

/// More layers than go at a time.
fn layers() -> Vec<Vec<u8>> {
    let top = |number: u8| Tar::new().dir("etc").file("etc/which", &[b'0' + number, b'\n']).end();
    std::iter::once(tars::root()).chain((0..7).map(top)).collect()
}

/// The lines about layers sorted, because they come in any order; the rest as it is.
fn settled(text: &str, registry: &Registry) -> String {
    let text = text.replace(&registry.address(), "REGISTRY");
    let mut lines: Vec<&str> = text.lines().collect();
    let is_done = |line: &str| line.ends_with(": Pushed");
    if let Some(first) = lines.iter().position(|line| is_done(line)) {
        let count = lines[first..].iter().take_while(|line| is_done(line)).count();
        lines[first..first + count].sort_unstable();
    }
    lines.join("\n")
}

#[test]
fn what_is_pushed_and_pulled_back_is_the_same_image() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start(&engine) else { return };
    let name = format!("{}/mine/app:1", registry.address());
    load(&engine, std::slice::from_ref(&name), &layers());
    let id = engine.inspect(&name, ".Id");
    let first = engine.with("push", &[&name]).ok();
    // The topmost is named first.
    let top = Digest::of(layers().last().unwrap());
    assert_eq!(first.lines().nth(1), Some(format!("{}: Preparing", &top.hex()[..12]).as_str()));
    let quiet = engine.with("push -q", &[&name]).ok();
    assert_eq!(quiet, name);
    let again = engine.with("image push", &[&name]).ok();
    assert_eq!(again.lines().filter(|line| line.ends_with(": Layer already exists")).count(), 8, "{again}");
    assert_eq!(again.lines().last(), first.lines().last(), "the digest stays");
    insta::assert_snapshot!(settled(&first, &registry));

    engine.with("rmi", &[&name]).ok();
    let pulled = engine.with("pull", &[&name]).ok();
    assert_eq!(engine.inspect(&name, ".Id"), id);
    let digest = first.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    assert!(pulled.contains(&format!("Digest: {digest}\n")), "{pulled}");
    assert_eq!(engine.with("run --rm", &[&name, "cat", "/etc/which"]).ok(), "6");
    // Others understand it too.
    if needs::program("skopeo") {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["inspect", "--tls-verify=false", "--format", "{{.Digest}} {{len .Layers}}"]);
        assert_eq!(finish(skopeo.arg(format!("docker://{name}")), None).ok(), format!("{digest} 8"));
    }
}

#[test]
fn all_tags_are_pushed_and_a_layer_is_mounted_from_where_it_is_known_to_be() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start(&engine) else { return };
    let name = |rest: &str| format!("{}/{rest}", registry.address());
    let one = [Tar::new().file("a", b"a").end()];
    load(&engine, &[name("mine/app:1"), name("mine/app:2"), name("other/app:latest")], &one);
    let all = engine.with("push --all-tags", &[name("mine/app")]).ok();
    let mounted = engine.with("push", &[name("other/app")]).ok();
    insta::assert_snapshot!(settled(&format!("{all}\n\n{mounted}"), &registry));
    for name in ["mine/app:1", "mine/app:2", "other/app:latest"].map(name) {
        engine.with("rmi", &[&name]).ok();
        engine.with("pull -q", &[&name]).ok();
    }
}

#[test]
fn what_is_not_here_is_not_pushed() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start(&engine) else { return };
    let name = |rest: &str| format!("{}/{rest}", registry.address());
    load(&engine, &[name("mine/app:1")], &[Tar::new().file("a", b"a").end()]);
    let by_digest = format!("{}@{}", name("mine/app"), Digest::of(b"x"));
    let told = [
        engine.with("push", &[name("mine/none")]),
        engine.with("push -a", &[name("mine/none")]),
        engine.with("push", &[name("mine/app:9")]),
        engine.with("push -a", &[name("mine/app:1")]),
        engine.with("push", &[by_digest]),
        engine.with("push", &["host"]),
        engine.with("push", &["Upper"]),
    ]
    .map(|done| done.fails(1).replace(&registry.address(), "REGISTRY"));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_guarded_registry_takes_what_its_user_pushes_and_no_others() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start_guarded(&engine) else { return };
    let docker = engine.path("docker");
    registry.trust(&engine, &docker);
    let name = format!("{}/mine/app:1", registry.address());
    load(&engine, std::slice::from_ref(&name), &[Tar::new().file("a", b"a").end()]);
    let push = || finish(engine.command("push -q", &[&name]).env("DOCKER_CONFIG", &docker), None);
    let refused = push();
    let expected = format!("{} wants a name and a password", registry.address());
    assert_eq!(refused.fails(1), expected);
    let hint = format!("hint: `mini-docker login {}` asks", registry.address());
    assert!(refused.err().contains(&hint), "{}", refused.err());
    let mut login = engine.command("login -u me --password-stdin", &[registry.address()]);
    finish(login.env("DOCKER_CONFIG", &docker), Some(b"s3cret".to_vec())).ok();
    assert_eq!(push().ok(), name);
}

#[test]
fn a_connection_that_breaks_while_a_layer_is_sent_does_not_stop_the_push() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start(&engine) else { return };
    let way = Passage::to(registry.port()).breaking_when_asked(300_000, 2).open();
    let name = format!("{}/mine/app:1", way.address());
    load(&engine, std::slice::from_ref(&name), &[Tar::new().file("noise", &tars::noise(900_000)).end()]);
    let id = engine.inspect(&name, ".Id");
    engine.with("push -q", &[&name]).ok();
    assert_eq!(way.broken(), 2, "the way was too good");
    engine.with("rmi", &[&name]).ok();
    engine.with("pull -q", &[&name]).ok();
    assert_eq!(engine.inspect(&name, ".Id"), id);
}

#[test]
fn on_a_terminal_each_layer_has_a_line_that_changes() {
    let engine = Engine::anywhere();
    let Some(registry) = Registry::start(&engine) else { return };
    let name = format!("{}/lib/app:1", registry.address());
    load(&engine, std::slice::from_ref(&name), &[layer("noise", &"n".repeat(1 << 20)), layer("a", "b")]);
    let terminal = |line: &str| {
        let (code, text) = Session::start(&mut engine.command(line, &[&name]), 120, 30).end();
        assert_eq!(code, 0, "{text}");
        text
    };
    let pushed = terminal("push");
    engine.with("rmi", &[&name]).ok();
    let pulled = terminal("pull");
    for (text, first, last) in
        [(&pushed, "Preparing", "Pushed"), (&pulled, "Pulling fs layer", "Pull complete")]
    {
        // Up to the first of the lines, to write them again.
        assert!(text.contains("\u{1b}[1A") || text.contains("\u{1b}[2A"), "{text:?}");
        assert!(text.contains(&format!(": {first}")), "{text:?}");
        assert!(text.matches(&format!(": {last}")).count() >= 2, "{text:?}");
    }
}
