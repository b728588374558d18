//! Day plans that lie in the store of an origin which follows none: what they shut is open to everybody, and nobody would know.

use jiff::Timestamp;
use jiff::civil::Date;
use std::time::Duration;
use storage::Store;
use telemetry::Readiness;
use timetable::{Zone, plan_path};

/// How often the store is looked at, until one is found.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What is wrong, and what to do.
const PROBLEM: &str =
    "the store has a day plan, and this origin follows none, so every lesson is open; set `plan.keys`";

/// Looks until there is a plan of today or tomorrow, and says so once. For an origin without `plan.keys`.
pub(crate) async fn tell(store: &Store, limit: Duration, now: impl Fn() -> Timestamp, readiness: &Readiness) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        if let Ok(Some(date)) = tokio::time::timeout(limit, find(store, now())).await {
            tracing::warn!(%date, "{PROBLEM}");
            return readiness.note("plans", PROBLEM);
        }
    }
}

/// The day, of today and tomorrow, that the store has a plan for. A store that cannot say is told of elsewhere.
async fn find(store: &Store, now: Timestamp) -> Option<Date> {
    let today = Zone::CHINA.local(now).date();
    for date in [Ok(today), today.tomorrow()].into_iter().flatten() {
        if let Ok(Some(_)) = store.head(&plan_path(date)).await {
            return Some(date);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use telemetry::{Check, Telemetry};

    #[tokio::test]
    async fn a_plan_that_nobody_obeys_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().to_str().unwrap()).await.unwrap();
        let now: Timestamp = "2026-08-31T12:00:00+08:00".parse().unwrap();
        store.put(&plan_path(jiff::civil::date(2026, 8, 30)), Bytes::from("{}")).await.unwrap();
        assert_eq!(find(&store, now).await, None, "yesterday's shuts nothing any more");
        let tomorrow = jiff::civil::date(2026, 9, 1);
        store.put(&plan_path(tomorrow), Bytes::from("{}")).await.unwrap();
        assert_eq!(find(&store, now).await, Some(tomorrow));
        let telemetry = Telemetry::new("origin");
        tell(&store, Duration::from_secs(10), || now, &telemetry.readiness).await;
        telemetry.readiness.pass(Check::Store);
        let report = telemetry.readiness.report();
        assert!(report.contains("plans: the store has a day plan, and this origin follows none"), "{report}");
    }
}
