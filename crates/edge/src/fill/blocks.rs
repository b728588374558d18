//! Reading a range of a representation that is held in blocks, and fetching those that are not.
//!
//! ```text
//! client ◄── BlockStream ─┬─ block in memory
//!                         ├─ block that comes for somebody else
//!                         ├─ block on the disk ──► memory
//!                         └─ none of them ──► fetch: a run of blocks, one request ──► memory, disk
//! ```
//! The client's reading sets the pace: while one block goes out, the run behind it is fetched, and no more. Where memory does not
//! keep a run until it is read, blocks are fetched one at a time, and the next one is held.

use super::flight::Unshared;
use super::lots::{Lot, RUN, Source};
use super::place::{self, TOO_LARGE_FOR};
use super::unsteady::UNSTEADY_FOR;
use super::{arrived, keep, storable};
use crate::edge::Edge;
use crate::outcome::FillOutcome;
use crate::overload::Promise;
use crate::policy;
use crate::request::Asked;
use crate::store::{BLOCK_SIZE, GrowingReader, Sparse};
use crate::upstream::{Question, RequestBody, Way};
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use httpcache::{content_range, range};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::ops::Range;

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// A range on its way to one client.
pub(crate) struct BlockStream {
    edge: Rc<Edge>,
    asked: Rc<Asked>,
    sparse: Arc<Sparse>,
    /// The next byte of the representation.
    next: u64,
    end: u64,
    current: Option<Current>,
    /// The block behind it, by its number, where it has been had fetched: held, for memory may not take it.
    ahead: Option<(u64, Current)>,
    /// One beyond the last block that this has had fetched.
    led: u64,
    /// How many are fetched at once.
    run: u64,
    /// The last block that this has asked for where another's question had not brought it.
    asked_anew: Option<u64>,
    reading: Reading,
}

/// How a client reads.
#[derive(Clone, Copy)]
struct Reading {
    /// Where the first block begins of which it takes something. It takes all that it has had fetched behind that.
    from: u64,
    /// Whether the answer's head has gone out, so that its rest is no new question.
    goes_on: bool,
}

enum Current {
    Held(Bytes),
    /// By another's question, which may have been odd, or refused.
    Others(GrowingReader),
    Coming(GrowingReader),
}

impl BlockStream {
    /// Of `range`, for the client that `asked`.
    pub(crate) fn new(edge: &Rc<Edge>, asked: &Asked, sparse: &Arc<Sparse>, range: Range<u64>) -> Self {
        let end = range.end.min(sparse.length());
        Self {
            edge: Rc::clone(edge),
            asked: Rc::new(asked.clone()),
            sparse: Arc::clone(sparse),
            next: range.start,
            end,
            current: None,
            ahead: None,
            led: 0,
            run: RUN,
            asked_anew: None,
            reading: Reading { from: range.start / BLOCK_SIZE * BLOCK_SIZE, goes_on: true },
        }
    }

    /// Whether its first bytes are there, or come.
    pub(crate) async fn begins(mut self, asked: &Asked) -> bool {
        self.reading.goes_on = false;
        let begins = poll_fn(|cx| self.poll_piece(cx)).await.is_none_or(|piece| piece.is_ok());
        asked.led.set(self.led);
        begins
    }

    /// Bytes still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.next)
    }

    /// The next piece; `None` at the end.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining() == 0 {
            return Poll::Ready(None);
        }
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.open(),
        };
        let piece = match &mut current {
            Current::Held(bytes) => Some(Ok(std::mem::take(bytes))),
            Current::Others(reader) | Current::Coming(reader) => {
                let Poll::Ready(piece) = reader.poll_piece(cx) else {
                    self.current = Some(current);
                    return Poll::Pending;
                };
                piece
            }
        };
        let Some(Ok(bytes)) = piece else {
            if matches!(current, Current::Others(_))
                && let Some(own) = self.ask_anew()
            {
                self.current = Some(own);
                return self.poll_piece(cx);
            }
            // A block that ends before its range does has broken off, whatever it says.
            let error = || io::Error::new(io::ErrorKind::UnexpectedEof, "the upstream broke off");
            self.next = self.end;
            return Poll::Ready(Some(piece.unwrap_or_else(|| Err(error()))));
        };
        self.next += bytes.len() as u64;
        if let Current::Others(reader) | Current::Coming(reader) = &current
            && reader.remaining() != Some(0)
        {
            self.current = Some(current);
        }
        Poll::Ready(Some(Ok(bytes)))
    }

    /// Opens the block of the next byte, and has the one behind it fetched if nobody has it.
    fn open(&mut self) -> Current {
        let index = self.next / BLOCK_SIZE;
        let start = index * BLOCK_SIZE;
        let current = match self.ahead.take() {
            Some((ahead, block)) if ahead == index => block,
            _ => self.find_next(),
        };
        let behind = start + BLOCK_SIZE;
        if behind < self.end && !self.edge.memory.holds(&self.sparse.block_key(index + 1)) {
            let block = self.find(index + 1, &(0..(self.end - behind).min(BLOCK_SIZE)));
            self.ahead = Some((index + 1, block));
        }
        current
    }

    /// Finds the block of the next byte.
    fn find_next(&mut self) -> Current {
        let index = self.next / BLOCK_SIZE;
        let start = index * BLOCK_SIZE;
        self.find(index, &(self.next - start..(self.end - start).min(BLOCK_SIZE)))
    }

    /// Has the block of the next byte by a question of its own, once, where another's has not brought it: nobody is cut off in the middle
    /// for what another has asked. Before the head has gone out, its client is answered by himself.
    fn ask_anew(&mut self) -> Option<Current> {
        let index = self.next / BLOCK_SIZE;
        let may = self.reading.goes_on && self.asked_anew.replace(index) != Some(index);
        may.then(|| self.find_next())
    }

    fn find(&mut self, index: u64, wanted: &Range<u64>) -> Current {
        let lost = index < self.led;
        let until = self.end.div_ceil(BLOCK_SIZE).min(index + if lost { 1 } else { self.run });
        match self.edge.lots.find(&self.edge.memory, &self.sparse, index, wanted, until) {
            Source::Held(bytes) => Current::Held(bytes),
            Source::Coming(reader) if index < self.led.max(self.asked.led.get()) => Current::Coming(reader),
            Source::Coming(reader) => Current::Others(reader),
            Source::Lead(lots, reader) => {
                if lost {
                    // Memory is full of what is more popular: what is fetched beyond the next block is fetched in vain.
                    self.run = 1;
                }
                self.led = self.led.max(index + lots.len() as u64);
                let (edge, asked, sparse) =
                    (Rc::clone(&self.edge), Rc::clone(&self.asked), Arc::clone(&self.sparse));
                let reading = self.reading;
                // At once: before this comes to be fetched, others ask whether there is memory for theirs.
                let promise = edge.overload.promise_more(lots.iter().map(|lot| lot.end() - lot.next()).sum());
                drop(tokio::task::spawn_local(async move {
                    lead(&edge, &asked, &sparse, Due { lots, promise }, reading).await;
                }));
                Current::Coming(reader)
            }
        }
    }
}

/// Blocks that are to come, one behind the other.
pub(super) struct Due {
    pub(super) lots: VecDeque<Lot>,
    /// The memory for them, byte by byte until they are there.
    pub(super) promise: Promise,
}

impl Due {
    /// The first takes what belongs to it from the front of `data`; the block, where it is full.
    fn take(&mut self, data: &mut Bytes) -> Option<Lot> {
        let came = data.len();
        let is_full = self.lots.front_mut()?.take(data);
        self.promise.keep((came - data.len()) as u64);
        if is_full { self.lots.pop_front() } else { None }
    }
}

async fn lead(edge: &Edge, asked: &Asked, sparse: &Arc<Sparse>, mut due: Due, reading: Reading) {
    let _counted = edge.metrics.fill_begins();
    let started = Instant::now();
    load(edge, sparse, &mut due).await;
    let ended = if due.lots.is_empty() {
        FillOutcome::Loaded
    } else {
        fetch(edge, asked, sparse, due, reading).await
    };
    if sparse.is_whole() {
        edge.memory.complete(sparse);
    }
    edge.metrics.fill_seconds.observe(started.elapsed().as_secs_f64());
    edge.metrics.filled(ended);
}

/// Loads those that lie on the disk, one behind the other; what cannot be had there is left.
async fn load(edge: &Edge, sparse: &Sparse, due: &mut Due) {
    let Some(disk) = &edge.disk else { return };
    let numbers: Vec<u64> =
        due.lots.iter().map(Lot::index).take_while(|&index| sparse.is_kept(index)).collect();
    if numbers.is_empty() {
        return;
    }
    for block in disk.blocks(sparse, &numbers, edge.upstream.groups()).await {
        if let Some(mut lot) = due.lots.pop_front() {
            due.promise.keep(block.len() as u64);
            lot.give(block);
            lot.finish(&edge.memory);
        }
    }
}

/// Fetches what is `due`. An origin may answer with less than asked for (RFC 9110 §15.3.7): the rest
/// is asked for again as long as each answer brings a block. A neighbour that has another is a neighbour without it: what it has
/// may be the older.
async fn fetch(
    edge: &Edge,
    asked: &Asked,
    sparse: &Arc<Sparse>,
    mut due: Due,
    mut reading: Reading,
) -> FillOutcome {
    let mut headers = policy::fill_headers(asked, &edge.identity);
    headers.insert(header::IF_RANGE, sparse.etag().clone());
    let mut cold = true;
    while let (Some(first), Some(last)) = (due.lots.front(), due.lots.back()) {
        let (start, wanted) = (first.next(), due.lots.len());
        headers.insert(header::RANGE, range::request(&(start..last.end())));
        let question = Question {
            cold,
            goes_on: reading.goes_on,
            ..Question::get(&asked.host, &asked.target, &headers)
        };
        let answer = edge.upstream.exchange(question, RequestBody::Empty).await;
        edge.upstream_seen(answer.as_ref().map(|_| ()).map_err(|&error| error));
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                sparse.note_silence(error);
                return FillOutcome::Failed;
            }
        };
        let (head, body) = response.into_parts();
        let before = continues(head.status, &head.headers, sparse.etag(), sparse.length(), start);
        if Way::of(&head) == Way::Peer && (before.is_none() || head.status == StatusCode::OK) {
            cold = false;
            continue;
        }
        let Some(before) = before else {
            if matches!(head.status.as_u16(), 200 | 206 | 404 | 410 | 416) {
                // It is another one now: what is held of the old one is of no use to anybody (attack 50). Other answers
                // say something of this request, or of the upstream's health.
                let stood = stands(edge, sparse);
                forget(edge, sparse);
                tracing::info!(key = %sparse.key(), status = %head.status, "changed while its blocks were fetched");
                // Of many who find it out at once the first one counts.
                if stood {
                    told_apart(edge, sparse, head.headers.get(header::ETAG));
                }
            }
            return FillOutcome::Failed;
        };
        if let Err(reason) = storable::may_add(edge, asked, head.status, &head.headers) {
            // For this client alone, who asks by himself. Where that is not for how he has asked, all of it is nobody's to share now.
            if !Unshared::by_rule(reason, asked).is_of_request() {
                forget(edge, sparse);
            }
            return FillOutcome::NotStored;
        }
        sparse.note_said(head.status);
        if head.status == StatusCode::OK && sparse.length() > edge.memory.largest_object() {
            pass_from_now_on(edge, sparse);
        }
        if !may_skip(edge, sparse, before, reading) {
            return FillOutcome::GivenUp;
        }
        let broken = feed(edge, body, before, sparse, &mut due).await.is_err();
        if !due.lots.is_empty() && (broken || due.lots.len() == wanted) {
            tracing::warn!(key = %sparse.key(), "blocks broke off");
            return FillOutcome::BrokenOff;
        }
        reading.goes_on = true;
    }
    FillOutcome::Stored
}

/// Whether it is what is found under its key.
fn stands(edge: &Edge, sparse: &Arc<Sparse>) -> bool {
    edge.memory.sparse(sparse.key()).is_some_and(|standing| Arc::ptr_eq(&standing, sparse))
}

/// What has been stored since stays, here and on the disk: who reads slowly finds out late.
fn forget(edge: &Edge, sparse: &Arc<Sparse>) {
    edge.flights.store(|| {
        if edge.memory.drop_sparse(sparse) {
            edge.remove_from_disk(sparse.key());
        }
    });
}

/// The upstream has it with the validator `now`. Where its servers do not agree no reader of blocks comes to the end: it is asked for
/// whole from now on, and what memory has no room for is not kept.
fn told_apart(edge: &Edge, sparse: &Arc<Sparse>, now: Option<&HeaderValue>) {
    let at = Instant::now();
    if !edge.unsteady.turned(sparse.key(), sparse.etag(), now, at) {
        return;
    }
    let etags = (sparse.etag(), now);
    tracing::warn!(key = %sparse.key(), ?etags, "servers upstream have different ETags for it: not in parts for an hour");
    if sparse.length() > edge.memory.largest_object() {
        edge.flights.store(|| place::pass_until(edge, sparse.key(), at + UNSTEADY_FOR));
    }
}

/// Bytes of the whole that are fetched and left out to come to a block for one who has taken all of them: an origin that ignores
/// Range sends them again with each run. With four runs that is never more than twice what the client has taken.
const MOST_SKIPPED: u64 = 4 * RUN * BLOCK_SIZE;

/// Whether the bytes `before` a block may be fetched to come to it, where an origin has begun to ignore Range.
///
/// Attack 53: those before what the client reads are nobody's, so they are fetched for what is asked for again and again, as by who
/// asks for a body that is not known yet ([`keep::worth`]). Where it is not worth it, it is known in blocks no longer: whoever is
/// still asked for it, this client among them, is asked as for one that comes whole.
fn may_skip(edge: &Edge, sparse: &Arc<Sparse>, before: u64, reading: Reading) -> bool {
    let nobodys = before.min(reading.from);
    let is_worth_it = nobodys == 0 || nobodys <= keep::worth(edge.left.times(sparse.key()));
    let may = is_worth_it && before - nobodys <= MOST_SKIPPED;
    if !may {
        forget(edge, sparse);
        tracing::info!(key = %sparse.key(), "does not come in parts any more");
    } else if nobodys > 0 {
        // What it was worth has been spent.
        edge.left.forget(sparse.key());
    }
    may
}

/// An origin that says it has parts and ignores Range, as it may (RFC 9110 §14.2): who comes from now on has all from it at once.
/// Who is reading goes on by blocks.
fn pass_from_now_on(edge: &Edge, sparse: &Arc<Sparse>) {
    edge.flights.store(|| {
        if stands(edge, sparse) {
            place::pass_until(edge, sparse.key(), Instant::now() + TOO_LARGE_FOR);
            tracing::info!(key = %sparse.key(), "does not come in parts");
        }
    });
}

/// Whether an answer brings the very representation with this strong validator and of this length from `start` on: how many
/// bytes of it are before that. All of them, where it is the whole.
pub(super) fn continues(
    status: StatusCode,
    headers: &HeaderMap,
    etag: &HeaderValue,
    length: u64,
    start: u64,
) -> Option<u64> {
    if headers.get(header::ETAG) != Some(etag) {
        return None;
    }
    match status {
        StatusCode::OK => (arrived::stated_length(headers) == Some(length)).then_some(start),
        StatusCode::PARTIAL_CONTENT => {
            let said = content_range::of(headers)?;
            // What is longer or shorter than it says belongs nobody knows where; without a length the body is held to what it says.
            let sound =
                arrived::stated_length(headers).is_none_or(|sent| sent == said.part.end - said.part.start);
            (sound && said.part.start == start && said.length == length).then_some(0)
        }
        _ => None,
    }
}

/// Why a body ended before its blocks were full.
pub(super) struct BrokenOff;

/// Hands a body out to the blocks it belongs to, but for the bytes that come `before` them, and ends with the last of them: what
/// comes behind is not wanted. Where the body ends sooner, those are left that it has not filled. Blocks that are full go to the disk,
/// a run at a time.
pub(super) async fn feed<B>(
    edge: &Edge,
    mut body: B,
    mut before: u64,
    sparse: &Sparse,
    due: &mut Due,
) -> Result<(), BrokenOff>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut run = Run { edge, sparse, full: Vec::new() };
    while !due.lots.is_empty() {
        let frame = match body.frame().await {
            None => break,
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Err(BrokenOff),
        };
        let Ok(mut data) = frame.into_data() else { continue };
        edge.metrics.fill_bytes.inc_by(data.len() as u64);
        let known = before.min(data.len() as u64);
        before -= known;
        data.advance(usize::try_from(known).unwrap_or(usize::MAX));
        while !data.is_empty()
            && let Some(full) = due.take(&mut data)
        {
            run.full.extend(full.finish(&edge.memory));
        }
        if run.full.len() as u64 >= RUN {
            run.keep();
        }
    }
    Ok(())
}

/// Full blocks on their way to the disk; also when the body breaks off behind them, or nobody goes on with it.
struct Run<'a> {
    edge: &'a Edge,
    sparse: &'a Sparse,
    full: Vec<(u64, Bytes)>,
}

impl Run<'_> {
    fn keep(&mut self) {
        if let Some(disk) = &self.edge.disk
            && !self.full.is_empty()
        {
            disk.keep_blocks(self.sparse, std::mem::take(&mut self.full));
        }
        self.full.clear();
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.keep();
    }
}
