//! What a page tells on its own (CMCD's event mode, CTA-5004-A): how long answers took to reach it, which never came, what
//! became of a session that asks for nothing any more. Requests cannot tell that: a player that stands still sends none.
//!
//! `POST /cmcd`, a few lines of keys. Lines are counted and gone; no session's name is in them, and one that is sent is not read.
//! What is not of this form counts for nothing, all of it.

use super::keys::{members, number, string};
use super::{LONGEST_CLAIM_MS, START_BUCKETS};
use crate::delivery::Rung;
use crate::metrics::histograms;
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use prometheus::{Histogram, IntCounter};
use std::time::Duration;
use telemetry::{Label, Telemetry};

/// Longer reports are none: some minutes of a page's.
const MAX_REPORT_BYTES: usize = 8 << 10;
/// More lines are none.
const MAX_LINES: usize = 48;
/// From a node next door to what most would have given up.
const ANSWER_BUCKETS: [f64; 9] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.4, 4.8, 15.0];

/// What a player does (`sta`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has begun, and nothing plays yet.
    Starting,
    /// It plays.
    Playing,
    /// It stands still for want of data.
    Rebuffering,
    /// Somebody has stopped it.
    Paused,
    /// The lesson is over.
    Ended,
    /// It cannot go on.
    Failed,
    /// It is left.
    Left,
}

impl State {
    fn parse(word: &str) -> Option<Self> {
        let letter = |state: &&Self| word == state.letter();
        Self::ALL.iter().find(letter).copied()
    }

    const fn letter(self) -> &'static str {
        match self {
            Self::Starting => "s",
            Self::Playing => "p",
            Self::Rebuffering => "r",
            Self::Paused => "a",
            Self::Ended => "e",
            Self::Failed => "f",
            Self::Left => "q",
        }
    }
}

impl Label for State {
    const ALL: &'static [Self] = &[
        Self::Starting,
        Self::Playing,
        Self::Rebuffering,
        Self::Paused,
        Self::Ended,
        Self::Failed,
        Self::Left,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Playing => "playing",
            Self::Rebuffering => "rebuffering",
            Self::Paused => "paused",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// How an answer was, as a page saw it (`rc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    /// 2xx.
    Well,
    /// 4xx and anything else.
    Refused,
    /// 5xx.
    Failed,
    /// None came, or not all of it.
    Never,
}

impl Answered {
    fn of(status: u64) -> Self {
        match status {
            0 => Self::Never,
            200..=299 => Self::Well,
            500..=599 => Self::Failed,
            _ => Self::Refused,
        }
    }
}

impl Label for Answered {
    const ALL: &'static [Self] = &[Self::Well, Self::Refused, Self::Failed, Self::Never];

    fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Never => "never",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    /// An answer (`rr`): its status, milliseconds to its first and last byte, and what was asked for.
    Response { answered: Answered, first_ms: Option<u64>, last_ms: Option<u64>, rung: Rung },
    /// The player does something else (`ps`); where it is left, what it did until then.
    State { state: State, before: Option<State> },
    /// Any other of the standard's events, which nobody counts here.
    Other,
}

/// What is counted of it.
#[derive(Debug)]
pub(crate) struct Reports {
    taken: IntCounter,
    malformed: IntCounter,
    answers: Vec<IntCounter>,
    states: Vec<IntCounter>,
    left: Vec<IntCounter>,
    first_byte: Histogram,
    whole: Vec<Histogram>,
}

impl Reports {
    pub(super) fn register(telemetry: &Telemetry) -> Self {
        Self {
            taken: telemetry.counter("edge_cmcd_reports_total", "Reports of pages (CMCD's event mode)"),
            malformed: telemetry
                .counter("edge_cmcd_malformed_reports_total", "Reports of pages that were none"),
            answers: telemetry::counters::<Answered>(
                telemetry,
                "edge_cmcd_answers_total",
                "Answers that players told of, by how they were: failures all, of others one in eight",
                "answer",
            ),
            states: telemetry::counters::<State>(
                telemetry,
                "edge_cmcd_states_total",
                "Times that players began to do something, by what it was",
                "state",
            ),
            left: telemetry::counters::<State>(
                telemetry,
                "edge_cmcd_left_total",
                "Lessons that were left, by what the player did then",
                "while",
            ),
            first_byte: telemetry.seconds(
                "edge_cmcd_first_byte_seconds",
                "From a player's question for a segment to the first byte there; of one answer in eight",
                &START_BUCKETS,
            ),
            whole: histograms::<Rung>(
                telemetry,
                "edge_cmcd_answer_seconds",
                "From a player's question for a segment to the last byte there, by rung; of one answer in eight",
                "rung",
                &ANSWER_BUCKETS,
            ),
        }
    }

    /// Counts the report in `body`.
    pub(crate) async fn take(&self, body: serve::RequestBody) -> StatusCode {
        let body = Limited::new(body, MAX_REPORT_BYTES).collect().await;
        self.hear(body.map(|body| body.to_bytes()).unwrap_or_default().as_ref())
    }

    fn hear(&self, body: &[u8]) -> StatusCode {
        let Some(events) = std::str::from_utf8(body).ok().and_then(parse) else {
            self.malformed.inc();
            return StatusCode::BAD_REQUEST;
        };
        self.taken.inc();
        events.iter().for_each(|event| self.count(event));
        StatusCode::NO_CONTENT
    }

    fn count(&self, event: &Event) {
        let seconds = |ms: u64| Duration::from_millis(ms.min(LONGEST_CLAIM_MS)).as_secs_f64();
        match *event {
            Event::Response { answered, first_ms, last_ms, rung } => {
                self.answers[answered.index()].inc();
                if let Some(first) = first_ms {
                    self.first_byte.observe(seconds(first));
                }
                if let Some(last) = last_ms {
                    self.whole[rung.index()].observe(seconds(last));
                }
            }
            Event::State { state, before } => {
                self.states[state.index()].inc();
                if state == State::Left
                    && let Some(before) = before
                {
                    self.left[before.index()].inc();
                }
            }
            Event::Other => {}
        }
    }
}

/// A report's lines; `None` where one of them is none, or there are none or too many.
fn parse(text: &str) -> Option<Vec<Event>> {
    let lines: Vec<_> = text.lines().take(MAX_LINES + 1).collect();
    if lines.is_empty() || lines.len() > MAX_LINES {
        return None;
    }
    lines.into_iter().map(event).collect()
}

/// One line: keys of the second edition, an event among them.
fn event(line: &str) -> Option<Event> {
    if !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    let (mut edition, mut kind, mut status, mut state, mut before) = (None, None, None, None, None);
    let (mut first_ms, mut last_ms, mut url) = (None, None, None);
    for member in members(line) {
        let (key, value) = member.split_once('=').unwrap_or((member, "?1"));
        match key {
            "v" => edition = number(value),
            "e" => kind = Some(value),
            "rc" => status = Some(number(value)?),
            "ttfb" => first_ms = Some(number(value)?),
            "ttlb" => last_ms = Some(number(value)?),
            "sta" => state = Some(State::parse(value)?),
            "com.airclass-was" => before = Some(State::parse(value)?),
            "url" => url = string(value),
            _ => {}
        }
    }
    if edition != Some(2) {
        return None;
    }
    match kind? {
        "rr" => {
            let rung = url.as_deref().map_or(Rung::None, Rung::of);
            Some(Event::Response { answered: Answered::of(status?), first_ms, last_ms, rung })
        }
        "ps" => Some(Event::State { state: state?, before }),
        _ => Some(Event::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::Slot;
    use proptest::prelude::*;

    const SEGMENT: &str = "/p/0123456789abcdef0123456789abcdef01234567/s2/00017.m4s";

    fn reports() -> Reports {
        Reports::register(&Telemetry::new("test"))
    }

    #[test]
    fn lines_are_added_up() {
        let reports = reports();
        let report = format!(
            "e=ps,sta=s,ts=1788222600000,v=2\ne=rr,rc=200,ts=1788222601000,ttfb=120,ttlb=900,url=\"{SEGMENT}\",v=2\n\
             e=ps,sta=p,v=2\ne=rr,rc=0,v=2\ne=rr,rc=503,v=2\ne=rr,rc=404,v=2\ne=ps,sta=r,v=2\ne=m,v=2\n\
             com.airclass-was=r,e=ps,sid=\"nobody reads this\",sta=q,v=2\n"
        );
        assert_eq!(reports.hear(report.as_bytes()), StatusCode::NO_CONTENT);
        let answers: Vec<_> = reports.answers.iter().map(IntCounter::get).collect();
        assert_eq!(answers, [1, 1, 1, 1]);
        assert_eq!(reports.whole[Rung::Picture(Slot::S2).index()].get_sample_sum(), 0.9);
        assert_eq!(reports.first_byte.get_sample_count(), 1);
        assert_eq!(reports.states[State::Playing.index()].get(), 1);
        assert_eq!(reports.left[State::Rebuffering.index()].get(), 1);
        assert_eq!((reports.taken.get(), reports.malformed.get()), (1, 0));
    }

    #[test]
    fn what_is_of_another_form_counts_for_nothing_all_of_it() {
        let good = "e=ps,sta=p,v=2";
        for text in [
            "",
            "\n",
            "{\"name\":\"小明\"}",
            "e=ps,sta=p",
            "e=ps,sta=p,v=1",
            "e=ps,v=2",
            "e=ps,sta=x,v=2",
            "e=rr,v=2",
            "e=rr,rc=-1,v=2",
            "e=rr,rc=200,ttfb=x,v=2",
            "v=2",
            &format!("{good}\ne=ps,sta=课,v=2"),
            &format!("{good}\n").repeat(MAX_LINES + 1),
        ] {
            let reports = reports();
            assert_eq!(reports.hear(text.as_bytes()), StatusCode::BAD_REQUEST, "{text:.40}");
            assert_eq!(reports.states[State::Playing.index()].get(), 0, "{text:.40}");
        }
        let reports = reports();
        assert_eq!(reports.hear(&[0xff, 0xfe]), StatusCode::BAD_REQUEST);
        assert_eq!(reports.hear(b"e=rr,rc=200,ttlb=99999999999,v=2"), StatusCode::NO_CONTENT);
        assert!(reports.whole[Rung::None.index()].get_sample_sum() <= 120.0, "boasting is bounded");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[-a-z0-9=,;()\"\\\\?%. \n]{0,80}") {
            let _ = parse(&text);
        }
    }
}
