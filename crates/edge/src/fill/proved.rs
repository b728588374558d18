//! A fill whose bytes are known beforehand: nobody sees it before it has been proved.
//!
//! Other fills show each byte as it comes, because somebody waits for it. Here nobody does; what comes is held back until it is
//! all there and what it should be, so that a wrong byte of some server is never anybody's answer.

use super::arrived::{self, Arrived};
use super::flight::{Guard, Landed};
use super::{place, storable};
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::policy;
use crate::request::Asked;
use crate::store::{Blocks, Body, Growing, Object};
use crate::upstream::{Question, UpstreamError, Way};
use http::StatusCode;
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::time::Instant;

/// Why there is no proved object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproved {
    /// Nobody answered.
    Upstream(UpstreamError),
    /// Another status than 200.
    Status(StatusCode),
    /// The body did not come whole.
    BrokenOff,
    /// It is not what it should be; this server has sent it.
    Wrong(usize),
    /// The cache may not keep it, or has no room for one so large.
    NotKept,
    /// It was changed or purged after it was asked for.
    Overtaken,
}

/// Fetches what `asked` is for, whole, from another server than `avoid` where there is one, and stores it when it is `right`.
/// Gives it with the key that it stands under.
pub(crate) async fn prove(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    guard: Guard,
    avoid: Option<usize>,
    right: impl AsyncFnOnce(&Object, &Blocks) -> bool,
) -> Result<(Arc<Object>, CacheKey), Unproved> {
    let proved = fetch(edge, asked, primary, guard, avoid, right).await;
    edge.metrics.filled(match &proved {
        Ok(_) => crate::outcome::FillOutcome::Stored,
        Err(Unproved::BrokenOff) => crate::outcome::FillOutcome::BrokenOff,
        Err(Unproved::NotKept | Unproved::Overtaken) => crate::outcome::FillOutcome::NotStored,
        Err(_) => crate::outcome::FillOutcome::Failed,
    });
    proved
}

async fn fetch(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    mut guard: Guard,
    avoid: Option<usize>,
    right: impl AsyncFnOnce(&Object, &Blocks) -> bool,
) -> Result<(Arc<Object>, CacheKey), Unproved> {
    // Who comes meanwhile looks again, and asks for himself, if this comes to nothing.
    let nothing = |guard: &Guard| guard.land(Landed::NotLoaded);
    let headers = policy::fill_headers(asked, &edge.identity);
    let (host, target) = (asked.host.as_str(), &asked.target);
    let question = Question { cold: true, ..Question::get(host, target, &headers) };
    let sent_at = Instant::now();
    let (response, server) = match edge.upstream.exchange_from(question, avoid).await {
        Ok(answered) => answered,
        Err(error) => {
            nothing(&guard);
            return Err(Unproved::Upstream(error));
        }
    };
    let arrived = Arrived::now(edge, response, sent_at);
    let status = arrived.head.status;
    let too_large = arrived.length().is_some_and(|length| length > edge.memory.largest_object());
    let kept = storable::storable(edge, asked, &arrived, false).is_ok() && !too_large;
    if status != StatusCode::OK || !kept {
        nothing(&guard);
        return Err(if status == StatusCode::OK { Unproved::NotKept } else { Unproved::Status(status) });
    }
    let (stated, way) = (arrived.length(), Way::of(&arrived.head));
    let (head, mut body) = arrived::head_of(edge, asked, primary, arrived);
    let (_, writer) = Growing::start(stated);
    let mut writer = writer.promised(edge.overload.promise_as_stated(stated));
    loop {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    edge.metrics.fill_bytes.inc_by(data.len() as u64);
                    writer.push(&data);
                }
            }
            Some(Err(_)) => {
                nothing(&guard);
                return Err(Unproved::BrokenOff);
            }
        }
        if writer.received() > edge.memory.largest_object() {
            nothing(&guard);
            return Err(Unproved::NotKept);
        }
    }
    if stated.is_some_and(|length| length != writer.received()) {
        nothing(&guard);
        return Err(Unproved::BrokenOff);
    }
    let blocks = Arc::new(writer.finish());
    let object = Arc::new(head.with(Body::Complete(Arc::clone(&blocks))));
    if !right(&object, &blocks).await {
        nothing(&guard);
        return Err(Unproved::Wrong(server));
    }
    let variant = place::variant(edge, asked, primary, &object.headers, &mut guard);
    let kept = guard.store(|| place::store(edge, asked, primary, Arc::clone(&object), variant.as_deref()));
    let key = variant.as_ref().map_or_else(|| primary.clone(), |variant| variant.key.clone());
    guard.land(Landed::Fetched { object: Arc::clone(&object), variant, way, kept, said: status });
    if kept { Ok((object, key)) } else { Err(Unproved::Overtaken) }
}
