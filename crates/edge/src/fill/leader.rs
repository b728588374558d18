//! The task that asks the upstream on behalf of the cache.

use super::arrived::Arrived;
use super::flight::{Guard, Landed, Unshared};
use super::part::{self, Part};
use super::proof;
use super::renew::renew;
use super::{keep, place, storable};
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::policy;
use crate::purge::ask_for_younger;
use crate::request::Asked;
use crate::store::memory::PASS_FOR;
use crate::store::{Body, Entry, Object};
use crate::upstream::{Question, RequestBody, UpstreamError, UpstreamResponse};
use http::{StatusCode, header};
use httpcache::freshness::is_error;
use httpcache::range::{self, Spec};
use httpcache::storable::NotStored;
use httpcache::validation;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What a leader is sent for.
pub(crate) struct Errand {
    /// The request that began it.
    pub(crate) asked: Asked,
    /// The key of its URL alone.
    pub(crate) primary: CacheKey,
    /// What is stored and must be asked about.
    pub(crate) stale: Option<Arc<Object>>,
    /// A client waits for the rest of what it has begun to read.
    pub(crate) goes_on: bool,
    /// Where the answer goes when it is for this client alone. Nobody may be there any more.
    pub(crate) alone: Option<oneshot::Sender<Own>>,
}

/// An answer for one client alone.
pub(crate) enum Own {
    /// As it comes.
    Response(Box<UpstreamResponse>),
    /// What is stored, as a 304 to this client's own question has it.
    Held(Arc<Object>),
}

/// Runs one fill from question to store.
pub(crate) async fn lead(edge: Rc<Edge>, errand: Errand, guard: Guard) {
    let shared = Rc::clone(&edge);
    let _counted = shared.metrics.fill_begins();
    let started = Instant::now();
    let key = errand.primary.clone();
    let flight = Arc::clone(guard.flight());
    let ended = fill(edge, errand, guard).await;
    shared.metrics.fill_seconds.observe(started.elapsed().as_secs_f64());
    shared.metrics.fill_waiters.observe(f64::from(flight.followers()));
    shared.metrics.filled(ended);
    if ended == FillOutcome::Stored && shared.filled.is(&key) {
        shared.metrics.fills_again.inc();
    }
}

async fn fill(edge: Rc<Edge>, errand: Errand, mut guard: Guard) -> FillOutcome {
    let Errand { asked, primary, stale, goes_on, alone } = errand;
    let part = part::wanted(&asked, stale.as_deref());
    let wanted = part.filter(|_| !edge.unsteady.has(guard.key(), Instant::now()));
    // It may wait for a connection, behind thousands of others that were let in while there was memory. What is asked about comes again
    // only where it has changed.
    let asking = stale.is_none().then(|| edge.overload.ask());
    let answered = ask(&edge, &asked, &primary, stale.as_deref(), wanted, goes_on).await;
    drop(asking);
    let mut arrived = match answered {
        Ok(arrived) => arrived,
        Err(error) => {
            edge.upstream_seen(Err(error));
            let landed = match stale.filter(|stale| may_stand_in(&edge, &asked, stale, Instant::now())) {
                Some(object) => Landed::StaleOnError { object, failed: Err(error) },
                None => Landed::Failed(error),
            };
            guard.land(landed);
            return FillOutcome::Failed;
        }
    };
    edge.upstream_seen(Ok(()));

    if let Some(stale) = stale {
        if arrived.head.status == StatusCode::NOT_MODIFIED {
            return renew(&edge, &asked, &primary, &stale, &arrived, guard, alone);
        }
        // RFC 5861 §4 names the errors for which stale is better. An upstream whose clock is behind, or that does not know our
        // word, does not shut what is open here.
        let shuts = asked.planned && is_refusal(arrived.head.status);
        if (shuts || is_server_error(arrived.head.status)) && may_stand_in(&edge, &asked, &stale, arrived.now)
        {
            guard.land(Landed::StaleOnError { object: stale, failed: Ok(arrived.said) });
            return FillOutcome::Failed;
        }
        // It is not as long any more as what its blocks are of.
        if let Body::Sparse(sparse) = &stale.body
            && arrived.head.status == StatusCode::RANGE_NOT_SATISFIABLE
            && arrived.head.headers.get(header::CONTENT_RANGE)
                != Some(&range::unsatisfied_range(sparse.length()))
        {
            guard.store(|| edge.remove(guard.key()));
        }
    }

    // For a client that wants a part, of what may come whole all the same.
    let is_for_one = alone.is_some() && part.is_some() && asked.headers.contains_key(header::RANGE);
    let refused = match storable::storable(&edge, &asked, &arrived, wanted.is_some()) {
        // Who waited has it, or a failing origin would be asked by each of them; and by one again afterwards.
        Err(_) if is_handed_out(&edge, &asked, &arrived) => {
            return keep::hand_out(&edge, &asked, &primary, arrived, guard).await;
        }
        Err(reason) if is_error_alone(arrived.head.status, reason) => Unshared::Error,
        Err(reason) => Unshared::by_rule(reason, &asked),
        Ok(()) if arrived.head.status == StatusCode::PARTIAL_CONTENT => {
            part::state_length(&mut arrived);
            match wanted.map_or(Part::Useless, |spec| part::judge(&edge, spec, &arrived)) {
                Part::Whole { beyond } => {
                    part::as_whole(&mut arrived);
                    if beyond && is_for_one {
                        guard.is_for_its_reader();
                    }
                    return keep::keep(&edge, &asked, &primary, arrived, guard).await;
                }
                Part::Alone => return keep::keep(&edge, &asked, &primary, arrived, guard).await,
                Part::Blocks(range, etag) => {
                    return part::keep_blocks(&edge, &asked, &primary, arrived, (range, etag), guard).await;
                }
                Part::Useless => Unshared::Rule(NotStored::Status),
            }
        }
        Ok(()) if arrived.length().is_some_and(|length| length > edge.memory.largest_object()) => {
            if let Some(parts) = part::comes_in_parts(&arrived)
                && !edge.unsteady.has(guard.key(), arrived.now)
            {
                return part::keep_blocks(&edge, &asked, &primary, arrived, parts, guard).await;
            }
            Unshared::TooLarge
        }
        Ok(()) => {
            // It was asked for a part and sends the whole.
            if is_for_one {
                guard.is_for_its_reader();
            }
            return keep::keep(&edge, &asked, &primary, arrived, guard).await;
        }
    };
    remember_pass(&edge, &guard, arrived.now, refused);
    // Without a place for it there, its client asks once more, and waits for one.
    if let Some(alone) = alone
        && arrived.body.hand_to_client()
    {
        if part.is_some() && arrived.head.status == StatusCode::OK {
            // Of a part that was asked for, all has come: who wanted little may leave soon.
            arrived.body.narrow();
        } else {
            arrived.body.widen();
        }
        // Gone clients get nothing; the connection is closed with the body.
        let _ = alone.send(Own::Response(Box::new(UpstreamResponse::from_parts(arrived.head, arrived.body))));
    }
    guard.land(Landed::NotShared(refused));
    FillOutcome::NotStored
}

/// Asks for the whole or the part `wanted`, about `stale` where there is something to ask about.
///
/// A 304 that speaks of another response than the stored one, or of one that was not asked about, is no answer (RFC 9111
/// §4.3.4, attack 51): the question is put once more, without conditions.
async fn ask(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    stale: Option<&Object>,
    wanted: Option<Spec>,
    goes_on: bool,
) -> Result<Arrived, UpstreamError> {
    let mut headers = policy::fill_headers(asked, &edge.identity);
    let ordered = edge.recent.since(edge.upstream.groups(), primary, None, Instant::now());
    if let Some(since) = ordered {
        ask_for_younger(&mut headers, since);
    }
    // A 304 to a question about an error says nothing of what is there now.
    let mut conditional = stale
        .filter(|stale| !is_error(stale.status))
        .is_some_and(|stale| validation::add_conditions(&stale.headers, &mut headers));
    loop {
        if let Some(spec) = wanted {
            headers.insert(header::RANGE, part::question(spec));
        }
        let question = Question {
            narrow: asked.noted.part,
            cold: stale.is_none() && ordered.is_none(),
            goes_on,
            interim: asked.interim.as_ref(),
            ..Question::get(&asked.host, &asked.target, &headers)
        };
        let sent_at = Instant::now();
        let response = edge.upstream.exchange(question, RequestBody::Empty).await?;
        let arrived = Arrived::now(edge, response, sent_at);
        let speaks =
            |stale: &Object| conditional && validation::selects(&stale.headers, &arrived.head.headers);
        if arrived.head.status != StatusCode::NOT_MODIFIED || stale.is_some_and(speaks) {
            return if proof::is_refuted(&arrived) { Err(UpstreamError::Protocol) } else { Ok(arrived) };
        }
        if !std::mem::take(&mut conditional) {
            return Err(UpstreamError::Protocol);
        }
        validation::strip_conditions(&mut headers);
    }
}

/// Whether it is better than what a failing upstream says. An error is not: it may be mended behind the failure.
pub(crate) fn may_stand_in(edge: &Edge, asked: &Asked, stale: &Object, now: Instant) -> bool {
    let limit = edge.policy(asked).stale_on_error;
    !is_error(stale.status) && stale.freshness.may_serve_on_error(stale.resident(now), limit)
}

/// Whether it is the same for all who wait for it: an upstream in trouble says so, to nobody in particular, and not for how long.
fn is_handed_out(edge: &Edge, asked: &Asked, arrived: &Arrived) -> bool {
    let status = arrived.head.status;
    (is_server_error(status) || status == StatusCode::TOO_MANY_REQUESTS)
        && arrived.length().is_none_or(|length| length <= edge.memory.largest_object())
        && storable::is_for_who_waits(edge, asked, arrived)
}

/// Whether it is an error and no more: what it forbids, it forbids of itself, and nothing of what is stored, or of what another is
/// answered. That there is nothing any more is said of the URL.
fn is_error_alone(status: StatusCode, reason: NotStored) -> bool {
    let is_gone = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
    is_error(status)
        && !Unshared::Rule(reason).is_of_request()
        && (!is_gone || reason == NotStored::NoFreshness)
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

pub(crate) fn is_server_error(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// Whoever comes in the next seconds need not wait for a head that will not be shared.
pub(super) fn remember_pass(edge: &Edge, guard: &Guard, now: Instant, reason: Unshared) {
    if !reason.is_of_request() {
        guard.store(|| place::pass_until(edge, guard.key(), now + PASS_FOR));
    } else if let Some(whose) = reason.whose() {
        // What is stored is others', and stays.
        guard.store(|| {
            if !edge.memory.holds(guard.key()) {
                edge.memory.insert(guard.key().clone(), Entry::Pass(now + PASS_FOR, whose));
            }
        });
    }
}
