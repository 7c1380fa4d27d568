//! Of several images under one name, the one for this machine.
//!
//! We list manifests of images. Another tool that copies an image with all its platforms lists an index, which names
//! a manifest for each: one more step on the way, and more blobs to keep. OCI image spec, "Image Index".

use std::collections::HashSet;

use mini_layers::{Blobs, Digest};
use oci_spec::image::{Descriptor, ImageIndex, MediaType};
use serde_json::Value;

use crate::platform::Platform;

/// How many indexes may lead from one to the other.
const DEEPEST: usize = 4;

/// Nothing that lists or describes images is longer, in bytes.
const LONGEST: u64 = 16 << 20;

pub(crate) fn is_index(descriptor: &Descriptor) -> bool {
    match descriptor.media_type() {
        MediaType::ImageIndex => true,
        MediaType::Other(other) => other == "application/vnd.docker.distribution.manifest.list.v2+json",
        _ => false,
    }
}

/// The manifest that a line of the list leads to: of an index the one for this machine, or else the first that is
/// here. None where none is.
pub(crate) fn choose(blobs: &Blobs, descriptor: &Descriptor) -> Option<Digest> {
    search(blobs, descriptor, DEEPEST)
}

fn search(blobs: &Blobs, descriptor: &Descriptor, deepest: usize) -> Option<Digest> {
    let digest = digest_of(descriptor)?;
    if !is_index(descriptor) {
        return Some(digest);
    }
    let index: ImageIndex = serde_json::from_slice(&small(blobs, &digest)?).ok()?;
    let own = Platform::own().choose(index.manifests());
    let is_for_a_machine = |entry: &&Descriptor| {
        let platform = entry.platform().as_ref();
        platform.is_none_or(|platform| platform.os().to_string() != "unknown")
    };
    let all = index.manifests().iter().filter(is_for_a_machine);
    let mut found =
        own.into_iter().chain(all).filter_map(|entry| search(blobs, entry, deepest.checked_sub(1)?));
    found.find(|digest| blobs.contains(digest))
}

/// Adds all blobs that a line of the list leads to, whatever platform and kind they are of.
pub(crate) fn reach(blobs: &Blobs, descriptor: &Descriptor, reached: &mut HashSet<Digest>) {
    let Some(digest) = digest_of(descriptor) else { return };
    if !reached.insert(digest) {
        return;
    }
    let kind = descriptor.media_type();
    let names_others = is_index(descriptor)
        || *kind == MediaType::ImageManifest
        || matches!(kind, MediaType::Other(other) if other.contains("manifest"));
    let text = if names_others { small(blobs, &digest) } else { None };
    let Some(named) = text.and_then(|text| serde_json::from_slice::<Value>(&text).ok()) else { return };
    let lists = ["manifests", "layers"].into_iter().filter_map(|list| named[list].as_array()).flatten();
    for named in lists.chain(named.get("config")) {
        if let Ok(descriptor) = serde_json::from_value(named.clone()) {
            reach(blobs, &descriptor, reached);
        }
    }
}

/// The digest, where it is of the kind that we know.
pub(crate) fn digest_of(descriptor: &Descriptor) -> Option<Digest> {
    descriptor.digest().to_string().parse().ok()
}

fn small(blobs: &Blobs, digest: &Digest) -> Option<Vec<u8>> {
    blobs.size(digest).filter(|size| *size <= LONGEST)?;
    blobs.read(digest).ok()
}
