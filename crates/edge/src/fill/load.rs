//! The task that brings something from the disk into memory, once for all who want it.
//!
//! ```text
//! disk ─► block, verified ─► readers ─► … ─► all of it: memory
//!            └─ one is damaged, or the disk goes away: the rest from the upstream, if it still has the very same
//! ```
//! A reader has the first block while the second is read. What a client has got of a body that cannot be ended is known to it
//! as broken off, as with an upstream's.

use super::blocks::continues;
use super::flight::{Guard, Landed};
use super::storable;
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::overload::Asking;
use crate::policy::{self, ClientReload};
use crate::request::Asked;
use crate::store::{BLOCK_SIZE, Blocks, Body, Entry, Growing, GrowingWriter, Kept, Loaded, Object};
use crate::upstream::{Question, RequestBody, Way};
use bytes::Buf;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use httpcache::freshness::State;
use httpcache::range;
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::Instant;

/// Loads what the fill is listed under; `found`, if it has been looked up.
pub(crate) async fn load(
    edge: Rc<Edge>,
    asked: Asked,
    primary: CacheKey,
    guard: Guard,
    found: Option<Loaded>,
) {
    // Many may wait for a slow disk, and what they wait for comes for all of them.
    let asking = edge.overload.ask();
    let loaded = match (found, &edge.disk) {
        (None, Some(disk)) => disk.load(guard.key(), edge.upstream.groups()).await,
        (found, _) => found,
    };
    match loaded {
        Some(Loaded::Response(kept)) => {
            let ended = if may_begin(&edge, &asked, &kept) {
                bring_by_blocks(&edge, &asked, &primary, *kept, asking, &guard).await
            } else {
                drop(asking);
                bring_whole(&edge, &primary, *kept, &guard).await
            };
            edge.metrics.filled(ended);
        }
        Some(Loaded::InBlocks(object)) => {
            land(&edge, &primary, object, &guard);
            edge.metrics.filled(FillOutcome::Loaded);
        }
        Some(Loaded::Varies(variants)) => {
            let is_current = guard.store(|| edge.memory.put_back(guard.key(), &variants));
            guard.land(if is_current { Landed::Varies(variants) } else { Landed::NotLoaded });
        }
        None => guard.land(Landed::NotLoaded),
    }
}

/// Puts what was loaded into memory; a variant becomes known to its sign-post, so that what is done to its URL reaches it.
fn remember(edge: &Edge, primary: &CacheKey, key: &CacheKey, object: Arc<Object>) {
    if key != primary
        && let Some(oldest) = edge.memory.note_variant(primary, key)
    {
        edge.remove(&oldest);
    }
    edge.memory.insert(key.clone(), Entry::Object(object));
}

/// Whether it may be served before all of it is there: it will be served as it is, whoever has asked.
pub(super) fn may_begin(edge: &Edge, asked: &Asked, kept: &Kept) -> bool {
    let head = kept.head();
    kept.is_long()
        && head.status == StatusCode::OK
        && head.state(Instant::now()) == State::Fresh
        && edge.policy(asked).client_reload == ClientReload::Ignore
}

/// All of it, or nothing: what is stale has to be asked about, and may not be what it was.
async fn bring_whole(edge: &Edge, primary: &CacheKey, mut kept: Kept, guard: &Guard) -> FillOutcome {
    match read_whole(edge, &mut kept).await {
        Some(object) => {
            land(edge, primary, object, guard);
            FillOutcome::Loaded
        }
        None => {
            guard.land(Landed::NotLoaded);
            FillOutcome::Failed
        }
    }
}

/// Keeps it, and gives it to those who wait. What was changed or purged while it was read is not there any more: as stale it would be
/// asked about, and a 304 bring it back.
fn land(edge: &Edge, primary: &CacheKey, object: Arc<Object>, guard: &Guard) {
    let is_current = guard.store(|| remember(edge, primary, guard.key(), Arc::clone(&object)));
    guard.land(if is_current { Landed::Loaded(object) } else { Landed::NotLoaded });
}

/// All of it, promised to memory while it comes; `None`: it broke off.
pub(crate) async fn read_whole(edge: &Edge, kept: &mut Kept) -> Option<Arc<Object>> {
    let mut blocks = Vec::new();
    let mut promise = edge.overload.promise(kept.length());
    while let Some(block) = kept.next_block().await.ok()? {
        promise.keep(block.len() as u64);
        blocks.push(block);
        // What lies in the page cache is never waited for: others on this core are to have a turn.
        tokio::task::yield_now().await;
    }
    Some(Arc::new(kept.object_on_disk(Body::Complete(Arc::new(Blocks::new(blocks))))))
}

async fn bring_by_blocks(
    edge: &Edge,
    asked: &Asked,
    primary: &CacheKey,
    mut kept: Kept,
    asking: Asking,
    guard: &Guard,
) -> FillOutcome {
    // Before the first block nothing has been promised to anybody.
    let Ok(Some(first)) = kept.next_block().await else {
        guard.land(Landed::NotLoaded);
        return FillOutcome::Failed;
    };
    let (growing, writer) = Growing::at_hand(kept.length());
    let mut writer = writer.promised(edge.overload.promise(kept.length()));
    drop(asking);
    guard.land(Landed::Loaded(Arc::new(kept.object_on_disk(Body::Growing(growing)))));
    writer.push_block(first);
    let broken = loop {
        // Who waits for the block before gets it now, while it is in the processor's cache.
        tokio::task::yield_now().await;
        match kept.next_block().await {
            Ok(Some(block)) => writer.push_block(block),
            Ok(None) => break None,
            Err(broken) => break Some(broken),
        }
    };
    if let Some(broken) = broken {
        let mended = fetch_rest(edge, asked, &kept, &mut writer).await;
        tracing::warn!(key = %guard.key(), reason = broken.as_str(), mended, "a body on a disk broke off");
        if !mended {
            return FillOutcome::BrokenOff;
        }
    }
    let body = Body::Complete(Arc::new(writer.finish()));
    let object = Arc::new(match broken {
        Some(_) => kept.object(body),
        None => kept.object_on_disk(body),
    });
    guard.store(|| {
        if broken.is_some()
            && let Some(disk) = &edge.disk
        {
            disk.put(guard.key(), &object);
        }
        remember(edge, primary, guard.key(), object);
    });
    FillOutcome::Loaded
}

/// Fetches what has not been given of a response, of the very same. Whether all of it came. An origin may answer with less than asked
/// for (RFC 9110 §15.3.7): it is asked for the rest as long as each answer brings a block's bytes.
async fn fetch_rest(edge: &Edge, asked: &Asked, kept: &Kept, writer: &mut GrowingWriter) -> bool {
    let (head, length) = (kept.head(), kept.length());
    let strong = head.etag.as_ref().is_some_and(|etag| !etag.is_weak());
    let Some(etag) = head.headers.get(header::ETAG).filter(|_| strong) else { return false };
    // Who reads it has begun: what one of them says of himself, or wishes, must not be what cuts them all.
    let anybody = asked.by_anybody();
    let asked =
        if storable::may_add(edge, asked, head.status, &head.headers).is_ok() { asked } else { &anybody };
    let mut headers = policy::fill_headers(asked, &edge.identity);
    headers.insert(header::IF_RANGE, etag.clone());
    let mut cold = true;
    loop {
        let from = writer.received();
        headers.insert(header::RANGE, range::request(&(from..length)));
        let question =
            Question { cold, goes_on: true, ..Question::get(&asked.host, &asked.target, &headers) };
        let answer = edge.upstream.exchange(question, RequestBody::Empty).await;
        edge.upstream_seen(answer.as_ref().map(|_| ()).map_err(|&error| error));
        let Ok(response) = answer else { return false };
        let (answered, mut body) = response.into_parts();
        let Some(mut before) = continues(answered.status, &answered.headers, etag, length, from) else {
            // A neighbour may have another one.
            if cold && Way::of(&answered) == Way::Peer {
                cold = false;
                continue;
            }
            return false;
        };
        if storable::may_add(edge, asked, answered.status, &answered.headers).is_err() {
            return false;
        }
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            if let Ok(mut data) = frame.into_data() {
                edge.metrics.fill_bytes.inc_by(data.len() as u64);
                let known = before.min(data.len() as u64);
                before -= known;
                data.advance(usize::try_from(known).unwrap_or(usize::MAX));
                if writer.received() + data.len() as u64 > length {
                    return false;
                }
                writer.push(&data);
            }
        }
        let received = writer.received();
        if received == length || received - from < BLOCK_SIZE {
            return received == length;
        }
    }
}
