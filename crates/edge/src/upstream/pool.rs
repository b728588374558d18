//! One core's connections to one server: kept for reuse, and never more than a bound.
//!
//! ```text
//! lease ─► a place ─┬─ an idle connection ──► exchange ──► over: idle again, and its place is free
//!                   └─ a new one; where there are as many as may be, the oldest idle one makes room
//! ```
//! A place is for what is going on, not for a connection: whoever waits for one is next when an exchange ends, and finds its
//! connection. An answer for one client alone goes on for as long as that client reads it; a part of the places is not for such,
//! so that slow readers never hold what the cache needs, and one that takes next to nothing lets its place go to the next who is alone.

use super::UpstreamError;
use super::connect::Dial;
use super::parent::Parent;
use super::question::Question;
use super::sender::Sender;
use super::sending::Sending;
use super::width::Width;
use crate::metrics::Metrics;
use crate::options::UpstreamLimits;
use crate::patience::{Patience, PlaceFor};
use futures_util::FutureExt;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// Unused connections kept on one core.
const MAX_IDLE: usize = 32;
/// How long an unused connection is kept: less than what servers commonly allow, so that we rarely meet one that is
/// just being closed.
const IDLE_FOR: Duration = Duration::from_secs(20);

/// One core's connections.
pub(super) struct Pool {
    parent: Arc<Parent>,
    dial: Dial,
    /// The longest unused first.
    idle: RefCell<VecDeque<Idle>>,
    /// Whether a task looks after those that are idle.
    tended: Cell<bool>,
    /// As many as there may be connections, for the exchanges that go on.
    places: Arc<Semaphore>,
    clients: Rc<Clients>,
    most: usize,
    open: Rc<Cell<usize>>,
    metrics: Arc<Metrics>,
}

/// A connection.
struct Connection {
    sender: Sender,
    _counted: Counted,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_usable(&self, now: Instant) -> bool {
        self.connection.sender.is_ready() && now.duration_since(self.since) < IDLE_FOR
    }
}

/// One connection that is open, or is being made.
struct Counted {
    open: Rc<Cell<usize>>,
    metrics: Arc<Metrics>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
        self.metrics.upstream_connections.dec();
    }
}

/// The places that clients may hold.
struct Clients {
    permits: Arc<Semaphore>,
    /// Those that are held, and some that were.
    held: RefCell<Vec<Weak<Place>>>,
}

impl Clients {
    fn note(&self, place: &Rc<Place>) {
        let mut held = self.held.borrow_mut();
        held.retain(|held| held.strong_count() > 0);
        held.push(Rc::downgrade(place));
    }

    /// Takes a place from a client that has long taken next to nothing, for who waits for it; whether there was one.
    fn make_room(&self, now: Instant) -> bool {
        let held = self.held.borrow();
        let place = held.iter().filter_map(Weak::upgrade).find(|place| place.reader.may_lose(now));
        place.inspect(|place| place.reader.loses()).is_some()
    }
}

/// Who reads the answer of an exchange, where that is one client alone.
#[derive(Default)]
struct Reader {
    patience: Cell<Patience>,
    has_lost: Cell<bool>,
    loses: Notify,
}

impl Reader {
    fn may_lose(&self, now: Instant) -> bool {
        !self.has_lost.get() && self.patience.get().is_over(now)
    }

    fn loses(&self) {
        self.has_lost.set(true);
        self.loses.notify_one();
    }
}

/// The right to one exchange.
struct Place {
    _place: OwnedSemaphorePermit,
    /// Where a client sets its pace.
    client: RefCell<Option<OwnedSemaphorePermit>>,
    reader: Rc<Reader>,
}

/// What for a connection is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// Whether it may have carried an exchange before.
    pub(super) reuse: bool,
    /// Whether a client will set the pace.
    pub(super) alone: bool,
    /// Whether a place is waited for where all are taken.
    pub(super) wait: bool,
    /// Whether little of a long answer may be wanted: it is to be narrow until more is.
    pub(super) narrow: bool,
}

/// A connection in use.
pub(super) struct Lease {
    connection: Connection,
    /// Whether it has carried an exchange before: the upstream may have closed it without our knowing.
    pub(super) reused: bool,
    place: Rc<Place>,
}

/// An answer's hold on its exchange, until its body is over.
pub(super) struct Hold {
    place: Weak<Place>,
    reader: Rc<Reader>,
    clients: Rc<Clients>,
    width: Width,
    /// What was sent with the question.
    sending: Option<Sending>,
    /// Dropped with this.
    _over: Option<oneshot::Sender<Infallible>>,
}

impl Hold {
    /// From now on a client sets the pace; whether it may.
    pub(super) fn hand_to_client(&self) -> bool {
        // What is over holds nothing.
        let Some(place) = self.place.upgrade() else { return true };
        let mut client = place.client.borrow_mut();
        if client.is_none() {
            *client = Arc::clone(&self.clients.permits).try_acquire_owned().ok();
            if client.is_some() {
                self.clients.note(&place);
            }
        }
        client.is_some()
    }

    /// From now on little is read ahead of what is taken.
    pub(super) fn narrow(&self) {
        self.width.narrow();
    }

    /// From now on all of it is wanted, so many bytes where that is known.
    pub(super) fn widen(&self, length: Option<u64>) {
        self.width.widen(length);
    }

    /// The client has so many bytes to take.
    pub(super) fn gave(&self, bytes: usize, now: Instant) {
        self.reader.patience.update(|patience| patience.gave(bytes, now));
    }

    /// The client has taken what it had, and waits for more.
    pub(super) fn asked(&self, now: Instant) {
        self.reader.patience.update(|patience| patience.asked(now));
    }

    /// Whether another has its place, for it took next to nothing.
    pub(super) fn has_lost(&self) -> bool {
        self.reader.has_lost.get()
    }

    /// Whether the client's own body failed, with which hyper gives up the connection and what comes over it.
    pub(super) fn is_failed_by_client(&self) -> bool {
        self.sending.as_ref().is_some_and(Sending::has_failed)
    }
}

impl Wish {
    /// For `question`.
    pub(super) fn of(question: Question<'_>, reuse: bool, wait: bool) -> Self {
        let Question { alone, narrow, .. } = question;
        Self { reuse, alone, wait, narrow }
    }
}

impl Lease {
    pub(super) fn sender(&mut self) -> &mut Sender {
        &mut self.connection.sender
    }
}

impl Pool {
    pub(super) fn new(
        parent: Arc<Parent>,
        dial: Dial,
        limits: &UpstreamLimits,
        metrics: Arc<Metrics>,
    ) -> Rc<Self> {
        let most = limits.connections_per_core.min(Semaphore::MAX_PERMITS);
        Rc::new(Self {
            parent,
            dial,
            idle: RefCell::default(),
            tended: Cell::new(false),
            places: Arc::new(Semaphore::new(most)),
            clients: Rc::new(Clients {
                permits: Arc::new(Semaphore::new((most - most.div_ceil(4)).max(1))),
                held: RefCell::default(),
            }),
            most,
            open: Rc::default(),
            metrics,
        })
    }

    /// A connection: an idle one, the last used first, where one may and will do, and else a new one. Waits for a place where all are
    /// taken, if that is wished.
    ///
    /// # Errors
    /// [`UpstreamError::Busy`] also when a wait for a place has left too little time to connect: the server is not to blame.
    pub(super) async fn lease(&self, wish: Wish, limit: Duration) -> Result<Lease, UpstreamError> {
        let started = Instant::now();
        let at_once = self.place(wish.alone).now_or_never();
        let waited = at_once.is_none();
        let place = match at_once {
            Some(place) => place,
            None if wish.wait => {
                if wish.alone && self.clients.make_room(started) {
                    self.metrics.lost_place(PlaceFor::Answer);
                }
                timeout(limit, self.place(wish.alone)).await.ok().flatten()
            }
            None => None,
        };
        let place = place.ok_or(UpstreamError::Busy)?;
        if wish.reuse
            && let Some(connection) = self.take_idle(wish.narrow)
        {
            return Ok(Lease { connection, reused: true, place });
        }
        self.make_room();
        let counted = self.count();
        let left = limit.saturating_sub(started.elapsed()).max(Duration::from_millis(1));
        let sender = self.dial.connect(&self.parent, left).await.map_err(|error| match error {
            UpstreamError::ConnectTimeout if waited => UpstreamError::Busy,
            error => error,
        })?;
        Ok(Lease { connection: Connection { sender, _counted: counted }, reused: false, place })
    }

    async fn place(&self, alone: bool) -> Option<Rc<Place>> {
        let permits = Arc::clone(&self.clients.permits);
        let client = if alone { Some(permits.acquire_owned().await.ok()?) } else { None };
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let place = Rc::new(Place { _place: place, client: RefCell::new(client), reader: Rc::default() });
        if alone {
            self.clients.note(&place);
        }
        Some(place)
    }

    /// An idle one. For who does not need it narrow, those that are not come first.
    fn take_idle(&self, narrow: bool) -> Option<Connection> {
        self.drop_unusable();
        loop {
            let mut idle = self.idle.borrow_mut();
            let suits = |idle: &Idle| idle.connection.sender.width.is_narrow() == narrow;
            let found = idle.iter().rposition(suits);
            let at = if narrow { found? } else { found.or(idle.len().checked_sub(1))? };
            let Idle { connection, .. } = idle.remove(at)?;
            // Where it no longer is, it is not asked: whoever moves a name waits for that.
            if connection.sender.peer.is_none_or(|peer| self.parent.resolver.is_at(peer)) {
                return Some(connection);
            }
        }
    }

    /// Closes idle connections for one that is to be made. Those in use have a place each, and so has the new one: there is
    /// room as soon as none is idle.
    fn make_room(&self) {
        let mut idle = self.idle.borrow_mut();
        while self.open.get() >= self.most && idle.pop_front().is_some() {}
    }

    fn count(&self) -> Counted {
        self.open.set(self.open.get() + 1);
        self.metrics.upstream_connections.inc();
        Counted { open: Rc::clone(&self.open), metrics: Arc::clone(&self.metrics) }
    }

    /// Takes a connection back as soon as its exchange is over; one that cannot be used again is closed. `sending`: what was sent
    /// with the question.
    pub(super) fn give_back(self: &Rc<Self>, lease: Lease, sending: Option<Sending>) -> Hold {
        let pool = Rc::clone(self);
        let Lease { mut connection, place, .. } = lease;
        let unsent = sending.clone().filter(|sending| !sending.is_whole());
        let (over, answered) = unsent.as_ref().map(|_| oneshot::channel()).unzip();
        let hold = Hold {
            place: Rc::downgrade(&place),
            reader: Rc::clone(&place.reader),
            clients: Rc::clone(&self.clients),
            width: connection.sender.width.clone(),
            sending,
            _over: over,
        };
        drop(tokio::task::spawn_local(async move {
            let sender = &mut connection.sender;
            let is_usable = async {
                if let (Some(unsent), Some(answered)) = (unsent, answered) {
                    let _ = answered.await;
                    // Who has answered and does not read the rest may never do so (RFC 9112 §9.5).
                    if !unsent.is_whole() {
                        return false;
                    }
                }
                sender.ready().await.is_ok() && sender.width.is_usable_again()
            };
            let is_usable = tokio::select! {
                biased;
                () = place.reader.loses.notified() => false,
                is_usable = is_usable => is_usable,
            };
            if is_usable {
                pool.keep(connection);
            } else {
                connection.sender.abort();
                drop(connection);
            }
            // Who waits for it finds the connection.
            drop(place);
        }));
        hold
    }

    fn keep(self: &Rc<Self>, connection: Connection) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() >= MAX_IDLE {
            idle.pop_front();
        }
        idle.push_back(Idle { connection, since: Instant::now() });
        if !self.tended.replace(true) {
            drop(tokio::task::spawn_local(tend(Rc::downgrade(self))));
        }
    }

    fn drop_unusable(&self) {
        let now = Instant::now();
        self.idle.borrow_mut().retain(|idle| idle.is_usable(now));
    }
}

/// Closes what is idle for too long, and forgets what the server has closed, for as long as there is anything.
async fn tend(pool: Weak<Pool>) {
    loop {
        sleep(IDLE_FOR).await;
        let Some(pool) = pool.upgrade() else { return };
        pool.drop_unusable();
        if pool.idle.borrow().is_empty() {
            pool.tended.set(false);
            return;
        }
    }
}
