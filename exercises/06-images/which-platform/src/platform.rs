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
        entries.iter().find(|entry| {
            entry.platform().as_ref().is_some_and(|platform| {
                platform.architecture().to_string() == self.architecture
                    && self
                        .variant
                        .as_deref()
                        .is_none_or(|wanted| platform.variant().as_deref() == Some(wanted))
            })
        })
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
