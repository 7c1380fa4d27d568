//! `manifest inspect`: what a registry has under a name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::Engine;
use crate::made::layer;
use crate::registry::{INDEX, Registry};

#[test]
fn a_manifest_and_an_index_are_shown_as_they_are() {
    let engine = Engine::anywhere();
    let Some(registry) = Registry::start(&engine) else { return };
    let entries = ["amd64", "arm64"].map(|architecture| {
        let mut entry = registry.image("lib/app", architecture, architecture, &[&layer("for", architecture)]);
        entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
        entry
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    registry.manifest("lib/app", "1", INDEX, &index);
    let settled = |text: String| text.replace(&registry.address(), "REGISTRY");
    let inspect = |line: &str, name: &str| {
        let name = format!("{}/lib/app{name}", registry.address());
        settled(engine.with(&format!("manifest inspect {line}"), &[name]).ok())
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();

    assert_eq!(parsed(&inspect("", ":1")), index);
    let all = ["", "", "-v", "-v --insecure"].iter().zip([":amd64", ":1", ":arm64", ":1"]);
    let all: Vec<String> = all.map(|(line, name)| inspect(line, name)).collect();
    // Other bytes come out of another version of the compressor.
    let filters = vec![
        ("sha256:[0-9a-f]{64}", "DIGEST"),
        ("\"size\": [0-9]+", "\"size\": BYTES"),
        ("\"Raw\": \"[^\"]+", "\"Raw\": \"BASE64"),
    ];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(all.join("\n\n")) });
    // What is told raw has the digest that is told.
    let verbose = parsed(&inspect("-v", ":arm64"));
    let raw = STANDARD.decode(verbose["Raw"].as_str().unwrap()).unwrap();
    assert_eq!(verbose["Descriptor"]["digest"], mini_layers::Digest::of(&raw).to_string());
    let digest = index["manifests"][1]["digest"].as_str().unwrap();
    assert_eq!(inspect("", &format!("@{digest}")), inspect("", ":arm64"));
    let message = engine.with("manifest inspect", &[&format!("{}/lib/app:2", registry.address())]).fails(1);
    assert_eq!(settled(message), "no such manifest: REGISTRY/lib/app:2");
    assert!(engine.call("manifest inspect Bad").fails(1).contains("must be lowercase"));
    assert!(!engine.root().exists(), "nothing is kept");
}
