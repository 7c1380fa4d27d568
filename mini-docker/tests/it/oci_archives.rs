//! `load`: archives that are OCI image layouts, as skopeo and buildx write them.

use mini_layers::Digest;
use serde_json::{Value, json};

use crate::harness::{Engine, finish};
use crate::needs;
use crate::tars::{self, Tar};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout that is being put together.
#[derive(Clone, Default)]
struct Layout {
    blobs: Vec<(Digest, Vec<u8>)>,
    lines: Vec<Value>,
}

impl Layout {
    fn blob(&mut self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        self.blobs.push((digest, content.to_vec()));
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": content.len() })
    }

    fn image(&mut self, architecture: &str, layers: &[Vec<u8>]) -> Value {
        let diff_ids: Vec<String> = layers.iter().map(|tar| Digest::of(tar).to_string()).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": { "Cmd": ["cat", "/which"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let layers: Vec<Value> = layers
            .iter()
            .map(|tar| {
                self.blob(
                    "application/vnd.oci.image.layer.v1.tar+zstd",
                    &zstd::encode_all(&tar[..], 1).unwrap(),
                )
            })
            .collect();
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        let mut descriptor = self.blob(MANIFEST, manifest.to_string().as_bytes());
        descriptor["platform"] = json!({ "os": "linux", "architecture": architecture });
        descriptor
    }

    fn list(&mut self, mut descriptor: Value, annotations: Value) {
        descriptor["annotations"] = annotations;
        self.lines.push(descriptor);
    }

    fn tar(&self) -> Vec<u8> {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": self.lines });
        let tar = Tar::new()
            .file("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}")
            .file("index.json", index.to_string().as_bytes());
        let blobs = self.blobs.iter();
        blobs
            .fold(tar, |tar, (digest, content)| tar.file(&format!("blobs/sha256/{}", digest.hex()), content))
            .end()
    }
}

fn layers(text: &str) -> Vec<Vec<u8>> {
    vec![tars::root(), Tar::new().file("which", text.as_bytes()).end()]
}

fn load(engine: &Engine, flags: &str, tar: Vec<u8>) -> crate::harness::Done {
    engine.feed(&format!("load {flags}"), &[] as &[&str], tar)
}

#[test]
fn names_come_from_either_annotation() {
    let Some(engine) = Engine::empty() else { return };
    let mut layout = Layout::default();
    let one = layout.image("amd64", &layers("one\n"));
    let two = layout.image("amd64", &layers("two\n"));
    let three = layout.image("amd64", &layers("three\n"));
    layout.list(one.clone(), json!({ "io.containerd.image.name": "docker.io/library/a:1", "org.opencontainers.image.ref.name": "1" }));
    layout.list(one, json!({ "io.containerd.image.name": "docker.io/library/a:2" }));
    layout.list(two, json!({ "org.opencontainers.image.ref.name": "registry.example/b:7" }));
    layout.list(three.clone(), json!({ "org.opencontainers.image.ref.name": "latest" }));
    let told = load(&engine, "", layout.tar()).ok();
    let (named, last) = told.rsplit_once('\n').unwrap();
    assert_eq!(named, "Loaded image: a:1\nLoaded image: a:2\nLoaded image: registry.example/b:7");
    let id = last.strip_prefix("Loaded image ID: ").unwrap();
    assert_eq!(engine.with("run --rm", &[id]).ok(), "three");
    assert_eq!(engine.call("run --rm a:2").ok(), "one");
    // The manifest is the one that was loaded.
    assert!(engine.lists(layout.lines[2]["digest"].as_str().unwrap()));
    // Again, quietly and compressed: nothing new.
    let before = engine.listing();
    assert_eq!(load(&engine, "-q", crate::registry::gzip(&layout.tar())).ok(), "");
    engine.assert_unchanged(&before, "loaded twice");
}

#[test]
fn of_an_index_the_platforms_image_is_taken() {
    let Some(engine) = Engine::empty() else { return };
    let mut layout = Layout::default();
    let entries = ["amd64", "arm64", "s390x"].map(|name| layout.image(name, &layers(&format!("{name}\n"))));
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    let index = layout.blob(INDEX, index.to_string().as_bytes());
    layout.list(index, json!({ "org.opencontainers.image.ref.name": "multi:1" }));
    let architecture = || engine.inspect("multi:1", ".Architecture");
    assert_eq!(load(&engine, "", layout.tar()).ok(), "Loaded image: multi:1");
    assert_eq!(architecture(), mini_images::config::architecture());
    load(&engine, "--platform linux/s390x", layout.tar()).ok();
    assert_eq!(architecture(), "s390x");
    let before = engine.listing();
    assert_eq!(
        load(&engine, "--platform linux/riscv64", layout.tar()).fails(1),
        "cannot load `-`: the archive has no image for linux/riscv64, only for linux/amd64, linux/arm64, linux/s390x"
    );
    engine.assert_unchanged(&before, "no such platform");
    assert!(load(&engine, "--platform a/b/c/d", layout.tar()).fails(125).contains("is no platform"));
}

#[test]
fn damaged_layouts_are_refused_by_the_blobs_digest_and_nothing_is_left() {
    let Some(engine) = Engine::empty() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    let mut whole = Layout::default();
    let image = whole.image("amd64", &layers("one\n"));
    whole.list(image, json!({ "org.opencontainers.image.ref.name": "a:1" }));
    // Configuration, two layers and the manifest: each damaged, each missing.
    for (number, (digest, _)) in whole.blobs.iter().enumerate() {
        let mut damaged = whole.clone();
        let last = damaged.blobs[number].1.last_mut().unwrap();
        *last ^= 1;
        let message = load(&engine, "", damaged.tar()).fails(1);
        let expected =
            format!("cannot load `-`: the archive is damaged: its blob `{digest}` has the digest `sha256:");
        assert!(message.starts_with(&expected), "{message}");
        engine.assert_unchanged(&before, "damaged");
        let mut missing = whole.clone();
        missing.blobs.remove(number);
        assert_eq!(
            load(&engine, "", missing.tar()).fails(1),
            format!("cannot load `-`: the archive has no blob `{digest}`, which it needs")
        );
        engine.assert_unchanged(&before, "missing");
    }
    let mut reserved = whole.clone();
    reserved.lines[0]["annotations"] = json!({ "io.containerd.image.name": "docker.io/library/host:latest" });
    assert!(load(&engine, "", reserved.tar()).fails(1).contains("`host` is reserved"));
    let mut circle = Layout::default();
    let line = circle.image("amd64", &layers("one\n"));
    let line = circle.blob(INDEX, json!({ "schemaVersion": 2, "manifests": [line] }).to_string().as_bytes());
    let mut line = line;
    for _ in 0..4 {
        line = circle.blob(INDEX, json!({ "schemaVersion": 2, "manifests": [line] }).to_string().as_bytes());
    }
    circle.list(line, json!({}));
    assert!(load(&engine, "", circle.tar()).fails(1).contains("from index to index"));
    engine.assert_unchanged(&before, "indexes without end");
}

#[test]
fn what_skopeo_writes_is_loaded() {
    let Some(engine) = Engine::empty() else { return };
    if !needs::program("skopeo") {
        return;
    }
    engine.feed("import - web:1", &[] as &[&str], tars::root()).ok();
    let (ours, theirs) = (engine.path("ours.tar"), engine.path("theirs.tar"));
    engine.with("save web:1 -o", &[&ours]).ok();
    for kind in ["oci-archive", "docker-archive"] {
        let mut command = std::process::Command::new("skopeo");
        let _ = std::fs::remove_file(&theirs);
        command.args(["copy", "--quiet", "--insecure-policy"]).args([
            format!("docker-archive:{}:web:1", ours.display()),
            format!("{kind}:{}:again/web:2", theirs.display()),
        ]);
        finish(&mut command, None).ok();
        assert_eq!(engine.with("load -i", &[&theirs]).ok(), "Loaded image: again/web:2");
        assert_eq!(engine.call("run --rm again/web:2 echo ran").ok(), "ran");
    }
}
