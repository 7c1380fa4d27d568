//! What a program left behind.

use std::fmt;

/// A thing that was not there before the program ran, or one that has gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// What sort of thing.
    pub kind: LeakKind,
    /// Which one: a path, or the name of an interface; of a process its command line.
    pub subject: String,
    /// A sentence about it.
    pub text: String,
    /// How it is taken away, and how a program does not leave it.
    pub mend: String,
}

/// What sort of thing was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeakKind {
    /// A mount.
    Mount,
    /// A mount of the machine that the program took away.
    Unmount,
    /// A cgroup.
    Cgroup,
    /// A network interface.
    Link,
    /// A process that still runs.
    Process,
    /// A file or directory.
    File,
    /// A container that mini-docker has on record.
    Container,
}

impl LeakKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Mount, Self::Unmount, Self::Cgroup, Self::Link, Self::Process, Self::File, Self::Container];

    /// One word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::Unmount => "unmount",
            Self::Cgroup => "cgroup",
            Self::Link => "link",
            Self::Process => "process",
            Self::File => "file",
            Self::Container => "container",
        }
    }
}

impl fmt::Display for LeakKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.text, self.mend)
    }
}

/// Leaks that are expected. Written `file:/tmp/image*`: a kind, and a subject or, before a `*`, its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The kind.
    pub kind: LeakKind,
    /// The subject, or its beginning and a `*`.
    pub subject: String,
}

/// A text that does not say which leaks are allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a kind of leak and its subject, such as `file:/tmp/image*`; kinds are {kinds}")]
pub struct AllowedError {
    text: String,
    kinds: String,
}

impl Allowed {
    /// Whether `leak` is one of those.
    pub fn matches(&self, leak: &Leak) -> bool {
        let is_subject = match self.subject.strip_suffix('*') {
            Some(beginning) => leak.subject.starts_with(beginning),
            None => leak.subject == self.subject,
        };
        leak.kind == self.kind && is_subject
    }
}

impl std::str::FromStr for Allowed {
    type Err = AllowedError;

    fn from_str(text: &str) -> Result<Self, AllowedError> {
        let parts = text.split_once(':');
        let known = parts.and_then(|(name, subject)| {
            let kind = LeakKind::ALL.into_iter().find(|kind| kind.name() == name)?;
            Some(Self { kind, subject: subject.to_owned() })
        });
        known.ok_or_else(|| AllowedError {
            text: text.to_owned(),
            kinds: LeakKind::ALL.map(LeakKind::name).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Leak, LeakKind};

    #[test]
    fn a_leak_is_allowed_by_kind_and_beginning() {
        let leak = |kind, subject: &str| Leak {
            kind,
            subject: subject.to_owned(),
            text: String::new(),
            mend: String::new(),
        };
        let allowed: Allowed = "file:/tmp/image*".parse().unwrap();
        assert!(allowed.matches(&leak(LeakKind::File, "/tmp/images")));
        assert!(!allowed.matches(&leak(LeakKind::Mount, "/tmp/images")));
        let exact: Allowed = "mount:/tmp/a".parse().unwrap();
        assert!(!exact.matches(&leak(LeakKind::Mount, "/tmp/a/b")));
        assert!("files:/tmp".parse::<Allowed>().is_err());
        assert!("/tmp".parse::<Allowed>().is_err());
    }
}
