//! Which of an index's images is the one for a machine.
//!
//! An index lists manifests, each for an operating system, a processor, and at times a variant of it. Some entries are
//! for no machine at all (attestations say `unknown`). OCI image spec, "Image Index"; containerd's platforms.

use std::fmt;
use std::str::FromStr;

use oci_spec::image::Descriptor;

use crate::config::{ImageConfig, architecture};

/// `os/architecture/variant`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7`, `v8`; none for any.
    pub variant: Option<String>,
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no platform: `os/architecture` or `os/architecture/variant`, such as `linux/arm64`")]
pub struct PlatformError(String);

impl Platform {
    /// This machine's.
    pub fn own() -> Self {
        Self { os: "linux".to_owned(), architecture: architecture().to_owned(), variant: None }
    }

    /// The one that an image says it is for.
    pub fn of(config: &ImageConfig) -> Self {
        let ImageConfig { os, architecture, variant, .. } = config.clone();
        Self { os, architecture, variant }
    }

    /// Whether the image is for this platform.
    pub fn is_of(&self, config: &ImageConfig) -> bool {
        let variant = config.variant.as_deref().unwrap_or("v8");
        config.os == self.os
            && config.architecture == self.architecture
            && self.variant.as_deref().is_none_or(|wanted| variant == wanted)
    }

    /// The entry for this platform among those of an index: the first that fits.
    pub fn choose<'a>(&self, entries: &'a [Descriptor]) -> Option<&'a Descriptor> {
        // ANCHOR: choose
        entries.iter().find(|entry| {
            entry.platform().as_ref().is_some_and(|platform| {
                let variant = platform.variant().as_deref();
                platform.os().to_string() == self.os
                    && platform.architecture().to_string() == self.architecture
                    // Every 64-bit ARM processor is a v8, whether or not the index says so.
                    && self.variant.as_deref().is_none_or(|wanted| variant.unwrap_or("v8") == wanted)
            })
        })
        // ANCHOR_END: choose
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Reads what people write, with the other names of two processors.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant.to_owned())),
            [architecture] => ("linux", architecture, None),
            _ => return Err(PlatformError(text.to_owned())),
        };
        let word = |part: &&str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        if !parts.iter().all(word) {
            return Err(PlatformError(text.to_owned()));
        }
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Ok(Self { os: os.to_ascii_lowercase(), architecture: architecture.to_owned(), variant })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Descriptor> {
        let entry = |os: &str, architecture: &str, variant: Option<&str>| {
            serde_json::json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1,
                "digest": format!("sha256:{}", "0".repeat(64)),
                "platform": { "os": os, "architecture": architecture, "variant": variant },
            })
        };
        let all = [
            entry("unknown", "unknown", None),
            entry("linux", "amd64", None),
            entry("linux", "arm", Some("v7")),
            entry("linux", "arm64", Some("v8")),
        ];
        serde_json::from_value(serde_json::Value::from_iter(all)).unwrap()
    }

    #[test]
    fn the_entry_for_the_machine_is_chosen() {
        let chosen = |text: &str| {
            let platform: Platform = text.parse().unwrap();
            platform
                .choose(&entries())
                .map(|entry| entry.platform().clone().unwrap().architecture().to_string())
        };
        assert_eq!(chosen("linux/amd64").as_deref(), Some("amd64"));
        assert_eq!(chosen("aarch64").as_deref(), Some("arm64"));
        assert_eq!(chosen("linux/arm64/v8").as_deref(), Some("arm64"));
        assert_eq!(chosen("linux/arm/v7").as_deref(), Some("arm"));
        assert_eq!(chosen("linux/arm/v6"), None);
        assert_eq!(chosen("windows/amd64"), None);
    }

    #[test]
    fn what_names_no_platform_is_refused() {
        for text in ["", "linux/", "a/b/c/d", "linux amd64"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
