//! Interim responses (1xx, RFC 9110 §15.2) on their way from where a service hears them to the client that waits for its answer.
//!
//! hyper's server sends none, so they go where requests do not need it: to a GET over HTTP/1.1 that came whole. All others hear
//! the final answer alone.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Of one answer; more are dropped. They are hints, and a server behind that goes on with them is not to fill our memory.
const MOST: usize = 8;
/// Bytes of those that wait; what does not fit is dropped.
const MOST_BYTES: usize = 16 * 1_024;

/// Where the interim responses to one request go. Its copies are the same place; what comes behind the final answer reaches nobody.
#[derive(Debug, Clone)]
pub struct Interim {
    heard: Arc<Heard>,
    request: u64,
}

/// What a connection's service has heard and its client not.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The latest request; 0 before the first. Its connection alone writes to it.
    request: AtomicU64,
    anything: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Which request they are for.
    request: u64,
    /// Heads, as they are sent.
    heads: BytesMut,
    count: usize,
    waker: Option<Waker>,
}

impl Interim {
    /// Passes one on: `headers` are end-to-end fields. Nothing else than interim responses is passed on, and of those neither
    /// 100, which is about the body of a request, nor 101, which ends what HTTP is.
    pub fn pass(&self, status: StatusCode, headers: &HeaderMap) {
        if !status.is_informational()
            || matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS)
        {
            return;
        }
        let head = head(status, headers);
        let mut waiting = self.heard.waiting();
        // Another may have begun, for which this is not.
        if waiting.request != self.request
            || waiting.count == MOST
            || waiting.heads.len() + head.len() > MOST_BYTES
        {
            return;
        }
        waiting.heads.unsplit(head);
        waiting.count += 1;
        self.heard.anything.store(true, Ordering::Release);
        if let Some(waker) = waiting.waker.take() {
            waker.wake();
        }
    }
}

/// RFC 9112 §4, §5.
fn head(status: StatusCode, headers: &HeaderMap) -> BytesMut {
    let mut head = BytesMut::new();
    head.put_slice(b"HTTP/1.1 ");
    head.put_slice(status.as_str().as_bytes());
    head.put_u8(b' ');
    head.put_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    head.put_slice(b"\r\n");
    for (name, value) in headers {
        head.put_slice(name.as_str().as_bytes());
        head.put_slice(b": ");
        head.put_slice(value.as_bytes());
        head.put_slice(b"\r\n");
    }
    head.put_slice(b"\r\n");
    head
}

impl Heard {
    /// The next request's place. Nothing is locked for it: most hear nothing, and what was meant for an earlier one is known by that.
    pub(crate) fn begin(heard: &Arc<Self>) -> Interim {
        let request = heard.request.load(Ordering::Relaxed) + 1;
        heard.request.store(request, Ordering::Release);
        Interim { heard: Arc::clone(heard), request }
    }

    /// What waits for the latest request. What was meant for an earlier one is forgotten.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let request = self.request.load(Ordering::Acquire);
        if waiting.request != request {
            *waiting = Waiting { request, ..Waiting::default() };
        }
        waiting
    }

    /// Heads that wait to be sent, if there are any.
    pub(crate) fn take(&self) -> Option<Bytes> {
        if !self.anything.load(Ordering::Acquire) {
            return None;
        }
        self.anything.store(false, Ordering::Relaxed);
        let mut waiting = self.waiting();
        Some(waiting.heads.split().freeze()).filter(|heads| !heads.is_empty())
    }

    /// The same; where there are none, the task is woken by the next.
    pub(crate) fn take_or_wait(&self, cx: &Context<'_>) -> Option<Bytes> {
        let mut waiting = self.waiting();
        if waiting.heads.is_empty() {
            waiting.waker = Some(cx.waker().clone());
            return None;
        }
        self.anything.store(false, Ordering::Relaxed);
        Some(waiting.heads.split().freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::LINK;

    fn hints() -> HeaderMap {
        HeaderMap::from_iter([(LINK, "</a.css>; rel=preload".parse().unwrap())])
    }

    #[test]
    fn heads_wait_in_order_until_they_are_taken() {
        let heard = Arc::default();
        let place = Heard::begin(&heard);
        assert_eq!(heard.take(), None);
        place.pass(StatusCode::EARLY_HINTS, &hints());
        place.pass(StatusCode::PROCESSING, &HeaderMap::new());
        let sent =
            "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";
        assert_eq!(heard.take().unwrap(), sent);
        assert_eq!(heard.take(), None);
    }

    #[test]
    fn nothing_else_is_passed_on_and_nothing_late() {
        let heard = Arc::default();
        let place = Heard::begin(&heard);
        for status in [100, 101, 200, 304, 404] {
            place.pass(StatusCode::from_u16(status).unwrap(), &hints());
        }
        assert_eq!(heard.take(), None);
        place.pass(StatusCode::EARLY_HINTS, &hints());
        let next = Heard::begin(&heard);
        assert_eq!(heard.take(), None, "it was for the request before");
        place.pass(StatusCode::EARLY_HINTS, &hints());
        assert_eq!(heard.take(), None, "it came after that one's answer");
        next.pass(StatusCode::EARLY_HINTS, &hints());
        assert!(heard.take().is_some());
    }

    #[test]
    fn they_are_bounded_in_number_and_length() {
        let heard = Arc::default();
        let place = Heard::begin(&heard);
        (0..100).for_each(|_| place.pass(StatusCode::PROCESSING, &HeaderMap::new()));
        let one = "HTTP/1.1 102 Processing\r\n\r\n".len();
        assert_eq!(heard.take().unwrap().len(), MOST * one);
        let place = Heard::begin(&heard);
        let long = HeaderMap::from_iter([(LINK, "x".repeat(MOST_BYTES).parse().unwrap())]);
        place.pass(StatusCode::EARLY_HINTS, &long);
        assert_eq!(heard.take(), None);
    }
}
