//! Session tickets (RFC 8446 §4.6.1, RFC 5077) that any node of a group can read.
//!
//! The file holds keys, one a line, 64 hexadecimal digits each; `#` begins a comment. The **first** line encrypts, all
//! decrypt. To change keys without a broken resumption give every node the new key as *last* line, then as first, then
//! take the old one out:
//!
//! ```text
//! current          next comes    next becomes current    previous goes
//! A                A             B                       B
//!                  B             A
//! ```
//!
//! A key that leaves the file cannot be had back by who breaks into a node later. Without a file keys are made here,
//! and rotate by themselves.
//!
//! A ticket, encrypted with AES-256-GCM, its first three fields authenticated with it:
//!
//! ```text
//! key's name (16) | issued, Unix seconds (8) | nonce (12) | ciphertext | tag (16)
//! ```

use super::{Read, TlsError};
use crate::clock;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, rand};
use rustls::server::ProducesTickets;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// Seconds for which a ticket is good: a school day and its evening. The longest allowed is a week.
const LIFETIME: u32 = 12 * 3_600;
/// Seconds by which the clocks of a group's nodes may differ.
const SKEW: u64 = 300;
/// Keys in a file: the current one and its neighbours, and one for who forgets to take out the oldest.
const MAX_KEYS: usize = 4;
/// Of a key file; more is another kind of file.
const MAX_FILE: u64 = 4 * 1_024;

const NAME: usize = 16;
const HEAD: usize = NAME + 8;
const KEY: usize = 32;

/// Makes and reads tickets with the keys in force.
#[derive(Debug)]
pub(super) struct Tickets(RwLock<Arc<Keys>>);

/// Where keys come from.
pub(super) enum Keys {
    /// A file; the first encrypts. At least one.
    Shared(Vec<TicketKey>),
    /// Our own, which nobody else has.
    Own(Arc<dyn ProducesTickets>),
}

/// One line of the file.
pub(super) struct TicketKey {
    name: [u8; NAME],
    key: LessSafeKey,
}

impl fmt::Debug for Keys {
    /// Never a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(keys) => write!(f, "{} shared keys", keys.len()),
            Self::Own(_) => f.write_str("own keys"),
        }
    }
}

impl Tickets {
    pub(super) fn load(file: Option<&Path>, read: Read) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(Arc::new(Keys::load(file, read)?))))
    }

    /// Keys of our own stay when there was no file and is none.
    pub(super) fn replace(&self, keys: Keys) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!((&**current, &keys), (Keys::Own(_), Keys::Own(_))) {
            *current = Arc::new(keys);
        }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        match &*self.keys() {
            Keys::Shared(_) => LIFETIME,
            Keys::Own(own) => own.lifetime(),
        }
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        match &*self.keys() {
            Keys::Shared(keys) => keys.first()?.seal(plain, clock::unix_seconds()),
            Keys::Own(own) => own.encrypt(plain),
        }
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        match &*self.keys() {
            Keys::Shared(keys) => {
                let key = keys.iter().find(|key| ticket.starts_with(&key.name))?;
                key.open(ticket, clock::unix_seconds())
            }
            Keys::Own(own) => own.decrypt(ticket),
        }
    }
}

impl Keys {
    pub(super) fn load(file: Option<&Path>, read: Read) -> Result<Self, TlsError> {
        let Some(path) = file else {
            let own = rustls::crypto::aws_lc_rs::Ticketer::new();
            return own.map(Self::Own).map_err(|source| TlsError::Provider { source });
        };
        let bad = |problem: String| TlsError::File {
            path: path.to_owned(),
            wanted: "one to four keys of 64 hexadecimal digits, one a line (openssl rand -hex 32)",
            problem,
        };
        let bytes = read(path, MAX_FILE).map_err(|error| bad(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| bad("is no UTF-8 text".to_owned()))?;
        Self::parse(&text).map_err(bad)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                keys.push(TicketKey::parse(line).ok_or_else(|| format!("line {number} is no key"))?);
            }
        }
        match keys.len() {
            0 => Err("has no key".to_owned()),
            1..=MAX_KEYS => Ok(Self::Shared(keys)),
            more => Err(format!("has {more} keys; an old one should be taken out")),
        }
    }
}

impl TicketKey {
    fn parse(line: &str) -> Option<Self> {
        let digits = line.as_bytes();
        if digits.len() != 2 * KEY || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; KEY];
        for (byte, pair) in bytes.iter_mut().zip(line.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        let mut name = [0; NAME];
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"airclass session ticket key name");
        hash.update(&bytes);
        name.copy_from_slice(&hash.finish().as_ref()[..NAME]);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).ok()?);
        Some(Self { name, key })
    }

    /// Nonces are random: a key may seal 2³² tickets (NIST SP 800-38D §8.3), a thousand a second for fifty days.
    fn seal(&self, plain: &[u8], now: u64) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).ok()?;
        let mut ticket = Vec::with_capacity(HEAD + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        ticket.extend(self.name);
        ticket.extend(now.to_be_bytes());
        let head = Aad::from(ticket.clone());
        ticket.extend(nonce);
        let mut sealed = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, head, &mut sealed).ok()?;
        ticket.extend(sealed);
        Some(ticket)
    }

    fn open(&self, ticket: &[u8], now: u64) -> Option<Vec<u8>> {
        let (head, rest) = ticket.split_at_checked(HEAD)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let issued = u64::from_be_bytes(head[NAME..].try_into().ok()?);
        let good = issued <= now.saturating_add(SKEW) && now <= issued.saturating_add(u64::from(LIFETIME));
        if !good {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(head), &mut sealed).ok()?.len();
        sealed.truncate(plain);
        Some(sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const B: &str = "FFEEDDCCBBAA99887766554433221100ffeeddccbbaa99887766554433221100";

    fn tickets(lines: &[&str]) -> Tickets {
        Tickets(RwLock::new(Arc::new(Keys::parse(&lines.join("\n")).unwrap())))
    }

    #[test]
    fn a_rotation_breaks_no_resumption() {
        let steps = [&[A][..], &[A, B], &[B, A], &[B]].map(tickets);
        for pair in steps.windows(2) {
            // A node that is a step ahead and one that is a step behind.
            for (one, two) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
                let ticket = one.encrypt(b"session").unwrap();
                let known = two.decrypt(&ticket);
                // Only the last step may lose something: what the key that is gone has sealed.
                assert!(known.as_deref() == Some(b"session"), "{one:?} {two:?}");
            }
        }
        let old = steps[0].encrypt(b"session").unwrap();
        assert_eq!(steps[3].decrypt(&old), None);
    }

    #[test]
    fn a_ticket_ends_with_its_lifetime() {
        let key = TicketKey::parse(A).unwrap();
        let lifetime = u64::from(LIFETIME);
        let ticket = key.seal(b"x", 1_000_000).unwrap();
        for (now, good) in [
            (1_000_000, true),
            (1_000_000 + lifetime, true),
            (1_000_001 + lifetime, false),
            (1_000_000 - SKEW, true),
            (1_000_000 - SKEW - 1, false),
        ] {
            assert_eq!(key.open(&ticket, now).is_some(), good, "{now}");
        }
    }

    #[test]
    fn files_that_are_none_are_refused() {
        let five = [A; 5].join("\n");
        for (text, why) in [
            ("", "no key"),
            ("# only a comment\n", "no key"),
            ("\n\nabc\n", "line 3"),
            (&A[1..], "line 1"),
            (&A.replace('0', "g"), "line 1"),
            (five.as_str(), "5 keys"),
        ] {
            let problem = Keys::parse(text).unwrap_err();
            assert!(problem.contains(why), "{problem}");
        }
        assert!(Keys::parse(&format!("# today\n{A} # until Friday\n\n{B}\n")).is_ok());
    }

    #[test]
    fn own_keys_stay_when_there_is_no_file() {
        let tickets = Tickets::load(None, settings::small_file).unwrap();
        let ticket = tickets.encrypt(b"session").unwrap();
        tickets.replace(Keys::load(None, settings::small_file).unwrap());
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    }

    proptest! {
        /// Whatever a client sends as a ticket: no panic, and nothing comes out that was not put in.
        #[test]
        fn a_ticket_that_was_touched_is_none(at in 0usize..64, bit in 0u8..8, cut in 0usize..64) {
            let tickets = tickets(&[A, B]);
            let mut ticket = tickets.encrypt(b"0123456789ab").unwrap();
            prop_assert_eq!(ticket.len(), 64);
            prop_assert_eq!(tickets.decrypt(&ticket[..cut]), None);
            ticket[at] ^= 1 << bit;
            prop_assert_eq!(tickets.decrypt(&ticket), None);
        }
    }
}
