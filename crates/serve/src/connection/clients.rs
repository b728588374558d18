//! How many connections are open from each client's network, and how many requests are in flight over them, over all cores.
//! Nothing of it outlives the connections.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Whom a connection is counted for: one IPv4 address, or the /64 of an IPv6 address, which is what one household or
/// machine is given and may choose addresses from as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// The address.
    V4(u32),
    /// The network's bits.
    V6(u64),
}

/// Bits of an IPv6 address that are the client's own to choose.
const OWN_BITS: u32 = 64;

impl Client {
    /// Whose address it is. An IPv4 address that a dual-stack socket shows as IPv6 is taken as IPv4.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6(u64::try_from(address.to_bits() >> OWN_BITS).unwrap_or(u64::MAX)),
        }
    }
}

/// Counts by client, shared by the cores.
///
/// A client stands here as long as a connection of its is open, so there are never more than connections. The lock is
/// taken when a connection begins and ends, and by who looks at all of them; never by a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients(Arc<Mutex<HashMap<Client, Arc<Counts>>>>);

/// One client's.
#[derive(Debug)]
struct Counts {
    client: Client,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// Requests in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Of all clients that are known.
    pub all: usize,
    /// Of the client that has most.
    pub most: usize,
}

impl Clients {
    /// Counts a connection from there, until what is given back is dropped.
    pub(crate) fn enter(&self, address: SocketAddr) -> Guest {
        let client = Client::of(address.ip());
        let counts = self.with(|clients| {
            let counts = clients.entry(client).or_insert_with(|| {
                Arc::new(Counts { client, connections: AtomicUsize::new(0), requests: AtomicUsize::new(0) })
            });
            counts.connections.fetch_add(1, Ordering::Relaxed);
            Arc::clone(counts)
        });
        Guest { clients: self.clone(), counts }
    }

    /// Looks at everybody.
    pub(crate) fn in_flight(&self) -> InFlight {
        self.with(|clients| {
            let requests = clients.values().map(|counts| counts.requests.load(Ordering::Relaxed));
            requests.fold(InFlight::default(), |so_far, requests| InFlight {
                all: so_far.all + requests,
                most: so_far.most.max(requests),
            })
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<Client, Arc<Counts>>) -> T) -> T {
        // Nothing that holds the lock can panic half way through a change.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection among its client's.
#[derive(Debug)]
pub(crate) struct Guest {
    clients: Clients,
    counts: Arc<Counts>,
}

impl Guest {
    /// Connections of its client that are open, this one among them.
    pub(crate) fn siblings(&self) -> usize {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// Requests of its client that are in flight.
    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// One more is.
    pub(crate) fn request_begins(&self) {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// One of them is over.
    pub(crate) fn request_ends(&self) {
        self.counts.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.clients.with(|clients| {
            if self.counts.connections.fetch_sub(1, Ordering::Relaxed) == 1 {
                clients.remove(&self.counts.client);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(clients: &Clients, address: &str) -> Guest {
        clients.enter(SocketAddr::new(address.parse().unwrap(), 1))
    }

    #[test]
    fn addresses_that_one_client_may_choose_from_are_one() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            // No address of one family is taken for one of the other.
            ("0.0.0.1", "0:0:0:1::", false),
        ] {
            let clients = Clients::default();
            let (_first, second) = (enter(&clients, one), enter(&clients, other));
            assert_eq!(second.siblings(), if same { 2 } else { 1 }, "{one} {other}");
        }
    }

    #[test]
    fn who_has_gone_leaves_nothing_behind() {
        let clients = Clients::default();
        let guests: Vec<_> = (0..100).map(|n| enter(&clients, &format!("192.0.2.{}", n % 10))).collect();
        assert_eq!(guests[0].siblings(), 10);
        assert_eq!(clients.with(|clients| clients.len()), 10);
        drop(guests);
        assert_eq!(clients.with(|clients| clients.len()), 0);
    }

    #[test]
    fn requests_are_counted_over_all_connections_of_a_client() {
        let clients = Clients::default();
        let guests =
            [enter(&clients, "192.0.2.1"), enter(&clients, "192.0.2.1"), enter(&clients, "192.0.2.2")];
        guests.iter().for_each(Guest::request_begins);
        assert_eq!(guests.each_ref().map(Guest::requests), [2, 2, 1]);
        assert_eq!(clients.in_flight(), InFlight { all: 3, most: 2 });
        guests[0].request_ends();
        assert_eq!(guests.each_ref().map(Guest::requests), [1, 1, 1]);
    }
}
