//! A server to ask: its address, whom it is believed to be, and how long it may take.

use std::time::Duration;

use ureq::tls::Certificate;

use crate::registry::proxy::Proxies;

/// How long to wait for a registry. Other values than the usual ones are for tests.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// How long a server may be silent.
    pub silence: Duration,
    /// The longest that a server may have us wait before we ask again.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(30), silence: seconds(60), longest_wait: seconds(30) }
    }
}

/// A place to ask.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(crate) base: String,
    /// Authorities that are trusted beside the machine's.
    pub(crate) authorities: Vec<Certificate<'static>>,
    /// Whether any certificate will do.
    pub(crate) unverified: bool,
    /// Whether it is somebody else's copy of the registry, whom the user's password there is nothing to.
    pub(crate) is_mirror: bool,
    pub(crate) proxies: Proxies,
    pub(crate) patience: Patience,
}

impl Endpoint {
    /// `https://registry.example`, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.base.starts_with("https:")
    }
}
