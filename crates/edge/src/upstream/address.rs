//! Which server is asked.

use http::{HeaderValue, Uri};
use rustls::pki_types::ServerName;

/// A server as configured: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    scheme: Scheme,
    host: String,
    port: u16,
    authority: HeaderValue,
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Address {
    /// Reads `http://HOST[:PORT]` or `https://HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong and what would be right, to stand behind the option's name.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "give for example http://127.0.0.1:8090";
        if let Some(letter) = url.chars().find(|letter| !letter.is_ascii()) {
            return Err(format!(
                "has `{letter}`, which stands in no URL: signs are ASCII's, and a name is to be written as DNS has it, by \"xn--\" \
                 (Punycode)"
            ));
        }
        let uri: Uri = url.parse().map_err(|error| format!("is no URL ({error}); {EXAMPLE}"))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(format!("has no scheme that is known here; {EXAMPLE}")),
        };
        let authority = uri.authority().ok_or_else(|| format!("names no host; {EXAMPLE}"))?;
        if authority.as_str().contains('@') {
            return Err("must not carry a user name or password".to_owned());
        }
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(format!("must not carry a path: a request's own path is asked for; {EXAMPLE}"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            None | Some("") => scheme.default_port(),
            Some(port) => port[1..].parse().ok().filter(|&port| port > 0).ok_or("has a port that is none")?,
        };
        // A literal IPv6 address is bracketed in a URL and bare for the resolver.
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(format!("names no host; {EXAMPLE}"));
        }
        if host.contains('%') {
            return Err("has a `%` in its host: escapes and zones of IPv6 (`%eth0`) are not known here; give a name, or an \
                        address that needs no zone"
                .to_owned());
        }
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let authority = if port == scheme.default_port() { bracketed } else { format!("{bracketed}:{port}") };
        let authority =
            authority.parse().map_err(|_| format!("has a host that cannot be sent; {EXAMPLE}"))?;
        Ok(Self { scheme, host, port, authority })
    }

    /// Name or address, and port, for the resolver.
    pub(super) fn target(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// As Host says it.
    pub(super) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// The same as text.
    pub(super) fn authority_str(&self) -> &str {
        self.authority.to_str().unwrap_or_default()
    }

    /// Whether it is spoken to over TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The name that its certificate must have; `None` when the host can stand in none.
    pub(super) fn server_name(&self) -> Option<ServerName<'static>> {
        ServerName::try_from(self.host.clone()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_and_nothing_else() {
        for (url, authority) in [
            ("http://origin", "origin"),
            ("http://ORIGIN:80/", "origin"),
            ("http://origin:443", "origin:443"),
            ("https://origin:443", "origin"),
            ("https://origin:80", "origin:80"),
            ("http://127.0.0.1:8090", "127.0.0.1:8090"),
            ("http://[::1]:8090", "[::1]:8090"),
        ] {
            assert_eq!(Address::parse(url).unwrap().authority(), authority);
        }
        assert_eq!(Address::parse("http://[::1]:8090").unwrap().target(), ("::1", 8_090));
        assert!(Address::parse("https://[::1]").unwrap().server_name().is_some());
        for url in [
            "",
            "origin",
            "http://",
            "https:///",
            "ftp://a",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
            "http://a:0",
            "http://a:99999",
            // Well for `--check`, and no server when something was to be fetched.
            "http://[fe80::1%eth0]",
            "http://[fe80::1%25eth0]:8090",
            "http://a%20b",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
        for (url, letter) in [("http://例子.cn", "`例`"), ("http：//a", "`：`")] {
            let refusal = Address::parse(url).unwrap_err();
            assert!(refusal.contains(letter) && refusal.contains("xn--"), "{url}: {refusal}");
        }
    }
}
