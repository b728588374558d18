//! An answer on its way to a client: what it is of, how long it takes, and the line that says so. It ends with the body.

mod answered;
mod kind;
mod lessons;
pub(crate) mod trace;
mod watched;

pub(crate) use answered::Answered;
pub(crate) use kind::{Kind, Rung};
pub(crate) use lessons::Lessons;
pub(crate) use watched::{Most, Watched};

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::outcome::{Outcome, Tier};
use crate::paper::Paper;
use crate::response::Answer;
use accesslog::{Entry, Facts, Fields, Pen, text};
use http::{Version, header, request};
use jiff::Timestamp;
use package::PackageId;
use serve::{Peer, Scheme};
use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;

/// How long a segment plays. One that takes longer to a client who wants the next stops a picture.
const PLAYS: Duration = Duration::from_millis(4_800);

/// What is noted of an answer when its request comes.
pub(crate) struct Delivery {
    began: Instant,
    version: Version,
    kind: Kind,
    rung: Rung,
    package: Option<PackageId>,
    line: Option<Line>,
}

/// What of a line is known then.
struct Line {
    pen: Pen,
    entry: Box<Entry>,
}

impl Delivery {
    /// Of a request that has come `now`.
    pub(crate) fn begin(head: &request::Parts, peer: &Peer, pen: Option<&Pen>, now: Instant) -> Self {
        let path = head.uri.path();
        // A time and a network beside a word are what would tell of a child.
        let pen = pen.filter(|_| Paper::of(&head.method, path).is_none());
        let line = pen.map(|pen| Line { pen: pen.clone(), entry: entry(pen.blank(), head, peer) });
        Self {
            began: now,
            version: head.version,
            kind: Kind::of(path),
            rung: Rung::of(path),
            package: watched::package_of(path),
            line,
        }
    }

    /// Its head is about to go out: the rest of it is told by the body.
    pub(crate) fn goes_out(mut self, mut answer: Answer, metrics: &Metrics) -> Answer {
        metrics.first_byte(answer.body().outcome(), self.began.elapsed());
        metrics.answered.count(self.version, answer.status());
        if let Some(line) = &mut self.line {
            line.entry.facts.status = answer.status();
            line.entry.facts.trace = trace::next();
            match answer.body_mut().ready_mut() {
                Some(ready) => {
                    line.entry.words.answered_with(ready.content_type());
                    trace::tell_ready(line.entry.facts.trace, ready);
                }
                None => {
                    line.entry.words.answered_with(answer.headers().get(header::CONTENT_TYPE));
                    trace::tell(line.entry.facts.trace, answer.headers_mut());
                }
            }
        }
        answer.body_mut().tell(self);
        answer
    }

    /// It is over: `sent` bytes of its body were handed over, which was all of it, or was not.
    pub(crate) fn ends(self, outcome: Outcome, sent: u64, whole: bool, metrics: &Metrics) {
        metrics.delivered(self.kind, self.rung, sent);
        // Our own words are of no lesson, whatever was asked for.
        let watched = self.package.filter(|_| sent > 0 && outcome.tier() != Tier::Own);
        let is_segment = self.kind == Kind::Segment && sent > 0;
        // Nobody else asks how late it is.
        if watched.is_none() && !is_segment && self.line.is_none() {
            return;
        }
        let now = Instant::now();
        let took = now - self.began;
        if let Some(package) = watched {
            metrics.watched.count(package, sent, now);
        }
        if is_segment {
            metrics.segment_delivered(self.rung, took, took > PLAYS);
        }
        let Some(mut line) = self.line else { return };
        line.entry.facts = Facts {
            at: Timestamp::try_from(Clock.now()).unwrap_or(Timestamp::UNIX_EPOCH),
            took,
            sent,
            whole,
            cache: outcome.as_str(),
            hit: outcome.is_hit(),
            fill: outcome.asks_upstream(),
            coalesced: outcome == Outcome::Collapsed,
            ..line.entry.facts
        };
        line.pen.write(line.entry);
    }
}

/// What a request says, on a blank.
fn entry(mut entry: Box<Entry>, head: &request::Parts, peer: &Peer) -> Box<Entry> {
    let field = |name| head.headers.get(name);
    let authority = || head.uri.authority().map_or("", |host| host.as_str());
    let fields = Fields {
        host: field(header::HOST).map_or_else(authority, |host| text(Some(host))),
        referer: field(header::REFERER),
        agent: field(header::USER_AGENT),
        range: field(header::RANGE),
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    entry.words.asked(&head.method, target, &fields);
    entry.facts = Facts {
        client: peer.address.ip(),
        port: peer.address.port(),
        https: peer.scheme == Scheme::Https,
        version: head.version,
        ..Facts::default()
    };
    entry
}
