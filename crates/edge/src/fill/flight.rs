//! The fills going on now, and waiting for one's head.

use crate::key::CacheKey;
use crate::outcome;
use crate::request::Asked;
use crate::store::{Object, Variants, Whose};
use crate::upstream::{UpstreamError, Way};
use http::StatusCode;
use httpcache::directives::RequestDirectives;
use httpcache::freshness::State;
use httpcache::storable::NotStored;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How a fill's head came in.
#[derive(Debug, Clone)]
pub(crate) enum Landed {
    /// A response for everybody, fetched by this fill; its body may still grow.
    Fetched {
        /// What to serve.
        object: Arc<Object>,
        /// Where it varies: a follower that asked with other values must look again.
        variant: Option<Arc<Variant>>,
        /// By which it came.
        way: Way,
        /// Whether it is kept, or only handed to those who waited for it.
        kept: bool,
        /// What the upstream has answered, whatever is made of it here.
        said: StatusCode,
    },
    /// It was on the disk; this is it. It may be stale.
    Loaded(Arc<Object>),
    /// It was not on the disk after all: look again.
    NotLoaded,
    /// There are several on the disk, told apart as this says: look again by that, whatever memory keeps of it.
    Varies(Arc<Variants>),
    /// The stored response still holds; this is it, freshened.
    Revalidated(Arc<Object>),
    /// The upstream failed; this stale response may stand in.
    StaleOnError {
        /// This one.
        object: Arc<Object>,
        /// What it has answered, or what was wrong where it has not.
        failed: Result<StatusCode, UpstreamError>,
    },
    /// Answered, but not for everybody: each asks for himself.
    NotShared(Unshared),
    /// No answer, and nothing to stand in.
    Failed(UpstreamError),
    /// The fill's task is gone without a word; only a panic or a shutdown does that.
    Abandoned,
}

/// One variant of a response, by where it stands.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) variants: Arc<Variants>,
    pub(crate) key: CacheKey,
}

/// Why an answer is for one client alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unshared {
    /// RFC 9111 says so.
    Rule(NotStored),
    /// The same of an answer to one who has said who he is: it is a word about what is his.
    Own(NotStored, Whose),
    /// It would take too much of the cache.
    TooLarge,
    /// An error that does not say for how long.
    Error,
}

impl Unshared {
    /// Of what came to `asked`. An origin that knows its client says `private`, `no-store` or another cookie of what it has made for
    /// him, and need not say in Vary that all others get something else.
    pub(crate) fn by_rule(reason: NotStored, asked: &Asked) -> Self {
        let may_be_his =
            matches!(reason, NotStored::Private | NotStored::ResponseNoStore | NotStored::SetCookie);
        match Whose::of(&asked.headers).filter(|_| may_be_his) {
            Some(whose) => Self::Own(reason, whose),
            None => Self::Rule(reason),
        }
    }

    /// As Cache-Status says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rule(reason) | Self::Own(reason, _) => outcome::not_stored(reason),
            Self::TooLarge => "too-large",
            Self::Error => "error",
        }
    }

    /// Whether it came of how this client asked: to another's question the answer may be everybody's.
    pub(crate) const fn is_of_request(self) -> bool {
        matches!(
            self,
            Self::Rule(
                NotStored::RequestNoStore | NotStored::Authorized | NotStored::Cookie | NotStored::Status
            ) | Self::Own(..)
                | Self::Error
        )
    }

    /// Whether it would be the same for who has `asked` so: he need not try.
    pub(crate) fn is_of(self, asked: &Asked) -> bool {
        match self {
            Self::Rule(NotStored::RequestNoStore) => asked.directives.no_store,
            _ => self.whose().is_some_and(|whose| whose.is_of(&asked.headers)),
        }
    }

    /// Of whose questions it came, where that can be told of another's.
    pub(crate) const fn whose(self) -> Option<Whose> {
        match self {
            Self::Rule(NotStored::Authorized) => Some(Whose::Authorized),
            Self::Rule(NotStored::Cookie) => Some(Whose::Cookie),
            Self::Own(_, whose) => Some(whose),
            _ => None,
        }
    }
}

/// One fill.
#[derive(Debug)]
pub(crate) struct Flight {
    landed: watch::Sender<Option<Landed>>,
    /// Set when what it fetches was changed after it was asked for (RFC 9111 §4.4).
    outdated: AtomicBool,
    /// Requests that joined it.
    followers: AtomicU32,
    /// Held by it and those before it under the same key whose bodies still come.
    line: Arc<()>,
}

/// Fills of one URL at once, of which the head of each but the last is not fresh any more: a body that takes longer than it is good for
/// costs so many times its length in memory, and beyond that a question for each client.
const MOST_IN_LINE: usize = 4;

impl Flight {
    /// Whether its head has come and may not serve a request that comes only now: one that must be asked about each
    /// time answers those that were waiting for it (RFC 9111 §4), nobody after them.
    fn is_too_late(&self, now: Instant) -> bool {
        self.has_brought(|object| object.state(now) == State::Stale)
    }

    /// Whether its head has come, of something that is so.
    fn has_brought(&self, is_so: impl FnOnce(&Object) -> bool) -> bool {
        matches!(&*self.landed.borrow(), Some(Landed::Fetched { object, .. }) if is_so(object))
    }

    /// Whether another fill is to follow it: it was for everybody who came, and its body takes longer than that holds. What has to be
    /// asked about each time was for nobody but those who waited.
    fn gives_way(&self, now: Instant) -> bool {
        let was_fresh = matches!(
            &*self.landed.borrow(),
            Some(Landed::Fetched { object, .. }) if object.freshness.state(Duration::ZERO) == State::Fresh
        );
        was_fresh && self.is_too_late(now) && Arc::strong_count(&self.line) < MOST_IN_LINE
    }

    /// Requests that have joined it so far.
    pub(crate) fn followers(&self) -> u32 {
        self.followers.load(Ordering::Relaxed)
    }

    /// Whether somebody waits for its head, or holds what that has brought.
    fn is_awaited(&self) -> bool {
        let held = |landed: &Landed| match landed {
            Landed::Fetched { object, .. } => Arc::strong_count(object) > 1,
            _ => false,
        };
        self.landed.receiver_count() > 0 || self.landed.borrow().as_ref().is_some_and(held)
    }

    /// What its head has brought, once it has come.
    fn object(&self) -> Option<Arc<Object>> {
        match &*self.landed.borrow() {
            Some(
                Landed::Fetched { object, .. }
                | Landed::Revalidated(object)
                | Landed::StaleOnError { object, .. },
            ) => Some(Arc::clone(object)),
            _ => None,
        }
    }
}

/// One who waits for a fill's head. It is one from the moment that it joins, so that the fill is not left before it comes to read.
#[derive(Debug)]
pub(crate) struct Waiter {
    flight: Arc<Flight>,
    landed: watch::Receiver<Option<Landed>>,
    /// The head had come before it joined. One that came just behind it is its own, too.
    came_late: bool,
}

impl Waiter {
    fn of(flight: &Arc<Flight>) -> Self {
        let landed = flight.landed.subscribe();
        let came_late = landed.borrow().is_some();
        Self { flight: Arc::clone(flight), landed, came_late }
    }

    /// As [`Flight::is_too_late`].
    pub(crate) fn is_too_late(&self, now: Instant) -> bool {
        self.came_late && self.flight.is_too_late(now)
    }

    /// Whether its head had come already, and is older than who wishes so may be given (RFC 9111 §5.2.1).
    pub(crate) fn is_too_old_for(&self, wishes: &RequestDirectives, now: Instant) -> bool {
        self.came_late
            && self.flight.has_brought(|object| !object.freshness.suits(wishes, object.resident(now)))
    }

    /// Waits for the head. At once when it has come already.
    pub(crate) async fn landed(mut self) -> Landed {
        let landed = self.landed.wait_for(Option::is_some).await;
        landed.ok().and_then(|landed| landed.clone()).unwrap_or(Landed::Abandoned)
    }
}

/// All fills of the node, over all cores.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flights {
    list: Arc<Mutex<List>>,
    /// Orders to purge so far, twice each that takes out: when it begins and when it is carried out.
    orders: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct List {
    fills: HashMap<CacheKey, Arc<Flight>>,
    /// Those whose place there another has taken, and whose bodies still come: nobody joins them, and what is changed or purged is not
    /// kept of them either.
    given_way: Vec<(CacheKey, Arc<Flight>)>,
    /// A few: of each thing that is brought before anybody has asked for it, and of each change until its answer is kept.
    watches: Vec<Watched>,
}

/// What a [`Watch`] is about.
#[derive(Debug)]
struct Watched {
    primaries: Vec<CacheKey>,
    outdated: Arc<AtomicBool>,
}

/// What a request is to the fill of its key.
pub(crate) enum Role {
    /// The first: must start the fill and hold on to this.
    Lead(Waiter, Guard),
    /// One of the others.
    Follow(Waiter),
}

impl Flights {
    /// Joins the fill of `key`, or begins one unless `stored` finds that it has just ended. One that is too late for who comes now is
    /// left to those who read it.
    ///
    /// A fill is stored before it is taken out here, and `stored` looks under the same lock: between two fills there
    /// is no gap that a request could slip through to the upstream.
    pub(crate) fn join<T>(
        &self,
        key: &CacheKey,
        now: Instant,
        stored: impl FnOnce() -> Option<T>,
    ) -> Result<Role, T> {
        let mut list = self.list();
        let listed = list.fills.get(key);
        if let Some(flight) = listed.filter(|flight| !flight.gives_way(now)) {
            flight.followers.fetch_add(1, Ordering::Relaxed);
            return Ok(Role::Follow(Waiter::of(flight)));
        }
        if let Some(found) = stored() {
            return Err(found);
        }
        let line = listed.map(|before| Arc::clone(&before.line)).unwrap_or_default();
        let flight = Arc::new(Flight {
            line,
            landed: watch::Sender::new(None),
            outdated: AtomicBool::new(false),
            followers: AtomicU32::new(0),
        });
        list.put(key.clone(), &flight);
        let waiter = Waiter::of(&flight);
        let guard = Guard { flights: self.clone(), keys: vec![key.clone()], flight, for_its_reader: false };
        Ok(Role::Lead(waiter, guard))
    }

    /// Whether a fill of `key` is going on, which costs whoever joins it no memory.
    pub(crate) fn is_on(&self, key: &CacheKey, now: Instant) -> bool {
        self.list().fills.get(key).is_some_and(|flight| !flight.gives_way(now))
    }

    /// Forgets everything about a URL: `remove` takes out what is stored, and what is being fetched serves those who wait
    /// for it and is not stored.
    pub(crate) fn forget(&self, primary: &CacheKey, remove: impl FnOnce()) {
        self.list().forget(primary, remove);
    }

    /// The same, and watches the URL from that moment on.
    pub(crate) fn forget_and_watch(&self, primary: &CacheKey, remove: impl FnOnce()) -> Watch {
        let mut list = self.list();
        list.forget(primary, remove);
        Watch { flights: self.clone(), outdated: list.watch(vec![primary.clone()]) }
    }

    /// Has the fills that `is_meant` picks serve those who wait for them and not be stored; gives how many, and what `then`
    /// gives: between the two nothing is stored. `is_meant` sees the key and, where the head has come, the response.
    pub(crate) fn overtake<T>(
        &self,
        is_meant: impl Fn(&CacheKey, Option<&Object>) -> bool,
        then: impl FnOnce() -> T,
    ) -> (u64, T) {
        let mut list = self.list();
        self.orders.fetch_add(1, Ordering::Release);
        (list.outdate(|key, flight| is_meant(key, flight.and_then(Flight::object).as_deref())), then())
    }

    /// How often orders to purge have overtaken. Where it is another than before something was looked up, that may have been taken out.
    pub(crate) fn orders(&self) -> u64 {
        self.orders.load(Ordering::Acquire)
    }

    /// Does `store` while nobody joins or leaves.
    pub(crate) fn store(&self, store: impl FnOnce()) {
        let _list = self.list();
        store();
    }

    /// Watches the URLs of `primaries`: whether something that is found or fetched from now on may still be kept.
    pub(crate) fn watch(&self, primaries: Vec<CacheKey>) -> Watch {
        let outdated = self.list().watch(primaries);
        Watch { flights: self.clone(), outdated }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // Nothing that holds the lock can panic half way through a change.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn put(&mut self, key: CacheKey, flight: &Arc<Flight>) {
        if let Some(before) = self.fills.insert(key.clone(), Arc::clone(flight))
            && !Arc::ptr_eq(&before, flight)
        {
            self.given_way.push((key, before));
        }
    }

    fn forget(&mut self, primary: &CacheKey, remove: impl FnOnce()) {
        self.outdate(|key, _| key.is_of(primary));
        remove();
    }

    fn watch(&mut self, primaries: Vec<CacheKey>) -> Arc<AtomicBool> {
        let outdated = Arc::<AtomicBool>::default();
        self.watches.push(Watched { primaries, outdated: Arc::clone(&outdated) });
        outdated
    }

    /// Marks fills and takes them off the list, under all their keys; gives how many they were. Marks what is watched, too.
    fn outdate(&mut self, is_meant: impl Fn(&CacheKey, Option<&Flight>) -> bool) -> u64 {
        let mut count = 0;
        let mut is_left = |key: &CacheKey, flight: &Flight| {
            let meant = is_meant(key, Some(flight));
            count += u64::from(meant && !flight.outdated.swap(true, Ordering::Relaxed));
            !meant
        };
        self.fills.retain(|key, flight| is_left(key, flight));
        self.given_way.retain(|(key, flight)| is_left(key, flight));
        for watched in &self.watches {
            if watched.primaries.iter().any(|primary| is_meant(primary, None)) {
                watched.outdated.store(true, Ordering::Relaxed);
            }
        }
        count
    }
}

/// A watch over what is about to be kept. Dropped, it is over.
#[derive(Debug)]
pub(crate) struct Watch {
    flights: Flights,
    outdated: Arc<AtomicBool>,
}

impl Watch {
    /// Whether nothing of it has been changed or purged so far.
    pub(crate) fn is_current(&self) -> bool {
        !self.outdated.load(Ordering::Relaxed)
    }

    /// Does `store` while nobody joins or leaves, unless something of it has been changed or purged; gives what that gives.
    pub(crate) fn store<T>(&self, store: impl FnOnce() -> T) -> Option<T> {
        let _list = self.flights.list();
        self.is_current().then(store)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.flights.list().watches.retain(|watched| !Arc::ptr_eq(&watched.outdated, &self.outdated));
    }
}

/// The leader's hold on its fill. Dropped, the fill is over.
#[derive(Debug)]
pub(crate) struct Guard {
    flights: Flights,
    /// Under which it is listed: the one it began with, and its variant's once that is known.
    keys: Vec<CacheKey>,
    flight: Arc<Flight>,
    /// It has no purpose beyond what its readers want.
    for_its_reader: bool,
}

impl Guard {
    /// Under which the fill is known, the latest.
    pub(crate) fn key(&self) -> &CacheKey {
        // A guard begins with one key and loses none.
        &self.keys[self.keys.len() - 1]
    }

    pub(crate) fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// Tells everybody how the head came in. Who is to look again does not find this one again.
    pub(crate) fn land(&self, landed: Landed) {
        if matches!(landed, Landed::NotLoaded | Landed::Varies(_)) {
            self.unlist(&mut self.flights.list());
        }
        self.flight.landed.send_replace(Some(landed));
    }

    /// Does `point`, which has those who look find one more key, and lists the fill under that, unless what is fetched has been changed
    /// since. In one: who came between the two found the key and no fill of it, and began another.
    pub(crate) fn list_as(&mut self, point: impl FnOnce() -> CacheKey) {
        let mut list = self.flights.list();
        if !self.flight.outdated.load(Ordering::Relaxed) {
            let key = point();
            list.put(key.clone(), &self.flight);
            self.keys.push(key);
        }
    }

    /// What is fetched is worth no more than its readers' wishes.
    pub(crate) fn is_for_its_reader(&mut self) {
        self.for_its_reader = true;
    }

    /// Whether it ends once nobody wants more of it.
    pub(crate) fn may_be_left(&self) -> bool {
        self.for_its_reader
    }

    /// Waits until everybody who waits for its head has come for it.
    pub(crate) async fn taken(&self) {
        self.flight.landed.closed().await;
    }

    /// Whether everybody who has joined has gone, or has what it wants; nobody can join any more then. `is_wanted`: whether a reader
    /// of the body wants more than has come.
    pub(crate) fn is_left(&self, is_wanted: impl FnOnce() -> bool) -> bool {
        if !self.for_its_reader {
            return false;
        }
        let mut list = self.flights.list();
        // Who waits for the head has the object before it stops waiting, and a reader before it lets go of that.
        let left = !self.flight.is_awaited() && !is_wanted();
        if left {
            self.unlist(&mut list);
        }
        left
    }

    fn unlist(&self, list: &mut List) {
        for key in &self.keys {
            // One that was forgotten may have been followed by another under the same key.
            if list.fills.get(key).is_some_and(|listed| Arc::ptr_eq(listed, &self.flight)) {
                list.fills.remove(key);
            }
        }
        list.given_way.retain(|(_, flight)| !Arc::ptr_eq(flight, &self.flight));
    }

    /// Does `store`, unless what was fetched has been changed since; whether it was done.
    pub(crate) fn store(&self, store: impl FnOnce()) -> bool {
        let _list = self.flights.list();
        let is_current = !self.flight.outdated.load(Ordering::Relaxed);
        if is_current {
            store();
        }
        is_current
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.unlist(&mut self.flights.list());
        self.flight.landed.send_if_modified(|landed| {
            let abandoned = landed.is_none();
            if abandoned {
                *landed = Some(Landed::Abandoned);
            }
            abandoned
        });
    }
}

#[cfg(test)]
mod tests;
