//! What the cache lacks, brought by a fill that all who want it share.

use super::alone::{pass_unless_silent, stands_in};
use super::{Looks, begin, lacking, look, may_add, pass};
use crate::edge::Edge;
use crate::fill::{self, Errand, Landed, Own, RUN, Role, Unshared};
use crate::key::CacheKey;
use crate::lookup::{Found, answers};
use crate::outcome::{Forwarded, Outcome};
use crate::policy::ClientReload;
use crate::request::Asked;
use crate::response::{self, Answer, CacheStatus};
use crate::store::{BLOCK_SIZE, Body, Object};
use crate::upstream::{UpstreamError, UpstreamResponse};
use http::{StatusCode, header};
use httpcache::freshness::is_error;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How often a request looks again when another's answer was not to be shared for how that one had asked: once for one that was odd;
/// when the next is no better, everybody gets the same, and waiting in line for it helps nobody.
const MOST_AGAIN: u8 = 1;

/// What is stored and must be asked about.
pub(super) struct Held {
    pub(super) object: Arc<Object>,
    /// As [`Flights::orders`](fill::Flights::orders) was before it was found.
    pub(super) orders: u64,
}

/// Leads or follows a fill and answers from it. `None`: look again, by what `looks` has.
pub(super) async fn fetch(
    edge: &Rc<Edge>,
    asked: &Asked,
    primary: &CacheKey,
    key: &CacheKey,
    forwarded: Forwarded,
    stale: Option<Held>,
    looks: &mut Looks,
) -> Option<Answer> {
    let now = Instant::now();
    let may_be_purged = || stale.as_ref().is_some_and(|held| held.orders != edge.flights.orders());
    let joined = edge.flights.join(key, now, || match look(edge, asked, primary, now) {
        // A 304 would bring it back.
        _ if may_be_purged() => Some(()),
        // Where memory has let go of the sign-post, only who was told knows of the variant.
        looked if &looked.key != key => edge.memory.holds(primary).then_some(()),
        looked => matches!(looked.found, Found::Fresh(_) | Found::StaleWhileRevalidate(_)).then_some(()),
    });
    let honours = edge.policy(asked).client_reload == ClientReload::Honour;
    let (flight, alone) = match joined {
        // Stored since we looked.
        Err(()) => return None,
        Ok(Role::Follow(flight)) if flight.is_too_late(now) => {
            return Some(pass(edge, asked, Forwarded::Stale, None).await);
        }
        Ok(Role::Follow(flight)) if honours && flight.is_too_old_for(&asked.directives, now) => {
            return Some(pass(edge, asked, Forwarded::Request, None).await);
        }
        Ok(Role::Follow(flight)) => (flight, None),
        Ok(Role::Lead(flight, guard)) => {
            let (sender, alone) = oneshot::channel();
            let (asked, primary) = (asked.clone(), primary.clone());
            let stale = stale.map(|held| held.object);
            let errand = Errand { asked, primary, stale, goes_on: false, alone: Some(sender) };
            drop(tokio::task::spawn_local(fill::lead(Rc::clone(edge), errand, guard)));
            (flight, Some(alone))
        }
    };
    let leads = alone.is_some();
    let status = CacheStatus { forwarded: Some(forwarded), collapsed: !leads, ..CacheStatus::default() };
    let arrived = if leads { Outcome::Miss } else { Outcome::Collapsed };
    let may_look_again = !leads && looks.again < MOST_AGAIN;
    Some(match flight.landed().await {
        // Its answer is not ours; by now the sign-post to the variants stands, where it is kept.
        Landed::Fetched { variant: Some(variant), kept, .. }
            if !leads && variant.variants.key(primary, &asked.headers) != variant.key =>
        {
            if !kept && !may_look_again {
                return Some(pass(edge, asked, forwarded, None).await);
            }
            if kept {
                looks.told = Some(Arc::clone(&variant.variants));
            } else {
                looks.again += 1;
            }
            return None;
        }
        // A part that somebody else asked for, or that the origin chose.
        Landed::Fetched { object, .. } if object.part.is_some() && !answers(&object, asked) => {
            if may_look_again {
                looks.again += 1;
                return None;
            }
            pass(edge, asked, Forwarded::Partial, None).await
        }
        // What the leader's question brings comes. What it has not brought, this one's would bring for everybody.
        Landed::Fetched { object, .. } if !leads && !is_brought(edge, asked, &object).await => {
            pass(edge, asked, Forwarded::Partial, None).await
        }
        Landed::Revalidated(object) if !is_brought(edge, asked, &object).await => {
            pass(edge, asked, Forwarded::Partial, None).await
        }
        Landed::Fetched { object, way, kept, said, .. } => {
            if leads && let Some((_, wanted)) = response::in_blocks(asked, &object) {
                // A run of it comes by this one's own question.
                asked.led.set(wanted.start / BLOCK_SIZE + RUN);
            }
            let (stored, forward_status) = (kept, Some(said));
            let status = CacheStatus { stored, forward_status, detail: way.detail(), ..status };
            response::stored(edge, asked, &object, arrived, status, Instant::now())
        }
        Landed::Revalidated(object) => {
            let status = CacheStatus { forward_status: Some(StatusCode::NOT_MODIFIED), ..status };
            response::stored(edge, asked, &object, Outcome::Revalidated, status, Instant::now())
        }
        // What is missing of it, nobody has.
        Landed::StaleOnError { object, failed } if lacking(edge, asked, &object).is_some() => {
            pass_unless_silent(edge, asked, forwarded, failed.err()).await
        }
        Landed::StaleOnError { object, failed } => stands_in(edge, asked, &object, forwarded, failed.ok()),
        Landed::NotShared(reason) => {
            let own = match alone {
                Some(alone) => alone.await.ok(),
                None => None,
            };
            match own {
                // What is missing of it may not be kept of what comes to this one's question.
                Some(Own::Held(object)) if lacking(edge, asked, &object).is_some() => {
                    pass(edge, asked, Forwarded::Partial, Some(reason.as_str())).await
                }
                Some(Own::Held(object)) => {
                    let status = CacheStatus {
                        forward_status: Some(StatusCode::NOT_MODIFIED),
                        detail: Some(reason.as_str()),
                        ..status
                    };
                    response::stored(edge, asked, &object, Outcome::Revalidated, status, Instant::now())
                }
                // The fill asked for the whole, without conditions; for a client that wants less, ask again.
                Some(Own::Response(response)) if answers_as_it_is(asked, &response) => {
                    let status = CacheStatus { detail: Some(reason.as_str()), ..status };
                    response::passed(edge, *response, status)
                }
                // One client's wish is not to cost the others their fill: the next of them leads.
                None if may_look_again && reason.is_of_request() && !reason.is_of(asked) => {
                    looks.again += 1;
                    return None;
                }
                _ => pass(edge, asked, forwarded, Some(reason.as_str())).await,
            }
        }
        // It may have been the leader's own question that the upstream hung up on.
        Landed::Failed(UpstreamError::Protocol) if may_look_again => {
            looks.again += 1;
            return None;
        }
        Landed::Failed(error) => response::failed(edge, error, forwarded),
        Landed::Loaded(_) | Landed::NotLoaded | Landed::Varies(_) => return None,
        Landed::Abandoned => pass(edge, asked, forwarded, Some("abandoned")).await,
    })
}

/// Whether what is missing of it begins to come by this client's question, or nothing is missing.
async fn is_brought(edge: &Rc<Edge>, asked: &Asked, object: &Object) -> bool {
    match lacking(edge, asked, object) {
        None => true,
        Some((sparse, wanted)) => may_add(edge, asked, object) && begin(edge, asked, &sparse, wanted).await,
    }
}

/// Whether what came to the fill's question, which is for the whole or for whole blocks and without conditions, is what
/// the client has asked for.
fn answers_as_it_is(asked: &Asked, response: &UpstreamResponse) -> bool {
    match response.status() {
        // Beyond the end is beyond the end, if that is all the client asks (RFC 9110 §13.2.2).
        StatusCode::RANGE_NOT_SATISFIABLE => asked.single_range().is_some(),
        StatusCode::PARTIAL_CONTENT => false,
        // Conditions and ranges are of what there is (RFC 9110 §13.2.1, §14.2).
        status => is_error(status) || !wants_less(asked),
    }
}

fn wants_less(asked: &Asked) -> bool {
    [
        header::RANGE,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_MATCH,
        header::IF_UNMODIFIED_SINCE,
    ]
    .iter()
    .any(|name| asked.headers.contains_key(name))
}

/// Begins a fill that nobody waits for, unless one is going on. It is for all: who is answered now lends it his question, not the part
/// that he wants, and is no one to begin it where nothing that comes to his question may be kept. The next will. `orders`: as [`Held`]'s.
pub(super) fn refresh(
    edge: &Rc<Edge>,
    asked: &Asked,
    primary: &CacheKey,
    key: &CacheKey,
    stale: &Arc<Object>,
    orders: u64,
) {
    let now = Instant::now();
    // Of a head alone there is nothing to renew.
    let is_head = matches!(stale.body, Body::Passing(_));
    let is_his_own = fill::still_storable(edge, asked, stale)
        .is_err_and(|reason| Unshared::by_rule(reason, asked).is_of_request());
    if is_head || is_his_own {
        return;
    }
    if edge.overload.sheds_refreshes() {
        if !edge.flights.is_on(key, now) && stale.misses_refresh(now) {
            edge.overload.refuses_refresh();
        }
        return;
    }
    if !stale.may_be_refreshed(now) {
        return;
    }
    let may_be_purged = || (orders != edge.flights.orders()).then_some(());
    if let Ok(Role::Lead(_, guard)) = edge.flights.join(key, now, may_be_purged) {
        let mut asked = asked.clone();
        asked.headers.remove(header::RANGE);
        let (primary, stale) = (primary.clone(), Some(Arc::clone(stale)));
        let errand = Errand { asked, primary, stale, goes_on: false, alone: None };
        drop(tokio::task::spawn_local(fill::lead(Rc::clone(edge), errand, guard)));
    }
}
