//! A body on its way from a disk straight to one client.
//!
//! ```text
//! disk ─► two blocks, verified ─► client   and only then the next two, into the same memory
//!            └─ one is damaged or given up, or the disk goes away: a load or a fill for all, which the client goes on with
//! ```
//! Nothing of it is kept, so that a core reads, verifies and sends in memory that its cache holds. What the client has got of a
//! body that cannot be ended is known to it as broken off, as with an upstream's.

use super::flight::{Landed, Role};
use super::leader::{Errand, lead};
use super::load::{load, may_begin};
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::outcome::FillOutcome;
use crate::overload::Promise;
use crate::request::Asked;
use crate::service::key_of;
use crate::store::{BLOCK_SIZE, Body, BrokenOff, DiskTier, Entry, Kept, Loaded, Object, Passing, Reader};
use bytes::Bytes;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// What stands under `key` on the disk, for one client alone; `Err`, where it is to be loaded for all: what is short, or has to
/// be asked about. `Ok(None)`: it is not there after all.
pub(crate) async fn pass_on(
    edge: &Edge,
    asked: &Asked,
    key: &CacheKey,
    disk: &DiskTier,
) -> Result<Option<Object>, Loaded> {
    // For as long as it is looked for: what many ask for at once comes for all of them, however little room there was for it.
    let _coming = edge.overload.promise_more(FIRST_TURN);
    let Some(found) = disk.load(key, edge.upstream.groups()).await else { return Ok(None) };
    let mut kept = match found {
        Loaded::Response(kept) if may_begin(edge, asked, &kept) => kept,
        other => return Err(other),
    };
    edge.ghost.has_come(kept.length());
    // Before the first block nothing has been promised to anybody.
    if !kept.begin().await {
        edge.metrics.filled(FillOutcome::Failed);
        return Ok(None);
    }
    let head = kept.head().clone();
    Ok(Some(head.with_body(Body::Passing(Arc::new(Passing::new(key.clone(), kept))))))
}

/// What stands under `key` on the disk, for who wants its head alone: nothing of its body is read. `None` also where it is to be
/// looked at for all.
pub(crate) async fn head_on_disk(edge: &Edge, key: &CacheKey) -> Option<Arc<Object>> {
    let Loaded::Response(kept) = edge.disk.as_ref()?.load(key, edge.upstream.groups()).await? else {
        return None;
    };
    let (head, generation) = (kept.head().clone(), kept.generation());
    let object = head.with_body(Body::Passing(Arc::new(Passing::new(key.clone(), kept))));
    // So that what is said of it now can be written there.
    generation.into_iter().for_each(|generation| object.note_on_disk(generation));
    Some(Arc::new(object))
}

/// A range of it.
pub(crate) struct PassingStream {
    edge: Rc<Edge>,
    asked: Box<Asked>,
    key: CacheKey,
    source: Source,
    /// Where the source's next piece stands in the body.
    at: u64,
    wanted: Range<u64>,
    /// Blocks given in this turn, the last of them perhaps not to its end.
    blocks: u8,
    /// Bytes given in this turn.
    given: usize,
    /// What of the last block is for the next turn: less than a packet.
    rest: Bytes,
    /// What is still to come of the first turn; the others come into the memory of the one before.
    coming: Option<Promise>,
}

/// Blocks that are given in a turn when all memory is taken.
const BLOCKS_OF_A_TIGHT_TURN: u8 = 1;

/// Blocks that are given before they are sent, as far as they fill packets: eight of them. Of the CPU time of two whole blocks, by
/// turns: one packet 1.28, two 1.09, four 0.98, eight 0.95, sixteen 1.01. Fewer wake the client more often, more leave a core's cache.
const BLOCKS_OF_A_TURN: u8 = 2;

/// The end of a body goes with the turn before it where it is no longer than this: the third of three turns of 1.1 MB had 50 kB of it,
/// a write and a wake-up of its own. -3 to -6 % of the CPU time, by turns; with turns of four blocks, which then are all of it, +2 %.
const SHORT_END: u64 = BLOCK_SIZE / 2;

/// Bytes of memory that the first turn may take.
const FIRST_TURN: u64 = BLOCKS_OF_A_TURN as u64 * BLOCK_SIZE + SHORT_END;

type Block = Result<Option<Bytes>, BrokenOff>;
type Waiting<T> = Pin<Box<dyn Future<Output = T>>>;

enum Source {
    Disk(Box<Kept>),
    /// The disk, which has to be waited for.
    Slow(Waiting<(Box<Kept>, Block)>),
    /// A load for all, which has to be waited for.
    Mending(Waiting<Option<Reader>>),
    Mended(Reader),
    Nothing,
}

impl PassingStream {
    /// Of what stands under `key`; `kept` has given nothing so far.
    pub(crate) fn new(
        edge: &Rc<Edge>,
        asked: &Asked,
        key: &CacheKey,
        kept: Box<Kept>,
        wanted: Range<u64>,
    ) -> Self {
        edge.metrics.filled(FillOutcome::PassedOn);
        let coming = Some(edge.overload.promise_more(FIRST_TURN.min(wanted.end - wanted.start)));
        Self {
            edge: Rc::clone(edge),
            asked: Box::new(asked.clone()),
            key: key.clone(),
            source: Source::Disk(kept),
            at: 0,
            wanted,
            blocks: 0,
            given: 0,
            rest: Bytes::new(),
            coming,
        }
    }

    /// Bytes still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.wanted.end - self.wanted.start
    }

    /// The next piece; `None` at the end.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining() > 0 && self.is_turn_over() {
            // Others have their turn, and this is sent meanwhile.
            (self.blocks, self.given) = (0, 0);
            self.coming = None;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            self.note_given(&rest);
            return Poll::Ready(Some(Ok(rest)));
        }
        while self.remaining() > 0 {
            let Some(bytes) = ready!(self.poll_source(cx)) else {
                self.wanted.start = self.wanted.end;
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the disk broke off");
                return Poll::Ready(Some(Err(error)));
            };
            let piece = self.at..self.at + bytes.len() as u64;
            self.at = piece.end;
            let (from, to) = (self.wanted.start.max(piece.start), self.wanted.end.min(piece.end));
            if from < to {
                let place = |at: u64| usize::try_from(at - piece.start).unwrap_or(usize::MAX);
                let bytes = bytes.slice(place(from)..place(to));
                return Poll::Ready(Some(Ok(self.give(bytes))));
            }
        }
        Poll::Ready(None)
    }

    /// Who takes nothing holds a turn's blocks, and may hold fewer when all memory is taken.
    fn is_turn_over(&self) -> bool {
        if self.blocks >= BLOCKS_OF_A_TIGHT_TURN && self.edge.overload.is_full() {
            return true;
        }
        self.blocks >= BLOCKS_OF_A_TURN && self.remaining() > SHORT_END
    }

    /// What of a block is for this turn. The rest is copied, so that the block's memory is free for the next.
    fn give(&mut self, mut bytes: Bytes) -> Bytes {
        self.blocks += 1;
        let to_come = self.remaining() - bytes.len() as u64;
        let beyond = (self.given + bytes.len()) % serve::PACKET;
        if self.blocks == BLOCKS_OF_A_TURN && to_come > SHORT_END && beyond < bytes.len() {
            self.rest = Bytes::copy_from_slice(&bytes.split_off(bytes.len() - beyond));
        }
        self.note_given(&bytes);
        bytes
    }

    fn note_given(&mut self, bytes: &Bytes) {
        self.given += bytes.len();
        self.coming.iter_mut().for_each(|coming| coming.keep(bytes.len() as u64));
        self.wanted.start += bytes.len() as u64;
    }

    /// The bytes behind those that were given; `None` where they cannot be had.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let (kept, block) = match std::mem::replace(&mut self.source, Source::Nothing) {
                Source::Disk(mut kept) => match kept.block_at_hand() {
                    Some(block) => (kept, block),
                    None => {
                        self.source = Source::Slow(Box::pin(async move {
                            let block = kept.next_block().await;
                            (kept, block)
                        }));
                        continue;
                    }
                },
                Source::Slow(mut slow) => {
                    let Poll::Ready(read) = slow.as_mut().poll(cx) else {
                        self.source = Source::Slow(slow);
                        return Poll::Pending;
                    };
                    read
                }
                Source::Mending(mut mending) => {
                    let Poll::Ready(mended) = mending.as_mut().poll(cx) else {
                        self.source = Source::Mending(mending);
                        return Poll::Pending;
                    };
                    self.source = mended.map_or(Source::Nothing, Source::Mended);
                    continue;
                }
                Source::Mended(mut reader) => {
                    let piece = reader.poll_piece(cx);
                    self.source = Source::Mended(reader);
                    return piece.map(|piece| piece.and_then(Result::ok));
                }
                Source::Nothing => return Poll::Ready(None),
            };
            let broken = match block {
                Ok(block) => {
                    self.source = Source::Disk(kept);
                    return Poll::Ready(block);
                }
                Err(broken) => broken,
            };
            let (edge, asked) = (Rc::clone(&self.edge), (*self.asked).clone());
            let mended = mend(edge, asked, self.key.clone(), kept, broken, self.at);
            self.source = Source::Mending(Box::pin(mended));
        }
    }
}

/// Has it loaded for all, from its beginning: the load finds the same, fetches what is missing, and puts it on the disk again; or has it
/// fetched for all, where the disk has it no more. Its bytes from `from` on, where it is still the same.
async fn mend(
    edge: Rc<Edge>,
    asked: Asked,
    key: CacheKey,
    kept: Box<Kept>,
    broken: BrokenOff,
    from: u64,
) -> Option<Reader> {
    let (etag, length) = (kept.head().etag.clone()?, kept.length());
    let primary = key_of(&edge, &asked);
    let Ok(role) = edge.flights.join(&key, Instant::now(), || None::<()>) else { return None };
    let loading = match role {
        Role::Follow(flight) => flight,
        Role::Lead(flight, guard) => {
            // What is damaged is no more in the index, and the upstream says whether it still holds. All that was given up, changed
            // or purged before this was listed is looked up again: it may have been moved, or is not to come back.
            let holds = match broken {
                BrokenOff::Damaged => kept.is_judged(),
                BrokenOff::Away => kept.is_current(),
                BrokenOff::Lost => false,
            };
            let found = holds.then(|| Loaded::Response(Box::new(kept.rewound())));
            let load = load(Rc::clone(&edge), asked.clone(), primary.clone(), guard, found);
            drop(tokio::task::spawn_local(load));
            flight
        }
    };
    let landed = match loading.landed().await {
        Landed::NotLoaded => fetched(&edge, &asked, &primary, &key).await,
        landed => landed,
    };
    let object = match landed {
        Landed::Loaded(object) | Landed::Fetched { object, .. } | Landed::Revalidated(object) => object,
        _ => return None,
    };
    let same = object.etag.as_ref().is_some_and(|other| other.is_strongly(etag.value().as_bytes()))
        && object.body.length() == Some(length);
    object.body.reader(Some(from..length)).filter(|_| same)
}

/// How often a body that broke off waits for what others have begun meanwhile: each may be a load that comes to nothing.
const MOST_JOINED: usize = 3;

/// What is fetched for all, as by whoever asks now.
async fn fetched(edge: &Rc<Edge>, asked: &Asked, primary: &CacheKey, key: &CacheKey) -> Landed {
    let stored = || match edge.memory.get(key) {
        Some(Entry::Object(object)) => Some(object),
        _ => None,
    };
    for _ in 0..MOST_JOINED {
        let flight = match edge.flights.join(key, Instant::now(), stored) {
            Err(object) => return Landed::Loaded(object),
            Ok(Role::Follow(flight)) => flight,
            Ok(Role::Lead(flight, guard)) => {
                let (asked, primary) = (asked.clone(), primary.clone());
                let errand = Errand { asked, primary, stale: None, goes_on: true, alone: None };
                drop(tokio::task::spawn_local(lead(Rc::clone(edge), errand, guard)));
                flight
            }
        };
        match flight.landed().await {
            Landed::NotLoaded | Landed::Varies(_) => {}
            landed => return landed,
        }
    }
    Landed::NotLoaded
}
