//! 报告问题: reports of pages, taken here and written down for operators, at a pace that is the node's and nobody's own.
//!
//! `POST /feedback` is answered here and goes no further. What is kept is the report, which has no place for anything personal, and
//! the minute in which it came; the request is in no access log.

mod spool;

use crate::clock::Clock;
use crate::paper::Paper;
use crate::request::Asked;
use ::feedback::{Entry, FaultSeen, MAX_REPORT_BYTES, Pace, Report, ReportId};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use prometheus::IntCounter;
use spool::Spool;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use telemetry::{Label, Telemetry, counters};
use tokio::time::Instant;

/// When a page that was not heard may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("300");

telemetry::label_of! {
    /// What the page knew to be wrong.
    struct Fault(FaultSeen);
}

/// Why a report was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// It is none.
    Malformed,
    /// More come than are taken.
    Pace,
    /// The disk is slower than they come.
    Busy,
}

impl Label for Refused {
    const ALL: &'static [Self] = &[Self::Malformed, Self::Pace, Self::Busy];

    fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Pace => "pace",
            Self::Busy => "busy",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Refused {
    /// A page keeps what it may send again.
    const fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Pace => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Where reports are taken. Cheap to clone; without a folder it takes none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Feedback(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    pace: Mutex<Pace>,
    /// Where the pace is counted from: the wall clock may be set back.
    began: Instant,
    numbers: RandomState,
    spool: Spool,
    taken: Vec<IntCounter>,
    refused: Vec<IntCounter>,
}

/// The answer to a report.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Feedback {
    /// Takes reports and writes them into `folder`; `None`: they are none of this node's business.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn start(folder: Option<PathBuf>, telemetry: &Telemetry) -> io::Result<Self> {
        let Some(folder) = folder else { return Ok(Self(None)) };
        let lost = telemetry.counter("edge_feedback_lost_total", "Reports that could not be written down");
        Ok(Self(Some(Arc::new(Inner {
            pace: Mutex::default(),
            began: Instant::now(),
            numbers: RandomState::new(),
            spool: Spool::start(folder, lost)?,
            taken: counters::<Fault>(
                telemetry,
                "edge_feedback_reports_total",
                "Reports of pages, by what they knew to be wrong",
                "fault",
            ),
            refused: counters::<Refused>(
                telemetry,
                "edge_feedback_refused_total",
                "Reports that were not taken, by reason",
                "reason",
            ),
        }))))
    }

    /// Whether this is a report for us.
    pub(crate) fn wants(&self, asked: &Asked) -> bool {
        self.0.is_some() && Paper::of(&asked.method, asked.target.path()) == Some(Paper::Feedback)
    }

    /// Takes the report in `body`.
    pub(crate) async fn take(&self, body: serve::RequestBody) -> Received {
        let Some(inner) = &self.0 else { return Received::refusal(StatusCode::NOT_FOUND) };
        let body = Limited::new(body, MAX_REPORT_BYTES).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        inner.hear(&body, Clock.now(), inner.began.elapsed())
    }
}

impl Inner {
    fn hear(&self, body: &[u8], now: SystemTime, elapsed: Duration) -> Received {
        match self.keep(body, now, elapsed) {
            Ok(id) => Received::number(id),
            Err(refused) => {
                self.refused[refused.index()].inc();
                Received::refusal(refused.status())
            }
        }
    }

    fn keep(&self, body: &[u8], now: SystemTime, elapsed: Duration) -> Result<ReportId, Refused> {
        let report = Report::parse(body).map_err(|_| Refused::Malformed)?;
        if !self.pace.lock().unwrap_or_else(PoisonError::into_inner).takes(elapsed) {
            return Err(Refused::Pace);
        }
        let fault = report.fault;
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let id = ReportId::draw(self.numbers.hash_one(since.as_nanos()));
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        if !self.spool.put(Entry::new(id, now, report).to_line()) {
            return Err(Refused::Busy);
        }
        self.taken[Fault(fault).index()].inc();
        Ok(id)
    }
}

impl Received {
    fn number(id: ReportId) -> Self {
        let body = format!("{{\"id\":\"{id}\"}}\n").into_bytes();
        let headers = HeaderMap::from_iter([
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        Self { status: StatusCode::ACCEPTED, headers, body }
    }

    fn refusal(status: StatusCode) -> Self {
        let mut headers =
            HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
        if status != StatusCode::BAD_REQUEST && status != StatusCode::NOT_FOUND {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        Self { status, headers, body: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
