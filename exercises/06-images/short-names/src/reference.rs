//! The names of images: `registry/namespace/name:tag@digest`, and the short forms that people type.
//!
//! `debian` means `docker.io/library/debian:latest`. The part before the first slash is a registry when it has
//! a dot or a colon in it or is `localhost`; else it is a namespace on Docker Hub. Names are shown short
//! again. github.com/distribution/reference (the grammar); book ch. 6.

use std::fmt;
use std::str::FromStr;

use mini_layers::Digest;

/// The registry that a name without one means.
pub(crate) const HUB: &str = "docker.io";

/// A name of an image, complete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that is no name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Docker's words for what has a wrong form.
    #[error("invalid reference format: `{0}`")]
    Format(String),
    /// Upper case letters are the usual mistake, so they have words of their own.
    #[error("invalid reference format: repository name `{0}` must be lowercase")]
    UpperCase(String),
    /// A digest that is none.
    #[error("invalid digest in `{0}`")]
    Digest(String, #[source] mini_layers::digest::DigestError),
}

impl Reference {
    /// `docker.io`, `localhost:5000`, …
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// `library/debian`, without registry and tag.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Whether both are names in one repository of one registry.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.registry == other.registry && self.repository == other.repository
    }

    /// The tag, if the name has one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the name has one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether both are names in the same repository.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.registry == other.registry && self.repository == other.repository
    }

    /// The same repository with this digest in place of tag and digest.
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The repository as people write it: without what is understood. `docker.io/a.b/c` stays as it is, because
    /// `a.b/c` would be understood as another registry's.
    pub fn familiar_repository(&self) -> String {
        if self.registry != HUB {
            return format!("{}/{}", self.registry, self.repository);
        }
        let official = self.repository.strip_prefix("library/").filter(|name| !name.contains('/'));
        match self.repository.split_once('/') {
            _ if official.is_some() => official.unwrap_or_default().to_owned(),
            Some((first, _)) if is_registry(first) => format!("{HUB}/{}", self.repository),
            _ => self.repository.clone(),
        }
    }

    /// The name as people write it, with its tag: `debian:latest`.
    pub fn familiar(&self) -> String {
        let mut name = self.familiar_repository();
        self.write_suffix(&mut name);
        name
    }

    fn write_suffix(&self, name: &mut String) {
        if let Some(tag) = &self.tag {
            *name += ":";
            *name += tag;
        }
        if let Some(digest) = &self.digest {
            *name += "@";
            *name += &digest.to_string();
        }
    }
}

impl fmt::Display for Reference {
    /// The name in full: `docker.io/library/debian:latest`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = format!("{}/{}", self.registry, self.repository);
        self.write_suffix(&mut name);
        f.write_str(&name)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = || ReferenceError::Format(text.to_owned());
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest =
                    digest.parse().map_err(|error| ReferenceError::Digest(text.to_owned(), error))?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let (name, tag): (&str, Option<&str>) = (rest, None); // tag: where does it begin, if there is one?
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong());
        }
        let (registry, path): (&str, &str) = (HUB, name); // registry: is what stands before the first slash one?
        if !is_domain(registry) {
            return Err(wrong());
        }
        if path.chars().any(|c| c.is_ascii_uppercase()) && is_path(&path.to_ascii_lowercase()) {
            return Err(ReferenceError::UpperCase(path.to_owned()));
        }
        let repository: String = path.to_owned(); // understood: the repository in full
        if !is_path(path) || repository.len() > 255 {
            return Err(wrong());
        }
        let tag = match (tag, &digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag.map(str::to_owned),
        };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

/// Whether the first of several components is a registry rather than a namespace on Docker Hub.
fn is_registry(first: &str) -> bool {
    todo!("is-registry: what does a registry have in its name that a namespace has not?")
}

/// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(word) && text.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

/// Components of lower-case letters and digits with single separators (`.`, `_`, `__`, any number of `-`).
fn is_path(text: &str) -> bool {
    text.split('/').all(|component| {
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        component.starts_with(alphanumeric)
            && component.ends_with(alphanumeric)
            && component
                .split(alphanumeric)
                .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.chars().all(|c| c == '-'))
    })
}

fn is_domain(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "1"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.split('.').all(label) && !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
}
