//! The bytes that go to a client, wherever they come from.

use crate::delivery::Delivery;
use crate::fill::BlockStream;
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::store::Reader;
use crate::upstream::UpstreamBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use serve::BoxError;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body on its way, counting what it hands over.
pub(crate) struct EdgeBody {
    source: Source,
    sent: u64,
    outcome: Outcome,
    metrics: Arc<Metrics>,
    /// Told when it is over.
    delivery: Option<Delivery>,
}

enum Source {
    Empty,
    Text(Option<Bytes>),
    Stored(Reader),
    /// A stored body of which blocks may be missing.
    Blocks(Box<BlockStream>),
    /// Straight from the upstream, for one client.
    Passed(UpstreamBody),
}

impl EdgeBody {
    /// No bytes.
    pub(crate) fn empty(outcome: Outcome, metrics: &Arc<Metrics>) -> Self {
        Self::new(Source::Empty, outcome, metrics)
    }

    /// A few of our own words.
    pub(crate) fn text(text: impl Into<Bytes>, outcome: Outcome, metrics: &Arc<Metrics>) -> Self {
        Self::new(Source::Text(Some(text.into())), outcome, metrics)
    }

    /// A stored body or a part of one.
    pub(crate) fn stored(reader: Reader, outcome: Outcome, metrics: &Arc<Metrics>) -> Self {
        Self::new(Source::Stored(reader), outcome, metrics)
    }

    /// A part of a body that is stored in blocks.
    pub(crate) fn blocks(stream: BlockStream, outcome: Outcome, metrics: &Arc<Metrics>) -> Self {
        Self::new(Source::Blocks(Box::new(stream)), outcome, metrics)
    }

    /// What the upstream sends, at the client's speed.
    pub(crate) fn passed(body: UpstreamBody, outcome: Outcome, metrics: &Arc<Metrics>) -> Self {
        Self::new(Source::Passed(body), outcome, metrics)
    }

    fn new(source: Source, outcome: Outcome, metrics: &Arc<Metrics>) -> Self {
        Self { source, sent: 0, outcome, metrics: Arc::clone(metrics), delivery: None }
    }

    /// What became of the request.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Has `delivery` told when this is over.
    pub(crate) fn tell(&mut self, delivery: Delivery) {
        self.delivery = Some(delivery);
    }
}

impl Body for EdgeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = match &mut this.source {
            Source::Empty => Poll::Ready(None),
            Source::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Source::Stored(reader) => reader
                .poll_piece(cx)
                .map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(Into::into))),
            Source::Blocks(stream) => stream
                .poll_piece(cx)
                .map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(Into::into))),
            Source::Passed(body) => {
                pin!(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
        };
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.sent += data.len() as u64;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Empty => true,
            Source::Text(text) => text.is_none(),
            Source::Stored(reader) => reader.remaining() == Some(0),
            Source::Blocks(stream) => stream.remaining() == 0,
            Source::Passed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let exact = |size: Option<u64>| size.map_or_else(SizeHint::new, SizeHint::with_exact);
        match &self.source {
            Source::Empty => SizeHint::with_exact(0),
            Source::Text(text) => exact(Some(text.as_ref().map_or(0, |text| text.len() as u64))),
            Source::Stored(reader) => exact(reader.remaining()),
            Source::Blocks(stream) => exact(Some(stream.remaining())),
            Source::Passed(body) => body.size_hint(),
        }
    }
}

impl Drop for EdgeBody {
    fn drop(&mut self) {
        if self.sent > 0 {
            self.metrics.sent(self.outcome, self.sent);
        }
        if let Some(delivery) = self.delivery.take() {
            delivery.ends(self.outcome, self.sent, self.is_end_stream(), &self.metrics);
        }
    }
}
