//! Who becomes a node, goes on being one, and is one no more.

use super::Desk;
use crate::authority::{Request, after};
use crate::caller::Caller;
use crate::clock;
use fleet::wire::{Made, Papers};
use fleet::{Event, NodeName, Person, Place, Refusal, Secret, Sender, Welcome};
use jiff::Timestamp;
use std::time::Duration;

impl Desk {
    /// A token for a node at `place`.
    pub(crate) async fn make_token(
        &self,
        person: Person,
        place: Place,
        valid: Duration,
    ) -> Result<Made, Refusal> {
        let secret = Secret::new(self.authority.fingerprint()).map_err(|_| Refusal::StoreAway)?;
        let now = clock::now();
        let made = self.record(
            |_| Sender::Person(person.clone()),
            |registry| {
                let event = registry.make_token(secret.id(), place.clone(), valid, now)?;
                let until = match &event {
                    Event::TokenMade { until, .. } => *until,
                    _ => now,
                };
                Ok((Some(event), until))
            },
        );
        let (until, _) = made.await?;
        Ok(Made { token: secret.reveal(), until })
    }

    /// Makes a node of who shows `token`.
    pub(crate) async fn enrol(&self, token: &str, request: &str) -> Result<Papers, Refusal> {
        let token: Secret = token.parse().map_err(|_| Refusal::Malformed)?;
        let request = Request::parse(request).ok_or(Refusal::Malformed)?;
        let (now, id) = (clock::now(), token.id());
        let until = after(now, self.certificates).map_err(|_| Refusal::Malformed)?;
        let enrolled = self.record(
            |node: &NodeName| Sender::Node(node.clone()),
            |registry| match registry.welcome(&id, &request.key, now)? {
                Welcome::New(node) => {
                    let event = Event::Enrolled { token: id, node: node.clone(), key: request.key, until };
                    Ok((Some(event), node))
                }
                Welcome::Again(node) => Ok((None, node)),
            },
        );
        let (node, _) = enrolled.await?;
        self.papers(node, &request, now, until)
    }

    /// Another certificate for the node that asks.
    pub(crate) async fn renew(&self, caller: Option<&Caller>, request: &str) -> Result<Papers, Refusal> {
        let node = self.node(caller)?;
        let request = Request::parse(request).ok_or(Refusal::Malformed)?;
        let now = clock::now();
        let until = after(now, self.certificates).map_err(|_| Refusal::Malformed)?;
        let by = |_: &()| Sender::Node(node.clone());
        if let Some(Caller { key, counts: (_, until), .. }) = caller {
            self.record(by, |registry| Ok((registry.regain(&node, key, *until), ()))).await?;
        }
        let renewed = Event::Renewed { node: node.clone(), key: request.key, until };
        self.record(by, |_| Ok((Some(renewed.clone()), ()))).await?;
        self.papers(node, &request, now, until)
    }

    fn papers(
        &self,
        node: NodeName,
        request: &Request,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Papers, Refusal> {
        let certificate = self.authority.certify(&node, request, now, until).map_err(|error| {
            tracing::warn!(%error, %node, "no certificate");
            Refusal::Malformed
        })?;
        let (authority, upstream) = (self.authority.pem().to_owned(), self.upstream.clone());
        Ok(Papers { node, certificate, authority, until, upstream })
    }

    /// Takes a node's rights away.
    pub(crate) async fn revoke(&self, person: Person, node: &NodeName) -> Result<u64, Refusal> {
        let by = |_: &()| Sender::Person(person.clone());
        let revoked = self.record(by, |registry| Ok((Some(registry.revoke(node)?), ()))).await;
        revoked.map(|((), number)| number)
    }
}
