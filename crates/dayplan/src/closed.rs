//! The answer before a lesson opens: when it does, in words for whoever asks.
//!
//! It may be kept by caches, and by none beyond the instant: `max-age` ends with it at the latest, and forbids stale use.
//! Those who ask together are not told to come back together.

use crate::gate::{Airing, Shut};
use crate::words::{airings, brief_page, chinese, english, escaped};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use httpcache::fields;
use jiff::Timestamp;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use timetable::Zone;

/// What a client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A person's browser.
    Page,
    /// A program that says so.
    Json,
    /// A player, or anything else.
    Text,
}

/// A refusal, ready to be sent.
#[derive(Debug)]
pub struct Closed {
    /// Its fields, Content-Type and Content-Length among them.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
}

/// The longest that a cache may keep a refusal: a plan that opens a lesson earlier is obeyed within it.
const MOST_KEPT_S: i64 = 30;
/// Seconds over which those who were refused come back once it is open.
const SPREAD_S: u64 = 10;
/// The longest before a page looks again by itself: it finds a lesson that was moved to an earlier hour within it, and is
/// late by no more where the device slept.
const LOOKS_EVERY_S: u64 = 600;

impl Wants {
    /// By a request's Accept: browsers name text/html when a person follows a link.
    pub fn of(request: &HeaderMap) -> Self {
        let names = |wanted: &str| {
            fields::members(request, &header::ACCEPT).any(|member| {
                let media_type = member.split(';').next().unwrap_or_default().trim_end();
                media_type.eq_ignore_ascii_case(wanted)
            })
        };
        if names("text/html") {
            Self::Page
        } else if names("application/json") {
            Self::Json
        } else {
            Self::Text
        }
    }
}

impl Closed {
    /// What it is answered with.
    pub const STATUS: StatusCode = StatusCode::FORBIDDEN;

    /// The answer at `now` to something that is `shut`.
    pub fn new(shut: &Shut, request: &HeaderMap, now: Timestamp) -> Self {
        let left = shut.until.duration_since(now);
        // Upwards: who comes back at the second that he was told must not be too early.
        let wait_s = u64::try_from(left.as_secs()).unwrap_or(0) + 1 + spread();
        let wants = Wants::of(request);
        let (media_type, text) = match wants {
            Wants::Page => ("text/html; charset=utf-8", page(shut, wait_s)),
            Wants::Json => ("application/json", line(shut, wait_s)),
            Wants::Text => ("text/plain; charset=utf-8", words(shut, wait_s)),
        };
        let kept_s = left.as_secs().clamp(0, MOST_KEPT_S);
        let cache = match kept_s {
            0 => HeaderValue::from_static("no-store"),
            _ => {
                HeaderValue::try_from(format!("public, max-age={kept_s}, must-revalidate")).expect("a field")
            }
        };
        let headers = HeaderMap::from_iter([
            (header::CACHE_CONTROL, cache),
            (header::RETRY_AFTER, HeaderValue::from(wait_s)),
            (header::VARY, HeaderValue::from_static("Accept")),
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (header::CONTENT_LENGTH, HeaderValue::from(text.len())),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Age, Date, Retry-After")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ]);
        Self { headers, text }
    }
}

/// Steps through the spread by the golden ratio, so that any few neighbours lie far apart.
fn spread() -> u64 {
    static TURN: AtomicU64 = AtomicU64::new(0);
    TURN.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) % SPREAD_S
}

fn words(shut: &Shut, wait_s: u64) -> String {
    format!("not open yet: opens at {}; ask again in {wait_s} s\n", shut.until)
}

fn line(shut: &Shut, wait_s: u64) -> String {
    let airings = shut.told.iter().flat_map(|told| &told.airings);
    let airings: Vec<_> = airings
        .map(|Airing { channel, at, again }| json!({ "channel": channel, "at": at, "again": again }))
        .collect();
    let title = shut.told.as_ref().map(|told| &told.title);
    let said = json!({
        "error": "not_open_yet", "opens_at": shut.until, "retry_after_s": wait_s, "title": title, "airings": airings,
    });
    format!("{said}\n")
}

fn page(shut: &Shut, wait_s: u64) -> String {
    let zone = shut.told.as_ref().map_or(Zone::CHINA, |told| told.zone);
    let (opens, opens_english) = (chinese(zone, shut.until), english(zone, shut.until));
    let title = shut.told.as_ref().map_or_else(|| "课程".to_owned(), |told| escaped(&told.title));
    let refresh = format!("<meta http-equiv=\"refresh\" content=\"{}\">\n", wait_s.min(LOOKS_EVERY_S));
    let airings = shut.told.as_deref().map(airings).unwrap_or_default();
    let body = format!(
        "<h1>{title}：{opens} 开放</h1>\n<p>课程还没有开放，到时页面会自动打开。</p>\n{airings}\
         <p lang=\"en\">This lesson opens at {opens_english}. The page then opens by itself.</p>\n"
    );
    brief_page(&refresh, "尚未开放", &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Gate, Gated};
    use testkit::plans::{self as sample, moment, package};

    fn closed(path: &str, accept: &'static str, now: &str) -> Closed {
        let plan = sample::plan();
        let Gated::Shut(shut) = Gate::of([plan].iter()).look(path, moment(now)) else {
            panic!("{path} is open")
        };
        let request = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        Closed::new(&shut, &request, moment(now))
    }

    fn field(closed: &Closed, name: header::HeaderName) -> &str {
        closed.headers[name].to_str().unwrap()
    }

    #[test]
    fn no_cache_keeps_it_beyond_the_instant() {
        for (now, cache) in [
            ("00:00:00", "public, max-age=30, must-revalidate"),
            ("08:29:30", "public, max-age=30, must-revalidate"),
            ("08:29:57.5", "public, max-age=2, must-revalidate"),
            ("08:29:59", "public, max-age=1, must-revalidate"),
            ("08:29:59.001", "no-store"),
        ] {
            let closed = closed("/lessons/maths-9/main.m3u8", "*/*", now);
            assert_eq!(field(&closed, header::CACHE_CONTROL), cache, "{now}");
        }
    }

    #[test]
    fn who_was_refused_comes_back_when_it_is_open_and_not_with_all_others() {
        let waits: Vec<u64> = (0..200)
            .map(|_| {
                let closed = closed("/lessons/maths-9/main.m3u8", "*/*", "08:29:50.5");
                field(&closed, header::RETRY_AFTER).parse().unwrap()
            })
            .collect();
        assert!(waits.iter().all(|wait| (10..10 + SPREAD_S).contains(wait)), "{waits:?}");
        let different: std::collections::BTreeSet<_> = waits.iter().collect();
        assert_eq!(different.len() as u64, SPREAD_S);
    }

    #[test]
    fn it_is_said_for_whoever_asks() {
        let path = "/lessons/maths-9/main.m3u8";
        let page = closed(path, "text/html,*/*;q=0.8", "08:20:00");
        assert_eq!(field(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert!(page.text.contains("课 maths-9：9月1日 08:30 开放"), "{}", page.text);
        assert!(page.text.contains("电视频道“初中” 9月1日 08:30 播出"), "{}", page.text);
        assert!(
            page.text.find("开放").unwrap()
                < page.text.find("opens at 2026-09-01 08:30 (UTC+08:00).").unwrap()
        );
        assert!(page.text.contains("http-equiv=\"refresh\""));
        let json = closed(path, "application/json", "08:20:00");
        let said: serde_json::Value = serde_json::from_str(&json.text).unwrap();
        assert_eq!(said["opens_at"], "2026-09-01T00:30:00Z");
        assert_eq!(json.text.lines().count(), 1);
        let text = closed(path, "*/*", "08:20:00");
        assert!(text.text.starts_with("not open yet: opens at 2026-09-01T00:30:00Z; "), "{}", text.text);
        assert_eq!(text.text.len().to_string(), field(&text, header::CONTENT_LENGTH));
    }

    #[test]
    fn a_page_opens_by_itself_as_it_says_also_hours_ahead() {
        let page = |now| closed("/lessons/maths-9/main.m3u8", "text/html", now).text;
        for now in ["00:00:00", "07:29:00", "08:19:00"] {
            assert!(
                page(now).contains("<meta http-equiv=\"refresh\" content=\"600\">"),
                "{now}: {}",
                page(now)
            );
        }
        let soon = page("08:29:00");
        let wait = soon.split("content=\"").find_map(|part| part.split('"').next()?.parse::<u64>().ok());
        assert!(wait.is_some_and(|wait| (61..61 + SPREAD_S).contains(&wait)), "{soon}");
    }

    #[test]
    fn a_package_is_told_no_lesson_and_a_lesson_no_package() {
        for accept in ["text/html", "application/json", "*/*"] {
            let of_package = closed(&format!("/p/{}/main.m3u8", package(1)), accept, "08:00:00");
            assert!(!of_package.text.contains("maths"), "{}", of_package.text);
            let of_lesson = closed("/lessons/maths-9/main.m3u8", accept, "08:00:00");
            assert!(!of_lesson.text.contains(&package(1).to_string()), "{}", of_lesson.text);
        }
    }

    #[test]
    fn a_title_is_text_and_no_page() {
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
