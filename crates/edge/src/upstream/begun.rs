//! An answer whose body has begun: what ends before its first byte is nobody's answer yet, and another server may have it whole.

use super::UpstreamError;
use super::attempt::{Answered, limit_behind_others};
use super::body::{BodyError, UpstreamBody, Waits};
use super::exchange::{Upstream, UpstreamResponse, fit_to_pass};
use super::group::Group;
use super::question::Question;
use super::rest::Rest;
use super::way::Way;
use http::Response;
use http::response::Parts;
use parents::retry::Failure;
use std::sync::Arc;
use tokio::time::Instant;

/// An answer that ended before the first byte of its body.
struct Unbegun {
    error: UpstreamError,
    /// Whether another server may have it whole, and has not been asked.
    may_come_elsewhere: bool,
}

impl Upstream {
    /// `answered` with the first byte of its body, from another server where it ends before that and the question is `harmless`. It is
    /// being answered `since` then.
    pub(super) async fn begun(
        &self,
        group: &Arc<Group>,
        question: Question<'_>,
        answered: Answered,
        harmless: bool,
        since: Instant,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let server = answered.load.parent().number;
        match self.begin(group, question, answered).await {
            Err(Unbegun { error, may_come_elsewhere: true }) if harmless => {
                let instead = self.ask_another(group, question, server, since).await.ok_or(error)?;
                self.begin(group, question, instead?).await.map_err(|unbegun| unbegun.error)
            }
            begun => begun.map_err(|unbegun| unbegun.error),
        }
    }

    /// Waits, as a rule, for the first byte of the body as well.
    async fn begin(
        &self,
        group: &Arc<Group>,
        question: Question<'_>,
        answered: Answered,
    ) -> Result<UpstreamResponse, Unbegun> {
        let rest = |head: &Parts| Rest::of(self, group, question, head);
        let waits = Waits::of(self.limits.body, question.headers);
        let (head, mut body) = UpstreamBody::of(answered, waits, question.alone, rest);
        match body.begin().await {
            Ok(()) => Ok(Response::from_parts(head, body)),
            Err(broken) => {
                // Where it has a strong ETag the very same has been looked for, and others may have another.
                Err(Unbegun { error: broken.into(), may_come_elsewhere: broken != BodyError::Untaken })
            }
        }
    }

    /// Asks another server than `broken`, whose head came without a body: nobody has been told of that head, and this is another try
    /// like any. `None` where there is no other, or it may not be tried any more.
    async fn ask_another(
        &self,
        group: &Arc<Group>,
        question: Question<'_>,
        broken: usize,
        since: Instant,
    ) -> Option<Result<Answered, UpstreamError>> {
        let now = Instant::now();
        // Another node that waits for this one has no time for two whole waits.
        let limit = limit_behind_others(self.limits.response, question.headers);
        if limit.is_some_and(|limit| now.duration_since(since) > limit / 2) {
            return None;
        }
        group.pick(group.key(question), &[broken], true, now)?;
        if !group.withdraw(now) {
            group.metrics.denied.inc();
            return None;
        }
        group.metrics.retried(Failure::NoBody);
        let mut instead = self.ask(group, question, Some(broken), fit_to_pass).await;
        if let Ok(answered) = &mut instead {
            Way::Retried.note(&mut answered.head);
        }
        Some(instead)
    }
}
