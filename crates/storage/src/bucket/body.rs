//! An answer's body: it may not stall, and its connection goes back when it ends.

use super::http::{Lease, Pool, late};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use object_store::client::{HttpError, HttpErrorKind};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The longest wait for the next bytes of an answer while somebody wants them.
const STALL_WAIT: Duration = Duration::from_secs(30);

/// A body that is read from a connection.
pub(super) struct Answer {
    body: Incoming,
    /// Behind a lock that is never contended: `object_store` wants bodies that threads may share.
    lease: Mutex<Option<Lease>>,
    pool: Arc<Pool>,
    /// Set while somebody waits.
    stall: Option<Pin<Box<Sleep>>>,
}

impl Answer {
    pub(super) fn new(body: Incoming, lease: Lease, pool: Arc<Pool>) -> Self {
        Self { body, lease: Mutex::new(Some(lease)), pool, stall: None }
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            self.pool.give_back(lease);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(next) => {
                this.stall = None;
                if next.is_none() {
                    this.give_back();
                }
                Poll::Ready(next.map(|frame| {
                    frame.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, io::Error::other(error)))
                }))
            }
            Poll::Pending => {
                let stall = this
                    .stall
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + STALL_WAIT)));
                if stall.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                let stalled =
                    HttpError::new(HttpErrorKind::Timeout, late("no more of an answer", STALL_WAIT));
                Poll::Ready(Some(Err(stalled)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // Left early, or without a body: hyper reads what little is left, or closes.
        self.give_back();
    }
}
