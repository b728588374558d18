//! The steps of a request, in order: `request → policy (release) → admission → key → lookup → fill → response`.

#[cfg(test)]
mod admitted;
mod alone;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod attacks;
mod begun;
#[cfg(test)]
mod by_group;
mod change;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod changing;
#[cfg(test)]
mod crowd;
mod fetch;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod late;
#[cfg(test)]
mod overtaken;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod pressed;
#[cfg(test)]
mod purges;
#[cfg(test)]
mod ready;
#[cfg(test)]
mod released;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sign_posts;
#[cfg(test)]
mod statuses;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod theirs;
#[cfg(test)]
mod told;
#[cfg(test)]
mod troubles;
#[cfg(test)]
mod wholes;

use crate::delivery::Delivery;
use crate::edge::{Edge, Settings};
use crate::fill::{self, BlockStream, Landed, Role};
use crate::key::CacheKey;
use crate::lookup::{Found, Lookup, judge, look_up};
use crate::outcome::{self, Forwarded, Outcome};
use crate::policy;
use crate::request::Asked;
use crate::response::{self, Answer, CacheStatus};
use crate::store::{BLOCK_SIZE, Body, Loaded, Object, Sparse, Variants};
use alone::{ask_head, pass, pass_unless_silent};
use begun::{Begun, begun};
use change::change;
use fetch::{Held, fetch, refresh};
use http::{Method, Request, header};
use httpcache::blocks;
use httpcache::storable::NotStored;
use parents::route::Route;
use serve::{Peer, ReadyFields, Reply, Service};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::watch;
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
        mut peer: Peer,
    ) -> Reply<Self::Body, impl Future<Output = Answer> + use<> + 'static> {
        let edge = self.edge();
        let (head, body) = request.into_parts();
        let version = head.version;
        // What is asked of the clock once for a request, and again where it has waited.
        let now = Instant::now();
        let delivery = Delivery::begin(&head, &peer, edge.pen.as_ref(), now);
        let asked = Asked::read(head, now)
            .and_then(|asked| policy::check_loop(&asked, &edge.identity).map(|()| asked));
        let mut asked = match asked {
            Ok(asked) => asked,
            Err(refusal) => {
                let answer = response::refused(&edge, refusal, version);
                return Reply::Now(delivery.goes_out(answer, &edge.metrics));
            }
        };
        asked.came_by(peer.scheme, edge.identity.name());
        asked.interim = peer.interim.take();
        asked.takes_ready = peer.takes_ready;
        let begun = match begun(&edge, &mut asked, &peer) {
            Begun::Answered(answer) => return Reply::Now(delivery.goes_out(answer, &edge.metrics)),
            begun => begun,
        };
        Reply::Later(async move {
            let metrics = Rc::clone(&edge.metrics);
            delivery.goes_out(begun.end(edge, asked, body, &peer).await, &metrics)
        })
    }

    fn ready(body: &Self::Body) -> Option<&ReadyFields> {
        body.ready()
    }
}

/// How often a request looks again when another's fill turned out to be of another variant, or for that one alone. Two answers' worth
/// of Vary is all that honest origins have, two things may have to be fetched from the disk, and another's odd wish counts once;
/// beyond it the request is passed through by itself.
const MAX_LOOKS: usize = 6;

/// What one who looks again has learnt.
#[derive(Default)]
struct Looks {
    /// How often it was for another's wishes.
    again: u8,
    /// How variants are told apart, as the disk has said or another's fill: memory that is full may not keep that.
    told: Option<Arc<Variants>>,
}

/// GET and HEAD, of what is not [`begun::found`].
///
/// Whatever has to wait is boxed: as a part of this future it would make each hit's 12 kB large, which are moved twice.
async fn answer(edge: Rc<Edge>, mut asked: Box<Asked>, primary: CacheKey) -> Answer {
    let policy = edge.policy(&asked);
    let (mut asked_disk_for, mut looks) = (None, Looks::default());
    for look in 0..MAX_LOOKS {
        let now = if look == 0 { asked.came } else { Instant::now() };
        let (reload, orders) = (policy.client_reload, edge.flights.orders());
        let mut looked = look_up(&edge.memory, primary.clone(), &asked, reload, looks.told.as_ref(), now);
        if matches!(looked.found, Found::Miss(_))
            && asked.method == Method::GET
            && edge.overload.is_full()
            && !edge.flights.is_on(&looked.key, now)
        {
            if asked.directives.only_if_cached {
                return response::not_cached(&edge);
            }
            return response::shed(&edge, edge.overload.refuses_body());
        }
        if matches!(looked.found, Found::Miss(_))
            && asked_disk_for.as_ref() != Some(&looked.key)
            && edge.may_be_on_disk(&looked.key, &asked)
        {
            asked_disk_for = Some(looked.key.clone());
            let is_head = asked.method == Method::HEAD;
            let head = if is_head { Box::pin(fill::head_on_disk(&edge, &looked.key)).await } else { None };
            let brought = match head {
                Some(head) => Some(Brought::Response(head)),
                None => Box::pin(load(&edge, &asked, &primary, &looked.key)).await,
            };
            let object = match brought {
                None => continue,
                Some(Brought::Varies(variants)) => {
                    looks.told = Some(variants);
                    continue;
                }
                Some(Brought::Response(object)) => object,
            };
            if let Some(answer) = answer_from_disk(&edge, &asked, &object) {
                return answer;
            }
            match object.body {
                // Fresh a moment ago, and nothing that could be asked about: its body is not here.
                Body::Growing(_) => continue,
                Body::Passing(_) if !is_head => continue,
                // As it was found: memory that is full of what is more popular has let go of it by now.
                _ => looked.found = judge(object, &asked, reload, Instant::now()),
            }
        }
        let found = edge.release.look_after(&mut asked, looked.found, policy.stale_on_error, now);
        let is_held = matches!(found, Found::Fresh(_) | Found::StaleWhileRevalidate(_));
        if !is_held
            && !asked.directives.only_if_cached
            && let Some(what) = edge.overload.sheds_cold_session(asked.session)
        {
            return response::shed(&edge, what);
        }
        let (forwarded, stale) = match found {
            Found::Fresh(object) => return hit(&edge, &asked, &object, Outcome::Hit, now).await,
            Found::StaleWhileRevalidate(object) => {
                refresh(&edge, &asked, &primary, &looked.key, &object, orders);
                return hit(&edge, &asked, &object, Outcome::StaleWhileRevalidate, now).await;
            }
            _ if asked.directives.only_if_cached => return response::not_cached(&edge),
            // Nothing of the answer may be kept, so nobody else has anything of the question (RFC 9111 §5.2.1.5).
            Found::Miss(forwarded) if asked.directives.no_store && !edge.flights.is_on(&looked.key, now) => {
                let reason = outcome::not_stored(NotStored::RequestNoStore);
                return Box::pin(pass(&edge, &asked, forwarded, Some(reason))).await;
            }
            Found::Pass => return Box::pin(pass(&edge, &asked, Forwarded::Bypass, None)).await,
            // A HEAD is not worth a body; its answer is not kept (attack 52), but heard.
            Found::Miss(_) if asked.method == Method::HEAD => {
                return Box::pin(pass(&edge, &asked, Forwarded::Method, None)).await;
            }
            Found::Stale(object, forwarded) if asked.method == Method::HEAD => {
                return Box::pin(ask_head(&edge, &asked, &primary, &looked.key, &object, forwarded)).await;
            }
            Found::Stale(object, forwarded) => (forwarded, Some(object)),
            Found::Miss(forwarded) => (forwarded, None),
        };
        let stale = stale.map(|object| Held { object, orders });
        let fetched = Box::pin(fetch(&edge, &asked, &primary, &looked.key, forwarded, stale, &mut looks));
        if let Some(answer) = fetched.await {
            return answer;
        }
    }
    Box::pin(pass(&edge, &asked, Forwarded::VaryMiss, None)).await
}

/// What memory has of it.
pub(crate) fn look(edge: &Edge, asked: &Asked, primary: &CacheKey, now: Instant) -> Lookup {
    look_up(&edge.memory, primary.clone(), asked, edge.policy(asked).client_reload, None, now)
}

/// Answers from what is stored.
async fn hit(edge: &Rc<Edge>, asked: &Asked, object: &Object, outcome: Outcome, now: Instant) -> Answer {
    let Some((sparse, wanted)) = lacking(edge, asked, object) else {
        let status = CacheStatus { hit: true, ..CacheStatus::default() };
        return response::stored(edge, asked, object, outcome, status, now);
    };
    if asked.directives.only_if_cached {
        return response::not_cached(edge);
    }
    // What is on its way is there for whoever else wants it.
    if edge.overload.is_full() && !edge.lots.bring(&edge.memory, &sparse, &wanted) {
        return response::shed(edge, edge.overload.refuses_body());
    }
    if !may_add(edge, asked, object) {
        return Box::pin(pass(edge, asked, Forwarded::Partial, None)).await;
    }
    let (before, _) = sparse.silences();
    let waits_for_answer = !sparse.covers(&(wanted.start..wanted.start + 1));
    if !Box::pin(begin(edge, asked, &sparse, wanted)).await {
        let (silences, error) = sparse.silences();
        let silent = error.filter(|_| silences != before);
        return Box::pin(pass_unless_silent(edge, asked, Forwarded::Partial, silent)).await;
    }
    let (forwarded, forward_status) = (Some(Forwarded::Partial), sparse.said().filter(|_| waits_for_answer));
    let status = CacheStatus { forwarded, forward_status, stored: true, ..CacheStatus::default() };
    response::stored(edge, asked, object, Outcome::Partial, status, Instant::now())
}

/// Whether the first bytes of what is missing are there, or come. They must before the head goes out: an upstream that has
/// something else by now, or nothing, or not as a part, answers for itself.
async fn begin(edge: &Rc<Edge>, asked: &Asked, sparse: &Arc<Sparse>, wanted: Range<u64>) -> bool {
    BlockStream::new(edge, asked, sparse, wanted).begins(asked).await
}

/// What of it would have to be fetched. What has come may have been evicted, unnoticed until it is read: who may have nothing fetched
/// for everybody would be cut there, and who wants only what is here would have it fetched. So it is looked up for them.
fn lacking(edge: &Edge, asked: &Asked, object: &Object) -> Option<(Arc<Sparse>, Range<u64>)> {
    response::in_blocks(asked, object).filter(|(sparse, wanted)| {
        let is_his_own = asked.directives.no_store
            || [header::AUTHORIZATION, header::COOKIE].iter().any(|name| asked.headers.contains_key(name));
        let is_looked_up = is_his_own || asked.directives.only_if_cached;
        let is_there = |index| sparse.is_kept(index) || edge.memory.holds(&sparse.block_key(index));
        !sparse.covers(wanted) || (is_looked_up && !blocks::touched(wanted, BLOCK_SIZE).all(is_there))
    })
}

/// Whether what is missing of a stored response may be fetched by this question. It is kept for everybody: not what comes to one's
/// credentials, nor against his wish.
fn may_add(edge: &Edge, asked: &Asked, object: &Object) -> bool {
    fill::still_storable(edge, asked, object).is_ok()
}

/// What the disk has under a key.
enum Brought {
    Response(Arc<Object>),
    /// There are several, told apart as this says.
    Varies(Arc<Variants>),
}

/// What is on the disk: for this client alone, or by leading or following a load for all. `None`: look again.
async fn load(edge: &Rc<Edge>, asked: &Asked, primary: &CacheKey, key: &CacheKey) -> Option<Brought> {
    let mut found = None;
    if let Some(disk) = &edge.disk
        && asked.method == Method::GET
        && !asked.headers.contains_key(header::RANGE)
        && !edge.ghost.is_back(key)
    {
        match fill::pass_on(edge, asked, key, disk).await {
            Ok(object) => return object.map(|object| Brought::Response(Arc::new(object))),
            Err(for_all) => found = Some(for_all),
        }
    }
    let flight = match edge.flights.join(key, Instant::now(), || edge.memory.holds(key).then_some(())).ok()? {
        Role::Follow(flight) => flight,
        Role::Lead(flight, guard) => {
            // What was changed or purged before this was listed has marked nothing: it is looked up again.
            found = found.filter(Loaded::is_current);
            let load = fill::load(Rc::clone(edge), asked.clone(), primary.clone(), guard, found);
            drop(tokio::task::spawn_local(load));
            flight
        }
    };
    match flight.landed().await {
        Landed::Loaded(object) => Some(Brought::Response(object)),
        Landed::Varies(variants) => Some(Brought::Varies(variants)),
        _ => None,
    }
}

/// What is not simply fresh goes the way of all that is not; blocks are read as those of what is in memory.
fn answer_from_disk(edge: &Rc<Edge>, asked: &Asked, object: &Arc<Object>) -> Option<Answer> {
    if matches!(object.body, Body::Sparse(_)) {
        return None;
    }
    let now = Instant::now();
    match judge(Arc::clone(object), asked, edge.policy(asked).client_reload, now) {
        Found::Fresh(object) => {
            let status = CacheStatus { hit: true, detail: Some("disk"), ..CacheStatus::default() };
            Some(response::stored(edge, asked, &object, Outcome::HitDisk, status, now))
        }
        _ => None,
    }
}

/// The key of what is asked for. Which scheme the client used, no origin learns: one stands for both. Host and path say
/// which group is asked, so no two groups share a key.
pub(crate) fn key_of(edge: &Edge, asked: &Asked) -> CacheKey {
    key_by(edge, edge.upstream.groups().route(&asked.host, asked.target.path()), asked)
}

/// The same where the way is known.
fn key_by(edge: &Edge, route: Route, asked: &Asked) -> CacheKey {
    let site = edge.upstream.groups().site_by(route, &asked.host);
    CacheKey::primary("http", site, asked.path_and_query())
}
