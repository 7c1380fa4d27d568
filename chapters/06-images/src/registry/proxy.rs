//! Which requests go through a proxy: the rules of Go's programs, and so of Docker.
//!
//! One proxy for addresses with TLS, one for those without; nothing that is on this machine; and a list of what
//! needs none: hosts, domains with all below them, addresses, networks, each with a port or without.
//! golang.org/x/net/http/httpproxy; book ch. 6.

use std::fmt;
use std::net::IpAddr;

use crate::registry::address::host_and_port;

/// The proxies of a user, as the environment has them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For addresses with TLS: `HTTPS_PROXY`.
    pub https: Option<String>,
    /// For those without: `HTTP_PROXY`.
    pub http: Option<String>,
    /// What is asked directly, separated by commas: `NO_PROXY`.
    pub except: String,
}

impl fmt::Debug for Proxies {
    // A proxy may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxies(…)")
    }
}

impl Proxies {
    /// The proxy for this address.
    pub(crate) fn of(&self, url: &str) -> Option<&str> {
        let proxy = if url.starts_with("https:") { &self.https } else { &self.http };
        let proxy = proxy.as_deref().filter(|proxy| !proxy.is_empty())?;
        let (host, port) = host_and_port(url);
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let excepted = || self.except.split(',').any(|entry| matches(entry.trim(), &host, address, port));
        (!is_here && !excepted()).then_some(proxy)
    }
}

fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    let entry = entry.to_ascii_lowercase();
    if entry.is_empty() {
        return false;
    }
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        let network = network.parse::<IpAddr>().ok().zip(bits.parse().ok());
        return network.zip(address).is_some_and(|((network, bits), address)| within(network, bits, address));
    }
    let (name, wanted) = match entry.parse::<IpAddr>() {
        Ok(_) => (entry.as_str(), None),
        Err(_) => match entry.rsplit_once(':') {
            Some((name, number)) if number.parse::<u16>().is_ok() => (name, number.parse::<u16>().ok()),
            _ => (entry.as_str(), None),
        },
    };
    if wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(name) = name.parse::<IpAddr>() {
        return address == Some(name);
    }
    // `.a.b` and `*.a.b` mean what is below `a.b`; `a.b` means itself too.
    let name = name.strip_prefix('*').unwrap_or(name);
    match name.strip_prefix('.') {
        Some(domain) => is_below(host, domain),
        None => host == name || is_below(host, name),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn within(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (bits == 0 || network >> (width - bits) == address >> (width - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes_through(url: &str, except: &str) -> bool {
        let proxies = Proxies {
            https: Some("http://with".to_owned()),
            http: Some("http://without".to_owned()),
            except: except.to_owned(),
        };
        proxies.of(url).is_some()
    }

    #[test]
    fn each_kind_of_address_has_its_own_proxy() {
        let proxies = Proxies { https: Some("http://p".to_owned()), ..Proxies::default() };
        assert_eq!(proxies.of("https://a/"), Some("http://p"));
        assert_eq!(proxies.of("http://a/"), None);
    }

    #[test]
    fn this_machine_is_never_asked_through_a_proxy() {
        for url in
            ["http://localhost:5000/v2/", "https://127.0.0.1", "https://127.9.9.9:1/", "http://[::1]:5/"]
        {
            assert!(!goes_through(url, ""), "{url}");
        }
    }

    #[test]
    fn exceptions_are_those_of_go() {
        for (except, url) in [
            ("*", "https://a.b/"),
            ("x, a.b", "https://a.b/"),
            ("a.b", "https://c.A.b/"),
            (".a.b", "https://c.a.b/"),
            ("*.a.b", "https://c.a.b/"),
            ("a.b:5000", "https://a.b:5000/"),
            ("a.b:443", "https://a.b/"),
            ("10.0.0.0/8", "https://10.1.2.3:5/"),
            ("10.1.2.3", "https://10.1.2.3:5/"),
            ("10.1.2.3:5", "https://10.1.2.3:5/"),
            ("fd00::/16", "https://[fd00::1]/"),
            ("fd00::1", "https://[fd00::1]/"),
        ] {
            assert!(!goes_through(url, except), "{except} {url}");
        }
        for (except, url) in [
            ("", "https://a.b/"),
            ("a.b", "https://xa.b/"),
            (".a.b", "https://a.b/"),
            ("a.b:5000", "https://a.b/"),
            ("10.0.0.0/8", "https://11.1.2.3/"),
            ("10.0.0.0/99", "https://10.1.2.3/"),
            ("10.0.0.0/8", "https://[fd00::1]/"),
        ] {
            assert!(goes_through(url, except), "{except} {url}");
        }
    }
}
