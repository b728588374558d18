//! Connection ids that say whose packets they are: which process, and which of its sockets.
//!
//! The kernel spreads packets over a port's sockets by where they come from, which changes while a QUIC connection lives
//! (a telephone leaves the classroom; an address translator forgets), and when another process takes the port over. So
//! the id, which does not change, says where the packet belongs, and whoever gets it passes it on ([`super::lanes`]). Only
//! who holds the key can read it, or tell that two ids are of one connection (RFC 9000 §5.1):
//!
//! ```text
//! nonce (7) | generation (1) ^ m0 | lane (1) ^ m1 | m2 m3 m4        m = five bytes of AES(key, nonce)
//! ```
//!
//! The last three bytes tell ids of ours from noise, which is not answered.

use aws_lc_rs::aead::quic::{AES_128, HeaderProtectionKey};
use aws_lc_rs::rand;
use quinn::ConnectionId;

const NONCE: usize = 7;
/// Bytes of an id of ours.
pub(super) const ID: usize = NONCE + 5;
const KEY: usize = 16;

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home {
    /// Which process in the row of those that had the port.
    pub(super) generation: u8,
    /// Which of its sockets.
    pub(super) lane: u8,
}

/// Makes and reads ids.
pub(super) struct Routes {
    generation: u8,
    secret: [u8; KEY],
    key: HeaderProtectionKey,
}

impl Routes {
    /// For the first process in a row.
    pub(super) fn first() -> Self {
        let mut secret = [0; KEY];
        rand::fill(&mut secret).expect("the system gives random bytes");
        Self::with(0, secret)
    }

    /// As the process before has said in [`Routes::to_pass_on`]; `None` when it said something else.
    pub(super) fn next(said: &str) -> Option<Self> {
        let (generation, digits) = said.split_once(' ')?;
        let generation: u8 = generation.parse().ok()?;
        let secret = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2 * KEY)?;
        Some(Self::with(generation.wrapping_add(1), secret.to_be_bytes()))
    }

    /// What the next process needs to know to tell our packets from its own. A secret.
    pub(super) fn to_pass_on(&self) -> String {
        format!("{} {:032x}", self.generation, u128::from_be_bytes(self.secret))
    }

    fn with(generation: u8, secret: [u8; KEY]) -> Self {
        let key = HeaderProtectionKey::new(&AES_128, &secret).expect("a key of AES-128 has sixteen bytes");
        Self { generation, secret, key }
    }

    /// Which process this is.
    pub(super) fn generation(&self) -> u8 {
        self.generation
    }

    /// A new id for a connection of one of our lanes.
    pub(super) fn id(&self, lane: u8) -> ConnectionId {
        let mut id = [0; ID];
        rand::fill(&mut id[..NONCE]).expect("the system gives random bytes");
        let mask = self.mask(&id);
        id[NONCE..].copy_from_slice(&mask);
        id[NONCE] ^= self.generation;
        id[NONCE + 1] ^= lane;
        ConnectionId::new(&id)
    }

    /// Where an id belongs; `None` when it is none of ours or our predecessors'.
    pub(super) fn home(&self, id: &[u8]) -> Option<Home> {
        let id: &[u8; ID] = id.try_into().ok()?;
        let mask = self.mask(id);
        let genuine = id[NONCE + 2..] == mask[2..];
        genuine.then(|| Home { generation: id[NONCE] ^ mask[0], lane: id[NONCE + 1] ^ mask[1] })
    }

    /// Where a packet belongs, by the id that it is sent to (RFC 8999 §5). First packets have one of the client's own.
    pub(super) fn home_of_packet(&self, packet: &[u8]) -> Option<Home> {
        let is_long = packet.first()? & 0x80 != 0;
        let id = match is_long {
            false => packet.get(1..1 + ID)?,
            true if usize::from(*packet.get(5)?) == ID => packet.get(6..6 + ID)?,
            true => return None,
        };
        self.home(id)
    }

    fn mask(&self, id: &[u8; ID]) -> [u8; 5] {
        let mut sample = [0; 16];
        sample[..NONCE].copy_from_slice(&id[..NONCE]);
        self.key.new_mask(&sample).expect("a sample of AES has sixteen bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_where_it_belongs_to_who_holds_the_key() {
        let routes = Routes::first();
        let id = routes.id(7);
        assert_eq!(routes.home(&id), Some(Home { generation: 0, lane: 7 }));
        assert_ne!(routes.id(7), id);
        assert_eq!(Routes::first().home(&id), None);
        let mut touched = id.to_vec();
        touched[NONCE + 3] ^= 1;
        assert_eq!((routes.home(&touched), routes.home(&id[1..])), (None, None));
    }

    #[test]
    fn the_next_process_reads_the_ids_of_those_before() {
        let first = Routes::first();
        let second = Routes::next(&first.to_pass_on()).unwrap();
        let third = Routes::next(&second.to_pass_on()).unwrap();
        assert_eq!(third.home(&first.id(1)), Some(Home { generation: 0, lane: 1 }));
        assert_eq!(third.home(&second.id(2)), Some(Home { generation: 1, lane: 2 }));
        assert_eq!(third.generation(), 2);
        for said in
            ["", "1", "1 12", "x 00112233445566778899aabbccddeeff", "256 00112233445566778899aabbccddeeff"]
        {
            assert!(Routes::next(said).is_none(), "{said}");
        }
    }

    #[test]
    fn packets_of_both_forms_carry_it() {
        let routes = Routes::first();
        let id = routes.id(3);
        let home = Some(Home { generation: 0, lane: 3 });
        assert_eq!(routes.home_of_packet(&[&[0x40][..], &id, &[0; 20]].concat()), home);
        let long = [&[0xe0, 0, 0, 0, 1, ID as u8][..], &id, &[0; 20]].concat();
        assert_eq!(routes.home_of_packet(&long), home);
        for strange in [&[][..], &[0x40], &[0xc0, 0, 0, 0, 1], &[0xc0, 0, 0, 0, 1, 8, 1, 2, 3], &[0xc0; 30]] {
            assert_eq!(routes.home_of_packet(strange), None, "{strange:?}");
        }
    }
}
