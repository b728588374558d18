//! A server's addresses.

use super::{Address, UpstreamError};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long addresses of a name are used before it is asked again. The system's resolver does not say how long they hold;
/// half a minute is what operators of moving services expect.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Resolves one server's host, for all cores.
#[derive(Debug)]
pub(super) struct Resolver {
    host: String,
    port: u16,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<SocketAddr>,
    /// When they were asked for; `None`: never.
    asked: Option<Instant>,
    /// Counts up, so that connections go to the addresses in turn.
    turn: usize,
}

impl Resolver {
    pub(super) fn new(address: &Address) -> Arc<Self> {
        let (host, port) = address.target();
        let known = host
            .parse::<IpAddr>()
            .map(|address| Known { addresses: vec![SocketAddr::new(address, port)], ..Known::default() });
        Arc::new(Self { host: host.to_owned(), port, known: Mutex::new(known.unwrap_or_default()) })
    }

    /// Its addresses in the order to try them: each call begins with another one.
    ///
    /// Addresses that are known are given at once, and asked for anew behind that when it is time: a resolver that is
    /// slow or gone does not stop a server whose addresses are known.
    ///
    /// # Errors
    /// [`UpstreamError::Resolve`] when none has ever been known.
    pub(super) async fn addresses(self: &Arc<Self>) -> Result<Vec<SocketAddr>, UpstreamError> {
        if let Some(addresses) = self.known() {
            return Ok(addresses);
        }
        self.ask().await;
        self.known().ok_or(UpstreamError::Resolve)
    }

    fn known(self: &Arc<Self>) -> Option<Vec<SocketAddr>> {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.addresses.is_empty() {
            return None;
        }
        // A literal address was never asked for and never is.
        if known.asked.is_some_and(|asked| now.duration_since(asked) >= ASK_AGAIN) {
            known.asked = Some(now);
            let resolver = Arc::clone(self);
            drop(tokio::task::spawn_local(async move { resolver.ask().await }));
        }
        known.turn = known.turn.wrapping_add(1);
        Some(in_turn(&known.addresses, known.turn))
    }

    async fn ask(&self) {
        let answer = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let addresses: Vec<_> = answer.into_iter().flatten().take(MAX_ADDRESSES).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.is_empty() {
            tracing::debug!(host = self.host, kept = known.addresses.len(), "name without addresses");
        } else {
            known.addresses = addresses;
        }
        known.asked = Some(Instant::now());
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

    #[tokio::test]
    async fn a_literal_address_is_its_own_answer() {
        let resolver = Resolver::new(&Address::parse("http://[::1]:8090").unwrap());
        assert_eq!(resolver.addresses().await, Ok(vec!["[::1]:8090".parse().unwrap()]));
    }
}
