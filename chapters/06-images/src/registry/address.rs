//! Addresses as far as a registry's client takes them apart. RFC 3986.

/// `https://host:port` of an address.
pub(crate) fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let length = url[start..].find(['/', '?', '#']).unwrap_or(url.len() - start);
    &url[..start + length]
}

/// `host` and the port of an address, without the brackets of IPv6.
pub(crate) fn host_and_port(url: &str) -> (&str, u16) {
    let usual = if url.starts_with("https:") { 443 } else { 80 };
    let authority = origin(url).split("://").last().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(usual)),
        _ => (authority, usual),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

/// Where `location`, found in the answer of `base`, leads. RFC 3986, "Reference Resolution", for what servers send.
pub(crate) fn joined(base: &str, location: &str) -> String {
    let location = location.split('#').next().unwrap_or_default();
    if location.contains("://") {
        return location.to_owned();
    }
    if location.starts_with("//") {
        let scheme = base.split("//").next().unwrap_or_default();
        return format!("{scheme}{location}");
    }
    if location.starts_with('/') {
        return format!("{}{location}", origin(base));
    }
    let path = base.split(['?', '#']).next().unwrap_or_default();
    let directory = path.rfind('/').filter(|at| *at >= origin(base).len()).map_or(path, |at| &path[..at]);
    format!("{directory}/{location}")
}

/// Percent-encoded, all but what RFC 3986 calls unreserved.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The address with one more field in its query.
pub(crate) fn with_field(url: &str, name: &str, value: &str) -> String {
    format!("{url}{}{name}={}", if url.contains('?') { '&' } else { '?' }, encoded(value))
}

/// The address of the next page, from a `Link` header: `</v2/_catalog?last=a&n=1000>; rel="next"`.
pub(crate) fn next_page(url: &str, link: &str) -> Option<String> {
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| joined(url, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_as_browsers_read_it() {
        let base = "https://a:5000/v2/x/blobs/1?q=/";
        assert_eq!(joined(base, "http://b/c?d"), "http://b/c?d");
        assert_eq!(joined(base, "//b/c"), "https://b/c");
        assert_eq!(joined(base, "/c?d#e"), "https://a:5000/c?d");
        assert_eq!(joined(base, "c"), "https://a:5000/v2/x/blobs/c");
        assert_eq!(joined("https://a", "c"), "https://a/c");
    }

    #[test]
    fn an_address_is_taken_apart() {
        assert_eq!(origin("https://a:5000?x"), "https://a:5000");
        assert_eq!(host_and_port("https://a/b:c"), ("a", 443));
        assert_eq!(host_and_port("http://[::1]:5000/v2/"), ("::1", 5000));
        assert_eq!(host_and_port("http://[::1]"), ("::1", 80));
    }

    #[test]
    fn a_scope_survives_being_put_into_an_address() {
        let url = with_field("https://a/token", "scope", "repository:a/b:pull");
        assert_eq!(url, "https://a/token?scope=repository%3Aa%2Fb%3Apull");
        assert_eq!(with_field(&url, "service", "x"), format!("{url}&service=x"));
    }

    #[test]
    fn the_next_page_is_where_the_link_says() {
        let link = r#"</v2/_catalog?last=b&n=2>; rel="next""#;
        let next = next_page("https://a/v2/_catalog?n=2", link);
        assert_eq!(next.as_deref(), Some("https://a/v2/_catalog?last=b&n=2"));
        assert_eq!(next_page("https://a/", "nothing"), None);
    }
}
