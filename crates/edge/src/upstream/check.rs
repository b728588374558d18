//! Checks: asking servers how they are before clients' requests find out.

use super::UpstreamError;
use super::attempt::said;
use super::config::CheckConfig;
use super::exchange::Upstream;
use super::group::Group;
use super::parent::Parent;
use super::question::{Question, RequestBody};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

const USER_AGENT: HeaderValue = HeaderValue::from_static("airclass-health");

impl Upstream {
    /// Checks every server of every group that says how, until what it gives is dropped. One core of a node does it.
    pub(crate) fn start_checks(&self) -> JoinSet<()> {
        let mut checks = JoinSet::new();
        for group in &self.groups.groups {
            let Some(check) = &group.config.check else { continue };
            for parent in group.parents() {
                let upstream = self.clone();
                let (group, parent, check) = (Arc::clone(group), Arc::clone(parent), check.clone());
                checks.spawn_local(async move { upstream.keep_checking(&group, &parent, &check).await });
            }
        }
        checks
    }

    async fn keep_checking(&self, group: &Group, parent: &Parent, check: &CheckConfig) {
        let mut ticks = interval_at(Instant::now(), check.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // An answer that takes longer than until the next check is none.
            let found = timeout(check.every, self.check(group, parent, check)).await;
            let found = found.unwrap_or(Err(UpstreamError::ResponseTimeout.to_string()));
            parent.checked(found.inspect_err(|what| parent.trouble(what)).is_ok());
        }
    }

    /// What is wrong with it. Over a connection of its own: whether new ones can be made is part of the question.
    async fn check(&self, group: &Group, parent: &Parent, check: &CheckConfig) -> Result<(), String> {
        let mut sender =
            self.dial.connect(parent, self.limits.connect).await.map_err(|error| match error {
                // Which the connection has noted.
                UpstreamError::Connect | UpstreamError::Tls => parent.last_trouble(),
                error => error.to_string(),
            })?;
        let headers = HeaderMap::from_iter([(header::USER_AGENT, USER_AGENT)]);
        let host = check.host.as_deref().unwrap_or(parent.address.authority_str());
        let question = Question::get(host, &check.path, &headers);
        let answer =
            sender.send_request(question.request(group.host(parent, host), RequestBody::Empty)).await;
        match answer {
            Ok(answer) if answer.status() < StatusCode::BAD_REQUEST => Ok(()),
            Ok(answer) => Err(answer.status().to_string()),
            Err(error) => Err(said(&error)),
        }
    }
}
