//! Images made to measure: of these layers, saying this about themselves.

use mini_layers::Digest;
use serde_json::{Value, json};

use crate::harness::Engine;
use crate::tars::Tar;

/// An image of these layers under these names; what `more` says is added to its configuration. Returns its id.
pub(crate) fn image(engine: &Engine, tags: &[&str], layers: &[Vec<u8>], more: &Value) -> String {
    let diff_ids: Vec<String> = layers.iter().map(|tar| Digest::of(tar).to_string()).collect();
    let mut config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Cmd": ["sh"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let fields = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(fields);
    let config = config.to_string().into_bytes();
    let files: Vec<String> = (0..layers.len()).map(|number| format!("{number}.tar")).collect();
    let mut tar = Tar::new().file("config.json", &config);
    for (name, layer) in files.iter().zip(layers) {
        tar = tar.file(name, layer);
    }
    let manifest = json!([{ "Config": "config.json", "RepoTags": tags, "Layers": files }]);
    let archive = tar.file("manifest.json", manifest.to_string().as_bytes()).end();
    engine.feed("load -q", &[] as &[&str], archive).ok();
    Digest::of(&config).to_string()
}

/// A layer with one file of this content.
pub(crate) fn layer(name: &str, content: &str) -> Vec<u8> {
    Tar::new().file(name, content.as_bytes()).end()
}

/// The output with ids by their letters: what is different each time does not matter.
pub(crate) fn named(text: &str, ids: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (id, name) in ids {
        let hex = id.trim_start_matches("sha256:");
        text = text.replace(hex, name).replace(&hex[..12], name);
    }
    text
}
