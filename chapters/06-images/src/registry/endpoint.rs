//! Where a registry is, and how it is spoken to.
//!
//! TLS, except with this machine itself and with registries that the user called insecure: those are tried with
//! TLS first and without it after. dockerd(8), "Insecure registries"; certs.d: docs.docker.com, "Verify repository
//! client with certificates".

use std::net::Ipv4Addr;
use std::path::PathBuf;

use ureq::http::Method;
use ureq::tls::{Certificate, PemItem, parse_pem};

use crate::reference::HUB;
use crate::registry::http::{Http, Request};
use crate::registry::proxy::Proxies;
use crate::registry::server::{Endpoint, Patience};

/// What the user has decided about registries.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Registries (`host` or `host:port`) that may be spoken to without TLS, or with a certificate of anybody's.
    pub insecure: Vec<String>,
    /// Where to ask before Docker Hub: base URLs.
    pub mirrors: Vec<String>,
    /// Directories such as `/etc/docker/certs.d`, in which a directory named like a registry holds certificates of
    /// authorities, `*.crt`.
    pub certificates: Vec<PathBuf>,
    /// What is asked through a proxy.
    pub proxies: Proxies,
    /// How long to wait for a registry.
    pub patience: Patience,
}

impl Settings {
    /// Where to ask for images of `registry`, the first choice first. A registry that may be spoken to without TLS is
    /// asked which it is.
    pub fn endpoints(&self, registry: &str) -> Vec<Endpoint> {
        // ANCHOR: mirrors
        let mirrors = self.mirrors.iter().filter(|_| registry == HUB);
        let mut endpoints: Vec<Endpoint> = mirrors
            .map(|mirror| Endpoint {
                is_mirror: true,
                ..self.at(mirror.trim_end_matches('/').to_owned(), false)
            })
            .collect();
        endpoints.push(self.endpoint(registry));
        endpoints
        // ANCHOR_END: mirrors
    }

    pub(crate) fn endpoint(&self, registry: &str) -> Endpoint {
        if registry == HUB {
            return self.at("https://registry-1.docker.io".to_owned(), false);
        }
        let insecure = self.insecure.iter().any(|name| name == registry);
        let encrypted = self.at(format!("https://{registry}"), insecure);
        if !insecure && !is_this_machine(registry) {
            return encrypted;
        }
        let url = format!("{}/v2/", encrypted.base);
        let speaks_tls = match Http::new(&encrypted).once(&Request::new(Method::GET, &url)) {
            Ok(_) => true,
            // It does speak TLS, and why we do not trust it is worth being told.
            Err(error) => error.is_about_trust(),
        };
        if speaks_tls { encrypted } else { self.at(format!("http://{registry}"), false) }
    }

    /// Docker Hub's search, which is no registry.
    pub(crate) fn index(&self) -> Endpoint {
        self.at("https://index.docker.io".to_owned(), false)
    }

    fn at(&self, base: String, unverified: bool) -> Endpoint {
        let name = base.split("://").last().unwrap_or_default();
        let name = name.split('/').next().unwrap_or_default();
        Endpoint {
            authorities: self.authorities(name),
            base,
            unverified,
            is_mirror: false,
            proxies: self.proxies.clone(),
            patience: self.patience,
        }
    }

    fn authorities(&self, registry: &str) -> Vec<Certificate<'static>> {
        let directories =
            self.certificates.iter().filter_map(|all| std::fs::read_dir(all.join(registry)).ok());
        let files = directories.flatten().flatten().map(|entry| entry.path());
        let texts = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "crt"))
            .filter_map(|path| std::fs::read(path).ok());
        let mut certificates = Vec::new();
        for text in texts {
            certificates.extend(parse_pem(&text).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            }));
        }
        certificates
    }
}

/// Whether the registry is on this machine, where nobody listens on the way.
fn is_this_machine(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost"
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_name_and_number() {
        for name in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.0.1", "[::1]:5000"] {
            assert!(is_this_machine(name), "{name}");
        }
        for name in ["docker.io", "10.0.0.1:5000", "localhost.example:5000"] {
            assert!(!is_this_machine(name), "{name}");
        }
    }

    #[test]
    fn mirrors_are_asked_before_the_hub_and_for_it_alone() {
        let settings = Settings { mirrors: vec!["http://mirror:5000/".to_owned()], ..Settings::default() };
        let bases = |registry| -> Vec<String> {
            settings.endpoints(registry).iter().map(|endpoint| endpoint.base().to_owned()).collect()
        };
        assert_eq!(bases("docker.io"), ["http://mirror:5000", "https://registry-1.docker.io"]);
        assert_eq!(bases("gcr.io"), ["https://gcr.io"]);
        let are_mirrors: Vec<bool> = settings.endpoints("docker.io").iter().map(|it| it.is_mirror).collect();
        assert_eq!(are_mirrors, [true, false]);
    }
}
