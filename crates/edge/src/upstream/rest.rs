//! The rest of a body that broke off: from the same server or another, held to what the first answer promised.

use super::UpstreamError;
use super::attempt::Answered;
use super::body::BodyError;
use super::exchange::Upstream;
use super::group::Group;
use super::metrics::BrokenBody;
use super::question::Question;
use http::response::Parts;
use http::{HeaderMap, Uri};
use parents::resume::Promise;
use parents::retry::Failure;
use std::pin::Pin;
use std::sync::Arc;
use tokio::time::Instant;

/// How often a body may break off and go on. A server that sends a byte and breaks off must not be asked for each of them.
const MAX_RESUMES: u8 = 3;

/// What came of looking for the rest.
pub(super) struct Continued {
    pub(super) rest: Box<Rest>,
    /// Why the body had broken off.
    pub(super) broken: BodyError,
    pub(super) found: Option<Found>,
}

pub(super) enum Found {
    /// The answer that carries on, and how much of it to leave out.
    Rest(Box<Answered>, u64),
    /// Nothing is behind what there is.
    End,
}

/// How a body goes on when it breaks off: the question, and what the first answer promised.
pub(super) struct Rest {
    upstream: Upstream,
    group: Arc<Group>,
    pub(super) promise: Promise,
    host: String,
    target: Uri,
    headers: HeaderMap,
    pub(super) alone: bool,
    resumes: u8,
    /// Bytes there were when it last broke off.
    since: u64,
}

impl Rest {
    /// Of an answer that can go on elsewhere; `None` for any other.
    pub(super) fn of(
        upstream: &Upstream,
        group: &Arc<Group>,
        question: Question<'_>,
        head: &Parts,
    ) -> Option<Box<Self>> {
        let promise = Promise::of(question.method, head.status, &head.headers)?;
        Some(Box::new(Self {
            upstream: upstream.clone(),
            group: Arc::clone(group),
            promise,
            host: question.host.to_owned(),
            target: question.target.clone(),
            headers: question.headers.clone(),
            alone: question.alone,
            resumes: 0,
            since: 0,
        }))
    }

    /// Begins to look for what is behind `received` bytes.
    ///
    /// The rest of a body that has come on is no second question, and costs nothing of the retry budget: a server that
    /// dies with a thousand bodies on their way must not break them all. One that has not come on since it last broke off
    /// is asked for again, and does.
    pub(super) fn begin(
        mut self: Box<Self>,
        broken_at: usize,
        received: u64,
        broken: BodyError,
    ) -> Result<Pin<Box<dyn Future<Output = Continued>>>, BodyError> {
        let may =
            self.resumes < MAX_RESUMES && (received > self.since || self.group.withdraw(Instant::now()));
        if !may {
            self.group.metrics.broke_off(BrokenBody::NotTried);
            return Err(broken);
        }
        self.resumes += 1;
        self.since = received;
        Ok(Box::pin(async move {
            let found = self.look(broken_at, received).await.ok();
            let outcome = if found.is_some() { BrokenBody::Resumed } else { BrokenBody::Failed };
            self.group.metrics.broke_off(outcome);
            Continued { rest: self, broken, found }
        }))
    }

    async fn look(&mut self, broken_at: usize, received: u64) -> Result<Found, UpstreamError> {
        let mut headers = self.headers.clone();
        self.promise.ask_for_rest(received, &mut headers);
        let question = Question { alone: self.alone, ..Question::get(&self.host, &self.target, &headers) };
        let (mut kept, mut ends) = (None, false);
        let answered = self
            .upstream
            .ask(&self.group, question, Some(broken_at), |head| {
                if self.promise.ends(received, head.status, &head.headers) {
                    ends = true;
                    return Ok(());
                }
                let mut promise = self.promise.clone();
                match promise.hold(received, head.status, &head.headers) {
                    Ok(rest) => {
                        kept = Some((promise, rest.skip));
                        Ok(())
                    }
                    Err(unfit) => {
                        tracing::debug!(
                            status = head.status.as_u16(),
                            reason = unfit.as_str(),
                            "not the rest"
                        );
                        Err(Failure::Unfit)
                    }
                }
            })
            .await?;
        if ends {
            return Ok(Found::End);
        }
        // An answer that did not fit is given back too, when there is no better.
        let (promise, skip) = kept.ok_or(UpstreamError::Protocol)?;
        self.promise = promise;
        Ok(Found::Rest(Box::new(answered), skip))
    }
}
