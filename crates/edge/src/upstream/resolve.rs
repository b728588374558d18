//! A server's addresses.

use super::{Address, UpstreamError};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long addresses of a name are used before it is asked again. The system's resolver does not say how long they hold;
/// half a minute is what operators of moving services expect.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// How long a name that has no address is not asked again: each question asks for it anew, and the system's resolver holds a
/// thread for every look-up.
const REMEMBER_FAILURE: Duration = Duration::from_secs(1);

/// How long an address beside which another had to be tried comes behind the others. Then it is the first once more: what it costs to
/// find out, a stagger, is paid once in this time and not by every second connection.
const LATE_FOR: Duration = Duration::from_secs(60);

/// Resolves one server's host, for all cores.
#[derive(Debug)]
pub(super) struct Resolver {
    host: String,
    port: u16,
    known: Mutex<Known>,
    /// Told to those who wait for a first answer.
    heard: Notify,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<SocketAddr>,
    lookup: LookUp,
    /// Counts up, so that connections go to the addresses in turn.
    turn: usize,
    /// Addresses that did not answer while another did, and when that was.
    late: Vec<(SocketAddr, Instant)>,
}

/// Where the look-up stands; there is one at a time.
#[derive(Debug, Clone, Copy, Default)]
enum LookUp {
    #[default]
    Never,
    /// A literal address.
    NeedsNone,
    GoesOn,
    Ended(Instant),
}

impl Known {
    /// Whether a look-up is to begin at `now`, which from then on goes on.
    fn begins(&mut self, now: Instant) -> bool {
        let holds = if self.addresses.is_empty() { REMEMBER_FAILURE } else { ASK_AGAIN };
        let due = match self.lookup {
            LookUp::Never => true,
            LookUp::NeedsNone | LookUp::GoesOn => false,
            LookUp::Ended(at) => now.duration_since(at) >= holds,
        };
        if due {
            self.lookup = LookUp::GoesOn;
        }
        due
    }

    /// The addresses, beginning with the next one of those that answer; `None` where there are none.
    fn in_turn(&mut self, now: Instant) -> Option<Vec<SocketAddr>> {
        let Self { addresses, turn, late, .. } = self;
        if addresses.is_empty() {
            return None;
        }
        late.retain(|(address, since)| now.duration_since(*since) < LATE_FOR && addresses.contains(address));
        *turn = turn.wrapping_add(1);
        let (first, last): (Vec<_>, Vec<_>) = in_turn(addresses, *turn)
            .into_iter()
            .partition(|address| late.iter().all(|(late, _)| late != address));
        Some([first, last].concat())
    }

    /// `address` has answered, and those that were asked `before` it have not.
    fn answered(&mut self, now: Instant, address: SocketAddr, before: &[SocketAddr]) {
        self.late.retain(|(late, _)| *late != address && !before.contains(late));
        self.late.extend(before.iter().map(|address| (*address, now)));
    }

    /// Takes what it found; where that is nothing, what was known holds on.
    fn ends(&mut self, now: Instant, found: Vec<SocketAddr>) {
        if !found.is_empty() {
            self.addresses = found;
        }
        self.lookup = LookUp::Ended(now);
    }
}

impl Resolver {
    pub(super) fn new(address: &Address) -> Arc<Self> {
        let (host, port) = address.target();
        let known = host.parse::<IpAddr>().map(|address| Known {
            addresses: vec![SocketAddr::new(address, port)],
            lookup: LookUp::NeedsNone,
            ..Known::default()
        });
        Arc::new(Self {
            host: host.to_owned(),
            port,
            known: Mutex::new(known.unwrap_or_default()),
            heard: Notify::new(),
        })
    }

    /// Its addresses in the order to try them: each call begins with another one.
    ///
    /// Addresses that are known are given at once, and asked for anew behind that when it is time: a resolver that is
    /// slow or gone does not stop a server whose addresses are known. Where none are, all wait for the same answer.
    ///
    /// # Errors
    /// [`UpstreamError::Resolve`] when none has ever been known.
    pub(super) async fn addresses(self: &Arc<Self>) -> Result<Vec<SocketAddr>, UpstreamError> {
        let heard = self.heard.notified();
        let goes_on = {
            let mut known = self.known_now();
            match known.in_turn(Instant::now()) {
                Some(addresses) => return Ok(addresses),
                None => matches!(known.lookup, LookUp::GoesOn),
            }
        };
        if goes_on {
            heard.await;
        }
        self.known_now().in_turn(Instant::now()).ok_or(UpstreamError::Resolve)
    }

    /// A connection to `address` is there. Those that were asked `before` it have not answered, and come behind it for a while.
    pub(super) fn answered(&self, address: SocketAddr, before: &[SocketAddr]) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).answered(Instant::now(), address, before);
    }

    /// Whether the server is still at `address`, as far as is known.
    pub(super) fn is_at(self: &Arc<Self>, address: SocketAddr) -> bool {
        self.known_now().addresses.contains(&address)
    }

    /// Whether the first address is still waited for.
    pub(super) fn is_unheard(&self) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.addresses.is_empty() && matches!(known.lookup, LookUp::GoesOn)
    }

    /// As if a look-up had found these.
    #[cfg(test)]
    pub(super) fn finds(&self, addresses: Vec<SocketAddr>) {
        self.known.lock().unwrap().ends(Instant::now(), addresses);
    }

    /// What is known; a look-up that is due is begun.
    fn known_now(self: &Arc<Self>) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.begins(Instant::now()) {
            let resolver = Arc::clone(self);
            drop(tokio::task::spawn_local(async move { resolver.look_up().await }));
        }
        known
    }

    async fn look_up(&self) {
        let answer = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<_> = answer.into_iter().flatten().take(MAX_ADDRESSES).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_empty() {
            tracing::debug!(host = self.host, kept = known.addresses.len(), "name without addresses");
        }
        known.ends(Instant::now(), found);
        drop(known);
        self.heard.notify_waiters();
    }
}

/// Families by turns, the first address's first (RFC 8305 §4), each family beginning with another address each time.
fn in_turn(addresses: &[SocketAddr], turn: usize) -> Vec<SocketAddr> {
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) =
        addresses.iter().partition(|address| address.is_ipv6() == addresses[0].is_ipv6());
    for family in [&mut first, &mut second] {
        let turn = turn % family.len().max(1);
        family.rotate_left(turn);
    }
    let mut ordered = Vec::with_capacity(addresses.len());
    while let Some(address) = first.pop_front() {
        ordered.push(address);
        std::mem::swap(&mut first, &mut second);
        if first.is_empty() {
            std::mem::swap(&mut first, &mut second);
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<SocketAddr> {
        text.split(' ').map(|address| SocketAddr::new(address.parse().unwrap(), 80)).collect()
    }

    #[test]
    fn families_and_addresses_by_turns() {
        for (given, turn, order) in [
            ("1.1.1.1", 7, "1.1.1.1"),
            ("1.1.1.1 1.1.1.2 1.1.1.3", 0, "1.1.1.1 1.1.1.2 1.1.1.3"),
            ("1.1.1.1 1.1.1.2 1.1.1.3", 1, "1.1.1.2 1.1.1.3 1.1.1.1"),
            ("::1 ::2 1.1.1.1 1.1.1.2", 0, "::1 1.1.1.1 ::2 1.1.1.2"),
            ("::1 ::2 1.1.1.1", 1, "::2 1.1.1.1 ::1"),
            ("1.1.1.1 ::1 ::2 ::3", 0, "1.1.1.1 ::1 ::2 ::3"),
        ] {
            assert_eq!(in_turn(&addresses(given), turn), addresses(order), "{given} {turn}");
        }
    }

    /// A name with an IPv6 address that is silent cost every second connection a stagger.
    #[test]
    fn what_does_not_answer_comes_behind_what_does_for_a_while() {
        let at = Instant::now();
        let mut known = Known::default();
        known.ends(at, addresses("::1 1.1.1.1 1.1.1.2"));
        let all = addresses("::1 1.1.1.1 1.1.1.2");
        let firsts = |known: &mut Known, now| -> Vec<_> {
            (0..4).map(|_| known.in_turn(now).unwrap()[0].to_string()).collect()
        };
        assert_eq!(firsts(&mut known, at), ["[::1]:80"; 4]);
        known.answered(at, all[1], &all[..1]);
        assert_eq!(firsts(&mut known, at), ["1.1.1.2:80", "1.1.1.1:80", "1.1.1.2:80", "1.1.1.1:80"]);
        assert_eq!(known.in_turn(at).unwrap()[2], all[0], "but it is tried where no other answers");
        known.answered(at, all[2], &all[..2]);
        assert_eq!(firsts(&mut known, at), ["1.1.1.2:80"; 4]);
        known.answered(at, all[1], &[]);
        assert!(firsts(&mut known, at).contains(&all[1].to_string()), "it answers again");
        assert_eq!(firsts(&mut known, at + LATE_FOR), ["[::1]:80"; 4], "once more");
        known.answered(at, all[1], &all[..1]);
        known.ends(at, addresses("1.1.1.1"));
        known.in_turn(at);
        assert!(known.late.is_empty(), "nobody is there any more");
    }

    #[tokio::test]
    async fn a_literal_address_is_its_own_answer() {
        let resolver = Resolver::new(&Address::parse("http://[::1]:8090").unwrap());
        assert_eq!(resolver.addresses().await, Ok(vec!["[::1]:8090".parse().unwrap()]));
    }

    #[test]
    fn one_look_up_at_a_time_and_a_failure_is_remembered_for_a_second() {
        let second = Duration::from_secs(1);
        let mut at = Instant::now();
        let mut known = Known::default();
        assert!(known.begins(at));
        assert!(!known.begins(at + 60 * second), "it goes on");
        known.ends(at, Vec::new());
        assert!(!known.begins(at + second / 2));
        at += second;
        assert!(known.begins(at));
        known.ends(at, addresses("1.1.1.1"));
        assert!(!known.begins(at + second));
        at += ASK_AGAIN;
        assert!(known.begins(at));
        known.ends(at, Vec::new());
        assert_eq!(known.in_turn(at), Some(addresses("1.1.1.1")), "what was known holds on");
        assert!(!known.begins(at + second));
    }
}
