//! What is asked, by path, and the answer in JSON.

use crate::caller::Caller;
use crate::desk::Desk;
use crate::feed;
use bytes::Bytes;
use fleet::wire::{Enrol, Kept, MAX_JSON_BYTES, MakeToken, Recorded, Refused, Renew, Revoke};
use fleet::{Act, Kind, MAX_BODY_BYTES, Order, Refusal};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use package::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::timeout;

/// The longest wait for a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers one question.
pub(crate) async fn answer(
    desk: &Desk,
    caller: Option<&Caller>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let answered = match (request.method(), path.as_str()) {
        (&Method::GET, feed::PATH) => feed::answer(desk, &request).await,
        _ => route(desk, caller, request).await.map(|body| typed(StatusCode::OK, body)),
    };
    match answered {
        Ok(answer) => answer,
        Err(refusal) => {
            desk.metrics().refused(refusal);
            let by = caller.map(|caller| caller.identity.to_string());
            tracing::info!(path, by, reason = refusal.as_str(), "refused");
            let refused = Refused { refused: refusal.as_str().to_owned(), problem: refusal.to_string() };
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            typed(status, to_json(&refused).unwrap_or_default())
        }
    }
}

async fn route(desk: &Desk, caller: Option<&Caller>, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/v1/").ok_or(Refusal::NotFound)?;
    match (&head.method, path, path.split_once('/')) {
        (&Method::POST, "enroll", _) => {
            let Enrol { token, request } = json(body).await?;
            to_json(&desk.enrol(&token, &request).await?)
        }
        (&Method::POST, "renew", _) => {
            desk.node(caller)?;
            let Renew { request } = json(body).await?;
            to_json(&desk.renew(caller, &request).await?)
        }
        (&Method::GET, "orders", _) => {
            let (after, hash) = heard(&head.uri)?;
            to_json(&desk.orders(caller, after, hash).await?)
        }
        (&Method::GET, _, Some(("bodies", digest))) => {
            desk.node(caller)?;
            let digest = digest.parse().map_err(|_| Refusal::NotFound)?;
            Ok(desk.body(digest).await?.to_vec())
        }
        (&Method::POST, "report", _) => {
            let node = desk.node(caller)?;
            desk.report(node, read(body, MAX_JSON_BYTES).await?).await?;
            Ok(b"{}".to_vec())
        }
        (&Method::POST, "tokens", _) => {
            let person = desk.person(caller, Act::Token)?;
            let MakeToken { place, valid_seconds } = json(body).await?;
            to_json(&desk.make_token(person, place, Duration::from_secs(valid_seconds)).await?)
        }
        (&Method::POST, "revoke", _) => {
            let person = desk.person(caller, Act::Revoke)?;
            let Revoke { node } = json(body).await?;
            to_json(&Recorded { number: desk.revoke(person, &node).await? })
        }
        (&Method::POST, "bodies", _) => {
            let may = desk.person(caller, Act::Purge).or_else(|_| desk.person(caller, Act::Plan));
            may?;
            to_json(&Kept { digest: desk.keep_body(read(body, MAX_BODY_BYTES).await?).await? })
        }
        (&Method::POST, "orders", _) => {
            // Nobody's order is read before he is somebody.
            desk.person(caller, Act::Look)?;
            let order: Order = json(body).await?;
            let act = match order.kind {
                Kind::Purge(_) => Act::Purge,
                Kind::Plan { .. } => Act::Plan,
                Kind::Drain | Kind::Undrain => Act::Drain,
            };
            let person = desk.person(caller, act)?;
            to_json(&Recorded { number: desk.order(person, &order).await? })
        }
        (&Method::GET, _, Some(("orders", number))) => {
            desk.person(caller, Act::Look)?;
            to_json(&desk.acknowledged(number.parse().map_err(|_| Refusal::NotFound)?)?)
        }
        (&Method::POST, "zero-rating", _) => {
            let person = desk.person(caller, Act::ZeroRate)?;
            to_json(&Recorded { number: desk.zero_rate(person, read(body, MAX_BODY_BYTES).await?).await? })
        }
        (&Method::GET, "nodes", _) => {
            desk.person(caller, Act::Look)?;
            to_json(&desk.nodes())
        }
        (&Method::GET, "records", _) => {
            desk.person(caller, Act::Look)?;
            desk.records(after(&head.uri)?).await
        }
        _ => Err(Refusal::NotFound),
    }
}

/// `?after=N&hash=HASH`, the hash where the node knows it.
fn heard(uri: &http::Uri) -> Result<(u64, Option<Digest>), Refusal> {
    let query = uri.query().and_then(|query| query.strip_prefix("after=")).ok_or(Refusal::Malformed)?;
    let (number, hash) = match query.split_once("&hash=") {
        Some((number, hash)) => (number, Some(hash.parse().map_err(|_| Refusal::Malformed)?)),
        None => (query, None),
    };
    Ok((number.parse().map_err(|_| Refusal::Malformed)?, hash))
}

/// `?after=N`; without it, 0.
fn after(uri: &http::Uri) -> Result<u64, Refusal> {
    match uri.query() {
        None => Ok(0),
        Some(query) => {
            query.strip_prefix("after=").and_then(|number| number.parse().ok()).ok_or(Refusal::Malformed)
        }
    }
}

async fn read(body: Incoming, most: usize) -> Result<Bytes, Refusal> {
    match timeout(BODY_TIMEOUT, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::Malformed),
    }
}

async fn json<T: DeserializeOwned>(body: Incoming) -> Result<T, Refusal> {
    serde_json::from_slice(&read(body, MAX_JSON_BYTES).await?).map_err(|_| Refusal::Malformed)
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(value).map_err(|_| Refusal::Malformed)
}

fn typed(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
