//! The agent at work: hears orders, obeys them in order, reports, renews. What fails is tried again, for ever, ever more slowly.

use crate::enrol;
use crate::error::AgentError;
use crate::home::{Home, State};
use crate::line::{Control, Trouble};
use crate::local::Local;
use crate::obey::{Obedience, is_over};
use crate::options::Config;
use crate::relay::Relay;
use crate::report;
use bytes::Bytes;
use faults::AnyFault;
use fleet::wire::{Numbered, Orders};
use fleet::{Effect, Kind, Report};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// How often the control hears of a node to which nothing happens.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// How soon a question that failed is asked again; then twice as long each time, up to the second.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const AGAIN_AT_MOST: Duration = Duration::from_secs(10);
/// How often it is looked whether the certificate is to be renewed.
const RENEW_LOOK: Duration = Duration::from_secs(600);

/// What the tasks share; they run on one thread.
struct Agent {
    home: Home,
    config: Config,
    edge: Local,
    state: RefCell<State>,
    /// There is something to tell.
    news: Notify,
    /// The control, to be spoken to with the certificate that counts now.
    control: watch::Sender<Control>,
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
    let obedience = Obedience { edge, plans: config.plans.clone(), relay };
    tracing::info!(node = %state.node, control = state.control, heard = state.heard, "following");
    let agent = Rc::new(Agent {
        home,
        config,
        edge,
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
            () = keep_certified(&agent) => {}
        }
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
        let after = agent.state.borrow().heard;
        let orders: Result<Orders, Trouble> = line.look(&format!("/v1/orders?after={after}")).await;
        match orders {
            Ok(Orders { orders, up_to }) => {
                if std::mem::take(&mut quiet) {
                    tracing::info!("the control is heard again");
                }
                patience.rest();
                for at in 0..orders.len() {
                    let Numbered { number, order } = &orders[at];
                    let overtaken =
                        orders[at + 1..].iter().any(|later| order.kind.is_overtaken_by(&later.order.kind));
                    let over = matches!(order.kind, Kind::Plan { date, .. } if is_over(date));
                    let effect = match overtaken || over {
                        true => Effect::Overtaken,
                        false => {
                            // Renewed meanwhile or not, the connection is kept.
                            obey_at_last(agent, &mut obedience, &mut line, &order.kind).await
                        }
                    };
                    tracing::info!(number, kind = order.kind.as_str(), ?effect, "ordered");
                    agent.note(*number, &order.kind, effect);
                }
                agent.heard(up_to);
            }
            Err(trouble) => {
                if !std::mem::replace(&mut quiet, true) {
                    tracing::warn!(%trouble, "the control is not heard; the edge goes on");
                }
                patience.wait().await;
            }
        }
    }
}

/// Tries until there is an effect: the order after this one may build on it.
async fn obey_at_last(
    agent: &Agent,
    obedience: &mut Obedience,
    line: &mut crate::line::Line,
    kind: &Kind,
) -> Effect {
    let mut patience = Patience::new();
    let body = loop {
        let Some(digest) = kind.body() else { break Bytes::new() };
        match line.get(&format!("/v1/bodies/{digest}")).await {
            Ok(body) if package::Digest::of(&body) == digest => break body,
            Ok(_) => tracing::warn!(%digest, "the control sent another body"),
            Err(Trouble::Refused { refused, .. }) if refused == fleet::Refusal::NotFound.as_str() => {
                return Effect::Refused("the control keeps its body no more".to_owned());
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
            Ok(effect) => return effect,
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

async fn keep_certified(agent: &Agent) {
    loop {
        let mut state = agent.state.borrow().clone();
        if enrol::is_due(&state) {
            let mut line = agent.control.borrow().line();
            let renewed = enrol::renew(&agent.home, &mut line, &mut state).await;
            match renewed.and_then(|()| agent.home.control(&state.control)) {
                Ok(control) => {
                    tracing::info!(until = %state.until, "certificate renewed");
                    {
                        let mut now = agent.state.borrow_mut();
                        (now.since, now.until) = (state.since, state.until);
                    }
                    agent.remember();
                    agent.control.send_replace(control);
                }
                Err(error) => tracing::error!(%error, until = %state.until, "the certificate is not renewed"),
            }
        }
        sleep(RENEW_LOOK).await;
    }
}

impl Agent {
    fn note(&self, number: u64, kind: &Kind, effect: Effect) {
        {
            let mut state = self.state.borrow_mut();
            if effect == Effect::Done {
                match kind {
                    Kind::Drain => state.drained = true,
                    Kind::Undrain => state.drained = false,
                    Kind::Purge(_) | Kind::Plan { .. } => {}
                }
            }
            Report::note(&mut state.effects, number, effect);
            state.heard = number;
        }
        self.remember();
        self.news.notify_one();
    }

    fn heard(&self, up_to: u64) {
        let changed = {
            let mut state = self.state.borrow_mut();
            let changed = up_to > state.heard;
            state.heard = state.heard.max(up_to);
            changed
        };
        if changed {
            self.remember();
        }
    }

    fn remember(&self) {
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
