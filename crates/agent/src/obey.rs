//! Obeying one order.

use crate::clock;
use crate::local::{Local, Unheard};
use crate::plans::{Plans, Settled};
use crate::relay::Relay;
use bytes::Bytes;
use fleet::{Effect, Kind};
use http::StatusCode;
use jiff::SignedDuration;
use jiff::civil::Date;
use purge::{Order, Refusal, Refused, Signed};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// How far the clock of who gave an order may be ahead for it to be waited for: those behind it wait as well.
const SOON: SignedDuration = SignedDuration::from_secs(60);
/// How often it is written down that the control is heard: a fraction of the time after which somebody is told that it is not.
const MARK_EVERY: Duration = Duration::from_secs(10);

/// What has come of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obeyed {
    /// This.
    Ended(Effect),
    /// A plan lies where the edge finds it, which has not judged it yet; this as far as anybody knows.
    Kept(Effect),
}

impl Obeyed {
    /// As the control is told.
    pub(crate) fn effect(&self) -> &Effect {
        match self {
            Self::Ended(effect) | Self::Kept(effect) => effect,
        }
    }
}

/// What it takes to obey.
pub(crate) struct Obedience {
    pub(crate) edge: Local,
    pub(crate) plans: Option<Plans>,
    pub(crate) relay: Option<Relay>,
    /// When it was last written down that the control is heard.
    marked: Option<Instant>,
}

impl Obedience {
    pub(crate) fn new(edge: Local, plans: Option<PathBuf>, relay: Option<Relay>) -> Self {
        Self { edge, plans: plans.map(Plans::new), relay, marked: None }
    }

    /// The control was heard. The edge, which takes its plans from the folder, cannot know: a mark there tells it.
    pub(crate) fn mark_heard(&mut self) {
        let Some(plans) = &self.plans else { return };
        let now = Instant::now();
        if self.marked.is_some_and(|marked| now < marked + MARK_EVERY) {
            return;
        }
        self.marked = Some(now);
        if let Err(error) = plans.mark_heard() {
            tracing::warn!(%error, folder = %plans.folder().display(), "that the control is heard cannot be written down");
        }
    }

    /// What the edge says by now of plans that it had not judged when they were ordered, beside those of `days`.
    pub(crate) async fn judgements(&self, days: BTreeSet<Date>) -> Vec<Settled> {
        match &self.plans {
            Some(plans) => plans.judgements(self.edge, days).await,
            None => Vec::new(),
        }
    }

    /// What came of a plan is written down, so that the edge is left with what counts.
    pub(crate) fn settle(&self, settled: &Settled) {
        if let Some(plans) = &self.plans {
            plans.settle(settled);
        }
    }

    /// Obeys, or says why not.
    ///
    /// # Errors
    /// When the edge gives no answer: to be tried again.
    pub(crate) async fn obey(&mut self, kind: &Kind, body: Bytes) -> Result<Obeyed, Unheard> {
        let effect = match (kind, &self.plans) {
            (Kind::Purge(_), _) => self.purge(body).await?,
            (Kind::Plan { date, .. }, Some(plans)) => return plans.obey(self.edge, *date, &body).await,
            (Kind::Plan { .. }, None) => {
                Effect::Refused("this node's agent has no `plans`: it takes its plans elsewhere".to_owned())
            }
            (Kind::Drain, _) => self.switch("/out-of-service").await?,
            (Kind::Undrain, _) => self.switch("/in-service").await?,
        };
        Ok(Obeyed::Ended(effect))
    }

    async fn purge(&mut self, envelope: Bytes) -> Result<Effect, Unheard> {
        match self.post_purge(envelope.clone()).await? {
            // The edge looks at the key first: of an order that came too late, that may have ended since.
            Err(Refusal::Expired | Refusal::BeforeStart | Refusal::OutdatedKey) => {
                self.purge_anew(&envelope, "came too late").await
            }
            // Nobody knows when its time comes where this machine's clock is hours behind, and others wait behind it.
            Err(Refusal::NotYetValid) if self.relay.is_some() || !is_soon(&envelope) => {
                self.purge_anew(&envelope, "comes from the future: see this node's clock").await
            }
            Err(Refusal::NotYetValid) => Err(Unheard(Refusal::NotYetValid.as_str().to_owned())),
            end => Ok(effect(end)),
        }
    }

    /// Has the order obeyed that the edge does not take because of its times, by one of the agent's own.
    async fn purge_anew(&mut self, envelope: &[u8], late: &str) -> Result<Effect, Unheard> {
        let Some(relay) = &mut self.relay else {
            return Ok(Effect::Refused(format!("{late}, and without `purge_keys` it cannot be given anew")));
        };
        match relay.anew(envelope, clock::now()) {
            Ok(anew) => Ok(effect(self.post_purge(anew.into()).await?)),
            Err(why) => Ok(Effect::Refused(format!("{late}, and is {why}"))),
        }
    }

    async fn post_purge(&self, envelope: Bytes) -> Result<Result<(), Refusal>, Unheard> {
        let (status, answer) = self.edge.post("/purge", envelope).await?;
        if status == StatusCode::OK {
            return Ok(Ok(()));
        }
        let Ok(Refused { refused, .. }) = serde_json::from_slice(&answer) else {
            return Err(Unheard(format!("answers an order with {status}: no edge")));
        };
        match refused {
            // It has obeyed, and the answer was lost.
            Refusal::Replayed => Ok(Ok(())),
            // It passes, but whether soon is to be seen.
            refused @ Refusal::NotYetValid => Ok(Err(refused)),
            // These pass.
            refused if refused.passes() => Err(Unheard(refused.as_str().to_owned())),
            refused => Ok(Err(refused)),
        }
    }

    async fn switch(&self, path: &str) -> Result<Effect, Unheard> {
        match self.edge.post(path, Bytes::new()).await? {
            (StatusCode::OK, _) => Ok(Effect::Done),
            // A process that has just been replaced: the next one hears it.
            (StatusCode::SERVICE_UNAVAILABLE, said) => {
                Err(Unheard(String::from_utf8_lossy(&said).trim_end().to_owned()))
            }
            (status, _) => Ok(Effect::Refused(format!("the edge answers {status}"))),
        }
    }
}

/// Whether an order from the future counts in a moment.
fn is_soon(envelope: &[u8]) -> bool {
    let order = Signed::parse(envelope).and_then(|signed| Order::parse(&signed.order));
    order.is_some_and(|order| order.made_at.duration_since(clock::now()) <= SOON)
}

fn effect(end: Result<(), Refusal>) -> Effect {
    end.map_or_else(|refusal| Effect::Refused(refusal.as_str().to_owned()), |()| Effect::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::Digest;
    use purge::{Mode, What};
    use signing::{SigningKey, TrustFile};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// An edge that answers so, one order after the other; what it was sent last.
    async fn edge<const N: usize>(listener: TcpListener, answers: [(u16, &str); N]) -> String {
        let mut sent = String::new();
        for (status, answer) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            sent.clear();
            while !sent.ends_with("}]}") {
                let mut piece = [0; 4_096];
                let length = stream.read(&mut piece).await.unwrap();
                sent.push_str(std::str::from_utf8(&piece[..length]).unwrap());
            }
            let length = answer.len();
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{answer}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        sent
    }

    /// A node whose clock was hours behind asked for as many hours, and obeyed nothing that was ordered behind it.
    #[tokio::test]
    async fn an_order_from_the_future_holds_up_none_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let (operator, own) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let path = folder.path().join("keys.toml");
        let entry =
            |key: &SigningKey| format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
        std::fs::write(&path, entry(&operator) + &entry(&own)).unwrap();
        let own_id = own.id().to_string();
        let mut relay = Some(Relay { keys: TrustFile::read(&path).unwrap(), own });
        let refused =
            |why: &str| Effect::Refused(format!("comes from the future: see this node's clock{why}"));
        let no_keys = refused(", and without `purge_keys` it cannot be given anew");
        let not_yet = (403, r#"{"refused":"not_yet_valid","problem":""}"#);
        for (ahead_s, relayed, comes_of) in [
            (3_600, true, Ok(Effect::Done)),
            (3_600, false, Ok(no_keys)),
            (30, false, Err(Unheard("not_yet_valid".to_owned()))),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let local = Local::new(listener.local_addr().unwrap());
            let mut obedience = Obedience::new(local, None, relay.take_if(|_| relayed));
            let made_at = clock::now() + SignedDuration::from_secs(ahead_s);
            let what = What::Url("http://a/x".parse().unwrap());
            let order = Order::new(what, Mode::Hard, None, made_at, Duration::from_secs(60)).unwrap();
            let envelope = Signed::by(&order, &[&operator]).to_bytes();
            let kind = Kind::Purge(Digest::of(&envelope));
            let edge = tokio::spawn(edge(listener, [not_yet, (200, "{}")]));
            let obeyed = obedience.obey(&kind, envelope.into()).await;
            assert_eq!(obeyed, comes_of.map(Obeyed::Ended), "{ahead_s} s ahead");
            if relayed {
                let sent = edge.await.unwrap();
                assert!(sent.contains(&own_id), "{sent}");
            }
        }
    }

    /// It was refused for good, and the node served on what was to be forgotten.
    #[tokio::test]
    async fn an_order_that_was_missed_is_obeyed_after_its_key_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (operator, own) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let yesterday = clock::now() - jiff::SignedDuration::from_hours(24);
        let until = jiff::tz::TimeZone::UTC.to_datetime(yesterday).date();
        let path = folder.path().join("keys.toml");
        let entry =
            |key: &SigningKey| format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
        let text = format!("{}until = \"{until}\"\n{}", entry(&operator), entry(&own));
        std::fs::write(&path, text).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = Local::new(listener.local_addr().unwrap());
        let own_id = own.id();
        let relay = Relay { keys: TrustFile::read(&path).unwrap(), own };
        let mut obedience = Obedience::new(local, None, Some(relay));
        let what = What::Url("http://a/x".parse().unwrap());
        let order = Order::new(what, Mode::Hard, None, yesterday, Duration::from_secs(60)).unwrap();
        let envelope = Signed::by(&order, &[&operator]).to_bytes();
        let kind = Kind::Purge(Digest::of(&envelope));
        let outdated = r#"{"refused":"outdated_key","problem":""}"#;
        let edge = tokio::spawn(edge(listener, [(403, outdated), (200, "{}")]));
        let obeyed = obedience.obey(&kind, envelope.into()).await;
        assert_eq!(obeyed, Ok(Obeyed::Ended(Effect::Done)));
        let sent = edge.await.unwrap();
        assert!(sent.contains(&own_id.to_string()), "{sent}");
    }
}
