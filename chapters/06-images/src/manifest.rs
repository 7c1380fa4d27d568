//! What a registry sent: an image, an index of images, or something else.
//!
//! The media type says so, and so does the content, and where they differ the content is right: its digest is checked,
//! a header is not. OCI image spec, "Media Types"; Docker image manifest v2, schema 2.

/// What a registry may send where an image is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Images, one for each platform.
    Index,
    /// An image.
    Manifest,
    /// Docker's oldest format, which has no digests of configurations.
    Schema1,
    /// No image.
    Other,
}

/// What it says it is; registries that answer `application/json` leave it to the content.
pub(crate) fn kind(media_type: &str, content: &[u8]) -> Kind {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outline {
        schema_version: Option<u32>,
        media_type: Option<String>,
        manifests: Option<serde_json::Value>,
        config: Option<serde_json::Value>,
    }
    let outline: Option<Outline> = serde_json::from_slice(content).ok();
    let Some(outline) = outline else { return Kind::Other };
    // ANCHOR: kind
    let says = outline.media_type.as_deref().unwrap_or(media_type);
    match says {
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => Kind::Index,
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => Kind::Manifest,
        _ if outline.schema_version == Some(1) => Kind::Schema1,
        _ if outline.schema_version == Some(2) && outline.manifests.is_some() => Kind::Index,
        _ if outline.schema_version == Some(2) && outline.config.is_some() => Kind::Manifest,
        _ => Kind::Other,
    }
    // ANCHOR_END: kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_tells_what_the_media_type_leaves_open() {
        let of = |content: &str| kind("application/json", content.as_bytes());
        assert_eq!(of(r#"{"schemaVersion":2,"manifests":[]}"#), Kind::Index);
        assert_eq!(of(r#"{"schemaVersion":2,"config":{},"layers":[]}"#), Kind::Manifest);
        assert_eq!(of(r#"{"schemaVersion":1,"fsLayers":[]}"#), Kind::Schema1);
        for text in ["<html>", "{}", "[]", "7"] {
            assert_eq!(of(text), Kind::Other, "{text}");
        }
        let index = "application/vnd.oci.image.index.v1+json";
        let manifest = r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;
        assert_eq!(kind(index, manifest.as_bytes()), Kind::Manifest);
    }
}
