//! Which site a request asks for: one host, and only one.

use super::Refusal;
use http::{HeaderMap, Uri, Version, header};
use serve::Scheme;
use std::net::Ipv6Addr;

/// Exactly one host, wherever it stands. Where it stands twice it must be the same (RFC 9113 §8.3.1): RFC 9112 §3.2.2 would have
/// Host ignored beside a target with a host, but whoever is behind us may read the other one. HTTP/1.0 may name none.
pub(super) fn of(uri: &Uri, headers: &HeaderMap, version: Version) -> Result<String, Refusal> {
    let mut lines = headers.get_all(header::HOST).iter();
    let host = lines.next();
    if lines.next().is_some() {
        return Err(Refusal::Host);
    }
    let scheme = if uri.scheme_str() == Some("https") { Scheme::Https } else { Scheme::Http };
    let named = |host: &str| {
        let mut site = site(host).ok_or(Refusal::Host)?;
        // As the target's scheme has it; a target without one says nothing of ports.
        if uri.scheme().is_some() {
            cut_port(&mut site, scheme);
        }
        Ok(site)
    };
    let authority = uri.authority().map(|authority| named(authority.as_str())).transpose()?;
    let host = host.map(|host| named(host.to_str().map_err(|_| Refusal::Host)?)).transpose()?;
    match (authority, host) {
        (Some(authority), Some(host)) if authority != host => Err(Refusal::Host),
        (Some(site), _) | (None, Some(site)) => Ok(site),
        (None, None) if version <= Version::HTTP_10 => Ok(String::new()),
        (None, None) => Err(Refusal::Host),
    }
}

/// A name or an address, perhaps with a port (RFC 9110 §4.2.1): in lower case, without the root's dot, with which it is the same name
/// to DNS and another to everybody else, and without the colon of a port that is not there (RFC 9110 §4.2.3). The grammar has more
/// names, of marks that lists are made of, too: what one server takes for a name and another for two is none that DNS knows.
fn site(host: &str) -> Option<String> {
    let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, port)) => {
            address.parse::<Ipv6Addr>().ok()?;
            let port = if port.is_empty() { port } else { port.strip_prefix(':')? };
            (&host[..address.len() + 2], port)
        }
        None => {
            let (name, port) = colon(host).map_or((host, ""), |at| (&host[..at], &host[at + 1..]));
            let name = name.strip_suffix('.').unwrap_or(name);
            (Some(name).filter(|name| is_name(name))?, port)
        }
    };
    if !is_port(port) {
        return None;
    }
    let mut site = String::with_capacity(host.len());
    site.push_str(name);
    site.make_ascii_lowercase();
    if !port.is_empty() {
        site.push(':');
        site.push_str(port);
    }
    Some(site)
}

/// Takes out the port that `scheme` has by itself.
pub(super) fn cut_port(host: &mut String, scheme: Scheme) {
    let port = match scheme {
        Scheme::Http => ":80",
        Scheme::Https => ":443",
    };
    let bare = host.strip_suffix(port).map_or(host.len(), str::len);
    host.truncate(bare);
}

/// Labels with a dot between each two. In one pass: each request has one.
fn is_name(name: &str) -> bool {
    let mut label = 0;
    for byte in name.bytes() {
        label = match byte {
            b'.' if label > 0 => 0,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => label + 1,
            _ => return false,
        };
    }
    label > 0
}

/// Where the first one is. Names are short: a search that is made for long texts takes longer to begin than this does.
fn colon(host: &str) -> Option<usize> {
    host.bytes().position(|byte| byte == b':')
}

/// As anybody writes it: no zero before it, and none that is nothing else. Where there are no digits it is its scheme's.
fn is_port(digits: &str) -> bool {
    let is_number = || digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    digits.is_empty() || (!digits.starts_with('0') && is_number())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(target: &str, hosts: &[&str]) -> Result<String, Refusal> {
        let request = Request::builder().uri(target);
        let request = hosts.iter().fold(request, |request, host| request.header(header::HOST, *host));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        of(&parts.uri, &parts.headers, parts.version)
    }

    #[test]
    fn one_host_and_only_one() {
        // Attacks 20 and 21.
        assert!(read("/x", &["a"]).is_ok());
        assert!(read("http://a/x", &["A"]).is_ok());
        assert!(read("http://a/x", &[]).is_ok());
        for host in
            ["[::1]:80", "[2001:db8::1]", "a.b-c.example:8080", "a_b.example", "example.", "127.0.0.1:1"]
        {
            assert!(read("/x", &[host]).is_ok(), "{host}");
        }
        for (host, site) in [
            ("Example.", "example"),
            ("a.example.:8080", "a.example:8080"),
            ("A.example", "a.example"),
            ("[::1]:80", "[::1]:80"),
            // RFC 9110 §4.2.3: a port that is empty is the scheme's.
            ("a:", "a"),
            ("a.:", "a"),
            ("[::1]:", "[::1]"),
        ] {
            assert_eq!(read("/x", &[host]).unwrap(), site);
        }
        // The same, written in two ways (RFC 9112 §3.2.2).
        for (target, host, site) in [
            ("http://a:80/x", "a", "a"),
            ("http://a/x", "A.:80", "a"),
            ("http://a./x", "a", "a"),
            ("https://a/x", "a:443", "a"),
            ("http://a:8080/x", "a:8080", "a:8080"),
        ] {
            assert_eq!(read(target, &[host]).unwrap(), site, "{target} {host}");
        }
        for (target, hosts) in [
            ("/x", &[][..]),
            ("/x", &[""]),
            ("/x", &["a", "a"]),
            ("/x", &["a, b"]),
            ("/x", &["a,b"]),
            ("/x", &["a;b"]),
            ("/x", &["a&b"]),
            ("/x", &["*.a"]),
            ("/x", &["..a"]),
            ("/x", &["a..b"]),
            ("/x", &["."]),
            ("/x", &["[zz]"]),
            ("/x", &["[::1"]),
            ("/x", &["a:080"]),
            ("/x", &["a:0"]),
            ("/x", &["u@a"]),
            ("/x", &["a/b"]),
            ("/x", &["a:b"]),
            ("/x", &["a::"]),
            ("/x", &["a:+1"]),
            ("/x", &["a:65536"]),
            ("/x", &[":80"]),
            ("http://u@a/x", &["u@a"]),
            ("http://u@a/x", &[]),
            ("http://a/x", &["b"]),
            ("http://a/x", &["a:443"]),
            ("http://a/x", &[""]),
        ] {
            assert_eq!(read(target, hosts).unwrap_err(), Refusal::Host, "{target} {hosts:?}");
        }
    }
}
