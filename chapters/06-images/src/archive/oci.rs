//! An OCI image layout in a tar: `index.json` leads to manifests, a manifest to a configuration and layers, and each
//! is a blob under its digest. So everything is checked as it is read, and the manifest stays as it was written.
//!
//! A name stands in an annotation, in one of two: containerd's has the full name, the specification's own has a
//! name, or a tag without one. OCI image spec, "Image Layout"; book ch. 6.

use mini_layers::Digest;
use mini_layers::blobs::BlobError;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde_json::Value;

use super::{Archive, LoadError, check_count};
use crate::config::ImageConfig;
use crate::index::name_of;
use crate::intake::Coming;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::save::blob_name;
use crate::store::{Image, Images, digest_of};

/// The list of what is in the layout.
const INDEX: &str = "index.json";

/// An index may lead to an index; nobody needs more of them in a row.
const DEEPEST: usize = 4;

/// An image of the layout.
struct Entry {
    /// Its digest in `index.json`: of a manifest, or of an index that has one for each platform.
    digest: Digest,
    names: Vec<Reference>,
}

/// Whether the archive is such a layout.
pub(super) fn is_layout(archive: &Archive) -> bool {
    archive.has("oci-layout") && archive.has(INDEX)
}

impl Images {
    pub(super) fn load_layout(
        &self,
        archive: &Archive,
        platform: Option<&Platform>,
    ) -> Result<Vec<Image>, LoadError> {
        let index: ImageIndex = archive.parse(INDEX)?;
        let mut images = Vec::new();
        let mut others = Vec::new();
        for entry in entries(&index)? {
            Self::refuse_reserved(&entry.names)?;
            let Some((digest, text)) = manifest(archive, entry.digest, platform, &mut others)? else {
                continue;
            };
            let (manifest, config) = read(archive, &digest, &text)?;
            match platform {
                Some(platform) if !platform.is_of(&config) => others.push(Platform::of(&config).to_string()),
                _ => images.push(self.while_held(|| {
                    self.take_blobs(archive, &manifest, &config)?;
                    Ok::<_, LoadError>(self.add_manifest(&text, &entry.names)?)
                })?),
            }
        }
        let own = Platform::own();
        let wanted = if images.is_empty() && !others.is_empty() { platform.or(Some(&own)) } else { platform };
        super::check_platform(wanted, &images, others)?;
        Ok(images)
    }

    /// The configuration and the layers.
    fn take_blobs(
        &self,
        archive: &Archive,
        manifest: &ImageManifest,
        config: &ImageConfig,
    ) -> Result<(), LoadError> {
        let id = digest_of(manifest.config())?;
        check_count(&blob_name(&id), config, manifest.layers().len())?;
        let text = archive.read_blob(&id)?;
        let failed = |error: BlobError| LoadError::Layer { name: blob_name(&id), source: error.into() };
        self.blobs.put_bytes(&text).map_err(failed)?;
        let layers = manifest.layers().iter().zip(&config.rootfs.diff_ids).map(|(descriptor, diff_id)| {
            let blob = digest_of(descriptor)?;
            let size = archive.open_blob(&blob)?.left();
            Ok((blob_name(&blob), Coming { blob, size, diff_id: *diff_id }))
        });
        self.take(archive, &layers.collect::<Result<Vec<_>, LoadError>>()?)
    }
}

/// The images of the index with all their names, in the index's order. What is for no machine is no image:
/// attestations say so.
fn entries(index: &ImageIndex) -> Result<Vec<Entry>, LoadError> {
    let mut entries: Vec<Entry> = Vec::new();
    let unknown = |descriptor: &&Descriptor| {
        let platform = descriptor.platform().as_ref();
        platform.is_some_and(|platform| platform.os().to_string() == "unknown")
    };
    for descriptor in index.manifests().iter().filter(|descriptor| !unknown(descriptor)) {
        let digest = digest_of(descriptor)?;
        let name = name(descriptor)?;
        match entries.iter_mut().find(|entry| entry.digest == digest) {
            Some(entry) => entry.names.extend(name),
            None => entries.push(Entry { digest, names: name.into_iter().collect() }),
        }
    }
    Ok(entries)
}

fn name(descriptor: &Descriptor) -> Result<Option<Reference>, LoadError> {
    Ok(name_of(descriptor).map(str::parse).transpose()?)
}

/// The manifest that `digest` leads to, with its own digest; none when that is an index and has none for the
/// platform (this machine's where none was asked for). `others` gets those that it has.
fn manifest(
    archive: &Archive,
    mut digest: Digest,
    platform: Option<&Platform>,
    others: &mut Vec<String>,
) -> Result<Option<(Digest, Vec<u8>)>, LoadError> {
    let own = Platform::own();
    for _ in 0..DEEPEST {
        let text = archive.read_blob(&digest)?;
        let value: Value = parse(&digest, &text)?;
        if value.get("manifests").is_none() {
            return Ok(Some((digest, text)));
        }
        let index: ImageIndex = parse(&digest, &text)?;
        let only = Some(index.manifests()).filter(|all| all.len() == 1).and_then(|all| all.first());
        let chosen = platform.unwrap_or(&own).choose(index.manifests());
        match chosen.or(only.filter(|only| only.platform().is_none())) {
            Some(descriptor) => digest = digest_of(descriptor)?,
            None => {
                let found = index.manifests().iter().filter_map(|entry| entry.platform().as_ref());
                let found = found.map(|platform| format!("{}/{}", platform.os(), platform.architecture()));
                others.extend(found.filter(|platform| !platform.starts_with("unknown")));
                return Ok(None);
            }
        }
    }
    Err(LoadError::Deep(digest))
}

fn read(archive: &Archive, digest: &Digest, text: &[u8]) -> Result<(ImageManifest, ImageConfig), LoadError> {
    let manifest: ImageManifest = parse(digest, text)?;
    let id = digest_of(manifest.config())?;
    let config = parse(&id, &archive.read_blob(&id)?)?;
    Ok((manifest, config))
}

fn parse<T: serde::de::DeserializeOwned>(digest: &Digest, text: &[u8]) -> Result<T, LoadError> {
    serde_json::from_slice(text).map_err(|source| LoadError::Malformed { name: blob_name(digest), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{NAME, REF_NAME};

    fn named(annotations: &Value) -> Option<String> {
        let descriptor = serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1,
            "digest": Digest::of(b"x").to_string(), "annotations": annotations,
        });
        let descriptor: Descriptor = serde_json::from_value(descriptor).unwrap();
        name(&descriptor).unwrap().map(|name| name.to_string())
    }

    #[test]
    fn the_full_name_counts_before_the_specifications_own() {
        let both = serde_json::json!({ NAME: "registry.example/a:1", REF_NAME: "1" });
        assert_eq!(named(&both).as_deref(), Some("registry.example/a:1"));
        let name = serde_json::json!({ REF_NAME: "busybox:1.36" });
        assert_eq!(named(&name).as_deref(), Some("docker.io/library/busybox:1.36"));
    }

    #[test]
    fn a_tag_alone_names_nothing() {
        assert_eq!(named(&serde_json::json!({ REF_NAME: "latest" })), None);
        assert_eq!(named(&serde_json::json!({})), None);
    }
}
