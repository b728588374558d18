//! Class coverage (学情): words of devices that wish it, counted by class, lesson and minute, and nothing else kept.
//!
//! `POST /coverage` is answered here and goes no further: no connection, address, time or word outlives its being counted. A
//! thread adds each day's numbers once a minute to a file of its own, which `airclass coverage` puts together with those of
//! other nodes. While one process makes way for another both add to it.

mod files;

use crate::paper::Paper;
use crate::policy::Release;
use crate::request::Asked;
use ::coverage::{MAX_WORD_BYTES, Refusal, Tally, Word};
use files::Files;
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use jiff::civil::Date;
use prometheus::IntCounter;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use telemetry::{Label as _, Telemetry, counters};

/// Days that are counted at once: today, and the one before for those who watch past midnight.
const DAYS: usize = 2;

telemetry::label_of! {
    /// Why a word was not counted.
    struct Reason(Refusal);
}

/// Days by date.
type Days = BTreeMap<Date, Counted>;

/// A day's numbers.
#[derive(Debug)]
struct Counted {
    /// All that this process knows of.
    tally: Tally,
    /// What of it is still to be written: another process may count for the same file.
    fresh: Tally,
}

/// Where words are counted. Cheap to clone; without a folder it counts nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    release: Release,
    days: Arc<Mutex<Days>>,
    counted: IntCounter,
    refused: Vec<IntCounter>,
    /// Writes once more when the last core lets go.
    _files: Files,
}

impl Coverage {
    /// Counts words about the plan's lessons and keeps numbers in `folder`; `None`: words are none of this node's business.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn start(
        folder: Option<PathBuf>,
        release: &Release,
        telemetry: &Telemetry,
    ) -> io::Result<Self> {
        let Some(folder) = folder else { return Ok(Self(None)) };
        let days = Arc::<Mutex<Days>>::default();
        let errors = telemetry.counter(
            "edge_coverage_write_errors_total",
            "Times numbers of classes could not be written down",
        );
        Ok(Self(Some(Arc::new(Inner {
            release: release.clone(),
            _files: Files::start(folder, Arc::clone(&days), errors)?,
            days,
            counted: telemetry
                .counter("edge_coverage_words_total", "Words of devices counted for their classes"),
            refused: counters::<Reason>(
                telemetry,
                "edge_coverage_refused_total",
                "Words of devices that were not counted, by reason",
                "reason",
            ),
        }))))
    }

    /// Whether this is a word for us.
    pub(crate) fn wants(&self, asked: &Asked) -> bool {
        self.0.is_some() && Paper::of(&asked.method, asked.target.path()) == Some(Paper::Coverage)
    }

    /// Counts the word in `body`.
    pub(crate) async fn take(&self, body: serve::RequestBody) -> StatusCode {
        let Some(inner) = &self.0 else { return StatusCode::NOT_FOUND };
        let body = Limited::new(body, MAX_WORD_BYTES).collect().await;
        inner.hear(body.map(|body| body.to_bytes()).unwrap_or_default().as_ref())
    }
}

/// What a device hears. It does nothing with it: what was not counted is not said again.
const fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::Malformed => StatusCode::BAD_REQUEST,
        Refusal::Unplanned => StatusCode::NOT_FOUND,
        Refusal::LowerGrades => StatusCode::FORBIDDEN,
        Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl Inner {
    fn hear(&self, body: &[u8]) -> StatusCode {
        let word = Word::parse(body).map_err(|_| Refusal::Malformed);
        match word.and_then(|word| self.count(word)) {
            Ok(()) => {
                self.counted.inc();
                StatusCode::NO_CONTENT
            }
            Err(refusal) => {
                self.refused[Reason(refusal).index()].inc();
                status(refusal)
            }
        }
    }

    /// A word about a lesson that is open, by the youngest plan that has it.
    fn count(&self, word: Word) -> Result<(), Refusal> {
        let plans = self.release.plans().ok_or(Refusal::Unplanned)?;
        let current = plans.snapshot();
        let now = plans.clock().opens_by();
        let open = |plan: &timetable::Plan| {
            let lesson = plan.lesson(word.lesson.as_str())?;
            (lesson.release <= now).then(|| {
                let minutes = lesson.segments.millis().div_ceil(60_000);
                (plan.date, lesson.grades.clone(), u16::try_from(minutes).unwrap_or(u16::MAX))
            })
        };
        let (date, grades, minutes) = current.plans().rev().find_map(open).ok_or(Refusal::Unplanned)?;
        let mut days = lock(&self.days);
        let day = days.entry(date).or_insert_with(|| Counted::of(Tally::new(date)));
        day.tally.count(word.clone(), &grades, minutes)?;
        day.fresh.count(word, &grades, minutes)
    }
}

impl Counted {
    /// Numbers that are written.
    fn of(tally: Tally) -> Self {
        Self { fresh: Tally::new(tally.day), tally }
    }

    /// What is to be written, from here on with whoever takes it.
    fn take_fresh(&mut self) -> Tally {
        std::mem::replace(&mut self.fresh, Tally::new(self.tally.day))
    }

    /// What was taken is in `written`, with all that is there of the day; `None`: it could not be written, and still is to be.
    fn settle(&mut self, written: Option<Tally>, taken: &Tally) {
        let (own, other) = match written {
            Some(written) => {
                self.tally = written;
                (&mut self.tally, &self.fresh)
            }
            None => (&mut self.fresh, taken),
        };
        own.merge(other).expect("both are of this day");
    }
}

fn lock(days: &Mutex<Days>) -> MutexGuard<'_, Days> {
    days.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
