use super::*;
use crate::store::{Blocks, Body};
use http::HeaderMap;
use httpcache::freshness::{Freshness, StaleUse};

fn key() -> CacheKey {
    CacheKey::primary("http", "a", "/x")
}

fn nothing() -> Option<()> {
    None
}

/// What must be asked about each time is for those who waited for it: one who had joined just before was sent to ask himself.
#[tokio::test]
async fn a_head_that_comes_right_behind_who_has_joined_is_its_own() {
    let (flights, now) = (Flights::default(), Instant::now());
    let Ok(Role::Lead(_, guard)) = flights.join(&key(), now, nothing) else { panic!("the first leads") };
    let Ok(Role::Follow(before)) = flights.join(&key(), now, nothing) else { panic!("the second follows") };
    let stale = StaleUse::default();
    let (initial_age, lifetime) = (Duration::ZERO, Duration::ZERO);
    let freshness = Freshness { initial_age, lifetime, stale, immutable: false };
    let body = Body::Complete(Arc::new(Blocks::default()));
    let object = Arc::new(Object::new(StatusCode::OK, HeaderMap::new(), freshness, now, body));
    let (way, said) = (Way::Direct, StatusCode::OK);
    guard.land(Landed::Fetched { object, variant: None, way, kept: true, said });
    let Ok(Role::Follow(behind)) = flights.join(&key(), now, nothing) else { panic!("the third follows") };
    assert_eq!((before.is_too_late(now), behind.is_too_late(now)), (false, true));
    let none_older = RequestDirectives { no_cache: true, ..RequestDirectives::default() };
    assert!(!before.is_too_old_for(&none_older, now) && behind.is_too_old_for(&none_older, now));
}

#[tokio::test]
async fn a_leader_that_vanishes_leaves_nobody_waiting() {
    let flights = Flights::default();
    let Ok(Role::Lead(_, guard)) = flights.join(&key(), Instant::now(), nothing) else {
        panic!("the first leads")
    };
    let Ok(Role::Follow(flight)) = flights.join(&key(), Instant::now(), nothing) else {
        panic!("the second follows")
    };
    let waiting = tokio::spawn(async move { flight.landed().await });
    drop(guard);
    assert!(matches!(waiting.await.unwrap(), Landed::Abandoned));
    assert!(matches!(flights.join(&key(), Instant::now(), nothing), Ok(Role::Lead(..))));
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_not_stored_nor_joined() {
    // RFC 9111 §4.4
    let flights = Flights::default();
    let Ok(Role::Lead(_, mut old)) = flights.join(&key(), Instant::now(), nothing) else {
        panic!("the first leads")
    };
    old.list_as(|| key().variant(1, "s"));
    let mut removed = false;
    flights.forget(&key(), || removed = true);
    assert!(removed);
    old.store(|| panic!("outdated"));
    let Ok(Role::Lead(_, new)) = flights.join(&key(), Instant::now(), nothing) else {
        panic!("the next leads")
    };
    drop(old);
    assert!(matches!(flights.join(&key(), Instant::now(), nothing), Ok(Role::Follow(_))));
    let mut stored = false;
    new.store(|| stored = true);
    assert!(stored);
}

#[tokio::test]
async fn a_fill_whose_place_another_has_taken_is_changed_and_purged_as_any() {
    type Happens = fn(&Flights) -> u64;
    let happens: [Happens; 2] = [
        |flights| {
            flights.forget(&key(), || ());
            2
        },
        |flights| flights.overtake(|at, _| at.is_of(&key()), || ()).0,
    ];
    for happens in happens {
        let flights = Flights::default();
        let variant = key().variant(1, "s");
        let Ok(Role::Lead(_, mut first)) = flights.join(&key(), Instant::now(), nothing) else {
            panic!("the first leads")
        };
        let other = CacheKey::primary("http", "a", "/x?1");
        let Ok(Role::Lead(_, mut second)) = flights.join(&other, Instant::now(), nothing) else {
            panic!("the first leads")
        };
        first.list_as(|| variant.clone());
        second.list_as(|| variant.clone());
        assert_eq!(happens(&flights), 2);
        first.store(|| panic!("outdated"));
        second.store(|| panic!("outdated"));
        drop((first, second));
        assert!(flights.list().given_way.is_empty() && flights.list().fills.is_empty());
    }
}

/// Of 200 players' first playlist, which differs by Accept-Encoding, the origin was asked for twice once in a while.
#[test]
fn who_finds_the_way_to_a_variant_finds_its_fill() {
    let flights = Flights::default();
    let Ok(Role::Lead(_, mut guard)) = flights.join(&key(), Instant::now(), nothing) else {
        panic!("the first leads")
    };
    let (variant, is_found) = (key().variant(1, "s"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let joins = scope.spawn(|| {
            while !is_found.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            flights.join(&variant, Instant::now(), nothing)
        });
        guard.list_as(|| {
            is_found.store(true, Ordering::Release);
            std::thread::yield_now();
            variant.clone()
        });
        assert!(matches!(joins.join().unwrap(), Ok(Role::Follow(_))));
    });
}

#[tokio::test]
async fn an_order_overtakes_a_fill_once_under_all_its_keys() {
    let flights = Flights::default();
    let Ok(Role::Lead(_, mut guard)) = flights.join(&key(), Instant::now(), nothing) else {
        panic!("the first leads")
    };
    guard.list_as(|| key().variant(1, "s"));
    let other = CacheKey::primary("http", "a", "/y");
    let Ok(Role::Lead(_, others)) = flights.join(&other, Instant::now(), nothing) else {
        panic!("the first leads")
    };
    let meant = |at: &CacheKey, object: Option<&Object>| object.is_none() && at.is_of(&key());
    assert_eq!(flights.overtake(meant, || "then"), (1, "then"));
    assert_eq!(flights.overtake(meant, || ()).0, 0);
    guard.store(|| panic!("outdated"));
    let mut stored = false;
    others.store(|| stored = true);
    assert!(stored);
    assert!(matches!(flights.join(&key(), Instant::now(), nothing), Ok(Role::Lead(..))));
}

#[test]
fn what_is_watched_is_kept_unless_something_happened_to_it() {
    let flights = Flights::default();
    let other = CacheKey::primary("http", "a", "/y");
    let watch = |key: &CacheKey| flights.watch(vec![key.clone()]);
    let (before, others) = (watch(&key()), watch(&other));
    assert_eq!(before.store(|| "kept"), Some("kept"));
    flights.forget(&key(), || ());
    let after = watch(&key());
    assert_eq!((before.store(|| ()), after.store(|| ())), (None, Some(())));
    // By its URL alone, an order by a label may mean it.
    let meant = |at: &CacheKey, object: Option<&Object>| object.is_none() && at.is_of(&other);
    assert_eq!(flights.overtake(meant, || ()).0, 0, "it is no fill");
    assert!(!others.is_current() && after.is_current());
    drop((before, others, after));
    assert!(flights.list().watches.is_empty());
}

#[tokio::test]
async fn what_has_just_been_stored_is_not_fetched_again() {
    let flights = Flights::default();
    assert!(matches!(flights.join(&key(), Instant::now(), || Some("stored")), Err("stored")));
    assert!(matches!(flights.join(&key(), Instant::now(), nothing), Ok(Role::Lead(..))));
}
