//! What changes something at the origin, and what the cache has to forget for it.

use super::key_of;
use crate::edge::Edge;
use crate::fill::{self, Arrived, Landed, Role, Watch};
use crate::outcome::{Forwarded, Outcome};
use crate::policy;
use crate::purge::Word;
use crate::request::Asked;
use crate::response::{self, Answer, CacheStatus};
use crate::upstream::{RequestBody, UpstreamError, UpstreamResponse};
use http::{HeaderMap, Method, Uri, header};
use httpcache::freshness::is_error;
use std::rc::Rc;
use tokio::time::Instant;

/// Methods that change something: passed on, and what they may have changed is forgotten (RFC 9111 §4.4).
pub(super) async fn change(edge: Rc<Edge>, asked: Box<Asked>, body: Option<serve::RequestBody>) -> Answer {
    // `*` is the server as a whole, which a balancer asks whether it is well: what those behind us can do, none of them was asked.
    if asked.target == "*" || policy::most_forwards(&asked) == Some(0) {
        return response::options(&edge);
    }
    let body = match body.map_or(Ok(RequestBody::Empty), |body| edge.uploads.admit(body)) {
        Ok(body) => body,
        Err(denied) => return response::upload_denied(&edge, denied),
    };
    let (asked, sent_at) = (Rc::new(*asked), Instant::now());
    // A task of its own: what it changes, it changes also when its client has gone before the answer.
    let exchange = tokio::task::spawn_local(ask(Rc::clone(&edge), Rc::clone(&asked), body));
    let (response, since) = match exchange.await.unwrap_or(Err(UpstreamError::Protocol)) {
        Ok(answered) => answered,
        Err(error) => return response::failed(&edge, error, Forwarded::Method),
    };
    let status = CacheStatus { forwarded: Some(Forwarded::Method), ..CacheStatus::default() };
    let Some(since) = since else { return response::passed(&edge, response, status) };
    let arrived = Arrived::now(&edge, response, sent_at);
    // Found out later, that it is too long would cut it. Where all memory is taken, none is for what nobody has asked to be kept.
    let fits = arrived.length().is_some_and(|length| length <= edge.memory.largest_object())
        && !edge.overload.is_full();
    if !fits || fill::storable(&edge, &asked, &arrived, false).is_err() {
        return response::passed(&edge, UpstreamResponse::from_parts(arrived.head, arrived.body), status);
    }
    // An answer to POST that is what a GET would bring (RFC 9110 §9.3.3).
    let target = edge.policy(&asked).query.normalise(asked.target.clone());
    let primary = key_of(&edge, &Asked { target, ..Asked::clone(&asked) });
    // Another change may have come while other processes were told of this one.
    let is_changed = || (!since.is_current()).then_some(());
    let Ok(Role::Lead(flight, guard)) = edge.flights.join(&primary, Instant::now(), is_changed) else {
        return response::passed(&edge, UpstreamResponse::from_parts(arrived.head, arrived.body), status);
    };
    // From now on the fill is listed, and marked itself.
    drop(since);
    let keeper = (Rc::clone(&edge), Rc::clone(&asked));
    drop(tokio::task::spawn_local(async move {
        let (edge, asked) = keeper;
        edge.metrics.filled(fill::keep(&edge, &asked, &primary, arrived, guard).await);
    }));
    match flight.landed().await {
        Landed::Fetched { object, .. } => {
            let status = CacheStatus { stored: true, ..status };
            response::stored(&edge, &asked, &object, Outcome::Miss, status, Instant::now())
        }
        // Only a panic or a shutdown ends a fill between its head and its body.
        _ => response::failed(&edge, UpstreamError::Protocol, Forwarded::Method),
    }
}

/// Asks the upstream, and forgets what has changed as soon as it says so. An answer that nobody has heard says nothing: to forget for
/// it would let anybody empty the cache with questions that an upstream hangs up on.
///
/// The process does not end before that, also when nobody is connected any more: what is on disks would outlive it. Gives a watch
/// over the URL from then on, where it has changed.
async fn ask(
    edge: Rc<Edge>,
    asked: Rc<Asked>,
    body: RequestBody,
) -> Result<(UpstreamResponse, Option<Watch>), UpstreamError> {
    let _busy = (!is_safe(&asked.method)).then(|| edge.work.begin());
    let headers = policy::upstream_headers(&asked, &edge.identity);
    let response = edge.upstream.exchange(asked.question(&headers), body).await?;
    if is_safe(&asked.method) || is_error(response.status()) {
        return Ok((response, None));
    }
    let since = forget(&edge, &asked, response.headers()).await;
    Ok((response, Some(since)))
}

/// Methods that ask and change nothing (RFC 9110 §9.2.1), those of WebDAV among them.
fn is_safe(method: &Method) -> bool {
    method.is_safe() || matches!(method.as_str(), "PROPFIND" | "REPORT" | "SEARCH")
}

/// Forgets what a request has changed: its URL, and those that the answer names, as far as they are of the same site. So do
/// processes that share the sockets before anybody hears that it was changed. Watches its URL from when it was forgotten here.
async fn forget(edge: &Edge, asked: &Asked, answer: &HeaderMap) -> Watch {
    let named: Vec<_> = [header::LOCATION, header::CONTENT_LOCATION]
        .into_iter()
        .filter_map(|name| asked.same_site(answer.get(name))?.parse::<Uri>().ok())
        .collect();
    let forgotten = |target: &Uri| {
        let target = edge.policy_of(&asked.host, target).query.normalise(target.clone());
        key_of(edge, &Asked { target, ..asked.clone() })
    };
    for key in named.iter().map(forgotten) {
        edge.flights.forget(&key, || edge.remove(&key));
    }
    // The last: an answer names its own URL, too.
    let key = forgotten(&asked.target);
    let since = edge.flights.forget_and_watch(&key, || edge.remove(&key));
    for target in std::iter::once(asked.target.clone()).chain(named) {
        edge.relay.tell(&Word::Changed { host: asked.host.clone(), target: target.to_string() }).await;
    }
    since
}
