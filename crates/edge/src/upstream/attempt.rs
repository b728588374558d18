//! One question to one server.

use super::UpstreamError;
use super::exchange::Upstream;
use super::metrics::Asked;
use super::parent::{Load, Parent};
use super::pool::{Hold, Lease, Wish};
use super::question::{RequestBody, RequestBodyError};
use super::sending::Sending;
use crate::policy::CDN_LOOP;
use http::response::Parts;
use http::{HeaderMap, Request, StatusCode, header, request};
use http_body::Body;
use httpcache::fields;
use hyper::body::Incoming;
use parents::retry::is_unwell;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Tries on kept connections that turn out to be closed, before a new one is made.
const MAX_STALE_CONNECTIONS: usize = 3;

/// Nodes before this one that time is left to: as many as there are tiers of ours, and no client makes a fill hasty by inventing more.
const MAX_NODES_BEFORE: usize = 2;

/// A head, and the body that is still to come.
pub(super) struct Answered {
    pub(super) head: Parts,
    pub(super) body: Incoming,
    pub(super) load: Load,
    pub(super) hold: Hold,
}

/// How long a server may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For a connection.
    pub(super) connect: Duration,
    /// For a header section, from when the question is sent.
    pub(super) response: Duration,
}

/// Why there is no head.
struct Unanswered {
    error: UpstreamError,
    /// The connection had carried another exchange before, and ended without a byte or with a 408.
    was_closed: bool,
    /// Something has come, and cannot be read.
    is_unreadable: bool,
}

impl From<UpstreamError> for Unanswered {
    fn from(error: UpstreamError) -> Self {
        Self { error, was_closed: false, is_unreadable: false }
    }
}

/// A server and a connection to it.
pub(super) struct Reached {
    lease: Lease,
    load: Load,
    /// Whether all of the answer is wanted, however long it is.
    wants_all: bool,
}

impl Upstream {
    /// Asks `parent` what `head` asks, within `limits`, and notes what it is worth.
    ///
    /// With a wish for `reuse`, which takes a question that may be repeated (RFC 9110 §9.2.2), kept connections are used, and
    /// one that turns out to be closed is followed by another (RFC 9112 §9.3.1), within the same limit for the header section: nobody
    /// has had the question. `unwell` are statuses that say that it cannot.
    pub(super) async fn attempt(
        &self,
        parent: &Arc<Parent>,
        head: &request::Parts,
        wish: Wish,
        limits: Limits,
        unwell: fn(StatusCode) -> bool,
    ) -> Result<Answered, UpstreamError> {
        let (mut stale, mut left) = (0, limits.response);
        loop {
            let wish = Wish { reuse: wish.reuse && stale < MAX_STALE_CONNECTIONS, ..wish };
            let reached = self.reach(parent, wish, limits.connect).await?;
            let sent_at = Instant::now();
            let request = Request::from_parts(head.clone(), RequestBody::Empty);
            match reached.exchange(self, request, left).await {
                // Who takes that long to hang up has thought about the question, and would again.
                Err(Unanswered { was_closed: true, .. }) if sent_at.elapsed() < left / 2 => {
                    stale += 1;
                    left = left.saturating_sub(sent_at.elapsed());
                }
                result => return noted(parent, result, unwell),
            }
        }
    }

    /// A connection to `parent`.
    pub(super) async fn reach(
        &self,
        parent: &Arc<Parent>,
        wish: Wish,
        limit: Duration,
    ) -> Result<Reached, UpstreamError> {
        let load = parent.begin(Instant::now());
        let lease = self.pool(parent).lease(wish, limit).await;
        let lease = lease.inspect_err(|error| note_error(parent, *error))?;
        Ok(Reached { lease, load, wants_all: !wish.narrow })
    }
}

impl Reached {
    /// Sends and waits for the head, and notes what the server is worth.
    pub(super) async fn send(
        self,
        upstream: &Upstream,
        request: Request<RequestBody>,
    ) -> Result<Answered, UpstreamError> {
        let parent = Arc::clone(self.load.parent());
        // Instead of an answer to an upload there is nothing to give, whoever waits for it.
        let limit = upstream.limits.response;
        let result = self.exchange(upstream, request, limit).await;
        noted(&parent, result, is_unwell)
    }

    async fn exchange(
        mut self,
        upstream: &Upstream,
        request: Request<RequestBody>,
        limit: Duration,
    ) -> Result<Answered, Unanswered> {
        let (sending, uri) = (request.body().sending(), request.uri().clone());
        let (reused, begun) = (self.lease.reused, Instant::now());
        let answer = tokio::select! {
            biased;
            answer = self.lease.sender().send_request(request) => answer,
            error = late(sending.as_ref(), limit) => return Err(error.into()),
        };
        let response = match answer {
            Err(error) if error.is_user() => return Err(body_error(&error).into()),
            Err(error) => {
                let parent = self.load.parent();
                // What has begun to come and cannot be read would be no better over another connection.
                let is_unreadable = self.lease.sender().is_answered();
                if is_unreadable && error.is_parse() {
                    tracing::warn!(parent = &*parent.name, %uri, %error, "an upstream's answer cannot be read");
                }
                parent.trouble(&said(&error));
                let was_closed = reused && !is_unreadable;
                return Err(Unanswered { error: UpstreamError::Protocol, was_closed, is_unreadable });
            }
            // Said of the connection, before the question had come there (RFC 9110 §15.5.9): it has been idle for too long. Who takes
            // his time to say it says it of the question.
            Ok(response)
                if reused
                    && response.status() == StatusCode::REQUEST_TIMEOUT
                    && begun.elapsed() < limit / 2 =>
            {
                let error = UpstreamError::Protocol;
                return Err(Unanswered { error, was_closed: true, is_unreadable: false });
            }
            Ok(response) => response,
        };
        let hold = upstream.pool(self.load.parent()).give_back(self.lease, sending);
        let (mut head, body) = response.into_parts();
        if self.wants_all && !body.is_end_stream() {
            hold.widen(body.size_hint().exact());
        }
        if head.status == StatusCode::NO_CONTENT {
            // There is none, whatever it says, and clients over HTTP/2 and HTTP/3 would wait for that (RFC 9110 §8.6).
            head.headers.remove(header::CONTENT_LENGTH);
        }
        Ok(Answered { head, body, load: self.load, hold })
    }
}

/// How long answers are waited for, of `whole` and from all servers together, where another node asks; `None`: none does. It may wait
/// no longer than `whole` itself, and would give us up a moment before it had what we give instead. So each node leaves a third of
/// its time to the one that asks it; how many there are, the question says.
pub(super) fn limit_behind_others(whole: Duration, headers: &HeaderMap) -> Option<Duration> {
    let others = fields::members(headers, &CDN_LOOP).count().saturating_sub(1);
    (others > 0).then(|| (0..others.min(MAX_NODES_BEFORE)).fold(whole, |limit, _| limit * 2 / 3))
}

/// Gives what went wrong, once there has been no answer for too long. While the request is still being sent, none is due.
async fn late(sending: Option<&Sending>, limit: Duration) -> UpstreamError {
    let Some(sending) = sending else {
        sleep(limit).await;
        return UpstreamError::ResponseTimeout;
    };
    sending.begins(Instant::now(), limit);
    sending.late().await
}

/// What hyper says, and what it has heard.
pub(super) fn said(error: &hyper::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// What was wrong with the body that was sent on.
fn body_error(error: &hyper::Error) -> UpstreamError {
    match error.source().and_then(|source| source.downcast_ref()) {
        Some(RequestBodyError::TooLarge) => UpstreamError::RequestTooLarge,
        Some(RequestBodyError::Broken(_)) | None => UpstreamError::RequestBody,
    }
}

fn noted(
    parent: &Parent,
    result: Result<Answered, Unanswered>,
    unwell: fn(StatusCode) -> bool,
) -> Result<Answered, UpstreamError> {
    match &result {
        Ok(answered) if unwell(answered.head.status) => {
            parent.trouble(&answered.head.status);
            parent.heard(Asked::Unwell);
        }
        Ok(_) => parent.heard(Asked::Answer),
        Err(Unanswered { is_unreadable: true, .. }) => parent.heard(Asked::Unreadable),
        Err(unanswered) => note_error(parent, unanswered.error),
    }
    result.map_err(|unanswered| unanswered.error)
}

fn note_error(parent: &Parent, error: UpstreamError) {
    use UpstreamError::{ConnectTimeout, Resolve, ResponseTimeout};
    // Of others the cause is noted where it is known.
    if matches!(error, Resolve | ConnectTimeout | ResponseTimeout) {
        parent.trouble(&error);
    }
    match error {
        UpstreamError::Resolve
        | UpstreamError::Connect
        | UpstreamError::ConnectTimeout
        | UpstreamError::Tls => {
            parent.heard(Asked::Unreached);
        }
        UpstreamError::ResponseTimeout | UpstreamError::Protocol => parent.heard(Asked::Unanswered),
        // Ours, the client's, or nobody's.
        UpstreamError::Busy
        | UpstreamError::Rate
        | UpstreamError::RequestBody
        | UpstreamError::RequestTooLarge
        | UpstreamError::RequestTooSlow
        | UpstreamError::UnknownHost
        | UpstreamError::UnknownPath => {}
    }
}
