//! An answer on its way into the store: its head for everybody at once, its body as it grows.

use super::flight::{Guard, Landed, Variant, Watch};
use super::proof::Proof;
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::policy;
use crate::request::Asked;
use crate::store::{BLOCK_SIZE, Blocks, Body, Entry, Growing, GrowingWriter, Object, Variants, Whose};
use crate::upstream::{BodyError, UpstreamBody, UpstreamResponse, Way};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, response};
use http_body_util::BodyExt;
use httpcache::directives::ResponseDirectives;
use httpcache::freshness::Freshness;
use httpcache::hop;
use httpcache::policy::Policy;
use httpcache::storable::{self, NotStored};
use httpcache::vary::{self, VaryNames};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};

/// An upstream's answer and when it came.
pub(crate) struct Arrived {
    /// With end-to-end fields only.
    pub(crate) head: response::Parts,
    /// Its status as it came.
    pub(crate) said: StatusCode,
    pub(crate) body: UpstreamBody,
    /// By the wall clock, to compare with Date.
    pub(crate) at: SystemTime,
    /// Between question and answer.
    pub(crate) delay: Duration,
    /// By the monotonic clock.
    pub(crate) now: Instant,
}

impl Arrived {
    /// Of a response that has come now to a question of `sent_at`.
    pub(crate) fn now(edge: &Edge, response: UpstreamResponse, sent_at: Instant) -> Self {
        let (mut head, body) = response.into_parts();
        let (at, now) = (edge.clock.now(), Instant::now());
        hop::strip(&mut head.headers);
        // Whoever has a clock dates what is undated (RFC 9110 §6.6.1): what is kept must not look made at each hit.
        if !head.headers.contains_key(header::DATE)
            && let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(at))
        {
            head.headers.insert(header::DATE, date);
        }
        let said = head.status;
        Self { head, said, body, at, delay: now.duration_since(sent_at), now }
    }

    /// As stated.
    pub(crate) fn length(&self) -> Option<u64> {
        stated_length(&self.head.headers)
    }

    fn directives(&self, rules: &Policy) -> ResponseDirectives {
        ResponseDirectives::targeted(&self.head.headers, &rules.targets)
    }
}

/// The length that an answer states.
pub(super) fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether an answer may be kept for others.
///
/// # Errors
/// The reason why not.
pub(crate) fn storable(edge: &Edge, asked: &Asked, arrived: &Arrived, part: bool) -> Result<(), NotStored> {
    may_keep(edge, asked, arrived.head.status, &arrived.head.headers, part)
}

/// The same of a stored response that a 304, or an answer to HEAD, has brought up to date: what that says of it now is as good
/// a reason as if it had said so in the beginning. Also of what is to be added to it for who asks now.
///
/// # Errors
/// The reason why not.
pub(crate) fn still_storable(edge: &Edge, asked: &Asked, object: &Object) -> Result<(), NotStored> {
    may_keep(edge, asked, object.status, &object.headers, object.part.is_some())
}

/// Whether an error that is not to be kept is for all who wait for it: it is nobody's own. `no-store` forbids to store it (RFC 9111
/// §5.2.2.5) and says of nobody that it is for him alone. Nor does a cookie that it was asked for with, where the origin has failed.
pub(super) fn is_for_who_waits(edge: &Edge, asked: &Asked, arrived: &Arrived) -> bool {
    let (status, headers) = (arrived.head.status, &arrived.head.headers);
    let mut storing = storing(asked, headers, false);
    storing.cookie &= !status.is_server_error();
    let rules = &edge.policy(asked).rules;
    let directives = ResponseDirectives { no_store: false, ..arrived.directives(rules) };
    let judged = storable::storable(&storing, status, headers, &directives, rules);
    matches!(judged, Ok(()) | Err(NotStored::NoFreshness))
}

/// The same of more bytes of what is stored. As with a 304, a cookie that comes with them is not kept.
///
/// # Errors
/// The reason why not.
pub(super) fn may_add(
    edge: &Edge,
    asked: &Asked,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), NotStored> {
    match may_keep(edge, asked, status, headers, true) {
        Err(NotStored::SetCookie) => Ok(()),
        judged => judged,
    }
}

fn may_keep(
    edge: &Edge,
    asked: &Asked,
    status: StatusCode,
    headers: &HeaderMap,
    part: bool,
) -> Result<(), NotStored> {
    let rules = &edge.policy(asked).rules;
    let directives = ResponseDirectives::targeted(headers, &rules.targets);
    storable::storable(&storing(asked, headers, part), status, headers, &directives, rules)
}

fn storing<'a>(asked: &'a Asked, headers: &HeaderMap, part: bool) -> storable::Asked<'a> {
    storable::Asked {
        method: if asked.method == Method::HEAD { &Method::GET } else { &asked.method },
        located: asked.is_named_by(headers.get(header::CONTENT_LOCATION)),
        part,
        authorized: asked.headers.contains_key(header::AUTHORIZATION),
        cookie: asked.headers.contains_key(header::COOKIE),
        directives: asked.directives,
    }
}

/// A response that is to be kept, without its body.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    freshness: Freshness,
    now: Instant,
}

impl Head {
    pub(super) fn with(&self, body: Body) -> Object {
        Object::new(self.status, self.headers.clone(), self.freshness, self.now, body)
    }
}

/// An answer as its head, with what is to be kept of it, and its body.
pub(super) fn head_of(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    arrived: Arrived,
) -> (Head, UpstreamBody) {
    let rules = &edge.policy(asked).rules;
    let directives = arrived.directives(rules);
    let Arrived { head, body, at, delay, now, .. } = arrived;
    let (status, mut headers) = (head.status, head.headers);
    hop::strip_unstored(&mut headers);
    let freshness = Freshness::of(status, &headers, &directives, at, delay, rules);
    let freshness = edge.recent.judge(
        edge.upstream.groups(),
        primary,
        &headers,
        headers.get(header::AGE),
        freshness,
        now,
    );
    (Head { status, headers, freshness, now }, body)
}

/// How long in all a fill that ends once nobody wants more of it waits for those who have joined to say what they want. As a rule a
/// turn of their cores; no client is waited for.
const HEARING: Duration = Duration::from_millis(250);

/// So much of what is fetched for its readers alone is fetched before one of them takes it. What their connections hold comes to it.
const AHEAD: u64 = 64 * 1_024;

/// Beyond the block that each question may cost: how many bytes are fetched to come to one that is wanted, and how many to have the
/// rest, of what has been asked for so many times by the part without being kept.
///
/// Attack 53: what is asked for by the byte must not be sent by the gigabyte. With this no number of questions, for one URL or for many,
/// costs its origin more than two blocks each beside what their clients have taken.
pub(super) const fn worth(times: u64) -> u64 {
    times.saturating_mul(BLOCK_SIZE / 2)
}

/// Tells everybody of the head, receives the body, and keeps it when it came whole.
pub(crate) async fn keep(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    arrived: Arrived,
    mut guard: Guard,
) -> FillOutcome {
    let (stated, way, said) = (arrived.length(), Way::of(&arrived.head), arrived.said);
    let (head, body) = head_of(edge, asked, primary, arrived);
    let worth = guard.may_be_left().then(|| worth(edge.left.times(guard.key())));
    let (growing, writer) = match worth {
        Some(worth) => Growing::near(stated, worth),
        None => Growing::start(stated),
    };
    // Of what ends with its readers a block is certain, until they say more.
    let certain = |length: u64| if worth.is_some() { length.min(BLOCK_SIZE) } else { length };
    let writer = writer.promised(edge.overload.promise_as_stated(stated.map(certain)));
    let variant = variant(edge, asked, primary, &head.headers, &mut guard);
    let object = Arc::new(head.with(Body::Growing(growing)));
    guard.land(Landed::Fetched { object, variant: variant.clone(), way, kept: true, said });

    let heard_by = Instant::now() + HEARING;
    let is_left = async |writer: &mut GrowingWriter, body: &mut UpstreamBody| {
        let Some(worth) = worth else { return false };
        // A block is asked for in any case.
        let here = writer.received().max(BLOCK_SIZE);
        if stated.is_some_and(|length| length.saturating_sub(here) <= worth) {
            writer.expect(stated.map_or(0, |length| length.saturating_sub(writer.received())));
            return false;
        }
        // Who reads it takes what has come, or leaves, before more is read.
        tokio::task::yield_now().await;
        let _ = timeout_at(heard_by, guard.taken()).await;
        if writer.is_ahead(AHEAD) && body.hand_to_client() {
            writer.let_readers_come(AHEAD).await;
        }
        let left = guard.is_left(|| writer.is_wanted());
        if !left {
            body.narrow();
            writer.expect_what_is_wanted();
        } else if writer.received() > BLOCK_SIZE {
            // What it was worth has been spent.
            edge.left.forget(guard.key());
        }
        left
    };
    match receive(edge, body, writer, stated, Proof::of(&head), is_left).await {
        Err(Broken::Left) => FillOutcome::GivenUp,
        Ok(blocks) => {
            if stated.is_none() {
                edge.overload.came(blocks.length());
            }
            let whole = Arc::new(head.with(Body::Complete(Arc::new(blocks))));
            guard.store(|| {
                // One that was asked for later may have come sooner.
                if !edge.memory.has_younger(guard.key(), &whole, Instant::now()) {
                    store(edge, asked, primary, whole, variant.as_deref());
                }
            });
            FillOutcome::Stored
        }
        Err(broken) => {
            if matches!(broken, Broken::TooLarge) {
                let until = Instant::now() + TOO_LARGE_FOR;
                guard.store(|| pass_until(edge, guard.key(), until));
            }
            tracing::warn!(key = %guard.key(), reason = broken.as_str(), "fill broke off");
            FillOutcome::BrokenOff
        }
    }
}

/// Tells everybody who waits of the head, and hands them the body as it comes; nothing is kept of it, nor found by who comes later.
pub(super) async fn hand_out(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    arrived: Arrived,
    guard: Guard,
) -> FillOutcome {
    let (stated, way, said) = (arrived.length(), Way::of(&arrived.head), arrived.said);
    let (head, body) = head_of(edge, asked, primary, arrived);
    let (growing, writer) = Growing::start(stated);
    let writer = writer.promised(edge.overload.promise_as_stated(stated));
    let object = Arc::new(head.with(Body::Growing(growing)));
    let variant = varies_by(&object.headers).map(|names| {
        let variants = Arc::new(Variants::new(names));
        let key = variants.key(primary, &asked.headers);
        Arc::new(Variant { variants, key })
    });
    guard.land(Landed::Fetched { object, variant, way, kept: false, said });
    drop(guard);
    match receive(
        edge,
        body,
        writer,
        stated,
        Proof::of(&head),
        async |_: &mut GrowingWriter, _: &mut UpstreamBody| false,
    )
    .await
    {
        Ok(_) => FillOutcome::NotStored,
        Err(_) => FillOutcome::BrokenOff,
    }
}

/// How long it is remembered that a body is longer than the cache takes and does not say so, or does not come in parts: to find
/// out breaks it off for those who read it, and who asks again must get it.
pub(super) const TOO_LARGE_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Until then whoever asks need not wait for a head that will not be shared. Nothing may be stored meanwhile.
pub(super) fn pass_until(edge: &Edge, key: &CacheKey, until: Instant) {
    edge.remove(key);
    edge.memory.insert(key.clone(), Entry::Pass(until, Whose::Everybody));
}

/// The request fields that a response differs by. What upstreams are not told, clients cannot make variants with.
fn varies_by(headers: &HeaderMap) -> Option<VaryNames> {
    vary::names(headers).map(|names| names.without(policy::is_unkeyed)).filter(|names| !names.is_empty())
}

/// Sets up the sign-post where the response varies, and lists the fill as the variant's: who comes for the same variant
/// joins, who comes for another begins a fill of his own.
pub(super) fn variant(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    headers: &HeaderMap,
    guard: &mut Guard,
) -> Option<Arc<Variant>> {
    let names = varies_by(headers)?;
    let mut post = None;
    guard.store(|| post = Some(edge.memory.sign_post(primary, names.clone())));
    // Changed meanwhile: it serves those who wait for it, and nobody finds it afterwards.
    let variants = post.unwrap_or_else(|| Arc::new(Variants::new(names)));
    let key = variants.key(primary, &asked.headers);
    guard.list_as(key.clone());
    Some(Arc::new(Variant { variants, key }))
}

/// Under the URL's key, or where the response varies, under the variant's and that of its language.
pub(super) fn store(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    whole: Arc<Object>,
    variant: Option<&Variant>,
) {
    let Some(variant) = variant else {
        if let Some(disk) = &edge.disk {
            disk.put(primary, &whole);
        }
        edge.memory.insert(primary.clone(), Entry::Object(whole));
        return;
    };
    let Some((variants, key)) = place(edge, asked, primary, &whole, variant) else { return };
    if let Some(disk) = &edge.disk {
        disk.put_sign_post(primary, &variants, &whole);
        disk.put(&key, &whole);
    }
    let by_language = variants.written_language_key(primary, &asked.headers, &whole.headers);
    for key in std::iter::once(key).chain(by_language) {
        if let Some(oldest) = variants.note(&key) {
            edge.remove(&oldest);
        }
        edge.memory.insert(key, Entry::Object(Arc::clone(&whole)));
    }
    // An evicted sign-post would leave the variant where nobody looks.
    edge.memory.put_back(primary, &variants);
}

/// The sign-post that a variant is found by, and its key there. As a rule it is where it was to stand; memory that is full may have let
/// go of that, and another have been set up. `None`: what is there has come later.
fn place(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    whole: &Object,
    Variant { variants, key }: &Variant,
) -> Option<(Arc<Variants>, CacheKey)> {
    let standing = edge.memory.standing_post(primary, variants)?;
    if Arc::ptr_eq(&standing, variants) {
        return Some((standing, key.clone()));
    }
    let key = standing.key(primary, &asked.headers);
    // Blocks stand where their head was to.
    let may_move = !matches!(whole.body, Body::Sparse(_));
    (may_move && !edge.memory.has_younger(&key, whole, Instant::now())).then_some((standing, key))
}

/// Stores what was fetched under one URL under another, too, unless `watch` knows better. Gives the key that it stands under.
pub(crate) fn store_as(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    object: &Arc<Object>,
    watch: &Watch,
) -> Option<CacheKey> {
    let variant = varies_by(&object.headers).map(|names| {
        let variants = edge.memory.sign_post(primary, names);
        let key = variants.key(primary, &asked.headers);
        Variant { variants, key }
    });
    let key = variant.as_ref().map_or_else(|| primary.clone(), |variant| variant.key.clone());
    watch.store(|| store(edge, asked, primary, Arc::clone(object), variant.as_ref()))?;
    Some(key)
}

/// Why a body did not come whole.
enum Broken {
    /// The upstream did not send all of it, and nobody else had the rest.
    Upstream(BodyError),
    /// Other than the stated length.
    Length,
    /// Longer than the cache takes.
    TooLarge,
    /// Other bytes than the upstream itself says that they are.
    Digest,
    /// Nobody wants more of it, and much is still to come.
    Left,
}

impl Broken {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Upstream(BodyError::Stalled) => "stalled",
            Self::Upstream(BodyError::Slow) => "slow",
            Self::Upstream(BodyError::Cut) => "cut",
            Self::Upstream(BodyError::Untaken) => "untaken",
            Self::Upstream(BodyError::TooLong) | Self::Length => "length",
            Self::TooLarge => "too_large",
            Self::Digest => "digest",
            Self::Left => "left",
        }
    }
}

/// The whole body, or nothing: attack 49, a truncated body must not become a hit.
async fn receive(
    edge: &Edge,
    mut body: UpstreamBody,
    mut writer: GrowingWriter,
    stated: Option<u64>,
    mut proof: Option<Proof>,
    is_left: impl AsyncFn(&mut GrowingWriter, &mut UpstreamBody) -> bool,
) -> Result<Blocks, Broken> {
    let largest = edge.memory.largest_object();
    loop {
        match body.frame().await {
            None => break,
            Some(Err(error)) => return Err(Broken::Upstream(error)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    let received = writer.received() + data.len() as u64;
                    if stated.is_some_and(|length| received > length) {
                        return Err(Broken::Length);
                    }
                    edge.metrics.fill_bytes.inc_by(data.len() as u64);
                    match &mut proof {
                        None => writer.push(&data),
                        Some(proof) => writer.push(&proof.hold_back(data)),
                    }
                }
            }
        }
        if writer.received() > largest {
            return Err(Broken::TooLarge);
        }
        if is_left(&mut writer, &mut body).await {
            return Err(Broken::Left);
        }
    }
    if let Some(proof) = proof {
        writer.push(&proof.end().ok_or(Broken::Digest)?);
    }
    if stated.is_some_and(|length| length != writer.received()) {
        return Err(Broken::Length);
    }
    Ok(writer.finish())
}
