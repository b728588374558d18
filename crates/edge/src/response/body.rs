//! The bytes that go to a client, wherever they come from.

use crate::delivery::Delivery;
use crate::fill::{BlockStream, PassingStream};
use crate::metrics::CoreMetrics;
use crate::outcome::Outcome;
use crate::resources::{Paced, Place};
use crate::store::Reader;
use crate::upstream::UpstreamBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use serve::{BoxError, ReadyFields};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A piece of a body, or why there is none.
type Framed = Result<Frame<Bytes>, BoxError>;

/// A body on its way, counting what it hands over. On the heap: it is handed on with its answer, over HTTP/2 two dozen times.
pub(crate) struct EdgeBody(Box<Inner>);

struct Inner {
    source: Source,
    sent: u64,
    outcome: Outcome,
    metrics: CoreMetrics,
    /// In whose turn it goes out; `None`: at once.
    paced: Option<Box<Paced>>,
    /// Told when it is over.
    delivery: Option<Delivery>,
    /// Fields of its answer, ready to be sent.
    ready: Option<ReadyFields>,
    end: End,
}

/// How its source has ended: what is left of it does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Not yet, or nobody asked it for more than there was.
    Open,
    Whole,
    Broken,
}

enum Source {
    Empty,
    Text(Option<Bytes>),
    Stored(Reader),
    /// A stored body of which blocks may be missing.
    Blocks(Box<BlockStream>),
    /// A stored body that lies on a disk and stays there.
    Passing(Box<PassingStream>),
    /// Straight from the upstream, for one client.
    Passed(Box<UpstreamBody>),
}

impl EdgeBody {
    /// No bytes.
    pub(crate) fn empty(outcome: Outcome, metrics: &CoreMetrics) -> Self {
        Self::new(Source::Empty, outcome, metrics)
    }

    /// A few of our own words.
    pub(crate) fn text(text: impl Into<Bytes>, outcome: Outcome, metrics: &CoreMetrics) -> Self {
        Self::new(Source::Text(Some(text.into())), outcome, metrics)
    }

    /// A stored body or a part of one.
    pub(crate) fn stored(reader: Reader, outcome: Outcome, metrics: &CoreMetrics) -> Self {
        Self::new(Source::Stored(reader), outcome, metrics)
    }

    /// A part of a body that is stored in blocks.
    pub(crate) fn blocks(stream: BlockStream, outcome: Outcome, metrics: &CoreMetrics) -> Self {
        Self::new(Source::Blocks(Box::new(stream)), outcome, metrics)
    }

    /// A part of a body that goes straight from a disk to this client.
    pub(crate) fn passing(stream: PassingStream, outcome: Outcome, metrics: &CoreMetrics) -> Self {
        Self::new(Source::Passing(Box::new(stream)), outcome, metrics)
    }

    /// What the upstream sends, at the client's speed.
    pub(crate) fn passed(body: UpstreamBody, outcome: Outcome, metrics: &CoreMetrics) -> Self {
        Self::new(Source::Passed(Box::new(body)), outcome, metrics)
    }

    fn new(source: Source, outcome: Outcome, metrics: &CoreMetrics) -> Self {
        Self(Box::new(Inner {
            source,
            sent: 0,
            outcome,
            metrics: Rc::clone(metrics),
            paced: None,
            delivery: None,
            ready: None,
            end: End::Open,
        }))
    }

    /// Sends it piece by piece, each in its turn.
    pub(crate) fn pace(&mut self, place: Place) {
        self.0.paced = Some(Box::new(Paced::new(place)));
    }

    /// What became of the request.
    pub(crate) fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Bytes that were taken from the source and are not sent.
    fn waiting(&self) -> u64 {
        self.0.paced.as_ref().map_or(0, |paced| paced.waiting())
    }

    /// Whether all of it has been handed over.
    pub(crate) fn is_whole(&self) -> bool {
        match self.0.end {
            // Who knows the length does not ask for the end.
            End::Open => self.is_end_stream(),
            end => end == End::Whole,
        }
    }

    /// Has fields of its answer with it.
    pub(crate) fn with_ready(mut self, ready: ReadyFields) -> Self {
        self.0.ready = Some(ready);
        self
    }

    /// Fields of its answer that are ready to be sent.
    pub(crate) fn ready(&self) -> Option<&ReadyFields> {
        self.0.ready.as_ref()
    }

    /// The same, for one more.
    pub(crate) fn ready_mut(&mut self) -> Option<&mut ReadyFields> {
        self.0.ready.as_mut()
    }

    /// Has `delivery` told when this is over.
    pub(crate) fn tell(&mut self, delivery: Delivery) {
        self.0.delivery = Some(delivery);
    }
}

impl Body for EdgeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self.get_mut().0;
        let frame = match &mut this.paced {
            None => this.source.poll_frame(cx),
            Some(paced) => poll_paced(paced, &mut this.source, cx),
        };
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                this.sent += length;
                // What takes minutes by design is counted as it goes, so that graphs show no bursts.
                if this.paced.is_some() {
                    this.metrics.sent(this.outcome, length);
                }
            }
            Poll::Ready(Some(Err(_))) => this.end = End::Broken,
            Poll::Ready(None) if this.end == End::Open => this.end = End::Whole,
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.waiting() == 0 && self.0.source.is_end()
    }

    fn size_hint(&self) -> SizeHint {
        let exact = |size: u64| SizeHint::with_exact(size + self.waiting());
        self.0.source.left().map_or_else(SizeHint::new, exact)
    }
}

/// What waits goes first; then the source is asked for more.
fn poll_paced(paced: &mut Paced, source: &mut Source, cx: &mut Context<'_>) -> Poll<Option<Framed>> {
    loop {
        if let Some(piece) = ready!(paced.poll_piece(cx)) {
            return Poll::Ready(Some(piece.map(Frame::data).map_err(Into::into)));
        }
        match ready!(source.poll_frame(cx)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => paced.take(data),
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            },
            end => return Poll::Ready(end),
        }
    }
}

impl Source {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Framed>> {
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Stored(reader) => reader
                .poll_piece(cx)
                .map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(Into::into))),
            Self::Blocks(stream) => stream
                .poll_piece(cx)
                .map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(Into::into))),
            Self::Passing(stream) => stream
                .poll_piece(cx)
                .map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(Into::into))),
            Self::Passed(body) => {
                pin!(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.is_none(),
            Self::Stored(reader) => reader.remaining() == Some(0),
            Self::Blocks(stream) => stream.remaining() == 0,
            Self::Passing(stream) => stream.remaining() == 0,
            Self::Passed(body) => body.is_end_stream(),
        }
    }

    /// Bytes that are to come; `None` where nobody knows.
    fn left(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Text(text) => Some(text.as_ref().map_or(0, |text| text.len() as u64)),
            Self::Stored(reader) => reader.remaining(),
            Self::Blocks(stream) => Some(stream.remaining()),
            Self::Passing(stream) => Some(stream.remaining()),
            Self::Passed(body) => body.size_hint().exact(),
        }
    }
}

impl Drop for EdgeBody {
    fn drop(&mut self) {
        let whole = self.is_whole();
        let this = &mut *self.0;
        if this.sent > 0 && this.paced.is_none() {
            this.metrics.sent(this.outcome, this.sent);
        }
        if let Some(delivery) = this.delivery.take() {
            delivery.ends(this.outcome, this.sent, whole, &this.metrics);
        }
    }
}
