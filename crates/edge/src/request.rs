//! A client's request, read once: what is wanted, or why it is refused.

use http::{HeaderMap, Method, StatusCode, Uri, header, request};
use httpcache::directives::RequestDirectives;

/// A request that may be answered.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Path and query only.
    pub(crate) target: Uri,
    /// As the client sent them.
    pub(crate) headers: HeaderMap,
    pub(crate) directives: RequestDirectives,
}

/// Why a request is not answered, by its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No Host, several, or one that is none (RFC 9112 §3.2).
    Host,
    /// The target is none that a server answers (RFC 9112 §3.2).
    Target,
    /// CONNECT, TRACE or an unknown method: nothing that an edge passes on.
    Method,
    /// This node has passed the request on before (RFC 8586).
    Loop,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Host | Self::Target => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::NOT_IMPLEMENTED,
            Self::Loop => StatusCode::LOOP_DETECTED,
        }
    }

    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Target => "target",
            Self::Method => "method",
            Self::Loop => "loop",
        }
    }
}

impl Asked {
    /// Reads a request's head.
    ///
    /// # Errors
    /// The reason to refuse it.
    pub(crate) fn read(head: request::Parts) -> Result<Self, Refusal> {
        let request::Parts { method, uri, headers, .. } = head;
        if !matches!(
            method,
            Method::GET
                | Method::HEAD
                | Method::POST
                | Method::PUT
                | Method::PATCH
                | Method::DELETE
                | Method::OPTIONS
        ) {
            return Err(Refusal::Method);
        }
        check_host(&uri, &headers)?;
        let target = origin_form(uri)?;
        let directives = RequestDirectives::read(&headers);
        Ok(Self { method, target, headers, directives })
    }

    /// Path and query as asked for.
    pub(crate) fn path_and_query(&self) -> &str {
        self.target.path_and_query().map_or("/", |path| path.as_str())
    }

    /// Whether a stored response may answer it.
    pub(crate) fn is_cacheable(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// Exactly one host, wherever it stands; where it stands twice, it must be the same (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut lines = headers.get_all(header::HOST).iter();
    let host = lines.next();
    if lines.next().is_some() {
        return Err(Refusal::Host);
    }
    let host = host.map(|host| host.to_str().map_err(|_| Refusal::Host)).transpose()?;
    match (uri.authority(), host) {
        (Some(authority), Some(host)) if !authority.as_str().eq_ignore_ascii_case(host) => Err(Refusal::Host),
        (Some(_), _) => Ok(()),
        (None, Some(host)) if is_host(host) => Ok(()),
        _ => Err(Refusal::Host),
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.parse::<http::uri::Authority>().is_ok_and(|authority| !authority.as_str().contains('@'))
}

fn origin_form(uri: Uri) -> Result<Uri, Refusal> {
    let path = uri.into_parts().path_and_query.ok_or(Refusal::Target)?;
    // `*` is OPTIONS for the server as a whole; what the server behind us can do, we do not know.
    if !path.as_str().starts_with('/') {
        return Err(Refusal::Target);
    }
    Ok(Uri::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(method: &str, target: &str, hosts: &[&str]) -> Result<Asked, Refusal> {
        let mut request = Request::builder().method(method).uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        Asked::read(request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn one_host_and_only_one() {
        // Attacks 20 and 21.
        assert!(read("GET", "/x", &["a"]).is_ok());
        assert!(read("GET", "http://a/x", &["A"]).is_ok());
        assert!(read("GET", "http://a/x", &[]).is_ok());
        for (target, hosts) in [
            ("/x", &[][..]),
            ("/x", &[""]),
            ("/x", &["a", "a"]),
            ("/x", &["a, b"]),
            ("/x", &["u@a"]),
            ("/x", &["a/b"]),
            ("http://a/x", &["b"]),
        ] {
            assert_eq!(read("GET", target, hosts).unwrap_err(), Refusal::Host, "{target} {hosts:?}");
        }
    }

    #[test]
    fn methods_that_are_not_passed_on() {
        // Attack 26.
        for method in ["TRACE", "BREW", "get"] {
            assert_eq!(read(method, "/", &["a"]).unwrap_err(), Refusal::Method, "{method}");
        }
        assert_eq!(read("OPTIONS", "*", &["a"]).unwrap_err(), Refusal::Target);
    }

    #[test]
    fn the_target_is_path_and_query() {
        assert_eq!(read("GET", "http://a/x?y=z", &[]).unwrap().target, "/x?y=z");
    }
}
