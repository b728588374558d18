//! The agent at work: hears orders, obeys them in order, reports, renews. What fails is tried again, for ever, ever more slowly.

use crate::batch::Batch;
use crate::clock;
use crate::error::AgentError;
use crate::home::Home;
use crate::line::{Control, Line, Trouble};
use crate::local::Local;
use crate::metrics::Metrics;
use crate::obey::{Obedience, Obeyed};
use crate::options::Config;
use crate::plans::{Settled, is_over};
use crate::relay::Relay;
use crate::renew;
use crate::report;
use crate::state::{Heard, State};
use bytes::Bytes;
use faults::AnyFault;
use fleet::wire::{Numbered, Orders};
use fleet::{Effect, Kind, Report};
use package::Digest;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use telemetry::{Admin, Check, Telemetry};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// How often the control hears of a node to which nothing happens.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// How soon a question that failed is asked again; then twice as long each time, up to the second.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const AGAIN_AT_MOST: Duration = Duration::from_secs(10);

/// What the tasks share; they run on one thread.
pub(crate) struct Agent {
    pub(crate) home: Home,
    config: Config,
    edge: Local,
    pub(crate) metrics: Metrics,
    pub(crate) state: RefCell<State>,
    /// There is something to tell.
    news: Notify,
    /// The control, to be spoken to with the certificate that counts now.
    pub(crate) control: watch::Sender<Control>,
}

/// Runs until it is told to stop.
///
/// # Errors
/// When the node has not enrolled, or its files are broken.
pub fn run(config: Config) -> Result<(), AnyFault> {
    let home = Home::new(config.home.clone());
    let state = home.state()?;
    let control = home.control(&state.control)?;
    let relay = match config.purge_keys.clone() {
        Some(keys) => Some(Relay { keys, own: home.relay()? }),
        None => None,
    };
    let edge = Local::new(config.edge);
    let obedience = Obedience::new(edge, config.plans.clone(), relay);
    let telemetry = Telemetry::new("node");
    let metrics = Metrics::register(&telemetry);
    metrics.certified(&state, clock::now());
    metrics.at(state.heard);
    let admin = Admin::start(config.admin, config.admin_hosts.clone(), telemetry.clone())?;
    tracing::info!(node = %state.node, control = state.control, heard = state.heard, "following");
    let agent = Rc::new(Agent {
        home,
        config,
        edge,
        metrics,
        state: RefCell::new(state),
        news: Notify::new(),
        control: watch::Sender::new(control),
    });
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(AgentError::System)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(AgentError::System)?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            () = follow(&agent, obedience) => {}
            () = tell(&agent) => {}
            () = renew::keep_certified(&agent) => {}
        }
        telemetry.readiness.fail(Check::NotDraining, "it was told to stop");
        admin.stop();
        Ok(())
    })
}

/// Waits longer each time, until something goes well.
struct Patience(Duration);

impl Patience {
    const fn new() -> Self {
        Self(AGAIN_AFTER)
    }

    async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(AGAIN_AT_MOST);
    }

    fn rest(&mut self) {
        self.0 = AGAIN_AFTER;
    }
}

async fn follow(agent: &Agent, mut obedience: Obedience) {
    let mut renewed = agent.control.subscribe();
    let mut line = renewed.borrow_and_update().line();
    let (mut patience, mut quiet) = (Patience::new(), false);
    loop {
        if renewed.has_changed().unwrap_or(false) {
            line = renewed.borrow_and_update().line();
        }
        let (path, told_hash) = agent.state.borrow().question();
        let orders: Result<Orders, Trouble> = tokio::select! {
            orders = line.look(&path) => orders,
            // The certificate that this question was asked with counts no more.
            _ = renewed.changed() => {
                line = renewed.borrow_and_update().line();
                continue;
            }
        };
        match orders {
            Ok(Orders { orders, up_to, hash }) => {
                if std::mem::take(&mut quiet) {
                    tracing::info!("the control is heard again");
                }
                agent.metrics.heard(&agent.state.borrow(), clock::now());
                obedience.mark_heard();
                let days = agent.state.borrow().late.days();
                for settled in obedience.judgements(days).await {
                    // Told first: what the edge refuses is known of the plan that lies there, and that is another one then.
                    agent.settled(&settled);
                    obedience.settle(&settled);
                }
                patience.rest();
                let mut batch = Batch::new(orders);
                for at in 0..batch.orders().len() {
                    let Numbered { number, order } = batch.orders()[at].clone();
                    let over = matches!(order.kind, Kind::Plan { date, .. } if is_over(date));
                    let obeyed = match over {
                        true => Obeyed::Ended(Effect::Overtaken),
                        false => {
                            // Renewed meanwhile or not, the connection is kept.
                            let obey = async |kind: &Kind| {
                                obey_at_last(agent, &mut obedience, &mut line, kind).await
                            };
                            batch.obey(at, obey).await
                        }
                    };
                    tracing::info!(number, kind = order.kind.as_str(), ?obeyed, "ordered");
                    agent.note(number, &order.kind, &obeyed);
                }
                agent.heard(up_to, hash);
            }
            // A control of an earlier release, in the place of one that told hashes.
            Err(Trouble::Refused { refused, .. })
                if told_hash && refused == fleet::Refusal::Malformed.as_str() =>
            {
                agent.state.borrow_mut().known.clear();
            }
            Err(trouble) => {
                if !std::mem::replace(&mut quiet, true) {
                    tracing::warn!(%trouble, "the control is not heard; the edge goes on");
                }
                agent.metrics.unheard(&trouble, &agent.state.borrow(), clock::now());
                patience.wait().await;
            }
        }
    }
}

/// Tries until there is an end: the order after this one may build on it.
async fn obey_at_last(agent: &Agent, obedience: &mut Obedience, line: &mut Line, kind: &Kind) -> Obeyed {
    let mut patience = Patience::new();
    let body = loop {
        let Some(digest) = kind.body() else { break Bytes::new() };
        match line.get(&format!("/v1/bodies/{digest}")).await {
            Ok(body) if package::Digest::of(&body) == digest => break body,
            Ok(_) => tracing::warn!(%digest, "the control sent another body"),
            Err(Trouble::Refused { refused, .. }) if refused == fleet::Refusal::NotFound.as_str() => {
                return Obeyed::Ended(Effect::Refused("the control keeps its body no more".to_owned()));
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "no body");
                // Its certificate may be another by now.
                *line = agent.control.borrow().line();
            }
        }
        patience.wait().await;
    };
    let mut patience = Patience::new();
    loop {
        match obedience.obey(kind, body.clone()).await {
            Ok(obeyed) => return obeyed,
            Err(unheard) => tracing::warn!(why = unheard.0, kind = kind.as_str(), "the edge is asked again"),
        }
        patience.wait().await;
    }
}

/// Reports when there is news, and every few seconds.
async fn tell(agent: &Agent) {
    let mut renewed = agent.control.subscribe();
    let mut line = renewed.borrow_and_update().line();
    let mut patience = Patience::new();
    loop {
        if renewed.has_changed().unwrap_or(false) {
            line = renewed.borrow_and_update().line();
        }
        agent.stand_by_orders().await;
        let state = agent.state.borrow().clone();
        let report = report::put_together(&agent.config, agent.edge, &state).await;
        let told: Result<serde_json::Value, Trouble> = line.tell("/v1/report", &report).await;
        match told {
            Ok(_) => {
                agent.metrics.heard(&agent.state.borrow(), clock::now());
                patience.rest();
                let _ = timeout(REPORT_EVERY, agent.news.notified()).await;
            }
            Err(trouble) => {
                tracing::debug!(%trouble, "no report");
                patience.wait().await;
            }
        }
    }
}

impl Agent {
    fn note(&self, number: u64, kind: &Kind, obeyed: &Obeyed) {
        self.metrics.at(number);
        {
            let mut state = self.state.borrow_mut();
            match (obeyed, kind) {
                (Obeyed::Kept(_), Kind::Plan { date, body }) => state.late.note(number, *date, *body),
                (obeyed, _) => self.metrics.came(obeyed.effect()),
            }
            match (obeyed.effect(), kind) {
                (Effect::Done, Kind::Drain) => state.switch(number, true),
                (Effect::Done, Kind::Undrain) => state.switch(number, false),
                _ => {}
            }
            Report::note(&mut state.effects, number, obeyed.effect().clone());
            state.heard = number;
        }
        self.remember();
        self.news.notify_one();
    }

    /// The edge has judged a plan since it was ordered: of its order another end is told.
    fn settled(&self, settled: &Settled) {
        {
            let mut state = self.state.borrow_mut();
            for (number, effect) in state.late.settle(settled) {
                self.metrics.came(&effect);
                Report::note(&mut state.effects, number, effect);
            }
        }
        self.remember();
        self.news.notify_one();
    }

    fn heard(&self, up_to: u64, hash: Option<Digest>) {
        let (heard, now) = {
            let mut state = self.state.borrow_mut();
            (state.hear(up_to, hash), state.heard)
        };
        self.metrics.at(now);
        match heard {
            Heard::Nothing => return,
            Heard::More => {}
            Heard::Less { before } => {
                tracing::warn!(
                    before,
                    now,
                    "the control's records are an older copy; this node goes back to what was before"
                );
                self.news.notify_one();
            }
        }
        self.remember();
    }

    pub(crate) fn remember(&self) {
        if let Err(error) = self.home.remember(&self.state.borrow()) {
            tracing::error!(%error, "what was done is not written down, and may be done twice");
        }
    }

    /// An edge that was started anew knows nothing of an order to stand aside.
    async fn stand_by_orders(&self) {
        if !self.state.borrow().drained {
            return;
        }
        let says = self.edge.get("/readyz").await;
        let stands_aside = |text: &[u8]| String::from_utf8_lossy(text).contains("in_service: not ok");
        if says.is_ok_and(|(_, text)| !stands_aside(&text)) {
            tracing::info!("the edge was told again to stand aside");
            let _ = self.edge.post("/out-of-service", Bytes::new()).await;
        }
    }
}
