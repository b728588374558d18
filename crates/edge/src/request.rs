//! A client's request, read once: what is wanted, or why it is refused.

use crate::overload::Session;
use crate::policy::CDN_LOOP;
use crate::upstream::Question;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request};
use httpcache::directives::RequestDirectives;
use httpcache::range::{self, Spec};
use serve::Interim;
use url::Url;

/// A request that may be answered.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The one that is asked, lower case, with its port if it names one.
    pub(crate) host: String,
    /// Path and query only.
    pub(crate) target: Uri,
    /// As the client sent them.
    pub(crate) headers: HeaderMap,
    /// Which of them matter here.
    pub(crate) noted: Noted,
    pub(crate) directives: RequestDirectives,
    /// Whether a session begins with it, which may be put off. Not so until somebody knows who asks.
    pub(crate) session: Session,
    /// Whether upstreams are shown the nodes' word with it: it is for something that the day plan names.
    pub(crate) planned: bool,
    /// Where interim responses to it go.
    pub(crate) interim: Option<Interim>,
}

/// Of the fields that few requests have, which there are. One walk over all of them: to look for one by its name costs as much.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Noted {
    /// The client wants a part, or has conditions.
    pub(crate) choice: bool,
    /// Proxies have signed it (RFC 8586).
    pub(crate) cdn_loop: bool,
    directives: bool,
    expectation: bool,
}

impl Noted {
    fn of(headers: &HeaderMap) -> Self {
        let mut noted = Self::default();
        for name in headers.keys() {
            match *name {
                header::RANGE
                | header::IF_RANGE
                | header::IF_MATCH
                | header::IF_NONE_MATCH
                | header::IF_MODIFIED_SINCE
                | header::IF_UNMODIFIED_SINCE => noted.choice = true,
                header::CACHE_CONTROL | header::PRAGMA => noted.directives = true,
                header::EXPECT => noted.expectation = true,
                _ if *name == CDN_LOOP => noted.cdn_loop = true,
                _ => {}
            }
        }
        noted
    }
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
    /// Something is expected that we do not know (RFC 9110 §10.1.1).
    Expectation,
    /// This node has passed the request on before (RFC 8586).
    Loop,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Host | Self::Target => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::NOT_IMPLEMENTED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::Loop => StatusCode::LOOP_DETECTED,
        }
    }

    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Target => "target",
            Self::Method => "method",
            Self::Expectation => "expectation",
            Self::Loop => "loop",
        }
    }
}

/// Methods that are passed on: those whose meaning is known, because a server that does not know one answers 501, and
/// what two servers take differently is how requests are smuggled (attack 26). The registered ones of HTTP and WebDAV
/// that ask nothing of a proxy, and UPnP's. Never CONNECT and TRACE.
pub const METHODS: [&str; 23] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "QUERY",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "SEARCH",
    "UNLOCK",
    "LINK",
    "UNLINK",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
];

impl Asked {
    /// Reads a request's head. On the heap: it is handed on from step to step.
    ///
    /// # Errors
    /// The reason to refuse it.
    pub(crate) fn read(head: request::Parts) -> Result<Box<Self>, Refusal> {
        let request::Parts { method, uri, headers, .. } = head;
        if !METHODS.contains(&method.as_str()) {
            return Err(Refusal::Method);
        }
        let host = host_of(&uri, &headers)?;
        let noted = Noted::of(&headers);
        if noted.expectation {
            check_expectation(&headers)?;
        }
        let target = origin_form(uri)?;
        let directives =
            if noted.directives { RequestDirectives::read(&headers) } else { RequestDirectives::default() };
        Ok(Box::new(Self {
            method,
            host,
            target,
            headers,
            noted,
            directives,
            session: Session::default(),
            planned: false,
            interim: None,
        }))
    }

    /// Path and query as asked for.
    pub(crate) fn path_and_query(&self) -> &str {
        self.target.path_and_query().map_or("/", |path| path.as_str())
    }

    /// The URL asked for, as a base for references in the answer. The scheme is the cache's own affair.
    pub(crate) fn url(&self) -> Option<Url> {
        Url::parse(&format!("http://{}{}", self.host, self.path_and_query())).ok()
    }

    /// The path and query of another URL of the same site that an answer's field names (RFC 9111 §4.4).
    pub(crate) fn same_site(&self, reference: Option<&HeaderValue>) -> Option<String> {
        let base = self.url()?;
        let named = base.join(reference?.to_str().ok()?).ok()?;
        let same = matches!(named.scheme(), "http" | "https")
            && named.host_str() == base.host_str()
            && named.port() == base.port();
        same.then(|| named[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
    }

    /// Whether an answer's field names the very URL that was asked (RFC 9110 §8.7).
    pub(crate) fn is_named_by(&self, reference: Option<&HeaderValue>) -> bool {
        self.same_site(reference).is_some_and(|named| named == self.path_and_query())
    }

    /// The one range that it wants without conditions.
    pub(crate) fn single_range(&self) -> Option<Spec> {
        let conditional = [
            header::IF_RANGE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::IF_MODIFIED_SINCE,
            header::IF_UNMODIFIED_SINCE,
        ];
        if self.method != Method::GET || conditional.iter().any(|name| self.headers.contains_key(name)) {
            return None;
        }
        range::single(self.headers.get(header::RANGE)?)
    }

    /// The same upstream, for this client alone, with these fields.
    pub(crate) fn question<'a>(&'a self, headers: &'a HeaderMap) -> Question<'a> {
        Question {
            method: &self.method,
            host: &self.host,
            target: &self.target,
            headers,
            cold: false,
            interim: self.interim.as_ref(),
        }
    }

    /// Whether a stored response may answer it.
    pub(crate) fn is_cacheable(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// Exactly one host, wherever it stands; where it stands twice, it must be the same (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn host_of(uri: &Uri, headers: &HeaderMap) -> Result<String, Refusal> {
    let mut lines = headers.get_all(header::HOST).iter();
    let host = lines.next();
    if lines.next().is_some() {
        return Err(Refusal::Host);
    }
    let host = host.map(|host| host.to_str().map_err(|_| Refusal::Host)).transpose()?;
    match (uri.authority(), host) {
        (Some(authority), Some(host)) if !authority.as_str().eq_ignore_ascii_case(host) => Err(Refusal::Host),
        (Some(authority), _) if is_host(authority) => Ok(authority.as_str().to_ascii_lowercase()),
        (None, Some(host)) if is_plain_host(host) => Ok(host.to_ascii_lowercase()),
        (None, Some(host)) if host.parse().is_ok_and(|host| is_host(&host)) => Ok(host.to_ascii_lowercase()),
        _ => Err(Refusal::Host),
    }
}

/// 100-continue is answered by the connection, as soon as somebody reads the body.
fn check_expectation(headers: &HeaderMap) -> Result<(), Refusal> {
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if headers.get_all(header::EXPECT).iter().all(known) { Ok(()) } else { Err(Refusal::Expectation) }
}

/// What nearly all clients send: letters, digits, hyphens and dots, perhaps with a port. Not worth a parser.
fn is_plain_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    !name.is_empty() && name.bytes().all(is_letter) && port.is_none_or(is_port)
}

fn is_port(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
}

/// A name or an address, perhaps with a port; no user before it (RFC 9110 §4.2.4).
fn is_host(authority: &Authority) -> bool {
    let (text, host) = (authority.as_str(), authority.host());
    let port = text.strip_prefix(host).filter(|_| !host.is_empty());
    port.is_some_and(|port| port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn origin_form(uri: Uri) -> Result<Uri, Refusal> {
    if uri.scheme_str().is_some_and(|scheme| scheme != "http" && scheme != "https") {
        return Err(Refusal::Target);
    }
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

    fn read(method: &str, target: &str, hosts: &[&str]) -> Result<Box<Asked>, Refusal> {
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
        assert!(read("GET", "/x", &["[::1]:80"]).is_ok());
        for (target, hosts) in [
            ("/x", &[][..]),
            ("/x", &[""]),
            ("/x", &["a", "a"]),
            ("/x", &["a, b"]),
            ("/x", &["u@a"]),
            ("/x", &["a/b"]),
            ("/x", &["a:b"]),
            ("/x", &["a:"]),
            ("/x", &["a:+1"]),
            ("/x", &["a:65536"]),
            ("/x", &[":80"]),
            ("http://u@a/x", &["u@a"]),
            ("http://u@a/x", &[]),
            ("http://a/x", &["b"]),
        ] {
            assert_eq!(read("GET", target, hosts).unwrap_err(), Refusal::Host, "{target} {hosts:?}");
        }
    }

    #[test]
    fn methods_that_are_not_passed_on() {
        // Attack 26.
        for method in ["TRACE", "CONNECT", "PRI", "BREW", "get"] {
            assert_eq!(read(method, "/", &["a"]).unwrap_err(), Refusal::Method, "{method}");
        }
        assert_eq!(read("OPTIONS", "*", &["a"]).unwrap_err(), Refusal::Target);
        assert_eq!(read("GET", "ftp://a/x", &[]).unwrap_err(), Refusal::Target);
    }

    #[test]
    fn what_an_answer_names_is_of_this_site_or_none_of_our_business() {
        // RFC 9111 §4.4: invalidating another origin's URLs would let one site attack another.
        let asked = read("POST", "/a/b?q", &["Lessons.example:8080"]).unwrap();
        for (reference, named) in [
            ("/x", Some("/x")),
            ("c?d", Some("/a/c?d")),
            ("?d", Some("/a/b?d")),
            ("http://lessons.example:8080/x#f", Some("/x")),
            ("//LESSONS.example:8080/x", Some("/x")),
            ("http://lessons.example/x", None),
            ("http://other.example:8080/x", None),
            ("ftp://lessons.example:8080/x", None),
            ("http://[", None),
        ] {
            let value = HeaderValue::from_static(reference);
            assert_eq!(asked.same_site(Some(&value)).as_deref(), named, "{reference}");
        }
        assert!(asked.is_named_by(Some(&HeaderValue::from_static("b?q"))));
        assert!(!asked.is_named_by(None));
    }

    #[test]
    fn the_target_is_path_and_query() {
        assert_eq!(read("GET", "http://a/x?y=z", &[]).unwrap().target, "/x?y=z");
    }
}
