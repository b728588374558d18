//! A request's body over HTTP/3: read from its stream as it is asked for, and held to what was announced.

use super::streams::Arriving;
use super::way_out::WayOut;
use crate::connection::streams::Streams;
use crate::service::BoxError;
use bytes::{Buf, Bytes};
use h3::error::Code;
use h3::server::RequestStream;
use http_body::{Frame, SizeHint};
use std::rc::Rc;
use std::task::{Context, Poll};

/// HEADERS with `:status 100` (RFC 9204 appendix A, entry 63), which says that a body is waited for.
const CONTINUE: &[u8] = &[0x01, 0x04, 0x00, 0x00, 0xff, 0x00];

/// A request's body.
pub(crate) struct Upload {
    stream: RequestStream<Arriving, Bytes>,
    /// What came before anybody asked.
    first: Option<Result<Bytes, UploadError>>,
    /// Bytes that Content-Length still announces.
    announced: Option<u64>,
    /// Where the client is told to go on, if it waits for that.
    expecting: Option<WayOut>,
    /// Told that it comes.
    streams: Rc<Streams>,
    at: At,
}

#[derive(PartialEq, Eq)]
enum At {
    Data,
    Trailers,
    End,
}

/// A body that is longer or shorter than it said, or that broke off.
#[derive(Debug, thiserror::Error)]
enum UploadError {
    #[error("a body of another length than announced")]
    Length,
    #[error("the body broke off: {0}")]
    Stream(#[from] h3::error::StreamError),
}

impl Upload {
    /// `announced` by Content-Length; `expecting` is where a client waits to hear that it may go on.
    pub(super) fn new(
        stream: RequestStream<Arriving, Bytes>,
        announced: Option<u64>,
        expecting: Option<WayOut>,
        streams: Rc<Streams>,
    ) -> Self {
        Self { stream, first: None, announced, expecting, streams, at: At::Data }
    }

    /// Looks once whether anything comes at all: a request without a body ends with its head, mostly in one packet, and
    /// has to be known to have none.
    pub(super) fn peek(&mut self, cx: &mut Context<'_>) {
        match self.poll_data(cx) {
            Poll::Ready(Ok(Some(bytes))) => self.first = Some(Ok(bytes)),
            Poll::Ready(Ok(None)) if self.announced.is_some_and(|left| left > 0) => {
                self.first = Some(Err(UploadError::Length));
            }
            Poll::Ready(Ok(None)) => {
                self.at = At::Trailers;
                if let Poll::Ready(Ok(None)) = self.stream.poll_recv_trailers(cx) {
                    self.at = At::End;
                }
            }
            Poll::Ready(Err(error)) => self.first = Some(Err(error)),
            Poll::Pending => {}
        }
    }

    /// Whether the length of what has come is not the one that was announced, which makes the request mean nothing
    /// (RFC 9114 §4.1.2).
    pub(super) fn is_malformed(&self) -> bool {
        matches!(self.first, Some(Err(UploadError::Length)))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.at == At::End
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let waiting = self.first.as_ref().map_or(0, |first| first.as_ref().map_or(0, Bytes::len)) as u64;
        match (self.announced, &self.at) {
            (_, At::End) => SizeHint::with_exact(0),
            (Some(left), _) => SizeHint::with_exact(left + waiting),
            (None, _) => SizeHint::default(),
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.first.take() {
            Some(Ok(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Some(Err(error)) => return Poll::Ready(Some(Err(self.refuse(error)))),
            None => {}
        }
        if self.at == At::Data {
            match self.poll_data(cx) {
                Poll::Ready(Ok(Some(bytes))) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Poll::Ready(Ok(None)) if self.announced.is_some_and(|left| left > 0) => {
                    return Poll::Ready(Some(Err(self.refuse(UploadError::Length))));
                }
                Poll::Ready(Ok(None)) => self.at = At::Trailers,
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(self.refuse(error)))),
                Poll::Pending => {
                    self.ask_for_it(cx);
                    return Poll::Pending;
                }
            }
        }
        if self.at == At::Trailers {
            match std::task::ready!(self.stream.poll_recv_trailers(cx)) {
                Ok(trailers) => {
                    self.at = At::End;
                    return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                }
                Err(error) => return Poll::Ready(Some(Err(self.refuse(error.into())))),
            }
        }
        Poll::Ready(None)
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, UploadError>> {
        let Some(mut data) = std::task::ready!(self.stream.poll_recv_data(cx))? else {
            return Poll::Ready(Ok(None));
        };
        self.streams.came();
        // It is `Bytes` underneath, which nothing copies.
        let bytes = data.copy_to_bytes(data.remaining());
        if let Some(left) = &mut self.announced {
            *left = left.checked_sub(bytes.len() as u64).ok_or(UploadError::Length)?;
        }
        Poll::Ready(Ok(Some(bytes)))
    }

    /// Whoever reads a body has decided to take it.
    fn ask_for_it(&mut self, cx: &mut Context<'_>) {
        if let Some(way_out) = self.expecting.take() {
            // Six bytes; a client that has no room for them sends its body without.
            let _ = way_out.borrow_mut().poll_send(cx, &mut [Bytes::from_static(CONTINUE)]);
        }
    }

    fn refuse(&mut self, error: UploadError) -> BoxError {
        self.stream.stop_sending(Code::H3_MESSAGE_ERROR);
        self.at = At::End;
        error.into()
    }
}

impl Drop for Upload {
    /// Nobody wants the rest of it, which is no mistake of the client's (RFC 9114 §4.1).
    fn drop(&mut self) {
        if self.at != At::End {
            self.stream.stop_sending(Code::H3_NO_ERROR);
        }
    }
}
