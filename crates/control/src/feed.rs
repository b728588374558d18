//! What carriers count as free, for them to follow: `GET /v1/zero-rating`. It is public and signed, so no certificate is asked for.
//!
//! A carrier asks with the edition it has (`?since=3`), or with the ETag of the last answer, and is told `304` until there is another.
//! That one has the changes of the last editions in it, and all entries, for who has missed more than those.

use crate::desk::Desk;
use bytes::Bytes;
use fleet::Refusal;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use package::Digest;

/// Where it is.
pub(crate) const PATH: &str = "/v1/zero-rating";
/// How long an answer counts: a carrier that asks more often learns nothing.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=60");
/// The edition, for who looks at heads alone.
const EDITION: HeaderName = HeaderName::from_static("airclass-edition");

/// Answers one question.
pub(crate) async fn answer<B>(desk: &Desk, request: &Request<B>) -> Result<Response<Full<Bytes>>, Refusal> {
    let since = since(request.uri().query())?;
    let (edition, digest) = desk.zero_rating().ok_or(Refusal::NotFound)?;
    let body = match is_known(edition, digest, since, request.headers()) {
        true => None,
        false => Some(desk.zero_rating_text(digest).await?),
    };
    let mut response = Response::new(Full::default());
    let fields = response.headers_mut();
    fields.insert(header::CACHE_CONTROL, FRESH);
    fields.insert(EDITION, HeaderValue::from(edition));
    if let Ok(tag) = HeaderValue::from_str(&tag(digest)) {
        fields.insert(header::ETAG, tag);
    }
    match body {
        None => *response.status_mut() = StatusCode::NOT_MODIFIED,
        Some(text) => {
            fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = Full::new(text);
        }
    }
    Ok(response)
}

/// `since=N`; `None` without a query.
fn since(query: Option<&str>) -> Result<Option<u64>, Refusal> {
    let Some(query) = query else { return Ok(None) };
    let number = query.strip_prefix("since=").and_then(|number| number.parse().ok());
    number.map(Some).ok_or(Refusal::Malformed)
}

fn tag(digest: Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether who asks has this edition: by its number, or by a tag (RFC 9110 §13.1.2).
fn is_known(edition: u64, digest: Digest, since: Option<u64>, fields: &HeaderMap) -> bool {
    let ours = tag(digest);
    let tags = fields.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|value| value.split(',')).map(str::trim);
    since == Some(edition) || tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_edition_is_not_told_it_again() {
        let digest = Digest::of(b"three");
        let tags = |value: &str| {
            let mut fields = HeaderMap::new();
            fields.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            fields
        };
        let ours = tag(digest);
        for (since, fields, known) in [
            (None, HeaderMap::new(), false),
            (Some(2), HeaderMap::new(), false),
            (Some(3), HeaderMap::new(), true),
            // More than there ever was: records were brought back from a copy, and who follows has to see it.
            (Some(4), HeaderMap::new(), false),
            (None, tags(&ours), true),
            (None, tags(&format!("\"x\", W/{ours}")), true),
            (None, tags("\"x\""), false),
            (None, tags("*"), true),
        ] {
            assert_eq!(is_known(3, digest, since, &fields), known, "{since:?} {fields:?}");
        }
        assert_eq!(since(None), Ok(None));
        assert_eq!(since(Some("since=7")), Ok(Some(7)));
        for wrong in ["since=", "since=-1", "after=3"] {
            assert_eq!(since(Some(wrong)), Err(Refusal::Malformed));
        }
    }
}
