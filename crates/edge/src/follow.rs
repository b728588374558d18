//! Where this edge has its day plans from: its upstream, a node of its own for it, or a place on its disk.

use crate::service::EdgeService;
use crate::upstream::{Question, RequestBody, UpstreamResponse};
use dayplan::{Fetched, Files, Keeper, Place, Source, Unheard};
use http::{Uri, Version};
use http_body_util::{BodyExt, Limited};
use jiff::civil::Date;
use package::Digest;
use std::time::Duration;
use timetable::MAX_ENVELOPE_BYTES;
use tokio::time::timeout;

/// The longest wait for a whole plan. It has megabytes at most.
const WITHIN: Duration = Duration::from_secs(60);

/// Keeps plans up to date until the end.
pub(crate) async fn follow(service: EdgeService, keeper: Keeper, place: Place) {
    match place {
        Place::Path(path) => keeper.run(Files::new(path), true).await,
        Place::Own => keeper.run(Upstream { service, apart: false }, false).await,
        Place::Url(_) => keeper.run(Upstream { service, apart: true }, false).await,
    }
}

/// A node further up.
struct Upstream {
    service: EdgeService,
    /// Plans have servers of their own.
    apart: bool,
}

impl Source for Upstream {
    async fn fetch(&self, date: Date, _: Date, known: Option<Digest>) -> Result<Fetched, Unheard> {
        let edge = self.service.edge();
        let Some(plans) = edge.release.plans() else { return Err(Unheard("no plan is followed".into())) };
        let target: Uri = dayplan::target(date).parse().map_err(|_| Unheard("no such day".to_owned()))?;
        let mut headers = plans.question(known);
        edge.identity.sign(Version::HTTP_11, &mut headers);
        let host = edge.config.plan_host();
        let question = Question { goes_on: true, ..Question::get(host, &target, &headers) };
        let sent = plans.now();
        let upstream = &edge.upstream;
        let answered = if self.apart {
            upstream.exchange_for_plan(question).await
        } else {
            upstream.exchange(question, RequestBody::Empty).await
        };
        let response = answered.map_err(|error| Unheard(error.to_string()))?;
        let received = plans.now();
        let (head, body) = whole(response).await?;
        // A server for plans alone says nothing about those that lessons come from.
        if !self.apart {
            edge.upstream_seen(Ok(()));
        }
        dayplan::read_answer((head.status, &head.headers, body), sent, received)
    }
}

async fn whole(response: UpstreamResponse) -> Result<(http::response::Parts, bytes::Bytes), Unheard> {
    let (head, body) = response.into_parts();
    // One byte more than is accepted, so that too much is seen to be.
    let body = Limited::new(body, MAX_ENVELOPE_BYTES + 1);
    match timeout(WITHIN, body.collect()).await {
        Ok(Ok(body)) => Ok((head, body.to_bytes())),
        Ok(Err(error)) => Err(Unheard(format!("the plan broke off: {error}"))),
        Err(_) => Err(Unheard(format!("the plan took longer than {WITHIN:?}"))),
    }
}
