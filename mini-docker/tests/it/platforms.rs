//! Images for several platforms, as skopeo copies them whole into our store.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Engine, finish, names};
use crate::needs;
use crate::registry::{INDEX, Registry};
use crate::tars::{self, Tar};

/// Copies an image with all its platforms into the engine's store, under this name.
fn skopeo(engine: &Engine, from: &str, name: &str) {
    engine.call("images").ok();
    let mut command = Command::new("skopeo");
    command.args(["copy", "--all", "--quiet", "--insecure-policy", "--src-tls-verify=false"]);
    command.args([from, &format!("oci:{}:{name}", engine.root().join("images").display())]);
    finish(&mut command, None).ok();
}

/// A registry in which `lib/app:1` is there for these platforms.
fn registry(engine: &Engine, platforms: &[&str]) -> Option<(Registry, Value)> {
    if !needs::program("skopeo") {
        return None;
    }
    let registry = Registry::start(engine)?;
    let entries: Vec<Value> = platforms
        .iter()
        .map(|platform| {
            let layer = tars::root_and(Tar::new().file("which", platform.as_bytes()));
            let mut entry = registry.image("lib/app", platform, platform, &[&layer]);
            entry["platform"] = json!({ "architecture": platform, "os": "linux" });
            entry
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    let described = registry.manifest("lib/app", "1", INDEX, &index);
    Some((registry, described))
}

#[test]
fn one_that_was_copied_whole_is_an_image_like_any_other() {
    let Some(engine) = Engine::empty() else { return };
    let own = mini_images::config::architecture();
    let Some((registry, index)) = registry(&engine, &["s390x", own]) else { return };
    let from = format!("docker://{}/lib/app:1", registry.address());
    engine.feed("import - other:1", &[] as &[&str], tars::root()).ok();
    let before = engine.listing();
    skopeo(&engine, &from, "lib/app:1");
    let digest = index["digest"].as_str().unwrap();

    // It is listed by name, with the digest by which the registry knows it.
    let listed = engine.call("images --digests --format {{.Repository}}:{{.Tag}}@{{.Digest}} lib/app").ok();
    assert_eq!(listed, format!("lib/app:1@{digest}"));
    assert_eq!(engine.inspect("lib/app:1", ".Architecture"), own);
    assert_eq!(engine.inspect("lib/app:1", ".RepoDigests"), format!("[lib/app@{digest}]"));
    for line in ["image tree", "system df -v", "history lib/app:1", "images -a --filter dangling=false"] {
        engine.call(line).ok();
    }
    // What is missing of it is unpacked when it runs.
    assert_eq!(engine.call("run --rm lib/app:1 cat /which").ok(), own);
    assert_eq!(engine.with("run --rm", &[&format!("lib/app@{digest}"), "cat", "/which"]).ok(), own);
    // Other names, and other images that go, leave all its platforms here.
    engine.call("tag lib/app:1 again:1").ok();
    assert_eq!(engine.inspect("again:1", ".RepoDigests"), format!("[lib/app@{digest}]"));
    engine.call("rmi other:1").ok();
    engine.call("image prune -f").ok();
    let blobs = || names(&engine.root().join("images/blobs/sha256")).len();
    assert_eq!(blobs(), 1 + 2 * 3, "an index, and two images of three blobs");
    // A saved one is that of this machine.
    let archive = engine.path("saved.tar");
    engine.with("save again:1 -o", &[&archive]).ok();
    let Some(elsewhere) = Engine::empty() else { return };
    elsewhere.with("load -i", &[&archive]).ok();
    assert_eq!(elsewhere.inspect("again:1", ".Id"), engine.inspect("again:1", ".Id"));
    // And so is a pushed one.
    let pushed = format!("{}/copy:1", registry.address());
    engine.with("tag again:1", &[&pushed]).ok();
    engine.with("push -q", &[&pushed]).ok();
    assert_eq!(registry.digest_of("copy", "1"), registry.digest_of("lib/app", own));
    engine.with("rmi", &[&pushed]).ok();
    // It goes as a whole.
    let told = engine.call("rmi lib/app:1").ok();
    assert_eq!(told, format!("Untagged: lib/app:1\nUntagged: lib/app@{digest}"));
    assert!(engine.call("image prune -a -f").ok().contains("untagged: again:1\n"));
    assert_eq!(blobs(), 0);
    engine.feed("import - other:1", &[] as &[&str], tars::root()).ok();
    assert_eq!(engine.listing().len(), before.len());
}

#[test]
fn one_without_our_platform_is_listed_and_removed_all_the_same() {
    let Some(engine) = Engine::empty() else { return };
    let Some((registry, _)) = registry(&engine, &["s390x", "riscv64"]) else { return };
    skopeo(&engine, &format!("docker://{}/lib/app:1", registry.address()), "lib/app:1");
    assert_eq!(engine.inspect("lib/app:1", ".Architecture"), "s390x");
    engine.call("rmi lib/app:1").ok();
    assert_eq!(names(&engine.root().join("images/blobs/sha256")), [] as [&str; 0]);
}

#[test]
fn what_the_list_names_and_is_not_here_or_no_image_stays_and_hinders_nobody() {
    let Some(engine) = Engine::empty() else { return };
    engine.feed("import - web:1", &[] as &[&str], tars::root()).ok();
    let path = engine.root().join("images/index.json");
    let mut list: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let missing = json!({
        "mediaType": INDEX, "size": 7, "digest": format!("sha256:{}", "7".repeat(64)),
        "annotations": { "org.opencontainers.image.ref.name": "gone:1" },
    });
    list["manifests"].as_array_mut().unwrap().insert(0, missing.clone());
    std::fs::write(&path, list.to_string()).unwrap();
    assert_eq!(engine.call("images --format {{.Repository}}").ok(), "web");
    engine.call("tag web:1 web:2").ok();
    engine.call("rmi web:1").ok();
    assert_eq!(engine.call("run --rm web:2 echo ran").ok(), "ran");
    engine.call("run --pull never gone:1").fails(125);
    let list: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(list["manifests"].as_array().unwrap().contains(&missing), "{list}");
}
