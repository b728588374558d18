//! Coming in: `token → key (made here) → request → certificate`.

use crate::clock;
use crate::error::AgentError;
use crate::home::Home;
use crate::line::{Control, Trouble};
use crate::renew::request;
use crate::state::State;
use fleet::Secret;
use fleet::wire::{Enrol, Papers};
use signing::SigningKey;

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
    home.keep(&papers)?;
    let relay = home.relay()?;
    let state = State::new(url.to_owned(), papers.node, clock::now(), papers.until);
    // Last: from here on it has enrolled.
    home.remember(&state)?;
    Ok(Enrolment { state, relay, upstream: papers.upstream })
}
