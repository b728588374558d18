//! A client that holds more places than its share, and what follows for sessions that begin there. Pure.
//!
//! An address is no person: a school, a village or a whole carrier may stand behind one. So a share is generous, it means
//! nothing while there is room for everybody, and under pressure it costs only what has not begun yet: whoever comes from
//! a crowded address is put off one level of pressure before everybody else is.

use super::{Pace, Rates, Shed};
use serve::{Level, Standing};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;
use units::Network;

/// How many connections and requests a second a client may have before it is crowded, and how many requests at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    /// `None`: any number.
    pub(crate) connections: Option<usize>,
    /// In flight, beyond which none is answered: each holds memory, and one connection of HTTP/2 carries a hundred. `None`:
    /// any number.
    pub(crate) requests: Option<usize>,
    /// Requests a second beyond which it is crowded, too. `None`: any number.
    pub(crate) rate: Option<u32>,
    /// Requests a second beyond which none is answered. `None`: any number.
    pub(crate) rate_refused: Option<u32>,
    /// What such a time brings may come at once: a school's bell.
    pub(crate) burst: Duration,
    /// Never crowded, nor bounded: load balancers that tell nobody's address, other edges, schools that are known.
    pub(crate) exempt: Vec<Network>,
}

/// What a request is to a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Session {
    /// It runs, or is none of a client's. Never put off.
    #[default]
    Runs,
    /// It begins with this request.
    Begins,
    /// The same, and where it comes from are more than their share already.
    BeginsCrowded,
}

impl Share {
    /// What a request that begins a session is, from there.
    pub(crate) fn session(&self, address: IpAddr, standing: &Standing, pace: Pace) -> Session {
        self.judge(address, pace, || standing.connections_of_client())
    }

    /// Whether the client that this connection is of has more requests in flight than any client may.
    pub(crate) fn is_exceeded(&self, address: IpAddr, standing: &Standing) -> bool {
        self.requests.is_some_and(|most| standing.requests_of_client() > most) && !self.is_exempt(address)
    }

    /// Counts a request by its client, and says how quickly that one asks. Where no rate is set, nothing is counted.
    pub(crate) fn pace(&self, rates: &Rates, address: IpAddr, standing: &Standing) -> Pace {
        if self.rate.is_none() && self.rate_refused.is_none() {
            return Pace::Usual;
        }
        // Nobody knows whose it is.
        if standing.connections_of_client() == 0 || self.is_exempt(address) {
            return Pace::Usual;
        }
        rates.count(self, address, Instant::now())
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(address))
    }

    fn judge(&self, address: IpAddr, pace: Pace, connections: impl FnOnce() -> usize) -> Session {
        let crowded = self.connections.is_some_and(|most| connections() > most) && !self.is_exempt(address);
        if crowded || pace != Pace::Usual { Session::BeginsCrowded } else { Session::Begins }
    }
}

impl Session {
    /// What is given up of `what` at this level; `None` when nothing is.
    pub(super) fn gives_up(self, what: Shed, level: Level) -> Option<Shed> {
        match self {
            Self::Runs => None,
            _ if level >= what.at() => Some(what),
            Self::BeginsCrowded if level > Level::Calm && one_up(level) >= what.at() => Some(Shed::Crowded),
            Self::Begins | Self::BeginsCrowded => None,
        }
    }
}

fn one_up(level: Level) -> Level {
    Level::ALL.get(level as usize + 1).copied().unwrap_or(Level::Critical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unbounded() -> Share {
        let burst = Duration::from_secs(1);
        Share { connections: None, requests: None, rate: None, rate_refused: None, burst, exempt: Vec::new() }
    }

    #[test]
    fn a_share_is_of_those_who_are_not_exempt() {
        let share = Share {
            connections: Some(5_000),
            exempt: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
            ..unbounded()
        };
        for (address, connections, session) in [
            ("192.0.2.1", 1, Session::Begins),
            // Nobody knows whose it is.
            ("127.0.0.1", 0, Session::Begins),
            // Attack 68: a school of 5,000.
            ("192.0.2.1", 5_000, Session::Begins),
            ("192.0.2.1", 5_001, Session::BeginsCrowded),
            ("2001:db9::1", 5_001, Session::BeginsCrowded),
            ("10.255.0.1", 1_000_000, Session::Begins),
            ("::ffff:10.0.0.1", 1_000_000, Session::Begins),
            ("2001:db8::7", 1_000_000, Session::Begins),
        ] {
            assert_eq!(
                share.judge(address.parse().unwrap(), Pace::Usual, || connections),
                session,
                "{address} {connections}"
            );
        }
        let anybody = "192.0.2.1".parse().unwrap();
        for (pace, session) in [(Pace::Usual, Session::Begins), (Pace::Crowded, Session::BeginsCrowded)] {
            assert_eq!(unbounded().judge(anybody, pace, || usize::MAX), session);
        }
    }

    #[test]
    fn a_crowd_is_put_off_one_level_early_and_never_without_pressure() {
        use Session::{Begins, BeginsCrowded, Runs};
        for (session, level, cold, warm) in [
            (Begins, Level::Calm, None, None),
            (Begins, Level::Busy, None, None),
            (Begins, Level::High, Some(Shed::ColdSession), None),
            (Begins, Level::Critical, Some(Shed::ColdSession), Some(Shed::Session)),
            (BeginsCrowded, Level::Calm, None, None),
            (BeginsCrowded, Level::Busy, Some(Shed::Crowded), None),
            (BeginsCrowded, Level::High, Some(Shed::ColdSession), Some(Shed::Crowded)),
            (BeginsCrowded, Level::Critical, Some(Shed::ColdSession), Some(Shed::Session)),
            (Runs, Level::Critical, None, None),
        ] {
            let given_up =
                (session.gives_up(Shed::ColdSession, level), session.gives_up(Shed::Session, level));
            assert_eq!(given_up, (cold, warm), "{session:?} {level:?}");
        }
    }
}
