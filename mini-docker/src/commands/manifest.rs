//! `manifest inspect`: what a registry has under a name. docker-manifest-inspect(1).

use mini_images::Reference;
use mini_images::lookup::{Content, Look};
use mini_images::registry::Manifest;
use serde::Serialize as _;
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::settings;

pub(crate) fn run(args: &cli::ManifestInspect) -> anyhow::Result<u8> {
    let name: Reference = args.name.parse()?;
    let mut registries = settings::registries()?;
    if args.insecure {
        registries.insecure.push(name.registry().to_owned());
    }
    let credentials = settings::credentials(name.registry())?;
    let mut look = Look::new(&name, &registries, credentials.as_ref());
    let (manifest, content) = look.first()?;
    if !args.verbose {
        return print(&pretty(&serde_json::from_slice(&manifest.content)?)?);
    }
    let Content::Index(index) = content else {
        return print(&pretty(&described(&name, &manifest, &Value::Null)?)?);
    };
    let mut all = Vec::new();
    for entry in index.manifests() {
        let (manifest, _) = look.get(entry.digest().as_ref())?;
        all.push(described(&name, &manifest, &serde_json::to_value(entry.platform())?)?);
    }
    print(&pretty(&Value::from(all))?)
}

/// Docker's longer form: where it is, what it is, and the whole of it.
fn described(name: &Reference, manifest: &Manifest, platform: &Value) -> anyhow::Result<Value> {
    let content: Value = serde_json::from_slice(&manifest.content)?;
    let media_type = content["mediaType"].as_str().unwrap_or(&manifest.media_type).to_owned();
    let mut descriptor = json!({
        "mediaType": media_type,
        "digest": manifest.digest.to_string(),
        "size": manifest.content.len(),
    });
    if !platform.is_null() {
        descriptor["platform"] = platform.clone();
    }
    let kind = if media_type.contains(".docker.") { "SchemaV2Manifest" } else { "OCIManifest" };
    let place =
        if platform.is_null() { name.to_string() } else { name.with_digest(manifest.digest).to_string() };
    Ok(json!({ "Ref": place, "Descriptor": descriptor, kind: content }))
}

/// JSON with Docker's indentation, which is a tab here.
fn pretty(value: &Value) -> anyhow::Result<String> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}
