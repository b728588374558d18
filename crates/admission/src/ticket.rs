//! A place in line, on a paper that the client keeps: a class, a number, a time, a node, and a seal.

use aws_lc_rs::{hmac, rand};
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use timetable::Class;

/// The longest text that is read as a ticket.
pub const MAX_TICKET: usize = 128;
/// A ticket counts for so long: longer than anybody waits, shorter than a school day.
const COUNTS: SignedDuration = SignedDuration::from_hours(2);
/// Nodes' clocks may differ by so much; a second is what keeps a node ready.
const CLOCKS: SignedDuration = SignedDuration::from_secs(2);
/// The form, in front.
const FORM: &str = "1";
/// Half of a SHA-256: what is guarded is a place in line.
const SEAL: usize = 16;

/// A place in line. It says nothing about who holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// In which line.
    pub class: Class,
    /// The place.
    pub serial: u64,
    /// When it was given out, to the second.
    pub issued_at: Timestamp,
    /// By which process.
    pub node: Node,
}

/// A process that gives out tickets: a number drawn at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node(pub u32);

/// What seals tickets: the same on all nodes that share a line of students.
#[derive(Clone)]
pub struct Key(hmac::Key);

/// Why a text is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTicket {
    /// Not of the form.
    #[error("not of the form of a ticket")]
    Form,
    /// Sealed by nobody we know, or changed.
    #[error("the seal is not ours")]
    Seal,
    /// Older than any wait, or from the future.
    #[error("it does not count any more")]
    Outdated,
}

impl Node {
    /// Drawn by lot.
    pub fn drawn() -> Self {
        Self(u32::from_ne_bytes(drawn()))
    }

    /// Its name on the tickets of guests, who came with another node's.
    pub(crate) const fn of_guests(self) -> Self {
        Self(!self.0)
    }
}

impl Key {
    /// Drawn by lot, for a node that shares its line with nobody.
    pub fn drawn() -> Self {
        Self::of(&drawn::<32>())
    }

    /// Of any secret bytes.
    pub fn of(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

fn drawn<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

impl fmt::Debug for Key {
    /// Never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Ticket {
    /// The text a client keeps: letters, digits, dots.
    pub fn seal(&self, key: &Key) -> String {
        let plain = self.plain();
        let seal = hmac::sign(&key.0, plain.as_bytes());
        seal.as_ref().iter().take(SEAL).fold(plain + ".", |text, byte| text + &format!("{byte:02x}"))
    }

    /// Reads what a client brings back.
    ///
    /// # Errors
    /// When it is none of ours, or none any more.
    pub fn open(text: &str, key: &Key, now: Timestamp) -> Result<Self, InvalidTicket> {
        if text.len() > MAX_TICKET {
            return Err(InvalidTicket::Form);
        }
        let (plain, _) = text.rsplit_once('.').ok_or(InvalidTicket::Form)?;
        let ticket = Self::read(plain).ok_or(InvalidTicket::Form)?;
        // Sealing again and comparing: one spelling of a ticket. In constant time, as a seal should be.
        let sealed = ticket.seal(key);
        aws_lc_rs::constant_time::verify_slices_are_equal(sealed.as_bytes(), text.as_bytes())
            .map_err(|_| InvalidTicket::Seal)?;
        let age = now.duration_since(ticket.issued_at);
        if age > COUNTS || age < -CLOCKS { Err(InvalidTicket::Outdated) } else { Ok(ticket) }
    }

    fn plain(&self) -> String {
        let Self { class, serial, issued_at, node } = self;
        format!("{FORM}.{}.{serial}.{}.{:08x}", class.as_str(), issued_at.as_second(), node.0)
    }

    fn read(plain: &str) -> Option<Self> {
        let mut parts = plain.split('.');
        let mut next = || parts.next();
        if next()? != FORM {
            return None;
        }
        let name = next()?;
        let class = [Class::Exam, Class::Usual].into_iter().find(|class| class.as_str() == name)?;
        let serial = next()?.parse().ok()?;
        let issued_at = Timestamp::from_second(next()?.parse().ok()?).ok()?;
        let node = Node(u32::from_str_radix(next()?, 16).ok()?);
        next().is_none().then_some(Self { class, serial, issued_at, node })
    }
}
