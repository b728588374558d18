//! Answers as they are sent.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use std::time::Duration;
use steering::{Choice, Near};

/// An answer counts for so long when nobody has room.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// `chosen` as a content steering manifest (RFC 8216bis §7.1): each node is a clone of the pathway that playlists have, at another
/// host. When nobody has room the playlists' own host is all that is told, for a short time.
pub(crate) fn manifest(chosen: &[Choice<'_>], pathway: &str, ttl: Duration) -> Answer {
    let mut priority: Vec<Value> = Vec::new();
    let mut clones: Vec<Value> = Vec::new();
    for choice in chosen {
        let id = choice.candidate.node.as_label();
        clones.push(json!({ "BASE-ID": pathway, "ID": id, "URI-REPLACEMENT": { "HOST": host(&choice.candidate.address) } }));
        priority.push(id.into());
    }
    // When all of them fail, and for players that know no clones.
    priority.push(pathway.into());
    let ttl = if chosen.is_empty() { SOON } else { ttl };
    let mut manifest = json!({ "VERSION": 1, "TTL": ttl.as_secs(), "PATHWAY-PRIORITY": priority });
    if !clones.is_empty() {
        manifest["PATHWAY-CLONES"] = clones.into();
    }
    typed(StatusCode::OK, "application/vnd.apple.steering-list", manifest.to_string())
}

/// `chosen` as a list for apps; 503 when nobody has room.
pub(crate) fn list(chosen: &[Choice<'_>], near: &Near, ttl: Duration) -> Answer {
    let nodes: Vec<Value> = chosen
        .iter()
        .map(|Choice { candidate, ring }| {
            json!({
                "node": candidate.node, "address": candidate.address, "ips": candidate.addresses, "ring": ring.as_str(),
            })
        })
        .collect();
    let told =
        json!({ "province": near.province, "carrier": near.carrier, "ttl": ttl.as_secs(), "nodes": nodes });
    if chosen.is_empty() {
        let mut answer = typed(StatusCode::SERVICE_UNAVAILABLE, "application/json", told.to_string());
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(SOON.as_secs()));
        return answer;
    }
    typed(StatusCode::OK, "application/json", told.to_string())
}

/// Who asks too often is told to come again.
pub(crate) fn too_often() -> Answer {
    let mut answer = plain(
        StatusCode::TOO_MANY_REQUESTS,
        "请求过于频繁，请稍后再试。\nToo many questions; ask again soon.\n",
    );
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(SOON.as_secs()));
    answer
}

/// A line for people.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Answer {
    typed(status, "text/plain; charset=utf-8", text.to_owned())
}

/// The host of an address; a pathway keeps scheme and port of the playlists.
fn host(address: &str) -> &str {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    match authority.rsplit_once(':') {
        // Not inside of an IPv6 address.
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn typed(status: StatusCode, media_type: &'static str, body: String) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // It is for who asks, now.
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_addresses() {
        for (address, wanted) in [
            ("https://a.example", "a.example"),
            ("https://a.example:8443", "a.example"),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]"),
            ("http://[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(host(address), wanted);
        }
    }
}
