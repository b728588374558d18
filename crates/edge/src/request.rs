//! A client's request, read once: what is wanted, or why it is refused.

mod host;

use crate::overload::{Class, Session};
use crate::policy::CDN_LOOP;
use crate::quality;
use crate::upstream::Question;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header, request};
use httpcache::digest::{self, WANT_REPR_DIGEST};
use httpcache::directives::RequestDirectives;
use httpcache::range::{self, Spec};
use httpcache::{fields, hop};
use serve::{Interim, Scheme};
use std::cell::Cell;
use tokio::time::Instant;
use url::Url;

/// A request that may be answered.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The one that is asked, lower case, with its port if it names one that its scheme does not have by itself. Empty where HTTP/1.0
    /// names none, until [`Asked::came_by`] does.
    pub(crate) host: String,
    /// Path and query only.
    pub(crate) target: Uri,
    /// As the client sent them, less what Connection keeps from everybody else and a Range of several lines, and Cookie in one.
    pub(crate) headers: HeaderMap,
    /// By which it came.
    pub(crate) version: Version,
    /// What it is for.
    pub(crate) class: Class,
    /// When it was read.
    pub(crate) came: Instant,
    /// Which of them matter here.
    pub(crate) noted: Noted,
    pub(crate) directives: RequestDirectives,
    /// Whether a session begins with it, which may be put off. Not so until somebody knows who asks.
    pub(crate) session: Session,
    /// Whether upstreams are shown the nodes' word with it: it is for something that the day plan names.
    pub(crate) planned: bool,
    /// Where interim responses to it go.
    pub(crate) interim: Option<Interim>,
    /// Whether fields of its answer may come with the body, ready to be sent.
    pub(crate) takes_ready: bool,
    /// One beyond the last block that it has had fetched before its answer's head goes out.
    pub(crate) led: Cell<u64>,
}

/// Of the fields that few requests have, which there are. One walk over all of them: to look for one by its name costs as much.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Noted {
    /// The client wants a part.
    pub(crate) part: bool,
    /// The client has conditions (RFC 9110 §13.1).
    pub(crate) conditions: bool,
    /// A player tells how it gets on (CTA-5004).
    pub(crate) cmcd: bool,
    /// Proxies have signed it (RFC 8586).
    pub(crate) cdn_loop: bool,
    /// The client takes fields behind a body (RFC 9110 §10.1.4).
    pub(crate) trailers: bool,
    /// The client would like to know the representation's SHA-256 (RFC 9530 §4).
    pub(crate) digest: bool,
    directives: bool,
    expectation: bool,
    connection: bool,
    cookie: bool,
}

impl Noted {
    fn of(headers: &HeaderMap) -> Self {
        let mut noted = Self::default();
        for name in headers.keys() {
            match *name {
                header::RANGE => noted.part = true,
                header::IF_RANGE
                | header::IF_MATCH
                | header::IF_NONE_MATCH
                | header::IF_MODIFIED_SINCE
                | header::IF_UNMODIFIED_SINCE => noted.conditions = true,
                header::CACHE_CONTROL | header::PRAGMA => noted.directives = true,
                header::EXPECT => noted.expectation = true,
                header::CONNECTION => noted.connection = true,
                header::COOKIE => noted.cookie = true,
                header::TE => noted.trailers = takes_trailers(headers),
                _ if *name == CDN_LOOP => noted.cdn_loop = true,
                _ if *name == WANT_REPR_DIGEST => noted.digest = digest::is_wanted(headers),
                _ if quality::FIELDS.contains(name) => noted.cmcd = true,
                _ => {}
            }
        }
        noted
    }
}

/// Why a request is not answered, by its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No Host where there must be one, several, or one that is none (RFC 9112 §3.2).
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
    /// Reads a request's head, which has come `now`. On the heap: it is handed on from step to step.
    ///
    /// # Errors
    /// The reason to refuse it.
    pub(crate) fn read(head: request::Parts, now: Instant) -> Result<Box<Self>, Refusal> {
        let request::Parts { method, uri, mut headers, version, .. } = head;
        if !METHODS.contains(&method.as_str()) {
            return Err(Refusal::Method);
        }
        let host = host::of(&uri, &headers, version)?;
        let noted = Noted::of(&headers);
        if noted.expectation {
            check_expectation(&headers)?;
        }
        // What the upstream is not told must not choose a variant either.
        if noted.connection && !keeps_nothing_back(&headers) {
            hop::strip_named(&mut headers);
        }
        if noted.cookie {
            join_cookies(&mut headers);
        }
        if noted.part {
            one_range(&mut headers);
        }
        let target = origin_form(&method, uri)?;
        let directives =
            if noted.directives { RequestDirectives::read(&headers) } else { RequestDirectives::default() };
        Ok(Box::new(Self {
            class: Class::of(target.path()),
            came: now,
            method,
            host,
            target,
            headers,
            version,
            noted,
            directives,
            session: Session::default(),
            planned: false,
            led: Cell::default(),
            interim: None,
            takes_ready: false,
        }))
    }

    /// Takes the port out of the host that `scheme`, by which it came, has by itself: with it and without, it is one site (RFC 9110
    /// §4.2.3), to be kept, changed and told upstreams by one name. Who asks no host, as balancers that look whether a node is well, asks
    /// the node, by its own name (RFC 9112 §3.3).
    pub(crate) fn came_by(&mut self, scheme: Scheme, node: &str) {
        if self.host.is_empty() {
            node.clone_into(&mut self.host);
        }
        host::cut_port(&mut self.host, scheme);
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
            narrow: self.method == Method::GET && self.noted.part,
            goes_on: false,
            alone: true,
            interim: self.interim.as_ref(),
        }
    }

    /// The same by one who neither says who he is nor wishes anything of caches.
    pub(crate) fn by_anybody(&self) -> Self {
        let mut asked = self.clone();
        for name in [header::AUTHORIZATION, header::COOKIE, header::CACHE_CONTROL, header::PRAGMA] {
            asked.headers.remove(name);
        }
        asked.directives = RequestDirectives::default();
        asked
    }

    /// Whether a stored response may answer it.
    pub(crate) fn is_cacheable(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    fields::members(headers, &header::TE).any(|coding| coding.eq_ignore_ascii_case("trailers"))
}

/// Whether Connection is as nearly everybody sends it: not worth a parser.
fn keeps_nothing_back(headers: &HeaderMap) -> bool {
    let usual = |value: &HeaderValue| {
        let value = value.as_bytes();
        value.eq_ignore_ascii_case(b"keep-alive") || value.eq_ignore_ascii_case(b"close")
    };
    headers.get_all(header::CONNECTION).iter().all(usual)
}

/// HTTP/2 and HTTP/3 may have cut it up; to others it goes in one line (RFC 9113 §8.2.3, RFC 9114 §4.2.1).
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// Range is one line (RFC 9110 §14.2). Of several, one server takes the first, another the last and a third a list: they are as none.
fn one_range(headers: &mut HeaderMap) {
    if headers.get_all(header::RANGE).iter().nth(1).is_some() {
        headers.remove(header::RANGE);
        headers.remove(header::IF_RANGE);
    }
}

/// 100-continue is answered by the connection, as soon as somebody reads the body.
fn check_expectation(headers: &HeaderMap) -> Result<(), Refusal> {
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if headers.get_all(header::EXPECT).iter().all(known) { Ok(()) } else { Err(Refusal::Expectation) }
}

/// Path and query, or the `*` of OPTIONS for the server as a whole. `http://host?query` is legal (RFC 9110 §4.2.3) and nothing that a client
/// sends: to some its path is `/`, to some it has none. Beyond ASCII nothing is a target (RFC 3986 §2): over HTTP/1.1, where it would
/// have to go on, it is refused sooner.
fn origin_form(method: &Method, uri: Uri) -> Result<Uri, Refusal> {
    if uri.scheme_str().is_some_and(|scheme| scheme != "http" && scheme != "https") {
        return Err(Refusal::Target);
    }
    let path =
        uri.into_parts().path_and_query.filter(|path| path.as_str().is_ascii()).ok_or(Refusal::Target)?;
    match path.as_str().as_bytes().first() {
        Some(b'/') => Ok(Uri::from(path)),
        Some(b'*') if path == "*" && method == Method::OPTIONS => Ok(Uri::from(path)),
        _ => Err(Refusal::Target),
    }
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
        Asked::read(request.body(()).unwrap().into_parts().0, Instant::now())
    }

    #[test]
    fn the_port_that_a_scheme_has_by_itself_is_no_part_of_a_site() {
        // RFC 9110 §4.2.3
        for (host, scheme, site) in [
            ("a", Scheme::Http, "a"),
            ("A:80", Scheme::Http, "a"),
            ("a:443", Scheme::Https, "a"),
            ("[::80]:80", Scheme::Http, "[::80]"),
            ("[::80]", Scheme::Http, "[::80]"),
            ("a:443", Scheme::Http, "a:443"),
            ("a:80", Scheme::Https, "a:80"),
            ("a:8080", Scheme::Http, "a:8080"),
        ] {
            let mut asked = read("GET", "/x", &[host]).unwrap();
            asked.came_by(scheme, "node");
            assert_eq!(asked.host, site, "{host} {scheme:?}");
        }
    }

    #[test]
    fn who_asks_no_host_over_http_1_0_asks_the_node() {
        // As balancers that look whether a node is well: `HEAD / HTTP/1.0`, `OPTIONS / HTTP/1.0`.
        for (version, answered) in
            [(Version::HTTP_10, true), (Version::HTTP_11, false), (Version::HTTP_2, false)]
        {
            let request = Request::head("/").version(version).body(()).unwrap();
            let asked = Asked::read(request.into_parts().0, Instant::now());
            assert_eq!(asked.is_ok(), answered, "{version:?}");
            if let Ok(mut asked) = asked {
                asked.came_by(Scheme::Http, "node");
                assert_eq!(asked.host, "node");
            }
        }
    }

    #[test]
    fn methods_that_are_not_passed_on() {
        // Attack 26.
        for method in ["TRACE", "CONNECT", "PRI", "BREW", "get"] {
            assert_eq!(read(method, "/", &["a"]).unwrap_err(), Refusal::Method, "{method}");
        }
        assert_eq!(read("GET", "*", &["a"]).unwrap_err(), Refusal::Target);
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
    fn what_the_upstream_is_not_told_chooses_no_variant() {
        // RFC 9110 §7.6.1, RFC 9113 §8.2.3
        let request = Request::builder().uri("/x").header("host", "a").header("accept-language", "zh");
        let request = request.header("connection", "accept-language, te").header("te", "trailers");
        let request = request.header("cookie", "a=1").header("cookie", "b=2");
        let asked = Asked::read(request.body(()).unwrap().into_parts().0, Instant::now()).unwrap();
        assert!(!asked.headers.contains_key("accept-language") && asked.noted.trailers);
        assert_eq!(asked.headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }

    #[test]
    fn the_target_is_path_and_query() {
        for (asked, target) in [("http://a/x?y=z", "/x?y=z"), ("http://a", "/")] {
            assert_eq!(read("GET", asked, &[]).unwrap().target, target, "{asked}");
        }
        assert_eq!(read("OPTIONS", "*", &["a"]).unwrap().target, "*");
        // The last two came by HTTP/2 and went on as they were, and the next node ended its connection for each.
        for asked in ["http://a?y", "http://a?", "http://a/课", "http://a/x?课"] {
            assert_eq!(read("GET", asked, &[]).unwrap_err(), Refusal::Target, "{asked}");
        }
    }
}
