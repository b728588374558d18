//! Going on being a node: another certificate before the one that counts runs out.
//!
//! ```text
//! another key (kept) ─► request ─► certificate (kept) ─► the key takes its place ─► the control is spoken to with both
//! ```
//! The key is kept before it is sent, so that whatever is lost on the way (an answer, the machine's power) is asked for again with
//! the same key; the old pair counts at the control until the new one is used there.

use crate::clock;
use crate::error::AgentError;
use crate::follow::Agent;
use crate::home::Home;
use crate::line::{Control, Line, Trouble};
use crate::metrics::Renewal;
use crate::state::State;
use fleet::wire::{Papers, Renew};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use std::time::Duration;
use tokio::time::sleep;

/// A certificate is renewed when less than this part of its life is left: of 45 days, fifteen are there for what may go wrong.
const RENEW_AT: i32 = 3;
/// When less than this part is left and it is not renewed, a person has to look.
const LATE_AT: i32 = 6;
/// How soon a renewal that failed is tried again; then twice as long each time, up to the second.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(600);
/// The longest time between two looks at the clock, which may be set meanwhile.
const LOOK: Duration = Duration::from_secs(600);

/// How it is with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It counts for long.
    Good,
    /// It is to be renewed.
    Due,
    /// It should have been.
    Late,
    /// It counts no more: this node is nobody to the control.
    Over,
}

impl Standing {
    /// That of `state`'s at `now`.
    pub(crate) fn of(state: &State, now: Timestamp) -> Self {
        let (life, left) = (state.until.duration_since(state.since), state.until.duration_since(now));
        match () {
            () if left <= SignedDuration::ZERO => Self::Over,
            () if left < life / LATE_AT => Self::Late,
            () if left < life / RENEW_AT => Self::Due,
            () => Self::Good,
        }
    }
}

/// Has the node's certificate renewed whenever that is due, for ever.
pub(crate) async fn keep_certified(agent: &Agent) {
    let mut failed = 0_u32;
    loop {
        let mut state = agent.state.borrow().clone();
        let standing = Standing::of(&state, clock::now());
        if standing != Standing::Good {
            match another(agent, &mut state).await {
                Ok(control) => {
                    failed = 0;
                    agent.metrics.renewal(Renewal::Renewed);
                    tracing::info!(until = %state.until, "certificate renewed");
                    agent.control.send_replace(control);
                }
                Err(error) => {
                    failed = failed.saturating_add(1);
                    agent.metrics.renewal(Renewal::Failed);
                    let until = state.until;
                    match standing {
                        Standing::Good | Standing::Due => {
                            tracing::warn!(%error, %until, failed, "the certificate is not renewed; it is tried again");
                        }
                        Standing::Late => {
                            tracing::error!(%error, %until, failed, "the certificate is not renewed and ends soon");
                        }
                        Standing::Over => tracing::error!(
                            %error, %until, failed,
                            "the certificate has run out: revoke this node and enrol it anew, with another token and home"
                        ),
                    }
                }
            }
        }
        let wait = {
            let (state, now) = (agent.state.borrow(), clock::now());
            agent.metrics.certified(&state, now);
            wait(&state, now, failed)
        };
        sleep(wait).await;
    }
}

/// Another certificate, kept; how the control is spoken to with it.
async fn another(agent: &Agent, state: &mut State) -> Result<Control, AgentError> {
    let mut line = agent.control.borrow().line();
    renew(&agent.home, &mut line, state).await?;
    {
        let mut now = agent.state.borrow_mut();
        (now.since, now.until) = (state.since, state.until);
    }
    // With what was heard meanwhile.
    agent.remember();
    agent.home.control(&state.control)
}

/// How long to wait until the certificate is looked at again, after `failed` tries in a row.
pub(crate) fn wait(state: &State, now: Timestamp, failed: u32) -> Duration {
    if failed > 0 {
        return AGAIN_AFTER.saturating_mul(1 << (failed - 1).min(16)).min(AGAIN_AT_MOST);
    }
    let life = state.until.duration_since(state.since);
    let due = state.until.duration_since(now) - life / RENEW_AT;
    // A moment later than it is due, so that it is.
    Duration::try_from(due).unwrap_or_default().saturating_add(Duration::from_millis(1)).min(LOOK)
}

/// Has another certificate issued, for another key; `state` says since and until when, and is to be remembered.
pub(crate) async fn renew(home: &Home, line: &mut Line, state: &mut State) -> Result<(), AgentError> {
    let key = home.next_key()?;
    let papers: Result<Papers, Trouble> = line.tell("/v1/renew", &Renew { request: request(&key)? }).await;
    let papers = papers.map_err(|trouble| AgentError::Control { control: state.control.clone(), trouble })?;
    home.renew(&papers)?;
    (state.since, state.until) = (clock::now(), papers.until);
    Ok(())
}

/// A request for a certificate for `key`, signed by it.
pub(crate) fn request(key: &KeyPair) -> Result<String, AgentError> {
    let wrong = |error: rcgen::Error| AgentError::Key(error.to_string());
    // Who we are the control decides.
    let parameters = CertificateParams::new(Vec::<String>::new()).map_err(wrong)?;
    parameters.serialize_request(key).and_then(|request| request.pem()).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ninety seconds long.
    fn state() -> State {
        let node = "hubei/dianxin/acme/a/1".parse().unwrap();
        State::new("https://control.example".to_owned(), node, at(0), at(90))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_788_249_600 + second).unwrap()
    }

    #[test]
    fn a_certificate_is_renewed_when_a_third_is_left() {
        use Standing::{Due, Good, Late, Over};
        for (second, standing) in
            [(0, Good), (60, Good), (61, Due), (75, Due), (76, Late), (89, Late), (90, Over), (900, Over)]
        {
            assert_eq!(Standing::of(&state(), at(second)), standing, "{second}");
        }
        // Looked at when it is due, and at once where it has been for long.
        assert_eq!(wait(&state(), at(0), 0), Duration::from_millis(60_001));
        assert_eq!(wait(&state(), at(80), 0), Duration::from_millis(1));
        let long = State { until: at(45 * 86_400), ..state() };
        assert_eq!(wait(&long, at(0), 0), LOOK);
    }

    #[test]
    fn a_renewal_that_fails_is_tried_ever_more_slowly_and_for_ever() {
        let waits: Vec<u64> = (1..=9).map(|failed| wait(&state(), at(80), failed).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(wait(&state(), at(900), u32::MAX), AGAIN_AT_MOST);
    }
}
