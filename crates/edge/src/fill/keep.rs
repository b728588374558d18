//! An answer on its way into the store: its head for everybody at once, its body as it grows.

use super::arrived::{Arrived, head_of};
use super::flight::{Guard, Landed, Variant};
use super::place::{TOO_LARGE_FOR, pass_until, store, variant, varies_by};
use super::proof::Proof;
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::request::Asked;
use crate::store::{BLOCK_SIZE, Blocks, Body, Growing, GrowingWriter, Variants};
use crate::upstream::{BodyError, UpstreamBody, Way};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

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
    if worth.is_none() {
        body.widen();
    }
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
            body.widen();
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
    body.widen();
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
