//! Answers to what cannot be answered: short, precise, and for a person's browser in Chinese first.

use crate::body::Body;
use crate::caching;
use crate::response::{METHODS, assembled, common};
use bytes::Bytes;
use dayplan::words::brief_page;
use feedback::Support;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use httpcache::fields;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing of ours is there, or not now.
    NotFound,
    /// A path that is none.
    BadPath,
    /// We only read.
    Method,
    /// The store cannot be read at this moment.
    Store,
}

/// When to ask again after the store failed: about the time a disk or a mount takes to come back.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

/// What a refusal says.
struct Words {
    status: StatusCode,
    cache: HeaderValue,
    chinese: &'static str,
    english: &'static str,
}

impl Refusal {
    fn words(self) -> Words {
        match self {
            Self::NotFound => Words {
                status: StatusCode::NOT_FOUND,
                cache: caching::ABSENT,
                chinese: "没有找到。课程可能还没有发布，或者地址有误。",
                english: "not found: nothing is published at this path",
            },
            Self::BadPath => Words {
                status: StatusCode::BAD_REQUEST,
                cache: caching::NEVER,
                chinese: "地址有误。",
                english: "bad path: not percent-encoded properly, or not a plain path",
            },
            Self::Method => Words {
                status: StatusCode::METHOD_NOT_ALLOWED,
                cache: caching::NEVER,
                chinese: "这里只能读取。",
                english: "method not allowed: this server answers GET, HEAD and OPTIONS",
            },
            Self::Store => Words {
                status: StatusCode::SERVICE_UNAVAILABLE,
                cache: caching::NEVER,
                chinese: "暂时无法读取课程，请稍后再试。",
                english: "the store cannot be read now; try again in a moment",
            },
        }
    }

    /// The answer. HEAD gets the same header section and no body.
    pub(crate) fn response(self, method: &Method, request: &HeaderMap, support: &Support) -> Response<Body> {
        let Words { status, cache, chinese, english } = self.words();
        let mut headers = common();
        headers.insert(header::CACHE_CONTROL, cache);
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        match self {
            Self::Method => drop(headers.insert(header::ALLOW, METHODS)),
            Self::Store => drop(headers.insert(header::RETRY_AFTER, RETRY_AFTER)),
            Self::NotFound | Self::BadPath => {}
        }
        let (media_type, text) = if wants_html(request) {
            ("text/html; charset=utf-8", page(status, chinese, english, support))
        } else {
            ("text/plain; charset=utf-8", format!("{english}\n{}", support.text()))
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        let length = text.len() as u64;
        let body = if method == Method::HEAD { Body::empty() } else { Body::whole(Bytes::from(text)) };
        assembled(status, headers, length, body)
    }
}

/// Browsers name text/html when a person follows a link; players and tools do not.
fn wants_html(request: &HeaderMap) -> bool {
    fields::members(request, &header::ACCEPT).any(|member| {
        let media_type = member.split(';').next().unwrap_or_default().trim_end();
        media_type.eq_ignore_ascii_case("text/html")
    })
}

/// The first sentence is what it is, and stands above and in the browser's tab; what is behind it is what to think of it.
fn page(status: StatusCode, chinese: &str, english: &str, support: &Support) -> String {
    let (code, help) = (status.as_str(), support.html());
    let (what, more) = chinese.split_once(['。', '，']).unwrap_or((chinese, ""));
    let more = if more.is_empty() { String::new() } else { format!("<p>{more}</p>\n") };
    let body = format!("<h1>{what}</h1>\n{more}<p lang=\"en\">{code}, {english}.</p>\n{help}");
    brief_page("", what, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_apart_from_a_player() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, TEXT/HTML;q=0.1", true),
            ("*/*", false),
            ("application/vnd.apple.mpegurl", false),
            ("", false),
        ] {
            let mut request = HeaderMap::new();
            request.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_html(&request), html, "{accept}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }
}
