//! Three clients, each less trusting than the one before. Your registry has to deceive all of them.

use std::io::{self, Read as _};

use mini_layers::Digest;
use serde_json::Value;

use crate::image::{Answer, Answers};

/// Believes whatever comes.
pub fn trusting(registry: &Answers, wanted: &Digest) -> io::Result<String> {
    let manifest = get(registry, wanted)?;
    let layer = get(registry, &named_layer(&manifest.content)?)?;
    motd(&layer.content)
}

/// Wants each answer to say that it is what was asked for.
pub fn reads_labels(registry: &Answers, wanted: &Digest) -> io::Result<String> {
    let manifest = get_labelled(registry, wanted)?;
    let layer = get_labelled(registry, &named_layer(&manifest.content)?)?;
    motd(&layer.content)
}

/// As [`reads_labels`], and computes the digest of each layer, for layers are what is unpacked.
pub fn hashes_layers(registry: &Answers, wanted: &Digest) -> io::Result<String> {
    let manifest = get_labelled(registry, wanted)?;
    let named = named_layer(&manifest.content)?;
    let layer = get_labelled(registry, &named)?;
    let received = Digest::of(&layer.content);
    if received != named {
        return Err(io::Error::other(format!("the layer is {received}, and not {named}")));
    }
    motd(&layer.content)
}

fn get(registry: &Answers, digest: &Digest) -> io::Result<Answer> {
    registry.get(digest).cloned().ok_or_else(|| io::Error::other(format!("404: no {digest}")))
}

fn get_labelled(registry: &Answers, digest: &Digest) -> io::Result<Answer> {
    let answer = get(registry, digest)?;
    if answer.says != *digest {
        return Err(io::Error::other(format!("asked for {digest}, and the answer says {}", answer.says)));
    }
    Ok(answer)
}

/// The layer that a manifest names.
fn named_layer(manifest: &[u8]) -> io::Result<Digest> {
    let manifest: Value = serde_json::from_slice(manifest)?;
    let digest = manifest["layers"][0]["digest"].as_str().unwrap_or_default();
    digest.parse().map_err(|_| io::Error::other(format!("`{digest}` is no digest")))
}

/// What the file `motd` in a layer says.
fn motd(layer: &[u8]) -> io::Result<String> {
    for entry in tar::Archive::new(layer).entries()? {
        let mut entry = entry?;
        if *entry.path_bytes() == *b"motd" {
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            return Ok(text);
        }
    }
    Err(io::Error::other("the layer has no motd"))
}
