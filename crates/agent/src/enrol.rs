//! Coming in: `token → key (made here) → request → certificate`; and later `renew`.

use crate::clock;
use crate::error::AgentError;
use crate::home::{Home, State};
use crate::line::{Control, Line, Trouble};
use fleet::Secret;
use fleet::wire::{Enrol, Papers, Renew};
use rcgen::{CertificateParams, KeyPair};
use signing::SigningKey;
use std::collections::BTreeMap;
use std::time::Duration;

/// A certificate is renewed when less than this part of its life is left.
const RENEW_AT: u32 = 3;

/// What came of enrolling.
pub struct Enrolment {
    /// Who the node is, and until when its certificate counts.
    pub state: State,
    /// By which its own agent signs late orders for its edge.
    pub relay: SigningKey,
    /// Where its edge is to fetch from, when the control says so.
    pub upstream: Vec<String>,
}

/// Makes this machine a node of the control at `url`.
///
/// # Errors
/// Why it is none.
pub fn enrol(home: &Home, url: &str, token: &str) -> Result<Enrolment, AgentError> {
    let token: Secret = token
        .parse()
        .map_err(|problem: &str| AgentError::Value { key: "token", problem: problem.to_owned() })?;
    if home.is_enrolled() {
        let node = home.state()?.node;
        let problem =
            format!("a node has enrolled here already, {node}; give another --home, or remove this one");
        return Err(AgentError::file(home.path(), problem));
    }
    let control =
        Control::pinned(url, token.authority).map_err(|(key, problem)| AgentError::Value { key, problem })?;
    let key = home.key()?;
    let asked = Enrol { token: token.reveal(), request: request(&key)? };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let papers: Result<Papers, Trouble> =
        runtime.block_on(async { control.line().tell("/v1/enroll", &asked).await });
    let papers = papers.map_err(|trouble| AgentError::Control { control: url.to_owned(), trouble })?;
    home.keep(&papers, &key)?;
    let relay = home.relay()?;
    let state = State {
        control: url.to_owned(),
        node: papers.node,
        since: clock::now(),
        until: papers.until,
        heard: 0,
        effects: BTreeMap::new(),
        drained: false,
    };
    // Last: from here on it has enrolled.
    home.remember(&state)?;
    Ok(Enrolment { state, relay, upstream: papers.upstream })
}

/// Whether it is time for another certificate.
pub(crate) fn is_due(state: &State) -> bool {
    let length =
        |from: jiff::Timestamp| Duration::try_from(state.until.duration_since(from)).unwrap_or_default();
    length(clock::now()) < length(state.since) / RENEW_AT
}

/// Has another certificate issued, for another key. The old pair is used until the new one is here, whole.
pub(crate) async fn renew(home: &Home, line: &mut Line, state: &mut State) -> Result<(), AgentError> {
    let key = KeyPair::generate().map_err(|error| AgentError::Key(error.to_string()))?;
    let papers: Result<Papers, Trouble> = line.tell("/v1/renew", &Renew { request: request(&key)? }).await;
    let papers = papers.map_err(|trouble| AgentError::Control { control: state.control.clone(), trouble })?;
    home.keep(&papers, &key)?;
    (state.since, state.until) = (clock::now(), papers.until);
    home.remember(state)
}

fn request(key: &KeyPair) -> Result<String, AgentError> {
    let wrong = |error: rcgen::Error| AgentError::Key(error.to_string());
    // Who we are the control decides.
    let parameters = CertificateParams::new(Vec::<String>::new()).map_err(wrong)?;
    parameters.serialize_request(key).and_then(|request| request.pem()).map_err(wrong)
}
