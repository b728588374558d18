//! Which groups of servers can be reached from here, for pages that lead to them: `GET /resources/health.json`.

use crate::request::Asked;
use crate::upstream::Groups;
use http::{HeaderMap, HeaderValue, Method, header};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Where it is asked for.
const PATH: &str = "/resources/health.json";
/// How long it may be kept: health is known a few seconds late anyhow.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=5");

/// Whether that is asked for.
pub(crate) fn is_asked(asked: &Asked) -> bool {
    matches!(asked.method, Method::GET | Method::HEAD) && asked.target.path() == PATH
}

/// Names of groups, and whether each can be reached.
pub(crate) fn answer(groups: &Groups, now: Instant) -> (HeaderMap, Vec<u8>) {
    let word = |up: bool| if up { "up" } else { "down" };
    let groups: BTreeMap<_, _> = groups.standing(now).map(|(name, up)| (name, word(up))).collect();
    let mut body = serde_json::json!({ "groups": groups }).to_string().into_bytes();
    body.push(b'\n');
    let headers = HeaderMap::from_iter([
        (header::CACHE_CONTROL, KEPT),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    (headers, body)
}
