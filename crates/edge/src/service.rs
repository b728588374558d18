//! The steps of a request, in order: `request → policy (release) → admission → key → lookup → fill → response`.

#[cfg(test)]
mod admitted;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod pressed;
#[cfg(test)]
mod purges;
#[cfg(test)]
mod released;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod told;

use crate::delivery::Delivery;
use crate::edge::{Edge, Settings};
use crate::fill::{self, Arrived, BlockStream, Errand, Landed, Role};
use crate::key::CacheKey;
use crate::lookup::{Found, Lookup, answers, judge, look_up};
use crate::outcome::{Forwarded, Outcome};
use crate::overload::Class;
use crate::policy::{self, Said};
use crate::request::Asked;
use crate::resources::{Full, Resources};
use crate::response::{self, Answer, CacheStatus};
use crate::standing;
use crate::store::{Body, Object};
use crate::upstream::{RequestBody, UpstreamError, UpstreamResponse};
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use serve::{Peer, Service};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// One core's edge as a service: the one that new requests are asked of, which is another after each reload.
#[derive(Clone)]
pub(crate) struct EdgeService(Rc<RefCell<Rc<Edge>>>);

impl EdgeService {
    pub(crate) fn new(edge: Edge) -> Self {
        Self(Rc::new(RefCell::new(Rc::new(edge))))
    }

    /// As it is now.
    pub(crate) fn edge(&self) -> Rc<Edge> {
        Rc::clone(&self.0.borrow())
    }

    /// Brings each new settings into force as they come, and has servers checked by them on the core that does that. Runs
    /// as long as the core.
    pub(crate) async fn follow(self, mut settings: watch::Receiver<Settings>, checks: bool) {
        let mut checking = checks.then(|| self.edge().upstream.start_checks());
        while settings.changed().await.is_ok() {
            let next = Rc::new(self.edge().succeeded_by(settings.borrow_and_update().clone()));
            // The old ones end where they are dropped.
            checking = checking.map(|_| next.upstream.start_checks());
            self.0.replace(next);
        }
        // Nobody changes anything any more; what is checked is.
        std::future::pending::<()>().await;
        drop(checking);
    }
}

impl Service for EdgeService {
    type Body = response::EdgeBody;

    fn call(
        &self,
        request: Request<serve::RequestBody>,
        peer: Peer,
    ) -> impl Future<Output = Answer> + use<> + 'static {
        let edge = self.edge();
        let (head, body) = request.into_parts();
        let version = head.version;
        let delivery = Delivery::begin(&head, &peer, edge.log.as_ref());
        // Before the future is made, so that it is small: it is moved on its way to the heap.
        let asked =
            Asked::read(head).and_then(|asked| policy::check_loop(&asked, &edge.identity).map(|()| asked));
        async move {
            let metrics = Arc::clone(&edge.metrics);
            let answer = match asked {
                Err(refusal) => response::refused(&edge, refusal, version),
                Ok(mut asked) => match first_word(&edge, &mut asked, &peer) {
                    Some(said) => response::said(&edge, said, &asked.method),
                    None if edge.coverage.wants(&asked) => {
                        let said = Said::Counted(edge.coverage.take(body).await);
                        response::said(&edge, said, &asked.method)
                    }
                    None if standing::is_asked(&asked) => {
                        let (headers, body) = standing::answer(edge.upstream.groups(), Instant::now());
                        response::said(&edge, Said::Standing(headers, body), &asked.method)
                    }
                    None if edge.feedback.wants(&asked) => {
                        let said = Said::Reported(edge.feedback.take(body).await);
                        response::said(&edge, said, &asked.method)
                    }
                    None => admit(edge, asked, Some(body), &peer).await,
                },
            };
            delivery.goes_out(answer, &metrics)
        }
    }
}

/// What the day plan has to say before anything is looked up.
fn first_word(edge: &Edge, asked: &mut Asked, peer: &Peer) -> Option<Said> {
    let shut = edge.release.judge(asked);
    shut.or_else(|| edge.door.judge(asked, &peer.standing, edge.overload.level()).map(Said::Waiting))
}

/// Answers what there is room for; notes what the connection plays.
async fn admit(
    edge: Rc<Edge>,
    mut asked: Box<Asked>,
    body: Option<serve::RequestBody>,
    peer: &Peer,
) -> Answer {
    if edge.config.client_share.is_exceeded(peer.address.ip(), &peer.standing) {
        return response::too_many(&edge, edge.overload.refuses_request());
    }
    edge.metrics.quality.hear(&asked, Instant::now());
    let class = Class::of(asked.target.path());
    // Nodes that fill are no students, and come from anywhere.
    if class.begins(&peer.standing) && !asked.planned && !edge.owner.serves(peer.address.ip()) {
        return response::elsewhere(&edge);
    }
    if class.begins(&peer.standing) && !edge.overload.is_calm() {
        asked.session = edge.config.client_share.session(peer.address.ip(), &peer.standing);
        if let Some(what) = edge.overload.sheds_session(asked.session) {
            return response::shed(&edge, what);
        }
    }
    let place = match Resources::is_one(asked.target.path()).then(|| edge.resources.admit(&edge.overload)) {
        Some(Err(Full)) => return response::downloads_full(&edge, edge.overload.refuses_download()),
        place => place.and_then(Result::ok),
    };
    let mut answer = if asked.is_cacheable() {
        answer(edge, asked).await
    } else {
        Box::pin(change(edge, asked, body)).await
    };
    if let Some(place) = place {
        answer.body_mut().pace(place);
    }
    if class == Class::Media && answer.status().is_success() {
        peer.standing.note_playing();
    }
    answer
}

/// How often a request looks again when another's fill turned out to be of another variant. Two answers' worth of
/// Vary is all that honest origins have, and two things may have to be fetched from the disk; beyond it the request is passed
/// through by itself.
const MAX_LOOKS: usize = 6;

/// GET and HEAD.
///
/// Whatever has to wait is boxed: as a part of this future it would make each hit's 12 kB large, which are moved twice.
async fn answer(edge: Rc<Edge>, mut asked: Box<Asked>) -> Answer {
    asked.target = edge.config.cache.query.normalise(asked.target);
    let primary = key_of(&edge, &asked);
    let mut asked_disk_for = None;
    for _ in 0..MAX_LOOKS {
        let looked = look(&edge, &asked, &primary, Instant::now());
        if matches!(looked.found, Found::Miss(_))
            && asked_disk_for.as_ref() != Some(&looked.key)
            && edge.may_be_on_disk(&looked.key)
        {
            if let Some(answer) = Box::pin(load(&edge, &asked, &primary, &looked.key)).await {
                return answer;
            }
            asked_disk_for = Some(looked.key);
            continue;
        }
        let found = edge.release.look_after(&mut asked, looked.found, edge.stale_on_error, Instant::now());
        let is_held = matches!(found, Found::Fresh(_) | Found::StaleWhileRevalidate(_));
        if !is_held
            && !asked.directives.only_if_cached
            && let Some(what) = edge.overload.sheds_cold_session(asked.session)
        {
            return response::shed(&edge, what);
        }
        let (forwarded, stale) = match found {
            Found::Fresh(object) => return hit(&edge, &asked, &object, Outcome::Hit).await,
            Found::StaleWhileRevalidate(object) => {
                refresh(&edge, &asked, &primary, &looked.key, &object);
                return hit(&edge, &asked, &object, Outcome::StaleWhileRevalidate).await;
            }
            _ if asked.directives.only_if_cached => return response::not_cached(&edge),
            Found::Pass => return Box::pin(pass(&edge, &asked, Forwarded::Bypass, None)).await,
            // A HEAD is not worth a body; its answer is not kept (attack 52), but heard.
            Found::Miss(_) if asked.method == Method::HEAD => {
                return Box::pin(pass(&edge, &asked, Forwarded::Method, None)).await;
            }
            Found::Stale(object, forwarded) if asked.method == Method::HEAD => {
                return Box::pin(ask_head(&edge, &asked, &looked.key, &object, forwarded)).await;
            }
            Found::Stale(object, forwarded) => (forwarded, Some(object)),
            Found::Miss(forwarded) => (forwarded, None),
        };
        let fetched = Box::pin(fetch(&edge, &asked, &primary, &looked.key, forwarded, stale));
        if let Some(answer) = fetched.await {
            return answer;
        }
    }
    Box::pin(pass(&edge, &asked, Forwarded::VaryMiss, None)).await
}

pub(crate) fn look(edge: &Edge, asked: &Asked, primary: &CacheKey, now: Instant) -> Lookup {
    look_up(&edge.memory, primary.clone(), asked, edge.config.cache.client_reload, now)
}

/// Answers from what is stored. Where blocks of it are missing, the first bytes must be there before the head goes out: an
/// upstream that has something else by now, or nothing, answers for itself.
async fn hit(edge: &Rc<Edge>, asked: &Asked, object: &Object, outcome: Outcome) -> Answer {
    let Some((sparse, wanted)) = response::lacking(asked, object) else {
        let status = CacheStatus { hit: true, ..CacheStatus::default() };
        return response::stored(edge, asked, object, outcome, status);
    };
    if !Box::pin(BlockStream::new(edge, asked, &sparse, wanted).begins()).await {
        return Box::pin(pass(edge, asked, Forwarded::Partial, None)).await;
    }
    let status = CacheStatus { forwarded: Some(Forwarded::Partial), stored: true, ..CacheStatus::default() };
    response::stored(edge, asked, object, Outcome::Partial, status)
}

/// Leads or follows a load from the disk and answers from it. `None`: look again.
async fn load(edge: &Rc<Edge>, asked: &Asked, primary: &CacheKey, key: &CacheKey) -> Option<Answer> {
    let flight = match edge.flights.join(key, || edge.memory.holds(key).then_some(())).ok()? {
        Role::Follow(flight) => flight,
        Role::Lead(flight, guard) => {
            let load = fill::load(Rc::clone(edge), asked.clone(), primary.clone(), guard);
            drop(tokio::task::spawn_local(load));
            flight
        }
    };
    let Landed::Loaded(object) = flight.landed().await else { return None };
    // Its head is in memory now, and its blocks are read as those of any.
    if matches!(object.body, Body::Sparse(_)) {
        return None;
    }
    // What is not simply fresh is in memory now, and goes the way of all that is not.
    match judge(object, asked, edge.config.cache.client_reload, Instant::now()) {
        Found::Fresh(object) => {
            let status = CacheStatus { hit: true, detail: Some("disk"), ..CacheStatus::default() };
            Some(response::stored(edge, asked, &object, Outcome::HitDisk, status))
        }
        _ => None,
    }
}

/// Leads or follows a fill and answers from it. `None`: look again.
async fn fetch(
    edge: &Rc<Edge>,
    asked: &Asked,
    primary: &CacheKey,
    key: &CacheKey,
    forwarded: Forwarded,
    stale: Option<Arc<Object>>,
) -> Option<Answer> {
    let now = Instant::now();
    let joined = edge.flights.join(key, || match look(edge, asked, primary, now) {
        looked if &looked.key != key => Some(()),
        looked => matches!(looked.found, Found::Fresh(_) | Found::StaleWhileRevalidate(_)).then_some(()),
    });
    let (flight, alone) = match joined {
        // Stored since we looked.
        Err(()) => return None,
        Ok(Role::Follow(flight)) if flight.is_too_late(now) => {
            return Some(pass(edge, asked, Forwarded::Stale, None).await);
        }
        Ok(Role::Follow(flight)) => (flight, None),
        Ok(Role::Lead(flight, guard)) => {
            let (sender, alone) = oneshot::channel();
            let errand =
                Errand { asked: asked.clone(), primary: primary.clone(), stale, alone: Some(sender) };
            drop(tokio::task::spawn_local(fill::lead(Rc::clone(edge), errand, guard)));
            (flight, Some(alone))
        }
    };
    let leads = alone.is_some();
    let status = CacheStatus { forwarded: Some(forwarded), collapsed: !leads, ..CacheStatus::default() };
    let arrived = if leads { Outcome::Miss } else { Outcome::Collapsed };
    Some(match flight.landed().await {
        // Its answer is not ours; by now the sign-post to the variants stands.
        Landed::Fetched { variant: Some(variant), .. }
            if !leads && variant.variants.key(primary, &asked.headers) != variant.key =>
        {
            return None;
        }
        // A part that somebody else asked for, or that the origin chose.
        Landed::Fetched { object, .. } if object.part.is_some() && !answers(&object, asked) => {
            pass(edge, asked, Forwarded::Partial, None).await
        }
        Landed::Fetched { object, way, .. } => {
            let status = CacheStatus { stored: true, detail: way.detail(), ..status };
            response::stored(edge, asked, &object, arrived, status)
        }
        Landed::Revalidated(object) => {
            let status = CacheStatus { forward_status: Some(StatusCode::NOT_MODIFIED), ..status };
            response::stored(edge, asked, &object, Outcome::Revalidated, status)
        }
        // What is missing of it, nobody has: the upstream says so itself.
        Landed::StaleOnError(object) if response::lacking(asked, &object).is_some() => {
            pass(edge, asked, forwarded, None).await
        }
        Landed::StaleOnError(object) => {
            let status = CacheStatus { hit: true, detail: Some("stale-on-error"), ..CacheStatus::default() };
            response::stored(edge, asked, &object, Outcome::StaleOnError, status)
        }
        Landed::NotShared(reason) => {
            let own = match alone {
                Some(alone) => alone.await.ok(),
                None => None,
            };
            match own {
                // The fill asked for the whole, without conditions; for a client that wants less, ask again.
                Some(response) if answers_as_it_is(asked, &response) => {
                    let status = CacheStatus { detail: Some(reason.as_str()), ..status };
                    response::passed(edge, response, status)
                }
                _ => pass(edge, asked, forwarded, Some(reason.as_str())).await,
            }
        }
        Landed::Failed(error) => response::failed(edge, error, forwarded),
        Landed::Loaded(_) | Landed::NotLoaded => return None,
        Landed::Abandoned => pass(edge, asked, forwarded, Some("abandoned")).await,
    })
}

/// Whether what came to the fill's question, which is for the whole or for whole blocks and without conditions, is what
/// the client has asked for.
fn answers_as_it_is(asked: &Asked, response: &UpstreamResponse) -> bool {
    match response.status() {
        // Beyond the end is beyond the end, however the question was put.
        StatusCode::RANGE_NOT_SATISFIABLE => true,
        StatusCode::PARTIAL_CONTENT => false,
        _ => !wants_less(asked),
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

/// Begins a fill that nobody waits for, unless one is going on.
fn refresh(edge: &Rc<Edge>, asked: &Asked, primary: &CacheKey, key: &CacheKey, stale: &Arc<Object>) {
    if edge.overload.sheds_refresh() {
        return;
    }
    if let Ok(Role::Lead(_, guard)) = edge.flights.join(key, || None::<()>) {
        let errand = Errand {
            asked: asked.clone(),
            primary: primary.clone(),
            stale: Some(Arc::clone(stale)),
            alone: None,
        };
        drop(tokio::task::spawn_local(fill::lead(Rc::clone(edge), errand, guard)));
    }
}

/// Asks the upstream for this client alone, with its own conditions and ranges.
async fn pass(edge: &Edge, asked: &Asked, forwarded: Forwarded, detail: Option<&'static str>) -> Answer {
    match ask_alone(edge, asked).await {
        Ok(response) => {
            let status = CacheStatus { forwarded: Some(forwarded), detail, ..CacheStatus::default() };
            response::passed(edge, response, status)
        }
        Err(error) => response::failed(edge, error, forwarded),
    }
}

/// Asks the upstream by HEAD, and learns from the answer what it says of what is stored (RFC 9111 §4.3.5).
async fn ask_head(
    edge: &Edge,
    asked: &Asked,
    key: &CacheKey,
    stored: &Arc<Object>,
    forwarded: Forwarded,
) -> Answer {
    let (sent_at, orders) = (Instant::now(), edge.latest_order());
    match ask_alone(edge, asked).await {
        Ok(response) => {
            let arrived = Arrived::now(edge, response, sent_at);
            fill::learn_from_head(edge, key, stored, &arrived, orders);
            let status = CacheStatus { forwarded: Some(forwarded), ..CacheStatus::default() };
            response::passed(edge, UpstreamResponse::from_parts(arrived.head, arrived.body), status)
        }
        Err(error) => response::failed(edge, error, forwarded),
    }
}

async fn ask_alone(edge: &Edge, asked: &Asked) -> Result<UpstreamResponse, UpstreamError> {
    let headers = policy::bodiless_headers(asked, &edge.identity);
    let question = asked.question(&headers);
    let answer = edge.upstream.exchange(question, RequestBody::Empty).await;
    edge.upstream_seen(answer.as_ref().map(|_| ()).map_err(|&error| error));
    answer
}

/// Methods that change something: passed on, and what they may have changed is forgotten (RFC 9111 §4.4).
async fn change(edge: Rc<Edge>, asked: Box<Asked>, body: Option<serve::RequestBody>) -> Answer {
    let body = match body.map_or(Ok(RequestBody::Empty), |body| edge.uploads.admit(body)) {
        Ok(body) => body,
        Err(denied) => return response::upload_denied(&edge, denied),
    };
    let headers = policy::upstream_headers(&asked, &edge.identity);
    let question = asked.question(&headers);
    let sent_at = Instant::now();
    let response = match edge.upstream.exchange(question, body).await {
        Ok(response) => response,
        Err(error) => return response::failed(&edge, error, Forwarded::Method),
    };
    let status = CacheStatus { forwarded: Some(Forwarded::Method), ..CacheStatus::default() };
    if asked.method.is_safe() || response.status().is_client_error() || response.status().is_server_error() {
        return response::passed(&edge, response, status);
    }
    forget(&edge, &asked, response.headers());
    let arrived = Arrived::now(&edge, response, sent_at);
    let fits = arrived.length().is_none_or(|length| length <= edge.memory.largest_object());
    if !fits || fill::storable(&edge, &asked, &arrived, false).is_err() {
        return response::passed(&edge, UpstreamResponse::from_parts(arrived.head, arrived.body), status);
    }
    // An answer to POST that is what a GET would bring (RFC 9110 §9.3.3).
    let primary = key_of(&edge, &asked);
    let Ok(Role::Lead(flight, guard)) = edge.flights.join(&primary, || None::<()>) else {
        return response::passed(&edge, UpstreamResponse::from_parts(arrived.head, arrived.body), status);
    };
    let keeper = (Rc::clone(&edge), asked.clone());
    drop(tokio::task::spawn_local(async move {
        let (edge, asked) = keeper;
        edge.metrics.filled(fill::keep(&edge, &asked, &primary, arrived, guard).await);
    }));
    match flight.landed().await {
        Landed::Fetched { object, .. } => {
            let status = CacheStatus { stored: true, ..status };
            response::stored(&edge, &asked, &object, Outcome::Miss, status)
        }
        // Only a panic or a shutdown ends a fill between its head and its body.
        _ => response::failed(&edge, UpstreamError::Protocol, Forwarded::Method),
    }
}

/// Forgets what a request has changed: its URL, and those that the answer names, as far as they are of the same site.
fn forget(edge: &Edge, asked: &Asked, answer: &HeaderMap) {
    let named = [header::LOCATION, header::CONTENT_LOCATION]
        .into_iter()
        .filter_map(|name| asked.same_site(answer.get(name))?.parse::<Uri>().ok());
    for target in std::iter::once(asked.target.clone()).chain(named) {
        let target = edge.config.cache.query.normalise(target);
        let key = key_of(edge, &Asked { target, ..asked.clone() });
        edge.flights.forget(&key, || edge.remove(&key));
    }
}

/// The key of what is asked for. Which scheme the client used, no origin learns: one stands for both. Host and path say
/// which group is asked, so no two groups share a key.
pub(crate) fn key_of(edge: &Edge, asked: &Asked) -> CacheKey {
    let site = edge.upstream.groups().site(&asked.host, asked.target.path());
    CacheKey::primary("http", site, asked.path_and_query())
}
