//! Where plans come from.

use crate::clock::Sample;
use crate::door::{self, CLOCK_FIELD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use package::Digest;
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use timetable::{HEARD, MAX_ENVELOPE_BYTES, SignedPlan};

/// Gives what is published as a day's plan. Never has to be sent to another thread.
pub trait Source {
    /// What there is for `date` while it is `today`; `known` names the text that is followed already.
    fn fetch(
        &self,
        date: Date,
        today: Date,
        known: Option<Digest>,
    ) -> impl Future<Output = Result<Fetched, Unheard>>;
}

/// An answer of a source.
#[derive(Debug)]
pub struct Fetched {
    /// What is published.
    pub published: Published,
    /// What the source's clock said.
    pub sample: Option<Sample>,
    /// How long ago the source was filled by somebody who says so; zero where it is its own.
    pub age: Duration,
}

/// What is published as the plan of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// Nothing.
    Nothing,
    /// Nothing, and that says little: who answers follows no plans.
    NotFollowed,
    /// What is followed already.
    AsKnown,
    /// This.
    Envelope(Bytes),
}

/// Why a source gave no answer, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard(pub String);

/// The time between question and answer beyond which the clock in it says nothing.
const SLOW: Duration = Duration::from_secs(2);

/// Reads the answer of a node to a question for [`door::target`]. `sent` and `received` are of this node's clock.
///
/// # Errors
/// When it is none that says whether there is a plan.
pub fn read_answer(
    (status, headers, body): (StatusCode, &HeaderMap, Bytes),
    sent: Timestamp,
    received: Timestamp,
) -> Result<Fetched, Unheard> {
    let published = match status {
        StatusCode::OK => Published::Envelope(body),
        StatusCode::NOT_MODIFIED => Published::AsKnown,
        // A node that follows plans tells its clock with each answer about them.
        StatusCode::NOT_FOUND | StatusCode::GONE if headers.contains_key(CLOCK_FIELD) => Published::Nothing,
        StatusCode::NOT_FOUND | StatusCode::GONE => Published::NotFollowed,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(Unheard(
                "the source does not know this node: compare the files of `plan.tokens`".into(),
            ));
        }
        status => return Err(Unheard(format!("the source answered {}", status.as_u16()))),
    };
    Ok(Fetched { published, sample: sample(headers, sent, received), age: Duration::ZERO })
}

/// The fields of a question for a plan.
pub(crate) fn question(shown: Option<&HeaderValue>, known: Option<Digest>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(shown) = shown {
        headers.insert(header::AUTHORIZATION, shown.clone());
    }
    if let Some(digest) = known {
        headers.insert(header::IF_NONE_MATCH, door::tag(&digest));
    }
    headers
}

impl crate::Plans {
    /// The fields of a question for a plan to another node.
    pub fn question(&self, known: Option<Digest>) -> HeaderMap {
        question(self.tokens().shown(), known)
    }
}

/// The source's clock: at some moment between question and answer it showed what the answer says.
fn sample(headers: &HeaderMap, sent: Timestamp, received: Timestamp) -> Option<Sample> {
    let took = Duration::try_from(received.duration_since(sent)).ok().filter(|took| *took <= SLOW)?;
    let (theirs, grain) = match headers.get(CLOCK_FIELD) {
        Some(exact) => (Timestamp::from_millisecond(exact.to_str().ok()?.parse().ok()?).ok()?, 1),
        None => {
            let date = httpcache::date::parse(headers.get(header::DATE)?.to_str().ok()?)?;
            // Somewhere within that second.
            let middle =
                Timestamp::try_from(date).ok()?.checked_add(SignedDuration::from_millis(500)).ok()?;
            (middle, 500)
        }
    };
    let ours = sent.checked_add(SignedDuration::try_from(took / 2).ok()?).ok()?;
    let uncertain = took / 2 + Duration::from_millis(grain);
    Some(Sample { ahead: ours.duration_since(theirs), uncertain })
}

/// A file with one plan, or a folder with a file a day.
#[derive(Debug, Clone)]
pub struct Files(PathBuf);

impl Files {
    /// At this path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Source for Files {
    async fn fetch(&self, date: Date, today: Date, _: Option<Digest>) -> Result<Fetched, Unheard> {
        let path = self.0.clone();
        let read = tokio::task::spawn_blocking(move || Ok((look(&path, date, today)?, age(&path)))).await;
        let (published, age) = match read {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                let error: io::Error = error;
                return Err(Unheard(error.to_string()));
            }
            Err(_) => return Err(Unheard("the reading thread ended".to_owned())),
        };
        Ok(Fetched { published, sample: None, age })
    }
}

/// How long ago an agent that fills this folder has heard its control; zero where none does.
fn age(path: &Path) -> Duration {
    let marked = std::fs::metadata(path.join(HEARD)).and_then(|mark| mark.modified());
    marked.ok().and_then(|marked| marked.elapsed().ok()).unwrap_or_default()
}

fn look(path: &Path, date: Date, today: Date) -> io::Result<Published> {
    if !path.is_dir() {
        let bytes = read(path)?;
        // What is for none of the days, or for no day at all, is judged as today's, and refused with the reason.
        let days = [today.yesterday(), Ok(today), today.tomorrow()];
        let named = day_of(&bytes).filter(|day| days.iter().flatten().any(|known| known == day));
        let its = named.unwrap_or(today);
        return Ok(if its == date { Published::Envelope(bytes) } else { Published::Nothing });
    }
    // As `compile` writes them, or the folder that it writes into.
    for folder in [path.to_path_buf(), path.join("plans")] {
        match read(&folder.join(format!("{date}.json"))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found.map(Published::Envelope),
        }
    }
    Ok(Published::Nothing)
}

/// An error names the file: of a folder one may be readable and the other not.
pub(crate) fn read(path: &Path) -> io::Result<Bytes> {
    let found = settings::followed_file(path, MAX_ENVELOPE_BYTES as u64).map(Bytes::from);
    found.map_err(|error| {
        let tell = match error.kind() {
            io::ErrorKind::PermissionDenied => "; make it readable for this user",
            _ => "",
        };
        io::Error::new(error.kind(), format!("{}: {error}{tell}", path.display()))
    })
}

/// The day that an envelope is said to be for, before anything of it is believed.
fn day_of(bytes: &[u8]) -> Option<Date> {
    #[derive(Deserialize)]
    struct Day {
        date: Date,
    }
    let SignedPlan { plan, .. } = SignedPlan::parse(bytes)?;
    serde_json::from_str(&plan).ok().map(|Day { date }| date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use testkit::plans as sample;

    #[tokio::test]
    async fn a_file_is_the_plan_of_its_day_and_a_folder_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let today = date(2026, 9, 1);
        let envelope = sample::envelope(&sample::plan());
        let file = folder.path().join("2026-09-01.json");
        std::fs::write(&file, &envelope).unwrap();
        let fetch = async |path: &Path, day, today| {
            Files::new(path.to_owned()).fetch(day, today, None).await.map(|fetched| fetched.published)
        };
        for path in [&file, folder.path()] {
            let found = fetch(path, today, today).await.unwrap();
            assert_eq!(found, Published::Envelope(envelope.clone()));
            assert_eq!(fetch(path, date(2026, 9, 2), today).await.unwrap(), Published::Nothing);
        }
        // An agent that fills the folder says how long its control is silent; a folder that nobody marks is its own source.
        let age = async || Files::new(folder.path().to_owned()).fetch(today, today, None).await.unwrap().age;
        assert_eq!(age().await, Duration::ZERO);
        let mark = std::fs::File::create(folder.path().join(HEARD)).unwrap();
        mark.set_modified(mark.metadata().unwrap().modified().unwrap() - Duration::from_secs(3_600)).unwrap();
        assert!(age().await >= Duration::from_secs(3_600));
        // A file for a day that is long past is looked at as today's, so that somebody says so.
        let later = date(2026, 10, 1);
        assert_eq!(fetch(&file, later, later).await.unwrap(), Published::Envelope(envelope));
        assert!(
            fetch(&folder.path().join("none.json"), today, today).await.unwrap_err().0.contains("none.json")
        );
        // A link to itself, which even root cannot read: the file is named, not the folder that is well.
        let tomorrow = folder.path().join("2026-09-02.json");
        std::os::unix::fs::symlink(&tomorrow, &tomorrow).unwrap();
        let Unheard(said) = fetch(folder.path(), date(2026, 9, 2), today).await.unwrap_err();
        assert!(said.contains("2026-09-02.json: "), "{said}");
    }

    #[test]
    fn answers_are_read() {
        let sent = sample::moment("08:00:00");
        let received = sample::moment("08:00:00.2");
        let answer = |status: u16, fields: &[(http::HeaderName, &str)]| {
            let headers: HeaderMap =
                fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
            read_answer((status.try_into().unwrap(), &headers, Bytes::from("x")), sent, received)
        };
        for (status, published) in [
            (200, Some(Published::Envelope("x".into()))),
            (304, Some(Published::AsKnown)),
            (404, Some(Published::NotFollowed)),
            (401, None),
            (502, None),
        ] {
            assert_eq!(answer(status, &[]).ok().map(|fetched| fetched.published), published, "{status}");
        }
        let nothing = answer(404, &[(CLOCK_FIELD, "1")]).unwrap();
        assert_eq!(nothing.published, Published::Nothing, "of a node that follows plans");
        let ahead = |fields: &[(http::HeaderName, &str)]| answer(304, fields).unwrap().sample;
        // Five seconds ahead of them, less the half of the way.
        let exact = (sent.as_millisecond() - 5_000).to_string();
        let sample = ahead(&[(CLOCK_FIELD, &exact)]).unwrap();
        assert_eq!(sample.ahead, SignedDuration::from_millis(5_100));
        assert_eq!(sample.uncertain, Duration::from_millis(101));
        let sample = ahead(&[(header::DATE, "Tue, 01 Sep 2026 00:00:00 GMT")]).unwrap();
        assert_eq!((sample.ahead, sample.uncertain.as_millis()), (SignedDuration::from_millis(-400), 600));
        assert_eq!(ahead(&[]), None);
    }
}
