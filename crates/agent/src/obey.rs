//! Obeying one order.

use crate::clock;
use crate::home::replace;
use crate::local::{Local, Unheard};
use crate::relay::Relay;
use bytes::Bytes;
use fleet::{Effect, Kind};
use http::StatusCode;
use jiff::civil::Date;
use package::Digest;
use purge::{Refusal, Refused};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use timetable::SignedPlan;
use tokio::time::{Instant, sleep};

/// How long an edge may take to look at a plan that lies in its folder.
const PLAN_PATIENCE: Duration = Duration::from_secs(15);
/// How often it is asked whether it has.
const PLAN_LOOK: Duration = Duration::from_millis(100);
/// How often it is written down that the control is heard: a fraction of the time after which somebody is told that it is not.
const MARK_EVERY: Duration = Duration::from_secs(10);
/// Plans are for every node to read that serves them.
const PUBLIC: u32 = 0o644;

/// What it takes to obey.
pub(crate) struct Obedience {
    pub(crate) edge: Local,
    pub(crate) plans: Option<PathBuf>,
    pub(crate) relay: Option<Relay>,
    /// When it was last written down that the control is heard.
    marked: Option<Instant>,
}

/// What an edge says of a day's plan, at `/plans`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Planned {
    /// The text that is followed.
    #[serde(default)]
    pub(crate) followed: Option<Digest>,
    /// The envelope that is refused, and why.
    #[serde(default)]
    pub(crate) refused: Option<(Digest, String)>,
}

impl Obedience {
    pub(crate) fn new(edge: Local, plans: Option<PathBuf>, relay: Option<Relay>) -> Self {
        Self { edge, plans, relay, marked: None }
    }

    /// The control was heard. The edge, which takes its plans from the folder, cannot know: a mark there tells it.
    pub(crate) fn mark_heard(&mut self) {
        let Some(folder) = &self.plans else { return };
        let now = Instant::now();
        if self.marked.is_some_and(|marked| now < marked + MARK_EVERY) {
            return;
        }
        self.marked = Some(now);
        let marked = std::fs::create_dir_all(folder)
            .and_then(|()| replace(&folder.join(timetable::HEARD), PUBLIC, b""));
        if let Err(error) = marked {
            tracing::warn!(%error, folder = %folder.display(), "that the control is heard cannot be written down");
        }
    }

    /// Obeys, or says why not.
    ///
    /// # Errors
    /// When the edge gives no answer: to be tried again.
    pub(crate) async fn obey(&mut self, kind: &Kind, body: Bytes) -> Result<Effect, Unheard> {
        match kind {
            Kind::Purge(_) => self.purge(body).await,
            Kind::Plan { date, .. } => self.plan(*date, &body).await,
            Kind::Drain => self.switch("/out-of-service").await,
            Kind::Undrain => self.switch("/in-service").await,
        }
    }

    async fn purge(&mut self, envelope: Bytes) -> Result<Effect, Unheard> {
        match self.post_purge(envelope.clone()).await? {
            // The edge looks at the key first: of an order that came too late, that may have ended since.
            Err(Refusal::Expired | Refusal::BeforeStart | Refusal::OutdatedKey) => {}
            end => return Ok(effect(end)),
        }
        let Some(relay) = &mut self.relay else {
            return Ok(Effect::Refused(
                "came too late, and without `purge_keys` it cannot be given anew".to_owned(),
            ));
        };
        match relay.anew(&envelope, clock::now()) {
            Ok(anew) => Ok(effect(self.post_purge(anew.into()).await?)),
            Err(why) => Ok(Effect::Refused(format!("came too late, and is {why}"))),
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
            // These pass.
            refused if refused.passes() => Err(Unheard(refused.as_str().to_owned())),
            refused => Ok(Err(refused)),
        }
    }

    async fn plan(&self, date: Date, envelope: &Bytes) -> Result<Effect, Unheard> {
        let Some(folder) = &self.plans else {
            return Ok(Effect::Refused(
                "this node's agent has no `plans`: it takes its plans elsewhere".to_owned(),
            ));
        };
        let Some(signed) = SignedPlan::parse(envelope) else {
            return Ok(Effect::Refused("malformed".to_owned()));
        };
        if let Err(error) = write(folder, date, envelope) {
            return Err(Unheard(format!("{}: {error}", folder.display())));
        }
        let (text, whole) = (Digest::of(signed.plan.as_bytes()), Digest::of(envelope));
        let until = Instant::now() + PLAN_PATIENCE;
        loop {
            let (status, answer) = self.edge.get("/plans").await?;
            let days: BTreeMap<Date, Planned> = match status {
                StatusCode::OK => serde_json::from_slice(&answer).unwrap_or_default(),
                _ => return Ok(Effect::Refused("the edge follows no plans: see its `plan.keys`".to_owned())),
            };
            match days.get(&date) {
                // Kept until its day comes near.
                None => return Ok(Effect::Done),
                Some(Planned { followed, .. }) if *followed == Some(text) => return Ok(Effect::Done),
                Some(Planned { refused: Some((refused, why)), .. }) if *refused == whole => {
                    return Ok(Effect::Refused(why.clone()));
                }
                Some(_) if Instant::now() > until => {
                    let why =
                        "the edge does not look at it: see that its `plan.source` is the agent's `plans`";
                    return Ok(Effect::Refused(why.to_owned()));
                }
                Some(_) => sleep(PLAN_LOOK).await,
            }
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

/// Whether a plan's day is over, everywhere it may be followed.
pub(crate) fn is_over(date: Date) -> bool {
    let today = jiff::tz::TimeZone::UTC.to_datetime(clock::now()).date();
    fleet::is_over(date, today)
}

fn write(folder: &Path, date: Date, envelope: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    replace(&folder.join(format!("{date}.json")), PUBLIC, envelope)?;
    // Days that are over are nobody's.
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let day = name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(|day| day.parse().ok());
        if day.is_some_and(is_over) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn effect(end: Result<(), Refusal>) -> Effect {
    end.map_or_else(|refusal| Effect::Refused(refusal.as_str().to_owned()), |()| Effect::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purge::{Mode, Order, Signed, What};
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
        assert_eq!(obeyed, Ok(Effect::Done));
        let sent = edge.await.unwrap();
        assert!(sent.contains(&own_id.to_string()), "{sent}");
    }
}
