//! What is done with a request before anything is waited for: by then most of a bell is answered.

use super::{answer, change, key_by, lacking};
use crate::edge::Edge;
use crate::key::CacheKey;
use crate::lookup::find_fresh;
use crate::outcome::Outcome;
use crate::overload::{Class, Pace};
use crate::own;
use crate::paper::Paper;
use crate::policy::{self, Said};
use crate::request::Asked;
use crate::resources::{Full, Place, Resources};
use crate::response::{self, Answer, CacheStatus};
use serve::{Peer, RequestBody, Standing};
use std::rc::Rc;
use tokio::time::Instant;

/// How far one comes without waiting.
pub(super) enum Begun {
    Answered(Answer),
    /// What its body says is for this node itself.
    Told(Told),
    /// Memory does not hold what is asked for by this key, or not as it is wanted.
    Lacking(CacheKey, Admitted),
    /// It may change something.
    Changing(Admitted),
}

impl Begun {
    /// The answer, when it is there.
    pub(super) async fn end(
        self,
        edge: Rc<Edge>,
        asked: Box<Asked>,
        body: RequestBody,
        peer: &Peer,
    ) -> Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Told(what) => response::said(&edge, what.take(&edge, body).await, &asked.method),
            Self::Lacking(primary, admitted) => {
                admitted.give(answer(edge, asked, primary).await, &peer.standing)
            }
            Self::Changing(admitted) => {
                admitted.give(Box::pin(change(edge, asked, Some(body))).await, &peer.standing)
            }
        }
    }
}

/// What a page tells a node.
pub(super) enum Told {
    Coverage,
    Feedback,
    Quality,
}

impl Told {
    async fn take(self, edge: &Edge, body: RequestBody) -> Said {
        match self {
            Self::Coverage => Said::Counted(edge.coverage.take(body).await),
            Self::Feedback => Said::Reported(edge.feedback.take(body).await),
            Self::Quality => Said::Counted(edge.metrics.quality.reports.take(body).await),
        }
    }
}

/// As far as one comes without waiting.
pub(super) fn begun(edge: &Rc<Edge>, asked: &mut Asked, peer: &Peer) -> Begun {
    if let Some(said) = first_word(edge, asked, peer) {
        return Begun::Answered(response::said(edge, said, &asked.method));
    }
    if edge.coverage.wants(asked) {
        return Begun::Told(Told::Coverage);
    }
    if edge.feedback.wants(asked) {
        return Begun::Told(Told::Feedback);
    }
    if Paper::of(&asked.method, asked.target.path()) == Some(Paper::Quality) {
        return Begun::Told(Told::Quality);
    }
    if let Some(paper) = own::Paper::of(asked, &edge.config.support) {
        let (headers, body) = paper.write(edge.upstream.groups(), &edge.config.support, Instant::now());
        return Begun::Answered(response::said(edge, Said::Standing(headers, body), &asked.method));
    }
    let admitted = match admit(edge, asked, peer) {
        Ok(admitted) => admitted,
        Err(answer) => return Begun::Answered(answer),
    };
    if !asked.is_cacheable() {
        return Begun::Changing(admitted);
    }
    match found(edge, asked) {
        Ok(answer) => Begun::Answered(admitted.give(answer, &peer.standing)),
        Err(primary) => Begun::Lacking(primary, admitted),
    }
}

/// The answer to a GET or HEAD, where memory holds it fresh and whole; else the key of what is asked for.
pub(super) fn found(edge: &Rc<Edge>, asked: &mut Asked) -> Result<Answer, CacheKey> {
    let route = edge.upstream.groups().route(&asked.host, asked.target.path());
    let policy = edge.config.cache.of(route);
    asked.target = policy.query.normalise(std::mem::take(&mut asked.target));
    let primary = key_by(edge, route, asked);
    match find_fresh(&edge.memory, &primary, asked, policy.client_reload, asked.came) {
        Some(object) if lacking(edge, asked, &object).is_none() => {
            let status = CacheStatus { hit: true, ..CacheStatus::default() };
            Ok(response::stored(edge, asked, &object, Outcome::Hit, status, asked.came))
        }
        _ => Err(primary),
    }
}

/// What the listener and the day plan have to say before anything is looked up.
fn first_word(edge: &Edge, asked: &mut Asked, peer: &Peer) -> Option<Said> {
    if let Some(to) = peer.to_https.and_then(|port| policy::moved(asked, port)) {
        return Some(Said::Moved(to));
    }
    let shut = edge.release.judge(asked);
    shut.or_else(|| edge.door.judge(asked, &peer.standing, edge.overload.level()).map(Said::Waiting))
}

/// What an answer is given when there is room for it.
pub(super) struct Admitted {
    class: Class,
    /// Among the large downloads, where it is one.
    place: Option<Place>,
}

impl Admitted {
    /// Notes what the connection plays.
    fn give(self, mut answer: Answer, standing: &Standing) -> Answer {
        if let Some(place) = self.place {
            answer.body_mut().pace(place);
        }
        if self.class == Class::Media && answer.status().is_success() {
            standing.note_playing();
        }
        answer
    }
}

/// Whether there is room for it, or what is said where there is none.
fn admit(edge: &Edge, asked: &mut Asked, peer: &Peer) -> Result<Admitted, Answer> {
    let (share, client) = (&edge.config.client_share, peer.address.ip());
    if share.is_exceeded(client, &peer.standing) {
        return Err(response::too_many(edge, edge.overload.refuses_request()));
    }
    let pace = if asked.planned { Pace::Usual } else { share.pace(&edge.rates, client, &peer.standing) };
    if pace == Pace::Refused {
        return Err(response::too_many(edge, edge.overload.refuses_rate()));
    }
    edge.metrics.quality.hear(asked, asked.came);
    let class = asked.class;
    // Nodes that fill are no students, and come from anywhere.
    if class.begins(&peer.standing) && !asked.planned && !edge.owner.serves(client) {
        return Err(response::elsewhere(edge));
    }
    if class.begins(&peer.standing) && !edge.overload.is_calm() {
        asked.session = share.session(client, &peer.standing, pace);
        if let Some(what) = edge.overload.sheds_session(asked.session) {
            return Err(response::shed(edge, what));
        }
    }
    match Resources::is_one(asked.target.path()).then(|| edge.resources.admit(&edge.overload)) {
        Some(Err(Full)) => Err(response::downloads_full(edge, edge.overload.refuses_download())),
        place => Ok(Admitted { class, place: place.and_then(Result::ok) }),
    }
}
