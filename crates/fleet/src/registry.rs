//! Which tokens and nodes there are, by the records; and whether what is asked for may be recorded.

use crate::order::{Kind, Order, is_over};
use crate::place::{NodeName, Place};
use crate::record::{ChainError, Event, Record};
use crate::refusal::Refusal;
use crate::token::{MAX_VALID, TokenId};
use jiff::Timestamp;
use jiff::civil::Date;
use package::Digest;
use serde::{Deserialize, Serialize};
use signing::PublicKey;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the records come to.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Of each record, by number from 1: 32 MB for a million.
    hashes: Vec<Digest>,
    tokens: BTreeMap<TokenId, Token>,
    nodes: BTreeMap<NodeName, Member>,
    orders: BTreeMap<u64, Order>,
    /// The last edition of what carriers count as free.
    zero_rating: Option<(u64, Digest)>,
}

#[derive(Debug, Clone)]
struct Token {
    place: Place,
    until: Timestamp,
    used: Option<NodeName>,
}

/// A node that has enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// When.
    pub since: Timestamp,
    /// Which record that was: what was ordered before is not for it.
    pub joined: u64,
    /// SHA-256 of its public key.
    pub key: Digest,
    /// The key before that, until the new one is used: a renewal whose answer was lost can be asked for again.
    #[serde(skip)]
    before: Option<Digest>,
    /// When the last certificate that is in the records was issued.
    #[serde(skip)]
    issued: Timestamp,
    /// Until when its certificate counts.
    pub until: Timestamp,
    /// Whether it is in or out.
    pub standing: Standing,
}

/// What a token is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Welcome {
    /// This name, which is to be recorded.
    New(NodeName),
    /// The name that it was given already, under the same key: the answer was lost.
    Again(NodeName),
}

/// Whether a node is in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has its rights.
    Enrolled,
    /// They were taken away.
    Revoked,
}

impl Member {
    fn holds(&self, key: &Digest) -> bool {
        self.key == *key || self.before == Some(*key)
    }
}

impl Registry {
    /// Takes in the next record.
    ///
    /// # Errors
    /// When it is not the next, or not signed by `key`; nothing has changed then.
    pub fn apply(&mut self, record: &Record, key: &PublicKey) -> Result<(), ChainError> {
        let (last, hash) = self.end();
        record.follows(last, hash, key)?;
        self.hashes.push(record.hash());
        match &record.event {
            Event::TokenMade { token, place, until } => {
                let made = Token { place: place.clone(), until: *until, used: None };
                self.tokens.insert(*token, made);
            }
            Event::Enrolled { token, node, key, until } => {
                if let Some(token) = self.tokens.get_mut(token) {
                    token.used = Some(node.clone());
                }
                let member = Member {
                    since: record.at,
                    joined: record.number,
                    key: *key,
                    before: None,
                    issued: record.at,
                    until: *until,
                    standing: Standing::Enrolled,
                };
                self.nodes.insert(node.clone(), member);
            }
            Event::Renewed { node, key, until } => {
                if let Some(member) = self.nodes.get_mut(node) {
                    // Asked for again with the same key: the one before is still the one that the node shows.
                    if member.key != *key {
                        member.before = Some(std::mem::replace(&mut member.key, *key));
                    }
                    (member.issued, member.until) = (record.at, *until);
                }
            }
            Event::Revoked { node } => {
                if let Some(member) = self.nodes.get_mut(node) {
                    member.standing = Standing::Revoked;
                }
            }
            Event::Ordered(order) => {
                self.orders.insert(record.number, order.clone());
            }
            Event::ZeroRated { edition, body } => self.zero_rating = Some((*edition, *body)),
        }
        Ok(())
    }

    /// The last record's number and hash.
    pub fn end(&self) -> (u64, Digest) {
        (self.hashes.len() as u64, self.hashes.last().copied().unwrap_or(Record::before_all()))
    }

    /// The hash of the record `number`, where there is one: by it two can tell whether they know the same records up to there.
    pub fn hash_of(&self, number: u64) -> Option<Digest> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.hashes.get(at).copied()
    }

    /// The event of a token that counts for `valid`.
    ///
    /// # Errors
    /// [`Refusal::TokenTooLong`].
    pub fn make_token(
        &self,
        token: TokenId,
        place: Place,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Event, Refusal> {
        if valid.is_zero() || valid > MAX_VALID {
            return Err(Refusal::TokenTooLong);
        }
        let until = now.checked_add(valid).map_err(|_| Refusal::TokenTooLong)?;
        Ok(Event::TokenMade { token, place, until })
    }

    /// The name that who shows `token` and has proved to hold `key` is given.
    ///
    /// # Errors
    /// Why it is given none.
    pub fn welcome(&self, token: &TokenId, key: &Digest, now: Timestamp) -> Result<Welcome, Refusal> {
        let made = self.tokens.get(token).ok_or(Refusal::UnknownToken)?;
        if let Some(node) = &made.used {
            let same = self.admit(node, key, None).is_ok_and(|member| now < member.until);
            return if same { Ok(Welcome::Again(node.clone())) } else { Err(Refusal::TokenUsed) };
        }
        if now >= made.until {
            return Err(Refusal::TokenExpired);
        }
        let there = self.nodes.keys().filter(|node| node.place == made.place);
        let number = there.map(|node| node.number).max().unwrap_or(0) + 1;
        Ok(Welcome::New(NodeName { place: made.place.clone(), number }))
    }

    /// Whether who holds this key is the node, as a certificate for `node` says that counts since `since`; `None`: none is shown.
    ///
    /// A certificate that was issued after the last one in the records is one that these have lost: they were brought back from an
    /// older copy. It counts, or all who have renewed since the copy was made would have to be enrolled anew.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, node: &NodeName, key: &Digest, since: Option<Timestamp>) -> Result<&Member, Refusal> {
        let member = self.nodes.get(node).ok_or(Refusal::UnknownNode)?;
        if member.standing == Standing::Revoked {
            return Err(Refusal::Revoked);
        }
        if !member.holds(key) && since.is_none_or(|since| since <= member.issued) {
            return Err(Refusal::OldCertificate);
        }
        Ok(member)
    }

    /// The event of a key that [counts](Self::admit) and that the records have lost, whose certificate counts until `until`: to be
    /// recorded before another takes its place. `None` where they know it.
    pub fn regain(&self, node: &NodeName, key: &Digest, until: Timestamp) -> Option<Event> {
        let member = self.nodes.get(node)?;
        (!member.holds(key)).then(|| Event::Renewed { node: node.clone(), key: *key, until })
    }

    /// `node` was heard with `key`. Once that is the newest it has its answer, and the key before counts no more: the one thing that
    /// is not in the records, so it counts again after a start until the node is heard, seconds later.
    pub fn heard(&mut self, node: &NodeName, key: &Digest) {
        if let Some(member) = self.nodes.get_mut(node).filter(|member| member.key == *key) {
            member.before = None;
        }
    }

    /// The event of taking a node's rights away.
    ///
    /// # Errors
    /// When there is no such node, or it has none.
    pub fn revoke(&self, node: &NodeName) -> Result<Event, Refusal> {
        match self.nodes.get(node).map(|member| member.standing) {
            Some(Standing::Enrolled) => Ok(Event::Revoked { node: node.clone() }),
            Some(Standing::Revoked) => Err(Refusal::Revoked),
            None => Err(Refusal::UnknownNode),
        }
    }

    /// The event of an order.
    ///
    /// # Errors
    /// When it names a node that is not there. An order to a place without nodes is good: they may come.
    pub fn order(&self, order: Order) -> Result<Event, Refusal> {
        match &order.to.node {
            Some(node) if !self.is_member(node) => Err(Refusal::NobodyMeant),
            _ => Ok(Event::Ordered(order)),
        }
    }

    /// The event of publishing what carriers count as free; `None` when this very text is published.
    ///
    /// # Errors
    /// When another edition of the same number, or a later one, is: editions only grow, or who follows them would miss one.
    pub fn publish_zero_rating(&self, edition: u64, body: Digest) -> Result<Option<Event>, Refusal> {
        match self.zero_rating {
            Some(published) if published == (edition, body) => Ok(None),
            Some((published, _)) if edition <= published => Err(Refusal::OldEdition),
            _ => Ok(Some(Event::ZeroRated { edition, body })),
        }
    }

    /// The last edition of what carriers count as free, and its signed manifest.
    pub fn zero_rating(&self) -> Option<(u64, Digest)> {
        self.zero_rating
    }

    /// The bodies that somebody may ask for on `today` however long ago they were sent: what carriers count as free, and the plans
    /// of days that are not over, which a node is given that comes later.
    pub fn lasting_bodies(&self, today: Date) -> BTreeSet<Digest> {
        let mut bodies: BTreeSet<Digest> = self.zero_rating.iter().map(|(_, body)| *body).collect();
        let mut newest = Vec::new();
        for order in self.orders.values().rev() {
            let Kind::Plan { date, body } = &order.kind else { continue };
            let plan = (*date, &order.to);
            if !is_over(*date, today) && !newest.contains(&plan) {
                newest.push(plan);
                bodies.insert(*body);
            }
        }
        bodies
    }

    fn is_member(&self, node: &NodeName) -> bool {
        self.nodes.get(node).is_some_and(|member| member.standing == Standing::Enrolled)
    }

    /// All nodes that ever enrolled.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeName, &Member)> {
        self.nodes.iter()
    }

    /// The nodes that `order` means now.
    pub fn meant(&self, number: u64) -> Option<(&Order, impl Iterator<Item = &NodeName>)> {
        let order = self.orders.get(&number)?;
        let members = self
            .nodes
            .iter()
            .filter(move |(node, member)| member.standing == Standing::Enrolled && order.to.means(node));
        Some((order, members.map(|(node, _)| node)))
    }

    /// All orders, by number.
    pub fn orders(&self) -> impl DoubleEndedIterator<Item = (u64, &Order)> {
        self.orders.iter().map(|(number, order)| (*number, order))
    }

    /// At most `most` orders for `node` after number `after`, by number; the number up to which there are no more for it. What
    /// was to be forgotten before it came it never held; plans it is given whenever they are from.
    pub fn orders_for(&self, node: &NodeName, after: u64, most: usize) -> (Vec<(u64, Order)>, u64) {
        let mut orders = Vec::new();
        let joined = self.nodes.get(node).map_or(0, |member| member.joined);
        for (number, order) in self.orders.range(after.saturating_add(1)..) {
            if !order.to.means(node) || *number < joined && matches!(order.kind, Kind::Purge(_)) {
                continue;
            }
            if orders.len() == most {
                return (orders, number - 1);
            }
            orders.push((*number, order.clone()));
        }
        (orders, self.end().0.max(after))
    }
}

#[cfg(test)]
mod tests;
