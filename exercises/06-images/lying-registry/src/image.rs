//! A small image, and what a registry sends of it.

use std::collections::BTreeMap;

use mini_layers::Digest;
use serde_json::json;

/// What is sent when a digest is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The header `Docker-Content-Digest`.
    pub says: Digest,
    /// The body.
    pub content: Vec<u8>,
}

/// What a registry sends, by the digest that is asked for.
pub type Answers = BTreeMap<Digest, Answer>;

/// An image of one layer, in which there is one file, `motd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Names the other two.
    pub manifest: Vec<u8>,
    /// The configuration.
    pub config: Vec<u8>,
    /// A tar.
    pub layer: Vec<u8>,
}

impl Image {
    /// The image in which `motd` says `text`.
    pub fn with(text: &str) -> Self {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let mut tar = tar::Builder::new(Vec::new());
        // Writing to memory does not fail.
        let _ = tar.append_data(&mut header, "motd", text.as_bytes());
        let layer = tar.into_inner().unwrap_or_default();
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).to_string()] },
        });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "size": config.len(), "digest": Digest::of(&config).to_string(),
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "size": layer.len(), "digest": Digest::of(&layer).to_string(),
            }],
        });
        Self { manifest: manifest.to_string().into_bytes(), config, layer }
    }

    /// What the image is asked for by.
    pub fn manifest_digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// The digest of the configuration, which the manifest names.
    pub fn config_digest(&self) -> Digest {
        Digest::of(&self.config)
    }

    /// The digest of the layer, which the manifest names.
    pub fn layer_digest(&self) -> Digest {
        Digest::of(&self.layer)
    }

    /// What an honest registry sends.
    pub fn answers(&self) -> Answers {
        let all = [&self.manifest, &self.config, &self.layer];
        let honest = |content: &Vec<u8>| {
            let digest = Digest::of(content);
            (digest, Answer { says: digest, content: content.clone() })
        };
        all.map(honest).into()
    }
}
