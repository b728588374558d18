//! The nodes that are drilled.

use crate::error::DrillError;
use crate::tls::Tls;
use http::HeaderValue;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::Arc;
use url::Url;

/// A node as it is given: `http://HOST:PORT`, `https://HOST`, each with `=WEIGHT` behind it where shares differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeOption {
    tls: bool,
    host: String,
    port: u16,
    weight: u32,
}

/// Text that is no node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no node; write for example \"http://10.0.0.1:8080\", or \"https://edge1.example=3\" for three shares"
)]
pub(crate) struct ParseNodeError(String);

/// A node that can be connected to.
#[derive(Debug)]
pub(crate) struct Node {
    /// As it is given, without its weight.
    pub(crate) name: String,
    pub(crate) weight: u32,
    pub(crate) address: SocketAddr,
    /// What Host says.
    pub(crate) host: HeaderValue,
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl NodeOption {
    /// Looks the node up. `host` stands in Host and in the TLS handshake instead of the node's own name.
    pub(crate) fn resolve(&self, host: Option<&str>, tls: &Tls) -> Result<Node, DrillError> {
        let name = self.to_string();
        let nowhere = |problem: String| DrillError::Node { node: self.to_string(), problem };
        let bare = self.host.trim_matches(['[', ']']);
        let address = (bare, self.port)
            .to_socket_addrs()
            .map_err(|error| nowhere(error.to_string()))?
            .next()
            .ok_or_else(|| nowhere("its name has no address".to_owned()))?;
        let own = name.split_once("://").map_or(&*name, |(_, authority)| authority);
        let shown = host.unwrap_or(own);
        let host_field = HeaderValue::try_from(shown).map_err(|error| nowhere(error.to_string()))?;
        let tls = if self.tls {
            // Without the port, which a name in a certificate does not have.
            let server = host.map_or(bare, |host| host.rsplit_once(':').map_or(host, |(host, _)| host));
            let server =
                ServerName::try_from(server.to_owned()).map_err(|error| nowhere(error.to_string()))?;
            Some((tls.client()?, server))
        } else {
            None
        };
        Ok(Node { name, weight: self.weight, address, host: host_field, tls })
    }
}

impl FromStr for NodeOption {
    type Err = ParseNodeError;

    fn from_str(text: &str) -> Result<Self, ParseNodeError> {
        let bad = || ParseNodeError(text.to_owned());
        let (address, weight) = match text.rsplit_once('=') {
            Some((address, weight)) => (address, weight.parse().map_err(|_| bad())?),
            None => (text, 1),
        };
        let url = Url::parse(address).map_err(|_| bad())?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(bad()),
        };
        match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) if plain && weight > 0 => {
                Ok(Self { tls, host: host.to_owned(), port, weight })
            }
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for NodeOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.tls { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Deals players out to nodes by weight, one by one: at any time each node has its share to within one player.
pub(crate) struct Dealer {
    /// Each node's weight, and what it is owed.
    owed: Vec<(i64, i64)>,
    total: i64,
}

impl Dealer {
    /// `weights` are above 0; there is at least one.
    pub(crate) fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let owed: Vec<(i64, i64)> = weights.into_iter().map(|weight| (i64::from(weight), 0)).collect();
        let total = owed.iter().map(|(weight, _)| weight).sum();
        Self { owed, total }
    }

    /// The next player's node: of those that are owed something, the one whose turn must come first lest it fall a whole
    /// player behind. (Whoever is owed most would do for few nodes; among five it can make another wait too long.)
    pub(crate) fn deal(&mut self) -> usize {
        for (weight, owed) in &mut self.owed {
            *owed += *weight;
        }
        let owed = self.owed.iter().enumerate().filter(|(_, (_, owed))| *owed > 0);
        // By how many turns are left to each; the first of equals.
        let next = owed
            .min_by_key(|(_, (weight, owed))| (self.total - owed - 1).div_euclid(*weight))
            .map_or(0, |(at, _)| at);
        self.owed[next].1 -= self.total;
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nodes_are_addresses_with_weights() {
        for (text, shown, weight) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", 1),
            ("http://127.0.0.1:8080/=3", "http://127.0.0.1:8080", 3),
            ("https://edge1.example=2", "https://edge1.example", 2),
            ("http://[::1]:8080", "http://[::1]:8080", 1),
        ] {
            let node: NodeOption = text.parse().unwrap();
            assert_eq!((node.to_string().as_str(), node.weight), (shown, weight), "{text}");
        }
        for text in [
            "",
            "127.0.0.1:8080",
            "ftp://a",
            "http://a/b",
            "http://a=0",
            "http://a=",
            "http://u@a",
            "http://a?b=1",
        ] {
            assert!(text.parse::<NodeOption>().is_err(), "{text}");
        }
    }

    #[test]
    fn another_host_can_be_named() {
        let node: NodeOption = "http://127.0.0.1:8080".parse().unwrap();
        let tls = Tls::plain();
        assert_eq!(node.resolve(None, &tls).unwrap().host, "127.0.0.1:8080");
        assert_eq!(node.resolve(Some("lessons.example"), &tls).unwrap().host, "lessons.example");
        assert!(node.resolve(Some("a\nb"), &tls).is_err());
    }

    /// Within one player of dealt × weight / total.
    fn each_has_its_share(weights: &[u32], players: usize) {
        let total: u32 = weights.iter().sum();
        let mut dealer = Dealer::new(weights.iter().copied());
        let mut counts = vec![0u64; weights.len()];
        for dealt in 1..=players as u64 {
            counts[dealer.deal()] += 1;
            for (&count, &weight) in counts.iter().zip(weights) {
                let off = (count * u64::from(total)).abs_diff(dealt * u64::from(weight));
                assert!(off < u64::from(total), "{counts:?} of {weights:?}");
            }
        }
    }

    #[test]
    fn two_large_nodes_do_not_make_three_small_ones_wait() {
        // Dealt to whoever is owed most, the last of the large ones falls more than a player behind.
        each_has_its_share(&[18, 1, 5, 1, 18], 43);
        each_has_its_share(&[1, 1, 19, 1, 19], 41);
    }

    proptest! {
        #[test]
        fn each_node_has_its_share_at_any_time(weights in proptest::collection::vec(1u32..20, 1..30), players in 1usize..300) {
            each_has_its_share(&weights, players);
        }
    }
}
