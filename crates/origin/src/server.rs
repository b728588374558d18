//! Requests in, answers out, and the process around it.

use crate::body::Body;
use crate::clock;
use crate::encode::Texts;
use crate::front;
use crate::metrics::{Class, Metrics};
use crate::object::{ObjectError, Objects};
use crate::options::{Config, Options};
use crate::plan::{self, Following};
use crate::player;
use crate::refusal::Refusal;
use crate::response::{preflight, respond};
use crate::routes::{NoRoute, Route, route};
use crate::unfollowed;
use dayplan::Plans;
use faults::{AnyFault, Blame, Fault, Findings};
use http::{HeaderMap, Method, Request, Response};
use jiff::Timestamp;
use serve::{CoreId, Peer, Reply, RequestBody, Running, Service};
use settings::SettingsError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::Store;
use telemetry::{Admin, Check, Telemetry};

/// How often the store is looked at for `/readyz`.
const STORE_CHECK_EVERY: Duration = Duration::from_secs(5);

/// An origin at work.
pub struct Started {
    /// Its listeners and cores.
    pub running: Running,
    /// Where `/metrics`, `/healthz` and `/readyz` are.
    pub admin: Admin,
}

/// Reads what `options` name, the store among it, and finds what a start would refuse. Binds nothing.
pub fn check(options: &Options) -> Findings {
    let mut findings = Findings::default();
    findings.take(telemetry::check(&options.log).map_err(|problem| SettingsError::value("log", problem)));
    if let Some(config) = findings.take(Config::resolve(options)) {
        if let Some(store) = findings.take(Store::open(&config.store)) {
            findings.take(look_for(&store, config.store_timeout));
        }
        serve::check(&config.serve, &mut findings);
    }
    findings
}

/// Opens the store, binds every address, and starts to serve.
///
/// # Errors
/// An option that cannot be, a store that is not there, an address that is taken.
pub fn start(options: &Options) -> Result<Started, AnyFault> {
    let config = Config::resolve(options)?;
    let store = Store::open(&config.store)?;
    look_for(&store, config.store_timeout)?;
    let telemetry = Telemetry::new("origin");
    let following = config.plan.map(|plan| Following::start(plan, &telemetry));
    let origin = Arc::new(Origin {
        objects: Objects {
            store,
            texts: Texts::new(config.text_cache),
            limit: config.store_timeout,
            support: config.support,
        },
        metrics: Metrics::register(&telemetry),
        plans: following.as_ref().map(|following| following.plans.clone()),
        front: front::Kept::default(),
    });
    let following = Mutex::new(following);
    telemetry.readiness.fail(Check::Store, "not looked at yet");
    let (server, admin) = serve::open(config.serve, &telemetry)?;
    let running = server.start(move |CoreId(core), _drain| {
        if core == 0 {
            let (origin, telemetry) = (Arc::clone(&origin), telemetry.clone());
            if let Some(following) = following.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let Objects { store, limit, .. } = &origin.objects;
                drop(tokio::task::spawn_local(following.run(store.clone(), *limit)));
            } else {
                let (origin, telemetry) = (Arc::clone(&origin), telemetry.clone());
                drop(tokio::task::spawn_local(async move {
                    let Objects { store, limit, .. } = &origin.objects;
                    unfollowed::tell(store, *limit, || origin.now(), &telemetry.readiness).await;
                }));
            }
            drop(tokio::task::spawn_local(async move { watch_store(&origin, &telemetry).await }));
        }
        OnCore(Arc::clone(&origin))
    })?;
    Ok(Started { running, admin })
}

/// Whether the store is there, before anything is bound: a misspelt bucket should not look like a quiet morning.
fn look_for(store: &Store, limit: Duration) -> Result<(), AnyFault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(NoRuntime)?;
    let looked = runtime.block_on(async { tokio::time::timeout(limit, store.check_readable()).await });
    match looked {
        Ok(seen) => Ok(seen?),
        Err(_) => Err(SettingsError::value("store", format!("gave no answer for {limit:?}")).into()),
    }
}

/// The system gives no event queue.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no event queue: {0}; try again")]
struct NoRuntime(#[source] std::io::Error);

impl Fault for NoRuntime {
    fn code(&self) -> &'static str {
        "SYSTEM"
    }

    fn blame(&self) -> Blame {
        Blame::Ours
    }
}

/// Serves until the process is asked to stop.
///
/// # Errors
/// As [`start`].
pub fn run(options: Options) -> Result<(), AnyFault> {
    telemetry::init(&options.log).map_err(|problem| SettingsError::value("log", problem))?;
    let started = start(&options)?;
    for address in started.running.addresses() {
        tracing::info!(%address, store = options.store.as_deref(), "origin listens");
    }
    tracing::info!(address = %started.admin.address(), "metrics and readiness");
    serve::run_until_signalled(started.running, &started.admin)
}

/// What all cores share.
struct Origin {
    objects: Objects,
    metrics: Metrics,
    /// `None` where no plan is followed.
    plans: Option<Plans>,
    front: front::Kept,
}

/// One core's service.
struct OnCore(Arc<Origin>);

impl Service for OnCore {
    type Body = Body;

    fn call(
        &self,
        request: Request<RequestBody>,
        _peer: Peer,
    ) -> Reply<Body, impl Future<Output = Response<Body>> + use<> + 'static> {
        let origin = Arc::clone(&self.0);
        Reply::Later(async move {
            let (head, _unread) = request.into_parts();
            let target = head.uri.path_and_query().map_or(head.uri.path(), |target| target.as_str());
            origin.answer(&head.method, target, &head.headers).await
        })
    }
}

impl Origin {
    /// Looks once; what is seen becomes readiness and, where something is wrong, its reason.
    async fn look_at_store(&self, telemetry: &Telemetry) -> Result<(), String> {
        let Objects { store, limit, .. } = &self.objects;
        let seen = match tokio::time::timeout(*limit, store.check_readable()).await {
            Ok(seen) => seen.map_err(|error| error.to_string()),
            Err(_) => Err(format!("gave nothing for {limit:?}")),
        };
        match &seen {
            Ok(()) => telemetry.readiness.pass(Check::Store),
            Err(reason) => telemetry.readiness.fail(Check::Store, reason.clone()),
        }
        seen
    }

    /// Where this origin lives.
    fn now(&self) -> Timestamp {
        let wall = || Timestamp::try_from(clock::now()).unwrap_or(Timestamp::UNIX_EPOCH);
        self.plans.as_ref().map_or_else(wall, Plans::now)
    }

    async fn answer(&self, method: &Method, target: &str, request: &HeaderMap) -> Response<Body> {
        let began = tokio::time::Instant::now();
        let (class, response) = self.serve(method, target, request).await;
        self.metrics.answered(class, response.status(), began.elapsed());
        let bytes = self.metrics.bytes(class);
        response.map(|body| body.counted(bytes))
    }

    async fn serve(&self, method: &Method, target: &str, request: &HeaderMap) -> (Class, Response<Body>) {
        let support = &self.objects.support;
        let refused = |class, refusal: Refusal| (class, refusal.response(method, request, support));
        match *method {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => return (Class::Other, preflight()),
            _ => return refused(Class::Other, Refusal::Method),
        }
        let route = route(target.split('?').next().unwrap_or(target));
        if let Some(plans) = &self.plans
            && let Some(answer) = plan::answer(plans, method, target, request)
        {
            return (route.map_or(Class::Plan, |route| route.class()), answer);
        }
        let route = match route {
            Ok(route) => route,
            Err(NoRoute::Nothing) => return refused(Class::Other, Refusal::NotFound),
            Err(NoRoute::Malformed) => return refused(Class::Other, Refusal::BadPath),
        };
        let class = route.class();
        let found = match &route {
            Route::Page => player::page(request),
            Route::Asset(path) => player::asset(path, request),
            Route::List(listing) => match self.objects.list(listing, request).await {
                Ok(found) => found,
                Err(error) => {
                    self.metrics.store_errors().inc();
                    tracing::error!(%error, "the list cannot be made");
                    return refused(class, Refusal::Store);
                }
            },
            Route::Front => match self.objects.front_page(&self.front, self.now(), request).await {
                Ok(found) => Some(found),
                Err(error) => {
                    self.metrics.store_errors().inc();
                    tracing::error!(%error, "the addresses of the front cannot be told");
                    return refused(class, Refusal::Store);
                }
            },
            Route::Object(object) => match self.objects.find(object, method, request, &self.metrics).await {
                Ok(found) => found,
                Err(error) => return refused(class, self.unreadable(&route, &error)),
            },
        };
        let Some(representation) = found else { return refused(class, Refusal::NotFound) };
        let (head, body) = respond(method, request, representation, clock::now()).into_parts();
        match body.begun().await {
            Ok(body) => (class, Response::from_parts(head, body)),
            Err(error) => refused(class, self.unreadable(&route, &error.into())),
        }
    }

    /// Counts and tells that what `route` asks for cannot be read.
    fn unreadable(&self, route: &Route, error: &ObjectError) -> Refusal {
        self.metrics.store_errors().inc();
        if let Route::Object(object) = route
            && error.is_of_one_object()
        {
            tracing::error!(path = %object.path, %error, "an object cannot be read");
        }
        Refusal::Store
    }
}

/// Keeps `/readyz` true: says when the store cannot be read, and why.
async fn watch_store(origin: &Origin, telemetry: &Telemetry) {
    let mut every = tokio::time::interval(STORE_CHECK_EVERY);
    let mut well = true;
    loop {
        every.tick().await;
        let seen = origin.look_at_store(telemetry).await;
        match (&seen, well) {
            (Ok(()), false) => tracing::info!("the store can be read again"),
            (Err(reason), true) => tracing::error!(%reason, "the store cannot be read"),
            (Ok(()), true) | (Err(_), false) => {}
        }
        well = seen.is_ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readiness_follows_the_store_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        std::fs::create_dir(&root).unwrap();
        let telemetry = Telemetry::new("origin");
        let objects = Objects {
            store: Store::open(root.to_str().unwrap()).unwrap(),
            texts: Texts::new(units::ByteCount::mib(1)),
            limit: Duration::from_secs(10),
            support: feedback::Support::default(),
        };
        let origin = Origin {
            objects,
            metrics: Metrics::register(&telemetry),
            plans: None,
            front: front::Kept::default(),
        };
        origin.look_at_store(&telemetry).await.unwrap();
        assert!(telemetry.readiness.is_ready());

        std::fs::rename(&root, folder.path().join("elsewhere")).unwrap();
        origin.look_at_store(&telemetry).await.unwrap_err();
        assert!(!telemetry.readiness.is_ready());
        let report = telemetry.readiness.report();
        assert!(report.starts_with("store: not ok: store /") && report.contains("No such file"), "{report}");

        std::fs::rename(folder.path().join("elsewhere"), &root).unwrap();
        origin.look_at_store(&telemetry).await.unwrap();
        assert!(telemetry.readiness.is_ready());
    }
}
