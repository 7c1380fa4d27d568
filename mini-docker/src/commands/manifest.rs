//! `manifest inspect`: what a registry has under a name. docker-manifest-inspect(1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mini_images::Reference;
use mini_images::lookup::{Content, Look};
use mini_images::registry::Manifest;
use serde::Serialize as _;
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::settings;

/// Docker's indentation of a manifest, and of an index.
const TAB: &[u8] = b"\t";
const SPACES: &[u8] = b"   ";

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
        let indent = if matches!(content, Content::Index(_)) { SPACES } else { TAB };
        return print(&pretty(&serde_json::from_slice(&manifest.content)?, indent)?);
    }
    let shown = match content {
        Content::Image(image) => {
            let config = look.config(&image)?;
            let platform = json!({ "architecture": config.architecture, "os": config.os });
            described(&name.to_string(), &manifest, platform)?
        }
        Content::Index(index) => {
            let mut all = Vec::new();
            for entry in index.manifests() {
                let (manifest, _) = look.get(entry.digest().as_ref())?;
                all.push(described(
                    &place(&name, &manifest),
                    &manifest,
                    serde_json::to_value(entry.platform())?,
                )?);
            }
            Value::from(all)
        }
    };
    print(&pretty(&shown, TAB)?)
}

/// Where one manifest of an index is: Docker keeps the tag of the index before the digest.
fn place(name: &Reference, manifest: &Manifest) -> String {
    match name.digest() {
        Some(_) => name.with_digest(manifest.digest).to_string(),
        None => format!("{name}@{}", manifest.digest),
    }
}

/// Docker's longer form: where it is, what it is, and the whole of it.
fn described(place: &str, manifest: &Manifest, platform: Value) -> anyhow::Result<Value> {
    let content: Value = serde_json::from_slice(&manifest.content)?;
    let media_type = content["mediaType"].as_str().unwrap_or(&manifest.media_type).to_owned();
    let kind = if media_type.contains(".docker.") { "SchemaV2Manifest" } else { "OCIManifest" };
    let mut descriptor = json!({
        "mediaType": media_type,
        "digest": manifest.digest.to_string(),
        "size": manifest.content.len(),
    });
    if !platform.is_null() {
        descriptor["platform"] = platform;
    }
    let raw = STANDARD.encode(&manifest.content);
    Ok(json!({ "Ref": place, "Descriptor": descriptor, "Raw": raw, kind: content }))
}

fn pretty(value: &Value, indent: &[u8]) -> anyhow::Result<String> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}
