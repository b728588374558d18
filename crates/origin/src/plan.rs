//! The day plan at an origin: taken from the store, obeyed, and given to nodes.

use crate::body::Body;
use crate::response::{assembled, common};
use dayplan::{
    AtDoor, Closed, Fetched, Files, Gated, Keeper, Place, PlanConfig, Plans, Published, Source, Television,
    Unheard,
};
use http::{HeaderMap, Method, Response};
use jiff::civil::Date;
use package::Digest;
use std::time::Duration;
use storage::Store;
use telemetry::Telemetry;
use timetable::{MAX_ENVELOPE_BYTES, plan_path};

/// What is to be done about plans: what is followed, and who keeps it so.
pub(crate) struct Following {
    pub(crate) plans: Plans,
    keeper: Keeper,
    place: Place,
}

impl Following {
    pub(crate) fn start(config: PlanConfig, telemetry: &Telemetry) -> Self {
        let place = config.place.clone();
        let (keeper, plans) = Keeper::start(config, telemetry);
        Self { plans, keeper, place }
    }

    /// Keeps plans up to date until the end.
    pub(crate) async fn run(self, store: Store, limit: Duration) {
        match self.place {
            Place::Path(path) => self.keeper.run(Files::new(path), true).await,
            // The configuration takes no other.
            Place::Own | Place::Url(_) => self.keeper.run(InStore { store, limit }, true).await,
        }
    }
}

/// Plans where `airclass timetable compile` puts them.
struct InStore {
    store: Store,
    limit: Duration,
}

impl Source for InStore {
    async fn fetch(&self, date: Date, _: Date, _: Option<Digest>) -> Result<Fetched, Unheard> {
        let path = plan_path(date);
        let found = tokio::time::timeout(self.limit, self.store.get(&path, MAX_ENVELOPE_BYTES)).await;
        let published = match found {
            Ok(Ok(Some(found))) => Published::Envelope(found.bytes),
            Ok(Ok(None)) => Published::Nothing,
            Ok(Err(error)) => return Err(Unheard(error.to_string())),
            Err(_) => return Err(Unheard(format!("the store gave nothing for {:?}", self.limit))),
        };
        Ok(Fetched { published, sample: None, age: Duration::ZERO })
    }
}

/// What the plan has to say to a request, before anything is read: the plan itself for nodes, and no to what is not open.
/// `target` is a path with its query.
pub(crate) fn answer(
    plans: &Plans,
    method: &Method,
    target: &str,
    request: &HeaderMap,
) -> Option<Response<Body>> {
    let path = target.split('?').next().unwrap_or(target);
    if let Some(at_door) = dayplan::served(plans, path, request) {
        return Some(plan(plans, method, &at_door));
    }
    match plans.on_air(method, target, request) {
        Some(Television::Playlist(playlist)) => return Some(playlist.map(Body::whole)),
        Some(Television::Ahead(Closed { headers, text })) => {
            return Some(with(Closed::STATUS, headers, method, text.into()));
        }
        None => {}
    }
    let Gated::Shut(shut) = plans.current().gate().look(path, plans.clock().opens_by()) else { return None };
    // Nodes fill their caches before the bell.
    if plans.tokens().accept(request) {
        return None;
    }
    let Closed { headers, text } = Closed::new(&shut, request, plans.now());
    Some(with(Closed::STATUS, headers, method, text.into()))
}

fn plan(plans: &Plans, method: &Method, at_door: &AtDoor) -> Response<Body> {
    with(at_door.status(), at_door.headers(plans), method, at_door.body())
}

fn with(status: http::StatusCode, headers: HeaderMap, method: &Method, body: bytes::Bytes) -> Response<Body> {
    let mut all = common();
    all.extend(headers);
    let length = body.len() as u64;
    let body = if method == Method::HEAD { Body::empty() } else { Body::whole(body) };
    assembled(status, all, length, body)
}
