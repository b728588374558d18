//! Neighbours: asked for what they hold before a parent is, and for nothing else.
//!
//! A neighbour that has to ask further answers 504 instead (`only-if-cached`, RFC 9111 §5.2.1.7), so a question never goes
//! on from edge to edge; CDN-Loop, which every question carries, would end it if it did.

use super::UpstreamError;
use super::attempt::{Answered, Limits};
use super::exchange::Upstream;
use super::group::Group;
use super::metrics::{Asked, PeerSaid};
use super::pool::Wish;
use super::question::Question;
use super::way::Way;
use crate::policy::{CachePolicy, ClientReload};
use http::response::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use httpcache::directives::{RequestDirectives, ResponseDirectives};
use httpcache::freshness::{Freshness, State};
use parents::retry;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a neighbour is waited for, connection included. It is near and has it in memory, or it is no help.
const PATIENCE: Duration = Duration::from_millis(250);

const ONLY_IF_CACHED: HeaderValue = HeaderValue::from_static("only-if-cached");

impl Upstream {
    /// The answer of the neighbour that is likeliest to hold what is asked for; `None` when it has to be fetched.
    pub(super) async fn ask_a_peer(&self, group: &Group, question: Question<'_>) -> Option<Answered> {
        if !question.cold || question.method != Method::GET || self.is_wished_anew(question) {
            return None;
        }
        let begun = Instant::now();
        let peer = group.peer(group.key(question), begun)?;
        let mut headers = question.headers.clone();
        headers.insert(header::CACHE_CONTROL, ONLY_IF_CACHED);
        let asked = Question { headers: &headers, ..question };
        // What it holds is under the host that its clients ask, whatever the servers behind are told.
        let host = HeaderValue::from_str(question.host).ok()?;
        // Its patience is for the neighbour, who would be blamed for a wait of our own; and whoever has to wait is at the parent sooner.
        let (head, wish) = (asked.head(host), Wish::of(question, true, false));
        let limits = Limits { connect: PATIENCE, response: PATIENCE };
        let answer = timeout(PATIENCE, self.attempt(peer, &head, wish, limits, is_unwell)).await;
        let said = match &answer {
            Ok(Ok(answered)) if self.is_worth_keeping(question, &answered.head, begun.elapsed()) => {
                PeerSaid::Hit
            }
            Ok(Ok(_)) => PeerSaid::Miss,
            Ok(Err(UpstreamError::Busy)) => PeerSaid::Busy,
            Ok(Err(_)) => PeerSaid::Failed,
            Err(_) => {
                peer.trouble(&UpstreamError::ResponseTimeout);
                peer.heard(Asked::Unanswered);
                PeerSaid::Failed
            }
        };
        group.metrics.peer_said(said);
        let mut held = (said == PeerSaid::Hit).then(|| answer.ok()?.ok()).flatten()?;
        Way::Peer.note(&mut held.head);
        Some(held)
    }

    /// The rules for what is kept of what is asked for.
    fn policy(&self, question: Question<'_>) -> &CachePolicy {
        self.config.cache.of(self.groups.route(question.host, question.target.path()))
    }

    /// Whether its client may wish, and does, for less than what a cache may hold: a neighbour is not told, and does not know.
    fn is_wished_anew(&self, question: Question<'_>) -> bool {
        let wishes = RequestDirectives::read(question.headers);
        self.policy(question).client_reload == ClientReload::Honour
            && (wishes.no_cache || wishes.max_age.is_some() || wishes.min_fresh.is_some())
    }

    /// Whether a neighbour's answer is there and fresh: what is stale there is not taken over as new here.
    fn is_worth_keeping(&self, question: Question<'_>, head: &Parts, delay: Duration) -> bool {
        let rules = &self.policy(question).rules;
        let directives = ResponseDirectives::targeted(&head.headers, &rules.targets);
        let (status, now) = (head.status, self.clock.now());
        let freshness = Freshness::of(status, &head.headers, &directives, now, delay, rules);
        matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT)
            && freshness.state(Duration::ZERO) == State::Fresh
    }
}

/// A neighbour's 504 says that it does not hold it, as it was asked to say.
fn is_unwell(status: StatusCode) -> bool {
    status != StatusCode::GATEWAY_TIMEOUT && retry::is_unwell(status)
}
