//! One question and its answer: which servers are asked, one after the other and side by side.

use super::UpstreamError;
use super::attempt::{Answered, Limits, limit_behind_others};
use super::body::{UpstreamBody, Waits};
use super::connect::Dial;
use super::group::{Group, Groups, Pick};
use super::metrics::Hedged;
use super::parent::Parent;
use super::pool::{Pool, Wish};
use super::question::{Question, RequestBody};
use super::way::Way;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::options::{Config, UpstreamLimits};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Response;
use http::response::Parts;
use parents::retry::{Failure, MAX_TRIES, Repeating, is_unwell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// One core's way upstream. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(super) groups: Arc<Groups>,
    /// For each server, by its number.
    pools: Rc<HashMap<usize, Rc<Pool>>>,
    pub(super) dial: Dial,
    pub(super) limits: UpstreamLimits,
    pub(super) config: Arc<Config>,
    pub(super) clock: Clock,
    metrics: Arc<Metrics>,
}

/// An answer whose body is still to come.
pub(crate) type UpstreamResponse = Response<UpstreamBody>;

/// The least wait for a connection, however many servers share the time.
const LEAST_CONNECT: Duration = Duration::from_millis(50);

/// With less left for an answer no other server is asked: it would be blamed for what is ours.
const LEAST_RESPONSE: Duration = Duration::from_millis(250);

impl Upstream {
    pub(crate) fn new(groups: Arc<Groups>, dial: Dial, config: Arc<Config>, metrics: Arc<Metrics>) -> Self {
        let limits = config.limits;
        Self { groups, pools: Rc::default(), dial, limits, config, clock: Clock, metrics }
            .with_pools(&HashMap::new())
    }

    /// The same core's way to `groups` by `config`. Servers that are there already keep their connections.
    pub(crate) fn succeeded_by(&self, groups: Arc<Groups>, config: Arc<Config>) -> Self {
        let limits = config.limits;
        Self { groups, config, limits, ..self.clone() }.with_pools(&self.pools)
    }

    fn with_pools(mut self, there: &HashMap<usize, Rc<Pool>>) -> Self {
        let pool = |parent: &Arc<Parent>| match there.get(&parent.number) {
            Some(pool) => Rc::clone(pool),
            None => Pool::new(Arc::clone(parent), self.dial.clone(), &self.limits, Arc::clone(&self.metrics)),
        };
        self.pools =
            Rc::new(self.groups.parents.iter().map(|parent| (parent.number, pool(parent))).collect());
        self
    }

    /// Connections to a server of [`groups`](Self::groups).
    pub(super) fn pool(&self, parent: &Parent) -> &Rc<Pool> {
        &self.pools[&parent.number]
    }

    /// Whom it asks.
    pub(crate) fn groups(&self) -> &Arc<Groups> {
        &self.groups
    }

    /// Asks and waits for the header section, and as a rule for the first byte behind it.
    ///
    /// Servers that fail are followed by others as far as the method, the retry budget and [`MAX_TRIES`] allow; a slow one
    /// gets company. A whole answer of 502, 503 or 504 is given back when nobody has a better one. The body goes on from
    /// another server when it breaks off and has a strong validator; before its first byte any answer may come from another.
    ///
    /// # Errors
    /// What was wrong with the last server asked, or that no group is for this host and path.
    pub(crate) async fn exchange(
        &self,
        question: Question<'_>,
        body: RequestBody,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let group = self.groups.find(question.host, question.target)?;
        self.exchange_in(group, question, body).await
    }

    /// Asks the node that plans come from.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    pub(crate) async fn exchange_for_plan(
        &self,
        question: Question<'_>,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let group = self.groups.plans().ok_or(UpstreamError::UnknownHost)?;
        // A storm of clients does not keep a node from its plan.
        self.exchange_in(group, Question { goes_on: true, ..question }, RequestBody::Empty).await
    }

    /// Asks for the cache, with another server than `avoid` where there is one. Tells which server answered.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    pub(crate) async fn exchange_from(
        &self,
        question: Question<'_>,
        avoid: Option<usize>,
    ) -> Result<(UpstreamResponse, usize), UpstreamError> {
        let group = self.groups.find(question.host, question.target)?;
        let held = match avoid {
            None => self.ask_a_peer(group, question).await,
            // It may have been the neighbour.
            Some(_) => None,
        };
        let answered = match held {
            Some(held) => Ok(held),
            None => {
                group.deposit(Instant::now());
                self.ask(group, question, avoid, fit_to_pass).await
            }
        };
        let answered = answered.inspect_err(|&error| self.metrics.upstream_failed(error))?;
        let server = answered.load.parent().number;
        // What breaks off is asked for anew: bytes of two servers prove nothing about either.
        let waits = Waits::of(self.limits.body, question.headers);
        let (head, body) = UpstreamBody::of(answered, waits, question.alone, |_| None);
        Ok((Response::from_parts(head, body), server))
    }

    async fn exchange_in(
        &self,
        group: &Arc<Group>,
        question: Question<'_>,
        body: RequestBody,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let since = Instant::now();
        let harmless = Repeating::new(question.method, !body.is_empty()).harmless;
        let held = if body.is_empty() { self.ask_a_peer(group, question).await } else { None };
        let answered = if let Some(held) = held {
            Ok(held)
        } else if !question.goes_on && !group.admits(self.limits.rate, Instant::now()) {
            Err(UpstreamError::Rate)
        } else {
            group.deposit(Instant::now());
            if body.is_empty() {
                self.ask(group, question, None, fit_to_pass).await
            } else {
                self.send_on(group, question, body).await
            }
        };
        let begun = async { self.begun(group, question, answered?, harmless, since).await };
        begun.await.inspect_err(|&error| self.metrics.upstream_failed(error))
    }

    /// Asks one server after the other until an answer `fits`. A server in `broken` is asked only when there is no other.
    pub(super) async fn ask(
        &self,
        group: &Arc<Group>,
        question: Question<'_>,
        broken: Option<usize>,
        mut fits: impl FnMut(&Parts) -> Result<(), Failure>,
    ) -> Result<Answered, UpstreamError> {
        let mut search = Search::new(self, group, question, Repeating::new(question.method, false), broken);
        let first = search.next().ok_or(UpstreamError::Connect)?;
        let mut hedge_at = search.patience(&first).map(|patience| search.begun + patience);
        let (mut hedge, mut retried) = (None::<usize>, false);
        let mut last = Err(UpstreamError::Connect);
        let mut running = FuturesUnordered::new();
        running.push(search.attempt(first));
        loop {
            tokio::select! {
                biased;
                Some((pick, took, result)) = running.next() => {
                    let failure = match result {
                        Ok(mut answered) => match fits(&answered.head) {
                            Ok(()) => {
                                group.took(&pick, took);
                                let way = match hedge {
                                    Some(number) if number == pick.parent.number => Way::Hedged,
                                    _ if retried => Way::Retried,
                                    _ => Way::Direct,
                                };
                                way.note(&mut answered.head);
                                if let Some(hedge) = hedge {
                                    let won = pick.parent.number == hedge;
                                    group.metrics.hedged(if won { Hedged::Won } else { Hedged::Lost });
                                    see_out(group, running);
                                }
                                return Ok(answered);
                            }
                            Err(failure) => {
                                last = Ok(answered);
                                failure
                            }
                        },
                        Err(error) => {
                            // An answer, even a bad one, says more than none.
                            if last.is_err() {
                                last = Err(error);
                            }
                            error.failure()
                        }
                    };
                    let again = search.again_after(failure);
                    if !running.is_empty() {
                        continue;
                    }
                    let Some(next) = again.then(|| search.next_paid(Some(failure))).flatten() else { return last };
                    (hedge_at, hedge, retried) = (None, None, true);
                    running.push(search.attempt(next));
                }
                () = sleep_until(hedge_at.unwrap_or_else(Instant::now)), if hedge_at.is_some() => {
                    hedge_at = None;
                    if let Some(next) = search.next_paid(None) {
                        hedge = Some(next.parent.number);
                        running.push(search.attempt(next));
                    }
                }
                else => return last,
            }
        }
    }

    /// Sends a client's own body on. Until it is begun, another server will do; after that it is gone.
    async fn send_on(
        &self,
        group: &Arc<Group>,
        question: Question<'_>,
        body: RequestBody,
    ) -> Result<Answered, UpstreamError> {
        let mut search = Search::new(self, group, question, Repeating::new(question.method, true), None);
        let mut pick = search.next().ok_or(UpstreamError::Connect)?;
        let mut way = Way::Direct;
        loop {
            // What may not be repeated is not tried on a connection that may be closed.
            let wish = Wish::of(question, false, true);
            match self.reach(&pick.parent, wish, search.time_to_connect()).await {
                Ok(reached) => {
                    let host = group.host(&pick.parent, question.host);
                    let mut answered = reached.send(self, question.request(host, body)).await?;
                    way.note(&mut answered.head);
                    return Ok(answered);
                }
                Err(error) => {
                    let failure = error.failure();
                    let again = search.again_after(failure);
                    pick = again.then(|| search.next_paid(Some(failure))).flatten().ok_or(error)?;
                    way = Way::Retried;
                }
            }
        }
    }
}

/// Whether an answer is given back as it is, or another server asked.
pub(super) fn fit_to_pass(head: &Parts) -> Result<(), Failure> {
    if is_unwell(head.status) { Err(Failure::Unwell) } else { Ok(()) }
}

/// Waits for the heads of those that another was quicker than, in a task of its own: what they are worth and how long they take
/// is known only then, and a trial that nobody sees the end of is none. Each has its own limits; no body is read.
fn see_out(
    group: &Arc<Group>,
    mut running: FuturesUnordered<
        impl Future<Output = (Pick, Duration, Result<Answered, UpstreamError>)> + 'static,
    >,
) {
    if running.is_empty() {
        return;
    }
    let group = Arc::clone(group);
    drop(tokio::task::spawn_local(async move {
        while let Some((pick, took, result)) = running.next().await {
            if result.is_ok_and(|answered| fit_to_pass(&answered.head).is_ok()) {
                group.took(&pick, took);
            }
        }
    }));
}

/// Who has been asked one question, and who may be.
struct Search<'a> {
    upstream: &'a Upstream,
    group: &'a Arc<Group>,
    question: Question<'a>,
    key: u64,
    repeating: Repeating,
    asked: Vec<usize>,
    /// When the server that is asked now was begun with.
    begun: Instant,
    /// Until when connections may be waited for, all servers together.
    connect_by: Instant,
    /// Until when a connection to the server that is asked now may be waited for.
    connects_by: Instant,
    /// Until when answers may be waited for, all servers together, where another node waits for what becomes of it. Its time is not
    /// ours to be asked twice over.
    answer_by: Option<Instant>,
}

impl<'a> Search<'a> {
    fn new(
        upstream: &'a Upstream,
        group: &'a Arc<Group>,
        question: Question<'a>,
        repeating: Repeating,
        broken: Option<usize>,
    ) -> Self {
        let now = Instant::now();
        let mut search = Self {
            upstream,
            group,
            question,
            key: group.key(question),
            repeating,
            asked: Vec::from_iter(broken),
            begun: now,
            connect_by: now + upstream.limits.connect,
            connects_by: now,
            answer_by: limit_behind_others(upstream.limits.response, question.headers)
                .map(|limit| now + limit),
        };
        // With nobody else, who broke off is asked again.
        if group.pick(search.key, &search.asked, repeating.harmless, now).is_none() {
            search.asked.clear();
        }
        search
    }

    /// The next server, from now on one of those that have been asked.
    fn next(&mut self) -> Option<Pick> {
        self.begun = Instant::now();
        let pick = self.group.pick(self.key, &self.asked, self.repeating.harmless, self.begun)?;
        self.asks(&pick);
        Some(pick)
    }

    fn asks(&mut self, pick: &Pick) {
        self.asked.push(pick.parent.number);
        self.connects_by = self.begun + self.connect_limit();
    }

    /// How long a connection to the server that is asked now may take.
    fn time_to_connect(&self) -> Duration {
        self.connects_by.saturating_duration_since(self.begun)
    }

    /// The same, where the retry budget has something left: `after` one that failed, or beside one that is slow.
    fn next_paid(&mut self, after: Option<Failure>) -> Option<Pick> {
        let now = Instant::now();
        if self.answer_by.is_some_and(|by| by.duration_since(now) < LEAST_RESPONSE) {
            return None;
        }
        let pick = self.group.pick(self.key, &self.asked, self.repeating.harmless, now)?;
        let granted = self.group.withdraw(now);
        match after {
            Some(failure) if granted => self.group.metrics.retried(failure),
            Some(_) => self.group.metrics.denied.inc(),
            None => {}
        }
        if !granted {
            return None;
        }
        if after.is_none() && now >= self.connects_by {
            // Who is slow has long been connected to: that wait is over, and this one's has a limit of its own.
            self.connect_by = now + self.upstream.limits.connect;
        }
        self.begun = now;
        self.asks(&pick);
        Some(pick)
    }

    fn again_after(&mut self, failure: Failure) -> bool {
        let now = Instant::now();
        if matches!(failure, Failure::Connect | Failure::Busy) {
            // Nothing was sent, and that wait has a limit of its own.
            self.answer_by = self.answer_by.map(|by| by + now.duration_since(self.begun));
        } else {
            self.connect_by = now + self.upstream.limits.connect;
        }
        self.repeating.again_after(failure)
    }

    /// How long `pick` is waited for before it gets company. Only what changes nothing is asked twice. Where there is no time for
    /// another server after one that lets it run out, half of it is the most: the first still has all, and one that hangs leaves a
    /// living one the rest.
    fn patience(&self, pick: &Pick) -> Option<Duration> {
        if !self.question.method.is_safe() || !self.group.config.hedge {
            return None;
        }
        let half = self.answer_by.map(|by| by.duration_since(self.begun) / 2);
        self.group.patience(pick).into_iter().chain(half).min()
    }

    /// How long an answer of the server that is asked now may take.
    fn response_limit(&self, now: Instant) -> Duration {
        self.answer_by.map_or(self.upstream.limits.response, |by| by.saturating_duration_since(now))
    }

    /// This server's part of the time for connections: what is left, shared with those that may have to be asked after it.
    /// So a dead server leaves time for a living one, and all together stay within the limit.
    fn connect_limit(&self) -> Duration {
        let now = Instant::now();
        let tries_left = MAX_TRIES.saturating_sub(self.repeating.tries + 1);
        let sharing = self.group.others(&self.asked, now).min(tries_left) + 1;
        let left = self.connect_by.saturating_duration_since(now);
        (left / u32::try_from(sharing).unwrap_or(1)).max(LEAST_CONNECT)
    }

    /// One question to one server, with how long it took. It has all that it needs: it may go on when the search is over.
    fn attempt(
        &self,
        pick: Pick,
    ) -> impl Future<Output = (Pick, Duration, Result<Answered, UpstreamError>)> + use<> {
        let (upstream, begun) = (self.upstream.clone(), self.begun);
        let limits = Limits { connect: self.time_to_connect(), response: self.response_limit(begun) };
        let head = self.question.head(self.group.host(&pick.parent, self.question.host));
        let wish = Wish::of(self.question, self.repeating.harmless, true);
        async move {
            let result = upstream.attempt(&pick.parent, &head, wish, limits, is_unwell).await;
            (pick, begun.elapsed(), result)
        }
    }
}
