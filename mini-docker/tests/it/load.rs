//! `load`: images from archives such as `docker save` writes.

use std::io::Write as _;

use mini_layers::Digest;
use serde_json::json;

use crate::harness::{Engine, names};
use crate::tars::Tar;

/// An image to be saved: its names and the archives of its layers, by their files' names.
struct Saved {
    tags: &'static [&'static str],
    layers: Vec<(&'static str, Vec<u8>)>,
}

impl Saved {
    fn config(&self) -> Vec<u8> {
        let diff_ids: Vec<String> = self.layers.iter().map(|(_, tar)| Digest::of(tar).to_string()).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": { "Cmd": ["sh"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids }
        });
        config.to_string().into_bytes()
    }
}

/// The archive of these images, a file for each layer's name.
fn archive(images: &[Saved]) -> Tar {
    let mut tar = Tar::new();
    let mut manifest = Vec::new();
    let mut seen = Vec::new();
    for (number, image) in images.iter().enumerate() {
        let config = format!("config{number}.json");
        tar = tar.file(&config, &image.config());
        for (name, layer) in image.layers.iter().filter(|(name, _)| !name.starts_with("link")) {
            if !seen.contains(name) {
                tar = tar.file(name, layer);
                seen.push(name);
            }
        }
        let files: Vec<&str> = image.layers.iter().map(|(name, _)| *name).collect();
        manifest.push(json!({ "Config": config, "RepoTags": image.tags, "Layers": files }));
    }
    tar.file("manifest.json", serde_json::Value::from(manifest).to_string().as_bytes())
}

/// A root filesystem as a layer, and two small ones on top of it.
fn layers() -> [Vec<u8>; 3] {
    let top = |text: &str| Tar::new().dir("etc").file("etc/which", text.as_bytes()).end();
    [crate::tars::root(), top("one\n"), top("two\n")]
}

fn two_images() -> [Saved; 2] {
    let [base, one, two] = layers();
    [
        Saved {
            tags: &["one:1", "one:latest"],
            layers: vec![("a/layer.tar", base.clone()), ("b/layer.tar", one)],
        },
        Saved {
            tags: &["registry.example/two:2"],
            layers: vec![("a/layer.tar", base), ("c/layer.tar", two)],
        },
    ]
}

#[test]
fn images_share_their_layers_and_run() {
    let Some(engine) = Engine::empty() else { return };
    let tar = archive(&two_images()).end();
    let file = engine.file("two.tar", &tar);
    let done = engine.with("load -i", &[&file]);
    assert_eq!(
        done.ok(),
        "Loaded image: one:1\nLoaded image: one:latest\nLoaded image: registry.example/two:2"
    );
    assert_eq!(names(&engine.root().join("layers")).len(), 3);
    assert_eq!(engine.call("run --rm one cat /etc/which").ok(), "one");
    assert_eq!(engine.call("run --rm registry.example/two:2 cat /etc/which").ok(), "two");
    // Again, from standard input, quietly: nothing new.
    let before = engine.listing();
    assert_eq!(engine.feed("load -q", &[] as &[&str], tar).ok(), "");
    engine.assert_unchanged(&before, "loaded twice");
    // The lower layer stays for the other.
    engine.call("rmi one:1 one:latest").ok();
    assert_eq!(names(&engine.root().join("layers")).len(), 2);
    assert_eq!(engine.call("run --rm registry.example/two:2 cat /etc/which").ok(), "two");
}

#[test]
fn an_image_of_two_names_is_removed_with_the_second() {
    let Some(engine) = Engine::empty() else { return };
    let [one, _] = two_images();
    engine.feed("load", &[] as &[&str], archive(&[one]).end()).ok();
    let id = engine.inspect("one", ".Id");
    assert_eq!(engine.call("rmi one:1").ok(), "Untagged: one:1");
    let message = engine.call(&format!("inspect --format {{{{.RepoTags}}}} {id}")).ok();
    assert_eq!(message, "[one:latest]");
    assert!(engine.call("rmi one:latest").ok().starts_with("Untagged: one:latest\nDeleted: sha256:"));
}

#[test]
fn an_id_of_an_image_with_two_names_is_only_removed_by_force() {
    let Some(engine) = Engine::empty() else { return };
    let [base, one, _] = layers();
    let image = Saved { tags: &["red", "blue"], layers: vec![("a", base), ("b", one)] };
    engine.feed("load", &[] as &[&str], archive(&[image]).end()).ok();
    let id = engine.inspect("red", ".Id")[7..19].to_owned();
    let message = engine.call(&format!("rmi {id}")).fails(1);
    assert_eq!(
        message,
        format!(
            "conflict: unable to delete {id} (must be forced) - image is referenced in multiple repositories"
        )
    );
    let removed = engine.call(&format!("rmi -f {id}")).ok();
    assert!(
        removed.starts_with("Untagged: ")
            && removed.contains("Untagged: blue:latest\n")
            && removed.contains("Untagged: red:latest\n"),
        "{removed}"
    );
}

#[test]
fn a_layer_may_be_a_link_to_another() {
    let Some(engine) = Engine::empty() else { return };
    let [base, one, _] = layers();
    for (kind, target) in [("symbolic", "../b/layer.tar"), ("hard", "b/layer.tar")] {
        let layers = vec![
            ("a/layer.tar", base.clone()),
            ("b/layer.tar", one.clone()),
            ("link/layer.tar", one.clone()),
        ];
        let tar = archive(&[Saved { tags: &["linked"], layers }]);
        let tar = if kind == "hard" {
            tar.link("link/layer.tar", target)
        } else {
            tar.symlink("link/layer.tar", target)
        };
        engine.feed("load", &[] as &[&str], tar.end()).ok();
        assert_eq!(engine.call("run --rm linked cat /etc/which").ok(), "one", "{kind}");
    }
}

#[test]
fn archives_and_layers_may_be_compressed() {
    let Some(engine) = Engine::empty() else { return };
    let tar = archive(&two_images()).end();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar).unwrap();
    let gzip = encoder.finish().unwrap();
    let file = engine.file("images.tar.gz", &gzip);
    assert_eq!(engine.with("load -i", &[&file]).ok().lines().count(), 3);
    engine.call("rmi one:1 one:latest registry.example/two:2").ok();
    assert_eq!(
        engine.feed("load", &[] as &[&str], zstd::encode_all(&tar[..], 1).unwrap()).ok().lines().count(),
        3
    );
    assert_eq!(engine.call("run --rm one cat /etc/which").ok(), "one");
}

#[test]
fn an_image_without_a_name_is_loaded_by_its_id() {
    let Some(engine) = Engine::empty() else { return };
    let [base, ..] = layers();
    let image = Saved { tags: &[], layers: vec![("a", base)] };
    let id = Digest::of(&image.config());
    assert_eq!(
        engine.feed("load", &[] as &[&str], archive(&[image]).end()).ok(),
        format!("Loaded image ID: {id}")
    );
    assert_eq!(engine.call(&format!("run --rm {} echo x", &id.to_string()[7..19])).ok(), "x");
}

#[test]
fn broken_archives_are_refused_and_nothing_is_left() {
    let Some(engine) = Engine::empty() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    let layer = Tar::new().file("a", b"x").end();
    let good = || Saved { tags: &["web"], layers: vec![("layer", layer.clone())] };
    let whole = archive(&[good()]).end();
    let manifest = |text: &str| {
        Tar::new()
            .file("config.json", &good().config())
            .file("layer", &layer)
            .file("manifest.json", text.as_bytes())
            .end()
    };
    let mut damaged = good();
    damaged.layers[0].1[600] ^= 1;
    let wrong_digest = Tar::new()
        .file("config0.json", &good().config())
        .file("layer", &damaged.layers[0].1)
        .file("manifest.json", br#"[{"Config":"config0.json","RepoTags":["web"],"Layers":["layer"]}]"#)
        .end();
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("empty", Vec::new(), ""),
        ("a text", b"nothing".to_vec(), ""),
        ("no manifest", Tar::new().file("a", b"").end(), "the archive has no `manifest.json`"),
        ("a root filesystem", layer.clone(), "`import` takes a root filesystem"),
        ("cut short", whole[..whole.len() / 2].to_vec(), ""),
        ("a manifest that is no JSON", manifest("{"), "`manifest.json`"),
        ("a manifest of something else", manifest("{\"a\":1}"), "`manifest.json`"),
        ("no configuration", manifest(r#"[{"Config":"nosuch","Layers":["layer"]}]"#), "`nosuch`"),
        (
            "a layer that is not there",
            manifest(r#"[{"Config":"config.json","Layers":["nosuch"]}]"#),
            "`nosuch`",
        ),
        (
            "too many layers",
            manifest(r#"[{"Config":"config.json","Layers":["layer","layer"]}]"#),
            "names 1 layers, the archive has 2",
        ),
        (
            "a name that is none",
            manifest(r#"[{"Config":"config.json","RepoTags":["BAD NAME"],"Layers":["layer"]}]"#),
            "BAD NAME",
        ),
        ("a way out", manifest(r#"[{"Config":"../../../etc/passwd","Layers":["layer"]}]"#), "passwd"),
        (
            "a circle",
            Tar::new()
                .symlink("x", "y")
                .symlink("y", "x")
                .file("manifest.json", br#"[{"Config":"x","Layers":[]}]"#)
                .end(),
            "`x`",
        ),
        (
            "another layer than the configuration says",
            wrong_digest,
            "the archive is damaged: its blob `sha256:",
        ),
    ];
    for (what, bytes, expected) in cases {
        let file = engine.file("broken.tar", bytes);
        let message = engine.with("load -i", &[&file]).fails(1);
        assert!(message.starts_with("cannot load `") && message.contains(expected), "{what}: {message}");
        engine.assert_unchanged(&before, what);
    }
    assert!(engine.call("load -i nosuch").fails(1).contains("No such file or directory"));
    assert!(engine.call("load -i /").fails(1).to_lowercase().contains("is a directory"));
}

#[test]
fn only_the_images_of_the_platform_are_loaded() {
    let Some(engine) = Engine::empty() else { return };
    let tar = archive(&two_images()).end();
    let message = engine.feed("load --platform linux/arm64", &[] as &[&str], tar.clone()).fails(1);
    assert_eq!(message, "cannot load `-`: the archive has no image for linux/arm64, only for linux/amd64");
    assert_eq!(engine.call("images -q").ok(), "");
    engine.feed("load --platform linux/amd64", &[] as &[&str], tar).ok();
    assert_eq!(engine.call("images -q").ok().lines().count(), 3);
}
