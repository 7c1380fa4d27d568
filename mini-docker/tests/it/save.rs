//! `save`: archives that `load`, docker and skopeo read. skopeo is what reads them here.

use std::process::Command;

use mini_layers::Digest;
use serde_json::{Value, json};

use crate::harness::{Engine, finish, names};
use crate::needs;
use crate::registry::{Registry, gzip};
use crate::tars::{self, Tar};

/// An engine with two images: `web` in two versions on layers of different kinds, and `registry.example/db:3`.
fn engine() -> Option<Engine> {
    let engine = Engine::empty()?;
    let which = |text: &str| tars::root_and(Tar::new().file("which", text.as_bytes()));
    for (name, content) in [("web:1", which("one\n")), ("web:2", gzip(&which("two\n")))] {
        engine.feed("import -c", &["CMD [\"cat\", \"/which\"]", "-", name], content).ok();
    }
    engine.feed("import - registry.example/db:3", &[] as &[&str], which("three\n")).ok();
    Some(engine)
}

/// The names of an archive's files.
fn files(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap();
    entries.map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
}

fn file(tar: &[u8], name: &str) -> Value {
    let mut archive = tar::Archive::new(tar);
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    serde_json::from_reader(entries.find(|entry| entry.path().unwrap().to_str() == Some(name)).unwrap())
        .unwrap()
}

fn saved(engine: &Engine, line: &str) -> Vec<u8> {
    let done = engine.call(&format!("save {line}"));
    assert_eq!(done.code, 0, "{}", done.err());
    done.stdout
}

fn skopeo(engine: &Engine, from: &str) -> Value {
    let to = engine.path("copied");
    let _ = std::fs::remove_dir_all(&to);
    let mut command = Command::new("skopeo");
    command.args(["copy", "--quiet", "--insecure-policy", from, &format!("dir:{}", to.display())]);
    finish(&mut command, None).ok();
    serde_json::from_slice(&std::fs::read(to.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn what_was_saved_is_the_same_image_elsewhere() {
    let Some(engine) = engine() else { return };
    let archive = engine.path("all.tar");
    engine.with("save web registry.example/db:3 -o", &[&archive]).ok();
    let Some(other) = Engine::empty() else { return };
    assert_eq!(
        other.with("load -i", &[&archive]).ok(),
        "Loaded image: web:2\nLoaded image: web:1\nLoaded image: registry.example/db:3"
    );
    for name in ["web:1", "web:2", "registry.example/db:3"] {
        let digests =
            |engine: &Engine| engine.with("images --no-trunc --digests --format {{.ID}}{{.Digest}}", &[name]);
        assert_eq!(digests(&other).ok(), digests(&engine).ok(), "{name}");
    }
    assert_eq!(other.call("run --rm web:2").ok(), "two");
    // The same images are the same bytes, whoever writes them.
    assert!(std::fs::read(&archive).unwrap() == saved(&other, "web registry.example/db:3"));
}

#[test]
fn a_name_without_a_tag_means_all_tags_and_an_id_none() {
    let Some(engine) = engine() else { return };
    engine.call("save").fails(1);
    let tags = |line: &str| {
        let manifest = file(&saved(&engine, line), "manifest.json");
        manifest.as_array().unwrap().iter().map(|entry| entry["RepoTags"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(tags("web"), [r#"["web:2"]"#, r#"["web:1"]"#]);
    assert_eq!(tags("web:1 web:1"), [r#"["web:1"]"#]);
    let id = engine.inspect("web:1", ".Id")[7..19].to_owned();
    assert_eq!(tags(&id), ["null"]);
    assert_eq!(tags(&format!("{id} web:1")), [r#"["web:1"]"#]);
}

#[test]
fn a_layer_is_saved_once_and_the_lists_come_first() {
    let Some(engine) = engine() else { return };
    let names = files(&saved(&engine, "web:1 web:2"));
    assert_eq!(&names[..5], ["oci-layout", "index.json", "manifest.json", "blobs/", "blobs/sha256/"]);
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    assert_eq!(names.len(), 5 + 2 * 3);
}

#[test]
fn skopeo_reads_the_archive_as_either_kind_and_the_store_as_a_layout() {
    let Some(engine) = engine() else { return };
    if !needs::program("skopeo") {
        return;
    }
    let archive = engine.path("all.tar").display().to_string();
    engine.with("save web registry.example/db:3 -o", &[&archive]).ok();
    let store = engine.root().join("images").display().to_string();
    // The store has several images of one tag, and each is found.
    engine.call("tag web:2 registry.example/other:1").ok();
    let id = engine.inspect("web:2", ".Id");
    assert_eq!(skopeo(&engine, &format!("oci:{store}:registry.example/other:1"))["config"]["digest"], id);
    for (name, tag) in [("web:1", "1"), ("web:2", "2"), ("registry.example/db:3", "3")] {
        let id = engine.inspect(name, ".Id");
        for from in [
            format!("docker-archive:{archive}:{name}"),
            format!("oci-archive:{archive}:{tag}"),
            format!("oci:{store}:{name}"),
        ] {
            assert_eq!(skopeo(&engine, &from)["config"]["digest"], id, "{from}");
        }
    }
}

#[test]
fn a_manifest_of_dockers_older_form_is_saved_as_it_is() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start(&engine) else { return };
    if !needs::program("skopeo") {
        return;
    }
    let tar = tars::root();
    let config = json!({ "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&tar).to_string()] } });
    let kind = |rest: &str| format!("application/vnd.docker.{rest}");
    let config = registry.blob("old", &kind("container.image.v1+json"), config.to_string().as_bytes());
    let layer = registry.blob("old", &kind("image.rootfs.diff.tar.gzip"), &gzip(&tar));
    let manifest = kind("distribution.manifest.v2+json");
    let content = json!({ "schemaVersion": 2, "mediaType": manifest, "config": config, "layers": [layer] });
    let descriptor = registry.manifest("old", "7", &manifest, &content);
    let name = format!("{}/old:7", registry.address());
    engine.with("pull -q", &[&name]).ok();
    let archive = engine.path("old.tar").display().to_string();
    engine.with("save -o", &[&archive, &name]).ok();
    for from in [
        format!("oci-archive:{archive}:7"),
        format!("docker-archive:{archive}:{name}"),
        format!("oci:{}:{name}", engine.root().join("images").display()),
    ] {
        assert_eq!(skopeo(&engine, &from)["config"]["digest"], config["digest"], "{from}");
    }
    engine.with("rmi", &[&name]).ok();
    engine.with("load -i", &[&archive]).ok();
    assert!(engine.lists(descriptor["digest"].as_str().unwrap()));
}

#[test]
fn what_cannot_be_saved_leaves_no_file_and_replaces_none() {
    let Some(engine) = engine() else { return };
    let old = engine.file("old.tar", b"old");
    let directory = old.parent().unwrap().to_owned();
    let before = names(&directory);
    let message = engine.with("save nosuch web:1 -o", &[&old]).fails(1);
    assert_eq!(message, "cannot save `nosuch`, `web:1`: no image named `nosuch`");
    assert!(engine.call("save BAD").fails(1).contains("must be lowercase"));
    // A layer that has lost its end is found when it is its turn.
    let layers = file(&saved(&engine, "web:1"), "manifest.json")[0]["Layers"][0].clone();
    let blob = engine.root().join("images").join(layers.as_str().unwrap());
    let length = std::fs::metadata(&blob).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&blob).unwrap().set_len(length - 1).unwrap();
    let message = engine.with("save web:1 -o", &[&old]).fails(1);
    assert!(message.contains(&format!("it has {} bytes instead of {length}", length - 1)), "{message}");
    assert_eq!((std::fs::read(&old).unwrap(), names(&directory)), (b"old".to_vec(), before));
    for (path, why) in [
        ("/nosuch/a.tar", "No such file or directory"),
        ("/dev/null", "it is no regular file"),
        (".", "it is a directory"),
        ("/dev/full/x", "Not a directory"),
    ] {
        let message = engine.with("save web:2 -o", &[path]).fails(1);
        assert!(
            message.starts_with(&format!("cannot write to `{path}`: ")) && message.contains(why),
            "{message}"
        );
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_goes_to_a_terminal() {
    let Some(engine) = engine() else { return };
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = engine.command("save", &["web:1"]);
    command.stdout(full);
    let message = crate::harness::await_end(
        command.stderr(std::process::Stdio::piped()).spawn().unwrap(),
        "save to /dev/full".to_owned(),
    )
    .fails(1);
    assert_eq!(message, "cannot save `web:1`: write the archive: No space left on device");
    let session = crate::pty::Session::start(&mut engine.command("save", &["web:1"]), 80, 24);
    let (code, screen) = session.end();
    assert_eq!(code, 1);
    assert!(screen.contains("cowardly refusing to save to a terminal"), "{screen}");
}

#[test]
fn what_skopeo_writes_into_the_store_is_named_and_runs() {
    let Some(engine) = Engine::empty() else { return };
    let Some(registry) = Registry::start(&engine) else { return };
    if !needs::program("skopeo") {
        return;
    }
    registry.image("lib/app", "1", "amd64", &[&tars::root(), &Tar::new().file("which", b"foreign").end()]);
    engine.call("images").ok();
    let from = format!("docker://{}/lib/app:1", registry.address());
    let to = format!("oci:{}:foreign:2", engine.root().join("images").display());
    let mut copy = std::process::Command::new("skopeo");
    copy.args(["copy", "--insecure-policy", "-q", "--src-tls-verify=false", &from, &to]);
    finish(&mut copy, None).ok();
    assert_eq!(engine.call("images --format {{.Repository}}:{{.Tag}}").ok(), "foreign:2");
    assert_eq!(engine.call("run --rm --pull never foreign:2 cat /which").ok(), "foreign");
    assert!(engine.call("rmi foreign:2").ok().starts_with("Untagged: foreign:2\nDeleted: sha256:"));
}
