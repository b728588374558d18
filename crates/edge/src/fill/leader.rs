//! The task that asks the upstream on behalf of the cache.

use super::flight::{Guard, Landed, Unshared, Variant};
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::policy;
use crate::request::Asked;
use crate::store::memory::PASS_FOR;
use crate::store::{Body, Entry, Growing, GrowingWriter, Object};
use crate::upstream::{Question, RequestBody, UpstreamResponse};
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use httpcache::directives::ResponseDirectives;
use httpcache::freshness::Freshness;
use httpcache::storable::{self, NotStored, storable};
use httpcache::vary;
use httpcache::{hop, validation};
use hyper::body::Incoming;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// What a leader is sent for.
pub(crate) struct Errand {
    /// The request that began it.
    pub(crate) asked: Asked,
    /// The key of its URL alone.
    pub(crate) primary: CacheKey,
    /// What is stored and must be asked about.
    pub(crate) stale: Option<Arc<Object>>,
    /// Where the answer goes when it is for this client alone. Nobody may be there any more.
    pub(crate) alone: Option<oneshot::Sender<UpstreamResponse>>,
}

/// Runs one fill from question to store.
pub(crate) async fn lead(edge: Rc<Edge>, errand: Errand, guard: Guard) {
    let shared = Rc::clone(&edge);
    shared.metrics.fills_in_flight.inc();
    let started = Instant::now();
    let ended = fill(edge, errand, guard).await;
    shared.metrics.fill_seconds.observe(started.elapsed().as_secs_f64());
    shared.metrics.filled(ended);
    shared.metrics.fills_in_flight.dec();
}

async fn fill(edge: Rc<Edge>, errand: Errand, guard: Guard) -> FillOutcome {
    let Errand { asked, primary, stale, alone } = errand;
    let mut headers = policy::fill_headers(&asked, &edge.identity);
    if let Some(stale) = &stale {
        validation::add_conditions(&stale.headers, &mut headers);
    }
    let question = Question { method: &Method::GET, target: &asked.target, headers: &headers };
    let sent_at = Instant::now();
    let answer = edge.upstream.exchange(question, RequestBody::Empty).await;
    let now = Instant::now();
    let response = match answer {
        Ok(response) => response,
        Err(error) => {
            edge.upstream_seen(Err(error));
            let landed = match stale.filter(|stale| may_stand_in(&edge, stale, now)) {
                Some(stale) => Landed::StaleOnError(stale),
                None => Landed::Failed(error),
            };
            guard.land(landed);
            return FillOutcome::Failed;
        }
    };
    edge.upstream_seen(Ok(()));
    let (mut head, body) = response.into_parts();
    hop::strip(&mut head.headers);
    let received = Received { at: edge.clock.now(), delay: now.duration_since(sent_at), now };

    if let Some(stale) = stale {
        if head.status == StatusCode::NOT_MODIFIED && validation::selects(&stale.headers, &head.headers) {
            let object = Arc::new(freshened(&stale, &head.headers, &received));
            edge.memory.insert(guard.key().clone(), Entry::Object(Arc::clone(&object)));
            guard.land(Landed::Revalidated(object));
            return FillOutcome::NotModified;
        }
        // RFC 5861 §4 names the errors for which stale is better.
        if is_server_error(head.status) && may_stand_in(&edge, &stale, now) {
            guard.land(Landed::StaleOnError(stale));
            return FillOutcome::Failed;
        }
    }

    let directives = ResponseDirectives::read(&head.headers);
    let storing = storable::Asked {
        method: &Method::GET,
        authorized: asked.headers.contains_key(header::AUTHORIZATION),
        directives: asked.directives,
    };
    let stated = content_length(&head.headers);
    let refused = match storable(&storing, head.status, &head.headers, &directives) {
        Ok(()) if stated.is_some_and(|length| length > edge.memory.largest_object()) => {
            Some(Unshared::TooLarge)
        }
        Ok(()) => None,
        Err(reason) => Some(Unshared::Rule(reason)),
    };
    if let Some(reason) = refused {
        remember_pass(&edge, &guard, now, reason);
        if let Some(alone) = alone {
            // Gone clients get nothing; the connection is closed with the body.
            let _ = alone.send(UpstreamResponse::from_parts(head, body));
        }
        guard.land(Landed::NotShared(reason));
        return FillOutcome::NotStored;
    }

    let freshness = Freshness::of(&head.headers, &directives, received.at, received.delay);
    let (growing, writer) = Growing::start(stated);
    let status = head.status;
    let object = Arc::new(Object::new(status, head.headers.clone(), freshness, now, Body::Growing(growing)));
    let variant = vary::names(&object.headers).filter(|names| !names.is_empty()).map(|names| {
        let secondary = names.secondary_key(&asked.headers);
        Arc::new(Variant { names: Arc::new(names), secondary })
    });
    guard.land(Landed::Fetched { object: Arc::clone(&object), variant: variant.clone() });
    drop(alone);

    match receive(&edge, body, writer, stated).await {
        Ok(blocks) => {
            let whole = Object::new(status, head.headers, freshness, now, Body::Complete(Arc::new(blocks)));
            store(&edge, primary, whole, variant.as_deref());
            FillOutcome::Stored
        }
        Err(broken) => {
            tracing::warn!(key = %guard.key(), reason = broken.as_str(), "fill broke off");
            FillOutcome::BrokenOff
        }
    }
}

/// When an answer came.
struct Received {
    /// By the wall clock, to compare with Date.
    at: SystemTime,
    /// Between question and answer.
    delay: Duration,
    /// By the monotonic clock.
    now: Instant,
}

fn freshened(stale: &Object, fresh: &HeaderMap, received: &Received) -> Object {
    let headers = validation::freshen(&stale.headers, fresh);
    let directives = ResponseDirectives::read(&headers);
    let freshness = Freshness::of(&headers, &directives, received.at, received.delay);
    Object::new(stale.status, headers, freshness, received.now, stale.body.clone())
}

fn may_stand_in(edge: &Edge, stale: &Object, now: Instant) -> bool {
    stale.freshness.may_serve_on_error(stale.resident(now), edge.stale_on_error)
}

fn is_server_error(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whoever comes in the next seconds need not wait for a head that will not be shared.
fn remember_pass(edge: &Edge, guard: &Guard, now: Instant, reason: Unshared) {
    let of_this_request = matches!(
        reason,
        Unshared::Rule(NotStored::RequestNoStore | NotStored::Authorized | NotStored::Status)
    );
    if !of_this_request {
        edge.memory.insert(guard.key().clone(), Entry::Pass(now + PASS_FOR));
    }
}

/// Why a body did not come whole.
enum Broken {
    /// No byte for too long.
    Stalled,
    /// The connection ended before the body did.
    Cut,
    /// Other than the stated length.
    Length,
    /// Longer than the cache takes.
    TooLarge,
}

impl Broken {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Stalled => "stalled",
            Self::Cut => "cut",
            Self::Length => "length",
            Self::TooLarge => "too_large",
        }
    }
}

/// The whole body, or nothing: attack 49, a truncated body must not become a hit.
async fn receive(
    edge: &Edge,
    mut body: Incoming,
    mut writer: GrowingWriter,
    stated: Option<u64>,
) -> Result<crate::store::Blocks, Broken> {
    let largest = edge.memory.largest_object();
    loop {
        let frame = timeout(edge.upstream.limits().body, body.frame()).await.map_err(|_| Broken::Stalled)?;
        match frame {
            None => break,
            Some(Err(_)) => return Err(Broken::Cut),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    edge.metrics.fill_bytes.inc_by(data.len() as u64);
                    writer.push(&data);
                }
            }
        }
        if writer.received() > largest {
            return Err(Broken::TooLarge);
        }
    }
    if stated.is_some_and(|length| length != writer.received()) {
        return Err(Broken::Length);
    }
    Ok(writer.finish())
}

/// Under the URL's key, or where the response varies, under the variant's with a sign-post at the URL's.
fn store(edge: &Edge, primary: CacheKey, whole: Object, variant: Option<&Variant>) {
    let entry = Entry::Object(Arc::new(whole));
    match variant {
        None => edge.memory.insert(primary, entry),
        Some(Variant { names, secondary }) => {
            edge.memory.insert(primary.variant(secondary), entry);
            edge.memory.insert(primary, Entry::Varies(Arc::clone(names)));
        }
    }
}
