use super::*;
use crate::fields::headers;
use http::HeaderValue;

const NOW: &str = "Mon, 10 Feb 2020 00:30:00 GMT";
const HOUR_AGO: &str = "Sun, 09 Feb 2020 23:30:00 GMT";
const IN_AN_HOUR: &str = "Mon, 10 Feb 2020 01:30:00 GMT";

fn now() -> SystemTime {
    date::parse(NOW).unwrap()
}

fn of_status(status: u16, fields: &[(&'static str, &'static str)], policy: &Policy) -> Freshness {
    let headers = headers(fields);
    let directives = ResponseDirectives::targeted(&headers, &policy.targets);
    let status = StatusCode::from_u16(status).unwrap();
    Freshness::of(status, &headers, &directives, now(), Duration::from_secs(2), policy)
}

fn of(fields: &[(&'static str, &'static str)]) -> Freshness {
    of_status(200, fields, &Policy::default())
}

#[test]
fn lifetimes_by_the_order_of_section_4_2_1() {
    for (fields, seconds) in [
        (&[("cache-control", "max-age=10, s-maxage=60")][..], 60),
        (&[("cache-control", "max-age=10"), ("expires", IN_AN_HOUR), ("date", NOW)], 10),
        (&[("expires", IN_AN_HOUR), ("date", NOW)], 3_600),
        (&[("expires", IN_AN_HOUR), ("date", HOUR_AGO)], 7_200),
        (&[("expires", IN_AN_HOUR)], 3_600),
        (&[("expires", IN_AN_HOUR), ("date", "foo")], 3_600),
        (&[("expires", HOUR_AGO), ("date", NOW)], 0),
        (&[("expires", "0")], 0),
        (&[("expires", IN_AN_HOUR), ("expires", IN_AN_HOUR), ("date", NOW)], 0),
        (&[("cache-control", "max-age=10, no-cache")], 0),
        // §4.2.2: never beside a stated lifetime, also one that has passed.
        (&[("expires", "0"), ("last-modified", HOUR_AGO), ("date", NOW)], 0),
        (&[("last-modified", HOUR_AGO), ("date", NOW)], 360),
        (&[("last-modified", HOUR_AGO)], 360),
        (&[("last-modified", IN_AN_HOUR), ("date", NOW)], 0),
        (&[("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"), ("date", NOW)], 24 * 3_600),
        // What pages of before HTTP/1.1 say, and nothing else.
        (&[("pragma", "No-cache"), ("last-modified", HOUR_AGO), ("date", NOW)], 0),
        (&[("pragma", "no-cache"), ("cache-control", "max-age=10")], 10),
        (&[("pragma", "public"), ("last-modified", HOUR_AGO), ("date", NOW)], 360),
        (&[], 0),
        // RFC 9213 §2.2
        (&[("cdn-cache-control", "max-age=7"), ("cache-control", "s-maxage=60")], 7),
        (&[("cdn-cache-control", "max-age=7"), ("expires", HOUR_AGO), ("date", NOW)], 7),
        (&[("cdn-cache-control", "max-age=0"), ("expires", IN_AN_HOUR), ("date", NOW)], 0),
        (&[("cdn-cache-control", "max-age=7, &&"), ("cache-control", "max-age=60")], 60),
    ] {
        assert_eq!(of(fields).lifetime.as_secs(), seconds, "{fields:?}");
    }
}

#[test]
fn guesses_are_made_for_statuses_that_allow_them() {
    // §4.2.2 and RFC 9110 §15.1
    let policy = Policy { error_ttl: Duration::from_secs(9_999), ..Policy::default() };
    let modified = ("last-modified", HOUR_AGO);
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        assert_eq!(of_status(status, &[modified], &policy).lifetime.as_secs(), 360, "{status}");
    }
    for status in [201, 202, 302, 307, 403, 500, 502, 503, 504, 599] {
        assert_eq!(of_status(status, &[modified], &policy).lifetime.as_secs(), 0, "{status}");
        let public = [modified, ("cache-control", "public")];
        assert_eq!(of_status(status, &public, &policy).lifetime.as_secs(), 360, "public {status}");
    }
    let never = Policy { heuristic_ttl: Duration::ZERO, ..policy };
    assert_eq!(of_status(200, &[modified], &never).lifetime, Duration::ZERO);
}

#[test]
fn attack_44_errors_live_no_longer_than_the_policy_has_it() {
    let policy = Policy {
        negative_ttl: Duration::from_secs(3),
        error_ttl: Duration::from_secs(30),
        ..Policy::default()
    };
    for (status, fields, seconds) in [
        (404, &[][..], 3),
        (410, &[], 3),
        (403, &[], 0),
        (500, &[], 0),
        (404, &[("cache-control", "max-age=10")], 10),
        (404, &[("cache-control", "max-age=31536000, immutable")], 30),
        (503, &[("cache-control", "max-age=31536000")], 30),
        // RFC 9110 §15: as if it were 5xx.
        (999, &[("cache-control", "max-age=31536000")], 30),
        (404, &[("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT")], 30),
        (301, &[("cache-control", "max-age=3600")], 3_600),
    ] {
        assert_eq!(of_status(status, fields, &policy).lifetime.as_secs(), seconds, "{status} {fields:?}");
    }
    // Nor are they used beyond it while a new one is fetched.
    for (status, control, stale) in [
        (404, "max-age=10, stale-while-revalidate=5", 5),
        (404, "max-age=10, stale-while-revalidate=86400", 20),
        (503, "max-age=31536000, stale-while-revalidate=86400", 0),
        (200, "max-age=10, stale-while-revalidate=86400", 86_400),
    ] {
        let stated = of_status(status, &[("cache-control", control)], &policy).stale.while_revalidating;
        assert_eq!(stated.as_secs(), stale, "{status} {control}");
    }
}

#[test]
fn the_initial_age_is_the_larger_of_date_and_age() {
    // §4.2.3, §5.1
    assert_eq!(of(&[("date", HOUR_AGO)]).initial_age.as_secs(), 3_600);
    assert_eq!(of(&[("date", NOW), ("age", "100")]).initial_age.as_secs(), 102);
    assert_eq!(of(&[("date", IN_AN_HOUR)]).initial_age.as_secs(), 2);
    assert_eq!(of(&[("age", "-5")]).initial_age.as_secs(), 2);
    assert_eq!(of(&[("age", "7, 9")]).initial_age.as_secs(), 9);
    assert_eq!(of(&[("age", "2147483649")]).initial_age.as_secs(), (1 << 31) + 2);
}

#[test]
fn an_age_that_cannot_be_read_is_passed_over_or_too_old() {
    // §5.1 has it passed over; the other way is an operator's caution.
    let control = ("cache-control", "max-age=3600");
    let cautious = Policy { unreadable_age: UnreadableAge::Stale, ..Policy::default() };
    for (ages, fresh, fresh_in_doubt) in [
        (&["abc"][..], true, false),
        (&["-7200"], true, false),
        (&["7200.0"], true, false),
        (&["7200;foo=bar"], true, false),
        (&["0,7200"], true, true),
        (&["0, 7200"], true, false),
        (&["0", "7200"], true, false),
        (&["0", "0"], true, false),
        (&["7200,0"], false, false),
        (&["7200", "0"], false, false),
        (&["100"], true, true),
        (&[], true, true),
    ] {
        let mut fields = vec![control];
        fields.extend(ages.iter().map(|&age| ("age", age)));
        for (policy, expected) in [(&Policy::default(), fresh), (&cautious, fresh_in_doubt)] {
            let state = of_status(200, &fields, policy).state(Duration::ZERO);
            assert_eq!(state == State::Fresh, expected, "{ages:?} {:?}", policy.unreadable_age);
        }
    }
}

#[test]
fn an_age_that_has_reached_the_lifetime_is_stale() {
    // §4.2, RFC 5861 §3, §4
    let response = of(&[("cache-control", "max-age=12, stale-while-revalidate=5, stale-if-error=100")]);
    let state = |seconds| response.state(Duration::from_secs(seconds));
    assert_eq!(state(9), State::Fresh);
    assert_eq!(state(10), State::StaleWhileRevalidate);
    assert_eq!(state(15), State::Stale);
    assert!(response.may_serve_on_error(Duration::from_secs(109), Duration::ZERO));
    assert!(!response.may_serve_on_error(Duration::from_secs(110), Duration::MAX));
}

#[test]
fn what_demands_validation_is_never_served_stale() {
    // §4.2.4, §5.2.2.2, §5.2.2.8, §5.2.2.10
    let ten = Duration::from_secs(10);
    for (control, on_error) in [
        ("max-age=1", true),
        ("max-age=1, must-revalidate", false),
        ("max-age=1, proxy-revalidate, stale-if-error=99", false),
        ("no-cache", false),
        ("s-maxage=1", false),
        ("s-maxage=1, stale-if-error=99", true),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
        let directives = ResponseDirectives::read(&headers);
        let policy = Policy::default();
        let response = Freshness::of(StatusCode::OK, &headers, &directives, now(), Duration::ZERO, &policy);
        assert_eq!(response.may_serve_on_error(ten, Duration::MAX), on_error, "{control}");
    }
}

#[test]
fn what_a_client_may_ask_for() {
    // §5.2.1, RFC 8246 §2
    let plain = of(&[("cache-control", "max-age=100"), ("age", "8")]);
    let immutable = of(&[("cache-control", "max-age=100, immutable"), ("age", "8")]);
    for (control, suits, suits_immutable) in [
        ("max-age=10", true, true),
        ("max-age=9", false, true),
        ("max-age=0", false, true),
        ("no-cache", false, true),
        ("min-fresh=90", true, true),
        ("min-fresh=91", false, true),
        ("max-stale", true, true),
    ] {
        let asked = RequestDirectives::read(&headers(&[("cache-control", control)]));
        assert_eq!(plain.suits(&asked, Duration::ZERO), suits, "{control}");
        assert_eq!(immutable.suits(&asked, Duration::ZERO), suits_immutable, "immutable {control}");
    }
    let stale = Duration::from_secs(190);
    assert!(!immutable.suits(&RequestDirectives { no_cache: true, ..Default::default() }, stale));
    for (control, takes) in [
        ("max-stale", true),
        ("max-stale=100", true),
        ("max-stale=99", false),
        ("max-stale, max-age=199", false),
        ("no-cache, max-stale", false),
        ("no-transform", false),
    ] {
        let asked = RequestDirectives::read(&headers(&[("cache-control", control)]));
        assert_eq!(plain.is_stale_enough_for(&asked, stale), takes, "{control}");
    }
    let strict = of(&[("cache-control", "max-age=100, must-revalidate"), ("age", "8")]);
    let asked = RequestDirectives::read(&headers(&[("cache-control", "max-stale")]));
    assert!(!strict.is_stale_enough_for(&asked, stale));
}
