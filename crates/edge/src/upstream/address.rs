//! Which server is asked.

use http::{HeaderValue, Uri};

/// An upstream as configured: scheme, host and port, nothing else.
#[derive(Debug, Clone)]
pub struct Address {
    host: String,
    port: u16,
    authority: HeaderValue,
}

const HTTP_PORT: u16 = 80;

impl Address {
    /// Reads `http://HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong and what would be right, to stand behind the option's name.
    pub fn parse(url: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "give for example http://127.0.0.1:8090";
        let uri: Uri = url.parse().map_err(|error| format!("is no URL ({error}); {EXAMPLE}"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(
                "names https, which is not built in yet; put the origin on a private network and give http"
                    .to_owned(),
            ),
            _ => return Err(format!("has no scheme that is known here; {EXAMPLE}")),
        }
        let authority = uri.authority().ok_or_else(|| format!("names no host; {EXAMPLE}"))?;
        if authority.as_str().contains('@') {
            return Err("must not carry a user name or password".to_owned());
        }
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(format!("must not carry a path: a request's own path is asked for; {EXAMPLE}"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            None | Some("") => HTTP_PORT,
            Some(port) => port[1..].parse().ok().filter(|&port| port > 0).ok_or("has a port that is none")?,
        };
        // A literal IPv6 address is bracketed in a URL and bare for the resolver.
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(format!("names no host; {EXAMPLE}"));
        }
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let authority = if port == HTTP_PORT { bracketed } else { format!("{bracketed}:{port}") };
        let authority =
            authority.parse().map_err(|_| format!("has a host that cannot be sent; {EXAMPLE}"))?;
        Ok(Self { host, port, authority })
    }

    /// Name or address, and port, for the resolver.
    pub(crate) fn target(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// As Host says it.
    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// As the cache key says it.
    pub(crate) fn authority_str(&self) -> &str {
        self.authority.to_str().unwrap_or_default()
    }

    /// `http`.
    pub(crate) fn scheme(&self) -> &'static str {
        "http"
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
            ("http://127.0.0.1:8090", "127.0.0.1:8090"),
            ("http://[::1]:8090", "[::1]:8090"),
        ] {
            assert_eq!(Address::parse(url).unwrap().authority(), authority);
        }
        assert_eq!(Address::parse("http://[::1]:8090").unwrap().target(), ("::1", 8_090));
        for url in [
            "",
            "origin",
            "http://",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
            "http://a:0",
            "http://a:99999",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }
}
