//! An answer's bytes on their way from the upstream: whole, from one server or from several, or an error.

use super::attempt::{Answered, limit_behind_others};
use super::metrics::Asked;
use super::parent::Load;
use super::pool::Hold;
use super::rest::{Continued, Found, Rest};
use bytes::{Buf, Bytes};
use http::HeaderMap;
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, timeout};

/// Bytes a second that a server brings at least while it is waited for. One that sends a byte now and then is never silent for long, and
/// would hold a fill, its place, its memory and all who read it for as long as it likes. A client's body has the same bound.
const LEAST_RATE: u64 = 500;

/// Measured over so many times the longest silence: who may be silent for longer may be slow for longer.
const MEASURED: u32 = 4;

/// How long a head is held back for the first byte behind it. As a rule that comes with it; what takes longer, as a client's events do,
/// is not to keep the head from who waits for that.
const HELD_BACK: Duration = Duration::from_millis(250);

/// How long a body may keep us waiting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// For the next bytes.
    silence: Duration,
    /// For next to nothing.
    trickle: Duration,
}

impl Waits {
    /// Of the answer to a question with these fields. Where other nodes wait for it, too, the one that is nearest to the server is to
    /// find out, and have the rest elsewhere, before those behind it take it for the slow one.
    pub(super) fn of(silence: Duration, headers: &HeaderMap) -> Self {
        let whole = silence * MEASURED;
        Self { silence, trickle: limit_behind_others(whole, headers).unwrap_or(whole) }
    }
}

/// A body that ends whole or with an error, and is never silent for longer than its limit, nor slow for long.
pub(crate) struct UpstreamBody {
    state: State,
    waits: Waits,
    /// Set while nothing comes.
    waiting: Option<Pin<Box<Sleep>>>,
    flow: Flow,
    reader: Reader,
    /// What has come while the head was held back.
    first: Option<Frame<Bytes>>,
    /// One client alone reads it.
    alone: bool,
    /// Bytes given so far.
    received: u64,
    /// Bytes to come first that have been given already.
    skip: u64,
    /// How it can go on; `None` when it cannot.
    rest: Option<Box<Rest>>,
}

enum State {
    Reading { body: Incoming, load: Load, hold: Hold },
    Resuming(Pin<Box<dyn Future<Output = Continued>>>),
    Over,
}

/// How long the server has been kept waiting by who reads what it sends.
#[derive(Default)]
struct Reader {
    /// Since when it has a frame and has not asked for the next.
    busy_since: Option<Instant>,
    waited_for: Duration,
}

impl Reader {
    fn takes_a_frame(&mut self) {
        self.busy_since = Some(Instant::now());
    }

    fn asks_for_more(&mut self) {
        if let Some(since) = self.busy_since.take() {
            self.waited_for += since.elapsed();
        }
    }
}

/// What a server has brought in the time that it was waited for. The time that its reader takes, or that we let it wait, is not its own.
#[derive(Default)]
struct Flow {
    /// Since when the next bytes are waited for.
    since: Option<Instant>,
    waited: Duration,
    brought: u64,
}

impl Flow {
    fn waits(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    fn brings(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.since.take() {
            self.waited += now.duration_since(since);
        }
        self.brought += bytes as u64;
    }

    /// Whether it has been waited for so long and has brought too little. What it brought before says nothing of what comes then.
    fn is_trickle(&mut self, span: Duration) -> bool {
        if self.waited < span {
            return false;
        }
        let Self { waited, brought, .. } = std::mem::take(self);
        u128::from(brought) * 1_000 < u128::from(LEAST_RATE) * waited.as_millis()
    }
}

/// Why a body did not come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// No byte for too long.
    #[error("the upstream sent nothing for too long")]
    Stalled,
    /// Next to nothing for too long.
    #[error("the upstream sent too little for too long")]
    Slow,
    /// The connection ended before the body did.
    #[error("the upstream broke off")]
    Cut,
    /// Its one client took next to nothing, and another has its place.
    #[error("the client took too little for too long")]
    Untaken,
    /// More came than had been promised.
    #[error("the upstream sent more than it had said")]
    TooLong,
}

impl UpstreamBody {
    /// Of an answer, with its head. `alone`: whether one client alone reads it.
    pub(super) fn of(
        answered: Answered,
        waits: Waits,
        alone: bool,
        rest: impl FnOnce(&Parts) -> Option<Box<Rest>>,
    ) -> (Parts, Self) {
        let Answered { head, body, load, hold } = answered;
        let rest = rest(&head);
        if alone {
            // From its head on: a client may never come to the body.
            hold.gave(0, Instant::now());
        }
        let state = State::Reading { body, load, hold };
        let (flow, reader) = (Flow::default(), Reader::default());
        let body = Self {
            state,
            waits,
            waiting: None,
            flow,
            reader,
            first: None,
            alone,
            received: 0,
            skip: 0,
            rest,
        };
        (head, body)
    }

    /// Waits for its first byte, or its end, for [`HELD_BACK`] at most: nobody has been told of its head yet, and an answer that breaks
    /// off before can be another one.
    ///
    /// # Errors
    /// Why there is no first byte.
    pub(super) async fn begin(&mut self) -> Result<(), BodyError> {
        if self.is_end_stream() {
            return Ok(());
        }
        let first = poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx));
        if let Ok(Some(first)) = timeout(HELD_BACK, first).await {
            self.first = Some(first?);
        }
        Ok(())
    }

    /// All of it, where that has come with its head.
    pub(crate) fn whole(&self) -> Option<&Bytes> {
        self.first.as_ref().filter(|_| self.is_read_out())?.data_ref()
    }

    /// Whether no more of it is to come from anybody.
    fn is_read_out(&self) -> bool {
        match &self.state {
            State::Over => true,
            State::Resuming(_) => false,
            State::Reading { body, .. } => body.is_end_stream() && self.is_whole(),
        }
    }

    /// Bytes of it that have come and wait for who reads it.
    fn held(&self) -> u64 {
        self.first.as_ref().and_then(Frame::data_ref).map_or(0, |data| data.len() as u64)
    }

    /// From now on one client alone reads it, as slowly as it may; whether there is a place for that.
    pub(crate) fn hand_to_client(&mut self) -> bool {
        self.alone = true;
        if let Some(rest) = &mut self.rest {
            rest.alone = true;
        }
        match &self.state {
            State::Reading { hold, .. } => {
                hold.gave(0, Instant::now());
                hold.hand_to_client()
            }
            State::Resuming(_) | State::Over => true,
        }
    }

    /// From now on little more is read than is taken of it, so that little has been sent for nothing when nobody takes the rest.
    pub(crate) fn narrow(&self) {
        if let State::Reading { hold, .. } = &self.state {
            hold.narrow();
        }
    }

    /// From now on all of it is wanted, of which little had to come until then ([`Question::narrow`](super::Question::narrow)).
    pub(crate) fn widen(&self) {
        if let State::Reading { body, hold, .. } = &self.state {
            hold.widen(body.size_hint().exact());
        }
    }

    /// Its reader asks for more. Whether that is a client that has lost its place.
    fn has_lost(&self) -> bool {
        let State::Reading { hold, .. } = &self.state else { return false };
        if self.alone {
            hold.asked(Instant::now());
        }
        hold.has_lost()
    }

    /// Its reader has so much to take.
    fn takes(&mut self, frame: &Frame<Bytes>) {
        self.reader.takes_a_frame();
        if let State::Reading { hold, .. } = &self.state
            && self.alone
        {
            hold.gave(frame.data_ref().map_or(0, Bytes::len), Instant::now());
        }
    }

    /// Waits for the server's next frame, as long as it may.
    fn poll_server(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let State::Reading { body, .. } = &mut self.state else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
            self.waiting = None;
            let bytes = |frame: &Frame<Bytes>| frame.data_ref().map_or(0, Bytes::len);
            let brought = frame.as_ref().and_then(|frame| frame.as_ref().ok()).map_or(0, bytes);
            self.flow.brings(brought, Instant::now());
            return Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyError::Cut)));
        }
        // What says how much it is, and has to come. What does not may be a client's events, which last for as long as it listens.
        let is_owed = !self.alone || body.size_hint().exact().is_some();
        if is_owed && self.flow.is_trickle(self.waits.trickle) {
            return Poll::Ready(Some(Err(BodyError::Slow)));
        }
        self.flow.waits(Instant::now());
        let deadline = || Box::pin(tokio::time::sleep_until(Instant::now() + self.waits.silence));
        let waiting = self.waiting.get_or_insert_with(deadline);
        ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(Some(Err(BodyError::Stalled)))
    }

    /// What of a frame has not been given yet.
    fn take(&mut self, frame: Frame<Bytes>) -> Result<Option<Frame<Bytes>>, BodyError> {
        let mut data = match frame.into_data() {
            Ok(data) => data,
            Err(other) => return Ok(Some(other)),
        };
        let known = self.skip.min(data.len() as u64);
        self.skip -= known;
        data.advance(usize::try_from(known).unwrap_or(usize::MAX));
        self.received += data.len() as u64;
        if self.length().is_some_and(|length| self.received > length) {
            self.state = State::Over;
            return Err(BodyError::TooLong);
        }
        Ok((!data.is_empty()).then(|| Frame::data(data)))
    }

    /// Bytes it has in all, as far as a server has promised.
    fn length(&self) -> Option<u64> {
        self.rest.as_ref().and_then(|rest| rest.promise.length())
    }

    /// Whether nothing is missing, once the server says that it is at its end.
    fn is_whole(&self) -> bool {
        self.skip == 0 && self.length().is_none_or(|length| length == self.received)
    }

    fn note_whole(&self) {
        if let State::Reading { load, .. } = &self.state
            && self.received > 0
        {
            load.parent().came_whole();
        }
    }

    /// It broke off: looks for the rest, where there is a way.
    fn break_off(&mut self, broken: BodyError) -> Result<(), BodyError> {
        let State::Reading { load, hold, .. } = std::mem::replace(&mut self.state, State::Over) else {
            return Err(broken);
        };
        // Servers, too, wait for the next bytes to go only so long: who has let one wait for longer than it may be silent itself, as a
        // client that reads slowly does, has broken off what he gets.
        let is_readers = self.reader.waited_for > self.waits.silence;
        if !is_readers && !hold.is_failed_by_client() {
            load.parent().trouble(&broken);
            load.parent().heard(Asked::Broken);
        }
        (self.reader, self.flow, self.waiting) = (Reader::default(), Flow::default(), None);
        let rest = self.rest.take().ok_or(broken)?;
        self.state = State::Resuming(rest.begin(load.parent().number, self.received, broken)?);
        Ok(())
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        this.reader.asks_for_more();
        if this.has_lost() {
            // Neither the server's fault nor to be asked for again: what is not read needs nobody's place.
            this.state = State::Over;
            return Poll::Ready(Some(Err(BodyError::Untaken)));
        }
        loop {
            let broken = match &mut this.state {
                State::Over => return Poll::Ready(None),
                State::Resuming(looking) => {
                    let Continued { rest, broken, found } = ready!(looking.as_mut().poll(cx));
                    match found {
                        Some(Found::Rest(answered, skip)) => {
                            let Answered { body, load, hold, .. } = *answered;
                            this.state = State::Reading { body, load, hold };
                            (this.skip, this.rest) = (skip, Some(rest));
                            continue;
                        }
                        Some(Found::End) => {
                            this.state = State::Over;
                            return Poll::Ready(None);
                        }
                        None => {
                            this.state = State::Over;
                            return Poll::Ready(Some(Err(broken)));
                        }
                    }
                }
                State::Reading { .. } => match ready!(this.poll_server(cx)) {
                    Some(Ok(frame)) => match this.take(frame) {
                        Ok(Some(frame)) => {
                            this.takes(&frame);
                            return Poll::Ready(Some(Ok(frame)));
                        }
                        Ok(None) => continue,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    },
                    None if this.is_whole() => {
                        this.note_whole();
                        this.state = State::Over;
                        return Poll::Ready(None);
                    }
                    // It came to its end all the same.
                    Some(Err(_)) if this.length() == Some(this.received) => {
                        this.state = State::Over;
                        return Poll::Ready(None);
                    }
                    None => BodyError::Cut,
                    Some(Err(broken)) => broken,
                },
            };
            if let Err(broken) = this.break_off(broken) {
                return Poll::Ready(Some(Err(broken)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.is_read_out()
    }

    fn size_hint(&self) -> SizeHint {
        let exact = |left: u64| SizeHint::with_exact(self.held() + left);
        match (&self.state, self.length()) {
            (State::Over, _) => exact(0),
            (_, Some(length)) => exact(length.saturating_sub(self.received)),
            (State::Reading { body, .. }, None) if self.skip == 0 => {
                body.size_hint().exact().map_or_else(SizeHint::new, exact)
            }
            _ => SizeHint::new(),
        }
    }
}

impl Drop for UpstreamBody {
    fn drop(&mut self) {
        // Who knows the length does not ask for the end.
        if self.is_end_stream() {
            self.note_whole();
        }
    }
}
