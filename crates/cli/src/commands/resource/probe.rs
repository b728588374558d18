//! `airclass resource probe`: asks each platform of the directory whether it is there, rarely and a few at once, and publishes what it
//! found, so that pages mark those that are not, also where no edge stands before them.

use super::{ResourceFault, say};
use crate::clock;
use conformance::{Ask, Fetch, FetchError, Http, HttpOptions, Url};
use faults::AnyFault;
use package::LessonId;
use package::platforms::{Platform, Platforms, Reach, Standing, platforms_path, standing_path};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};
use storage::Store;
use tokio::runtime::Runtime;

/// The longest wait for one answer: who waits longer for a page has left.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries of one that gave no answer: one lost packet is no outage.
const BETWEEN_TRIES: Duration = Duration::from_secs(5);
/// Tries, all of which have to fail.
const TRIES: usize = 2;
/// The longest directory that is read.
const MAX_PLATFORMS_BYTES: usize = 1 << 20;

/// Looks once, or again and again with `every` between, until the process is ended.
pub(super) fn run(
    runtime: &Runtime,
    store: &Store,
    every: Option<Duration>,
    cacert: Option<&Path>,
) -> Result<(), AnyFault> {
    let options = HttpOptions {
        timeout: PATIENCE,
        user_agent: "airclass-probe",
        cacert: cacert.map(Path::to_path_buf),
        ..HttpOptions::default()
    };
    let http = Http::new(&options).map_err(ResourceFault::Client)?;
    loop {
        let found = runtime.block_on(store.get(&platforms_path(), MAX_PLATFORMS_BYTES))?;
        let platforms = found.map_or(Ok(Platforms::default()), |found| {
            Platforms::from_json(&found.bytes).map_err(ResourceFault::Platforms)
        })?;
        let reached = look(&http, &platforms.platforms);
        let down = reached.values().filter(|reach| **reach == Reach::Down).count();
        let at_s = clock::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let standing = Standing { at_s, platforms: reached };
        runtime.block_on(store.put(&standing_path(), standing.to_bytes().into()))?;
        say(&format!("{} platforms, {down} of them cannot be reached", standing.platforms.len()))?;
        let Some(every) = every else { return Ok(()) };
        http.pause(every);
    }
}

/// Which of them give an answer of any kind.
fn look(fetch: &dyn Fetch, platforms: &[Platform]) -> BTreeMap<LessonId, Reach> {
    let (next, reached) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..fetch.parallel().min(platforms.len()) {
            scope.spawn(|| {
                while let Some(platform) = platforms.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let reach = if is_there(fetch, &platform.url) { Reach::Up } else { Reach::Down };
                    let mut reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
                    reached.insert(platform.id.clone(), reach);
                }
            });
        }
    });
    reached.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn is_there(fetch: &dyn Fetch, url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    (0..TRIES).any(|time| {
        if time > 0 {
            fetch.pause(BETWEEN_TRIES);
        }
        match fetch.get(&Ask::head(&url)) {
            Ok(_) => true,
            // It is there and does not like our question; pages that ask who is there lead in circles.
            Err(FetchError::Missing(_) | FetchError::TooLong(_) | FetchError::Protocol(_)) => true,
            Err(FetchError::Status(status)) => status < 500,
            Err(
                FetchError::Address(_) | FetchError::Unreachable(_) | FetchError::Tls(_) | FetchError::Io(_),
            ) => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::Answer;

    /// Answers by the host's name; a number is a status.
    #[derive(Default)]
    struct Script(Mutex<BTreeMap<String, usize>>);

    impl Fetch for Script {
        fn get(&self, ask: &Ask<'_>) -> Result<Answer, FetchError> {
            let host = ask.url.host_str().unwrap().split('.').next().unwrap().to_owned();
            let mut asked = self.0.lock().unwrap();
            let times = asked.entry(host.clone()).or_default();
            *times += 1;
            match host.as_str() {
                "well" => Ok(Answer::default()),
                "shaky" if *times > 1 => Ok(Answer::default()),
                "missing" => Err(FetchError::Missing("404".into())),
                "tls" => Err(FetchError::Tls("expired".into())),
                "gone" | "shaky" => Err(FetchError::Unreachable("refused".into())),
                status => Err(FetchError::Status(status.parse().unwrap())),
            }
        }

        fn pause(&self, _: Duration) {}
    }

    #[test]
    fn whoever_answers_is_there_and_one_lost_packet_is_no_outage() {
        let cases = [
            ("well", Reach::Up),
            ("shaky", Reach::Up),
            ("missing", Reach::Up),
            ("403", Reach::Up),
            ("405", Reach::Up),
            ("503", Reach::Down),
            ("tls", Reach::Down),
            ("gone", Reach::Down),
        ];
        let platform = |name: &str| Platform {
            id: name.parse().unwrap(),
            zh: "甲".into(),
            en: "A".into(),
            url: format!("https://{name}.example/"),
            group: None,
            instead: None,
        };
        let platforms: Vec<_> = cases.iter().map(|(name, _)| platform(name)).collect();
        let script = Script::default();
        let reached = look(&script, &platforms);
        for (name, reach) in cases {
            assert_eq!(reached[&name.parse().unwrap()], reach, "{name}");
        }
        assert!(script.0.into_inner().unwrap().values().all(|times| *times <= TRIES));
        assert!(look(&Script::default(), &[]).is_empty());
    }
}
