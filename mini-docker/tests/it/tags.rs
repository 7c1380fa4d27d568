//! `tag`: more names for an image.

use serde_json::{Value, json};

use crate::harness::Engine;
use crate::made::{image, layer};
use crate::registry::{INDEX, Registry};

fn one(engine: &Engine, name: &str) -> String {
    image(engine, &[name], &[layer("file", name)], &json!({}))
}

fn table(engine: &Engine) -> String {
    let mut lines: Vec<String> = engine
        .call("images --no-trunc --format {{.Repository}}:{{.Tag}}={{.ID}}")
        .ok()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.join(" ")
}

#[test]
fn an_image_gets_more_names_and_loses_them_one_by_one() {
    let Some(engine) = Engine::empty() else { return };
    let id = one(&engine, "web:1");
    assert_eq!(engine.call("tag web:1 localhost:5000/team/web").ok(), "");
    engine.call(&format!("image tag {} other:2", &id[7..19])).ok();
    engine.call("tag other:2 other:2").ok();
    assert_eq!(table(&engine), format!("localhost:5000/team/web:latest={id} other:2={id} web:1={id}"));
    // However it is asked for, it says all its names.
    assert_eq!(
        engine.inspect("other:2", "json .RepoTags"),
        "[\"web:1\",\"localhost:5000/team/web:latest\",\"other:2\"]"
    );
    assert_eq!(engine.call("rmi web:1").ok(), "Untagged: web:1");
    assert_eq!(
        engine.call(&format!("rmi {}", &id[7..])).fails(1),
        format!(
            "conflict: unable to delete {} (must be forced) - image is referenced in multiple repositories",
            &id[7..19]
        )
    );
    let removed = engine.call(&format!("rmi -f {}", &id[7..])).ok();
    assert!(
        removed.starts_with(&format!(
            "Untagged: localhost:5000/team/web:latest\nUntagged: other:2\nDeleted: {id}\n"
        )),
        "{removed}"
    );
    assert_eq!(engine.call("images -q").ok(), "");
}

#[test]
fn a_name_goes_to_the_image_that_got_it_last() {
    let Some(engine) = Engine::empty() else { return };
    let (old, new) = (one(&engine, "web:1"), one(&engine, "web:2"));
    engine.call("tag web:2 web:1").ok();
    assert_eq!(table(&engine), format!("<none>:<none>={old} web:1={new} web:2={new}"));
    // One without a name has one again.
    engine.call(&format!("tag {} old", &old[..19])).ok();
    assert_eq!(table(&engine), format!("old:latest={old} web:1={new} web:2={new}"));
}

#[test]
fn what_no_image_can_be_called_is_refused_and_changes_nothing() {
    let Some(engine) = Engine::empty() else { return };
    one(&engine, "web:1");
    let before = engine.listing();
    let digest = format!("web@sha256:{}", "0".repeat(64));
    let mut told = Vec::new();
    for words in [
        ["nosuch", "x"],
        ["web:2", "x"],
        ["web:1", &digest],
        ["web:1", "Bad"],
        ["web:1", "a b"],
        ["web:1", "host"],
    ] {
        told.push(engine.with("tag", &words).fails(1));
        engine.assert_unchanged(&before, &told.join("\n"));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert!(engine.call("tag web:1").fails(1).contains("argument"));
}

#[test]
fn the_reserved_image_may_be_given_other_names() {
    let Some(engine) = Engine::new() else { return };
    engine.call("tag host mine:1").ok();
    assert_eq!(engine.call("run --rm mine:1 echo ran").ok(), "ran");
    assert_eq!(engine.inspect("host", ".Id"), engine.inspect("mine:1", ".Id"));
}

#[test]
fn the_digest_is_the_registrys_and_goes_with_the_last_tag() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start(&engine) else { return };
    let mut entry = registry.image("lib/app", "amd64", "amd64", &[&layer("file", "x")]);
    entry["platform"] = json!({ "os": "linux", "architecture": mini_images::config::architecture() });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    let digest = registry.manifest("lib/app", "1", INDEX, &index)["digest"].as_str().unwrap().to_owned();
    let repository = format!("{}/lib/app", registry.address());
    let shown = |format: &str| engine.with("images --digests --format", &[format]).ok();

    engine.with("pull", &[&format!("{repository}:1")]).ok();
    engine.with("tag", &[&format!("{repository}:1"), &format!("{repository}:2")]).ok();
    engine.with("tag", &[&format!("{repository}:1"), "mine"]).ok();
    let mut lines: Vec<String> = shown("{{.Tag}} {{.Digest}}").lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, [format!("1 {digest}"), format!("2 {digest}"), "latest <none>".to_owned()]);
    let digests: Value = serde_json::from_str(&engine.inspect("mine", "json .RepoDigests")).unwrap();
    assert_eq!(digests, json!([format!("{repository}@{digest}")]));
    let by_digest = engine.inspect(&format!("{repository}@{digest}"), ".Id");
    assert_eq!(by_digest, engine.inspect("mine", ".Id"));

    let rmi = |name: &str| engine.with("rmi", &[name]).ok();
    assert_eq!(rmi(&format!("{repository}:1")), format!("Untagged: {repository}:1"));
    assert_eq!(
        rmi(&format!("{repository}:2")),
        format!("Untagged: {repository}:2\nUntagged: {repository}@{digest}")
    );
    assert_eq!(shown("{{.Tag}} {{.Digest}}"), "latest <none>");

    // Who asks for a digest gives no tag away.
    engine.with("pull -q", &[&format!("{repository}@{digest}")]).ok();
    assert_eq!(shown("{{.Repository}} {{.Tag}} {{.Digest}}").lines().count(), 2);
    assert!(shown("{{.Repository}} {{.Tag}} {{.Digest}}").contains(&format!("{repository} <none> {digest}")));
    assert_eq!(rmi(&format!("{repository}@{digest}")), format!("Untagged: {repository}@{digest}"));

    // With the last tag goes the digest that was asked for beside it.
    engine.with("pull -q", &[&format!("{repository}@{digest}")]).ok();
    engine.with("pull -q", &[&format!("{repository}:1")]).ok();
    assert_eq!(shown("{{.Tag}} {{.Digest}}").lines().count(), 2);
    assert_eq!(
        rmi(&format!("{repository}:1")),
        format!("Untagged: {repository}:1\nUntagged: {repository}@{digest}")
    );
    assert_eq!(shown("{{.Tag}} {{.Digest}}"), "latest <none>");
}
