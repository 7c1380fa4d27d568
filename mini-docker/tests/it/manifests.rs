//! `manifest inspect`: what a registry has under a name.

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
    insta::assert_snapshot!([inspect("", ":amd64"), inspect("-v --insecure", ":1")].join("\n\n"));
    let digest = index["manifests"][1]["digest"].as_str().unwrap();
    assert_eq!(inspect("", &format!("@{digest}")), inspect("", ":arm64"));
    assert_eq!(parsed(&inspect("-v", ":arm64"))["Descriptor"]["digest"], digest);
    let message = engine.with("manifest inspect", &[&format!("{}/lib/app:2", registry.address())]).fails(1);
    assert!(message.contains("lib/app:2 not found: manifest unknown"), "{message}");
    assert!(engine.call("manifest inspect Bad").fails(1).contains("must be lowercase"));
    assert!(!engine.root().exists(), "nothing is kept");
}
