//! What goes upstream of a client's request, and what does not; `options` (the operator's choices), `by_group` (for which site
//! they are), `query` (which queries are the same), `release` (what the day plan says), `to_https` (who is sent on before all that).

mod by_group;
mod options;
mod query;
mod release;
mod to_https;

pub use by_group::Policies;
pub(crate) use options::CachePolicy;
pub use options::{CacheOptions, ClientReload};
pub(crate) use release::{Release, Said};
pub(crate) use to_https::moved;

use crate::request::{Asked, Refusal};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use httpcache::accept_encoding::{self, Coding};
use httpcache::{fields, hop, range, validation};
use std::hash::{BuildHasher, RandomState};

pub(crate) const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

/// Fields by which clients try to make an origin answer for another URL, host, method or client than the key says
/// (attacks 37, 39). Not in the key, so not sent. Who asks is nobody's business behind a cache that answers for all.
const UNKEYED: [HeaderName; 23] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-host"),
    HeaderName::from_static("x-host-override"),
    HeaderName::from_static("x-backend-host"),
    HeaderName::from_static("x-http-host-override"),
    HeaderName::from_static("x-http-path-override"),
    HeaderName::from_static("x-url-scheme"),
    HeaderName::from_static("x-scheme"),
    HeaderName::from_static("front-end-https"),
    HeaderName::from_static("client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("x-cluster-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("fastly-client-ip"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    // What CGI makes of it is the name of a variable that programs believe ("httpoxy").
    HeaderName::from_static("proxy"),
    // By which a framework answers with another thing under the same URL.
    HeaderName::from_static("rsc"),
    HeaderName::from_static("x-invoke-path"),
    HeaderName::from_static("x-nextjs-data"),
];

/// Beginnings of names of the same kind, which every proxy has added one to. What players tell of themselves is heard here and goes nowhere
/// (`quality`).
const UNKEYED_FAMILIES: [&str; 8] = [
    "cmcd-",
    "x-forwarded",
    "x-original-",
    "x-rewrite-",
    "x-envoy-",
    "x-middleware-",
    "next-router-",
    "x-accel-",
];

/// Who we are to others; made once.
#[derive(Debug)]
pub(crate) struct Identity {
    name: String,
    /// Tells this process from others of the same name.
    node: String,
    /// By the version that a request came by.
    via: [HeaderValue; 4],
    cdn_loop: HeaderValue,
    release: Release,
}

impl Identity {
    /// `name` is a token, the configuration has seen to that.
    pub(crate) fn new(name: &str) -> Self {
        let value = |text: String| HeaderValue::from_str(&text).expect("a token is a field value");
        // Random, and the same until this process ends.
        let node = format!("{:016x}", RandomState::new().hash_one(name));
        let via = ["1.0", "1.1", "2.0", "3.0"].map(|version| value(format!("{version} {name}")));
        let cdn_loop = value(format!("{name};node={node}"));
        Self { name: name.to_owned(), node, via, cdn_loop, release: Release::default() }
    }

    /// The same, with a word that nodes know it by.
    pub(crate) fn known_by(self, release: &Release) -> Self {
        Self { release: release.clone(), ..self }
    }

    /// Says in `headers` whose question it is, which has come by `version` (RFC 9110 §7.6.3).
    pub(crate) fn sign(&self, version: Version, headers: &mut HeaderMap) {
        let via = match version {
            Version::HTTP_09 | Version::HTTP_10 => &self.via[0],
            Version::HTTP_2 => &self.via[2],
            Version::HTTP_3 => &self.via[3],
            _ => &self.via[1],
        };
        headers.append(header::VIA, via.clone());
        headers.append(CDN_LOOP, self.cdn_loop.clone());
    }

    /// The node's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// 0 to 1, by this process: what nodes do from time to time they do apart.
    pub(crate) fn share(&self) -> f64 {
        let first = u32::from_str_radix(&self.node[..8], 16).unwrap_or_default();
        f64::from(first) / f64::from(u32::MAX)
    }
}

/// Refuses a request that has come through this node before (RFC 8586 §2). Edges of one name may stand behind each other,
/// as tiers or neighbours: what they say of themselves beside the name tells them apart.
///
/// # Errors
/// [`Refusal::Loop`].
pub(crate) fn check_loop(asked: &Asked, identity: &Identity) -> Result<(), Refusal> {
    if !asked.noted.cdn_loop {
        return Ok(());
    }
    // At every comma: where a proxy between has joined the lines, an open quote in what a client sent would hide our member.
    let lines = asked.headers.get_all(&CDN_LOOP).iter();
    let mut members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let seen = members.any(|member| {
        let Ok(member) = std::str::from_utf8(member) else { return false };
        let mut parts = member.split(';').map(str::trim);
        let ours = parts.next().is_some_and(|id| id.eq_ignore_ascii_case(&identity.name));
        ours && parts.find_map(|part| part.strip_prefix("node=")).is_none_or(|node| node == identity.node)
    });
    if seen { Err(Refusal::Loop) } else { Ok(()) }
}

/// The client's fields as they go upstream: end-to-end ones, without those that are not in the key, with ours.
/// Accept-Encoding becomes `gzip` or nothing: the codings that clients list in a hundred orders would make a hundred
/// variants of one playlist.
pub(crate) fn upstream_headers(asked: &Asked, identity: &Identity) -> HeaderMap {
    let mut headers = asked.headers.clone();
    hop::strip(&mut headers);
    if asked.noted.trailers {
        // Ours now: fields behind a body are passed on to who takes them (RFC 9110 §6.5.1, §10.1.4).
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    strip_unkeyed(&mut headers);
    // Answered by us.
    headers.remove(header::EXPECT);
    plain_length(&mut headers);
    normalise(&mut headers);
    if asked.planned
        && let Some(word) = identity.release.word()
    {
        headers.insert(header::AUTHORIZATION, word);
    }
    if let Some(left) = most_forwards(asked) {
        headers.insert(header::MAX_FORWARDS, HeaderValue::from(left.saturating_sub(1)));
    }
    identity.sign(asked.version, &mut headers);
    headers
}

/// Takes out of fields, before a body or behind it, those that are not in the key.
pub(crate) fn strip_unkeyed(headers: &mut HeaderMap) {
    let unkeyed: Vec<HeaderName> = headers.keys().filter(|name| is_unkeyed(name)).cloned().collect();
    for name in &unkeyed {
        headers.remove(name);
    }
}

/// Whether it is one of [`UNKEYED`] or of their families. CGI and its descendants read `_` as `-`, so that a name with it is
/// another's by another spelling: as with nginx, none goes further.
pub(crate) fn is_unkeyed(name: &HeaderName) -> bool {
    let text = name.as_str();
    text.contains('_')
        || UNKEYED.contains(name)
        || UNKEYED_FAMILIES.iter().any(|family| text.starts_with(family))
}

/// How many more servers an OPTIONS may be passed on by (RFC 9110 §7.6.2); `None` where it does not say. TRACE goes no further anyway.
pub(crate) fn most_forwards(asked: &Asked) -> Option<u64> {
    let stated = asked.headers.get(header::MAX_FORWARDS).filter(|_| asked.method == Method::OPTIONS);
    stated.and_then(|stated| stated.to_str().ok()?.trim().parse().ok())
}

/// The same for a request that is sent on without its body. A body on GET has no meaning (RFC 9110 §9.3.1) and is
/// not in the key (attack 38).
///
/// Several ranges are asked for as the whole (RFC 9110 §14.2): what an upstream makes of a hundred of them, nobody pays for (attack 54).
pub(crate) fn bodiless_headers(asked: &Asked, identity: &Identity) -> HeaderMap {
    let mut headers = upstream_headers(asked, identity);
    if headers.get(header::RANGE).is_some_and(|range| range::single(range).is_none()) {
        headers.remove(header::RANGE);
        headers.remove(header::IF_RANGE);
    }
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING] {
        headers.remove(name);
    }
    headers
}

/// The same for a fill, which fetches the whole for everybody.
pub(crate) fn fill_headers(asked: &Asked, identity: &Identity) -> HeaderMap {
    let mut headers = bodiless_headers(asked, identity);
    validation::strip_conditions(&mut headers);
    // What comes behind a body is not kept, so it is not asked for.
    hop::strip(&mut headers);
    // That one client wants nothing but what is here is no wish of the others.
    if asked.directives.only_if_cached {
        let wishes = fields::members(&headers, &header::CACHE_CONTROL);
        let others: Vec<_> = wishes.filter(|wish| !wish.eq_ignore_ascii_case("only-if-cached")).collect();
        let others = Some(others.join(", ")).filter(|others| !others.is_empty());
        headers.remove(header::CACHE_CONTROL);
        if let Some(others) = others.and_then(|others| HeaderValue::try_from(others).ok()) {
            headers.insert(header::CACHE_CONTROL, others);
        }
    }
    headers
}

/// Content-Length without zeros before it: `010` is ten (RFC 9110 §8.6), and eight to whoever reads numbers as C does.
fn plain_length(headers: &mut HeaderMap) {
    let stated = headers.get(header::CONTENT_LENGTH).filter(|stated| stated.as_bytes().starts_with(b"0"));
    if let Some(length) = stated.and_then(|stated| stated.to_str().ok()?.parse::<u64>().ok()) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

fn normalise(headers: &mut HeaderMap) {
    let coding = accept_encoding::choose(headers);
    headers.remove(header::ACCEPT_ENCODING);
    if coding == Coding::Gzip {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use tokio::time::Instant;

    fn asked(fields: &[(&str, &str)]) -> Box<Asked> {
        let mut request = Request::builder().uri("/x").header("host", "a");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Asked::read(request.body(()).unwrap().into_parts().0, Instant::now()).unwrap()
    }

    #[test]
    fn what_is_not_in_the_key_does_not_go_upstream() {
        let identity = Identity::new("edge-1");
        let headers = upstream_headers(
            &asked(&[
                ("x-forwarded-host", "evil"),
                ("x-original-url", "/admin"),
                ("connection", "x-a"),
                ("x-a", "1"),
                ("cmcd-session", "sid=\"a\""),
                ("x_forwarded_host", "evil"),
                ("x-forwarded_host", "evil"),
                ("x-forwarded-protocol", "evil"),
                ("x-original-method", "DELETE"),
                ("proxy", "http://evil"),
            ]),
            &identity,
        );
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cdn-loop", "host", "via"]);
    }

    #[test]
    fn fields_behind_a_body_are_passed_on_and_not_kept() {
        // RFC 9110 §10.1.4
        let identity = Identity::new("edge-1");
        let client = asked(&[("te", "Trailers, deflate"), ("connection", "te")]);
        let headers = upstream_headers(&client, &identity);
        assert_eq!(
            (&headers["te"], &headers["connection"]),
            (&"trailers".parse().unwrap(), &"te".parse().unwrap())
        );
        assert!(!fill_headers(&client, &identity).contains_key("te"));
        assert!(!upstream_headers(&asked(&[("te", "deflate")]), &identity).contains_key("te"));
    }

    #[test]
    fn a_fill_asks_for_the_whole() {
        let headers = fill_headers(
            &asked(&[("range", "bytes=0-0"), ("if-none-match", "\"a\""), ("content-length", "3")]),
            &Identity::new("edge-1"),
        );
        assert!(!headers.contains_key("range") && !headers.contains_key("if-none-match"));
        assert!(!headers.contains_key("content-length"));
    }

    #[test]
    fn one_client_s_only_if_cached_is_no_wish_of_a_fill() {
        let wish = |value: &str| {
            let headers = fill_headers(&asked(&[("cache-control", value)]), &Identity::new("edge-1"));
            headers.get("cache-control").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(wish("Only-If-Cached"), None);
        assert_eq!(wish("max-age=5, only-if-cached, x=1").as_deref(), Some("max-age=5, x=1"));
    }

    #[test]
    fn attack_54_several_ranges_are_asked_for_as_the_whole() {
        let range = |value: &str| {
            let client = asked(&[("range", value), ("if-range", "\"a\"")]);
            let headers = bodiless_headers(&client, &Identity::new("edge-1"));
            (headers.contains_key("range"), headers.contains_key("if-range"))
        };
        assert_eq!(range("bytes=5-"), (true, true));
        for several in ["bytes=0-,0-,0-", "bytes=0-0,5-5", "lines=1-2"] {
            assert_eq!(range(several), (false, false), "{several}");
        }
        // In lines of their own.
        let lines = asked(&[("range", "bytes=0-0"), ("range", "0-,0-,0-"), ("if-range", "\"a\"")]);
        let headers = bodiless_headers(&lines, &Identity::new("edge-1"));
        assert!(!headers.contains_key("range") && !headers.contains_key("if-range"));
    }

    #[test]
    fn a_length_has_no_zeros_before_it() {
        for (stated, sent) in [("010", "10"), ("0", "0"), ("007", "7"), ("70", "70")] {
            let headers = upstream_headers(&asked(&[("content-length", stated)]), &Identity::new("e"));
            assert_eq!(headers["content-length"], sent, "{stated}");
        }
    }

    #[test]
    fn via_says_by_which_version_it_came() {
        let mut client = asked(&[]);
        client.version = Version::HTTP_2;
        assert_eq!(upstream_headers(&client, &Identity::new("edge-1"))["via"], "2.0 edge-1");
    }

    #[test]
    fn encodings_become_two_variants() {
        let encoding = |value: &str| {
            let headers = upstream_headers(&asked(&[("accept-encoding", value)]), &Identity::new("e"));
            headers.get("accept-encoding").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(encoding("br, gzip;q=0.5, deflate").as_deref(), Some("gzip"));
        assert_eq!(encoding("gzip;q=0"), None);
        assert_eq!(encoding("br"), None);
        // Attack 47: nonsense does not get round the cache.
        assert_eq!(encoding(";;;"), None);
    }

    #[test]
    fn a_request_that_has_been_here_is_refused() {
        // RFC 8586 §2
        let identity = Identity::new("edge-1");
        assert!(check_loop(&asked(&[("cdn-loop", "other; a=b, edge-10")]), &identity).is_ok());
        assert_eq!(check_loop(&asked(&[("cdn-loop", "other, Edge-1;v=2")]), &identity), Err(Refusal::Loop));
        let own = format!("other, {}", identity.cdn_loop.to_str().unwrap());
        assert_eq!(check_loop(&asked(&[("cdn-loop", &own)]), &identity), Err(Refusal::Loop));
        let joined = asked(&[("cdn-loop", &format!("\"{own}"))]);
        assert_eq!(check_loop(&joined, &identity), Err(Refusal::Loop), "behind an open quote");
        let hidden = asked(&[("cdn-loop", &own), ("connection", "cdn-loop")]);
        assert_eq!(check_loop(&hidden, &identity), Err(Refusal::Loop));
        let twin = Identity::new("edge-1");
        assert!(check_loop(&asked(&[("cdn-loop", &own)]), &twin).is_ok(), "another node of that name");
    }
}
