//! The answer to who has to wait: when, which place, and where the lesson is to be seen meanwhile.
//!
//! A cache on the way may keep it for a second. Whoever is answered from there shares a place in line, which is all that he takes
//! of this node: what the cache asks for when it comes in, it asks for once.

use super::brought::{CONTINUE, FIELD, TICKET};
use dayplan::words::{airings, brief_page, chinese, english, escaped};
use dayplan::{Told, Wants};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use timetable::Zone;

/// Why somebody waits.
#[derive(Debug)]
pub(super) enum Reason {
    /// The slot has not begun.
    Slot {
        /// When to come, from now: spread over the slot.
        after: SignedDuration,
        /// When the slot begins.
        opens: Timestamp,
        /// "Continue anyway" may work.
        soft: bool,
    },
    /// Others are before.
    Line {
        /// When to ask again, from now.
        after: SignedDuration,
        /// How many.
        ahead: u64,
        /// The place, to be brought back.
        ticket: String,
    },
}

/// What can be said beside.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) zone: Zone,
    pub(super) told: Option<&'a Told>,
    /// What else the query has.
    pub(super) query: Option<&'a str>,
    /// Whether to continue anyway was tried.
    pub(super) refused: bool,
    pub(super) now: Timestamp,
}

/// An answer, ready to be sent.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Its fields, Content-Type and Content-Length among them.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) text: String,
}

impl Waiting {
    /// What it is answered with.
    pub(crate) const STATUS: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

    pub(super) fn new(reason: &Reason, words: &Words<'_>, request: &HeaderMap) -> Self {
        let wait_s = reason.wait_s();
        let (media_type, text) = match Wants::of(request) {
            Wants::Page => ("text/html; charset=utf-8", page(reason, words, wait_s)),
            Wants::Json => ("application/json", line(reason, words, wait_s)),
            Wants::Text => ("text/plain; charset=utf-8", plain(reason, wait_s)),
        };
        let exposed = HeaderValue::from_static("Age, Date, Retry-After, Airclass-Ticket");
        let mut headers = HeaderMap::from_iter([
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=1, must-revalidate")),
            (header::RETRY_AFTER, HeaderValue::from(wait_s)),
            (header::VARY, HeaderValue::from_static("Accept, Airclass-Ticket")),
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (header::CONTENT_LENGTH, HeaderValue::from(text.len())),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ]);
        // A ticket is letters, digits and dots.
        if let Some(ticket) = reason.ticket().and_then(|ticket| ticket.parse().ok()) {
            headers.insert(FIELD, ticket);
        }
        Self { headers, text }
    }
}

impl Reason {
    /// Upwards: who comes back at the second that he was told must not be too early.
    fn wait_s(&self) -> u64 {
        let (Self::Slot { after, .. } | Self::Line { after, .. }) = self;
        u64::try_from(after.as_millis()).unwrap_or(0).div_ceil(1_000).max(1)
    }

    fn ticket(&self) -> Option<&str> {
        match self {
            Self::Slot { .. } => None,
            Self::Line { ticket, .. } => Some(ticket),
        }
    }

    fn is_soft(&self) -> bool {
        matches!(self, Self::Slot { soft: true, .. })
    }
}

fn plain(reason: &Reason, wait_s: u64) -> String {
    match reason {
        Reason::Slot { opens, .. } => {
            format!("错峰开放，请 {wait_s} 秒后再来。\nThe slot opens at {opens}; ask again in {wait_s} s\n")
        }
        Reason::Line { ahead, .. } => format!(
            "前面还有 {ahead} 人，请 {wait_s} 秒后再来。\n{ahead} are before you; ask again in {wait_s} s with Airclass-Ticket\n"
        ),
    }
}

fn line(reason: &Reason, words: &Words<'_>, wait_s: u64) -> String {
    let (ahead, opens) = match reason {
        Reason::Slot { opens, .. } => (None, Some(opens)),
        Reason::Line { ahead, .. } => (Some(ahead), None),
    };
    let airings = words.told.map(|told| told.airings.as_slice()).unwrap_or_default();
    let channel = airings.iter().find(|airing| !airing.again).or(airings.first());
    let replay = airings.iter().find(|airing| airing.again && airing.at > words.now);
    let said = json!({
        "error": "waiting", "title": words.title, "wait_s": wait_s, "ahead": ahead, "ticket": reason.ticket(),
        "slot_opens": opens, "soft": reason.is_soft(), "channel": channel.map(|airing| &airing.channel),
        "replay": replay.map(|airing| airing.at),
    });
    format!("{said}\n")
}

fn page(reason: &Reason, words: &Words<'_>, wait_s: u64) -> String {
    let zone = words.zone;
    let wait = SignedDuration::from_secs(i64::try_from(wait_s).unwrap_or(i64::MAX));
    let turn = words.now.saturating_add(wait).map_or(words.now, |turn| turn);
    let turn = {
        let local = zone.local(turn);
        format!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())
    };
    let (chinese_why, english_why) = match reason {
        Reason::Slot { opens, .. } => (
            format!("为了错峰，您所在的地区从 {} 起开放这节课。", chinese(zone, *opens)),
            format!("Where you are, this lesson opens to new viewers at {}.", english(zone, *opens)),
        ),
        Reason::Line { ahead, .. } => (
            format!("现在来听课的人很多，您前面还有 {ahead} 人；您的位置已经保留。"),
            format!("Many are coming just now: {ahead} are before you, and your place is kept."),
        ),
    };
    let again = escaped(&link(words.query, reason.ticket().map(|ticket| (TICKET, ticket))));
    let go_on = match reason.is_soft() {
        true if words.refused => "<p>现在没有空位，暂时不能提前开始。 \
             <span lang=\"en\">There is no room to begin earlier just now.</span></p>\n"
            .to_owned(),
        true => {
            let target = escaped(&link(words.query, Some((CONTINUE, "1"))));
            format!(
                "<p><a href=\"{target}\">不等了，现在就开始 <span lang=\"en\">Continue anyway</span></a></p>\n"
            )
        }
        false => String::new(),
    };
    let airings = words.told.map(airings).unwrap_or_default();
    let title = escaped(words.title);
    let body = format!(
        "<h1>{title}：大约 {turn} 轮到您</h1>\n<p>{chinese_why}请不要关闭页面，到时会自动打开。</p>\n{go_on}{airings}\
         <p lang=\"en\">{english_why} Your turn comes at about {turn}. The page then opens by itself.</p>\n"
    );
    let refresh = format!("<meta http-equiv=\"refresh\" content=\"{wait_s};url={again}\">\n");
    brief_page(&refresh, "请稍候", &body)
}

/// The same place, with this brought.
fn link(query: Option<&str>, brought: Option<(&str, &str)>) -> String {
    let brought = brought.map(|(name, value)| format!("{name}={value}"));
    let parts: Vec<&str> =
        query.into_iter().chain(brought.as_deref()).filter(|part| !part.is_empty()).collect();
    format!("?{}", parts.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::plans::moment;

    fn answer(reason: &Reason, accept: &'static str, refused: bool) -> Waiting {
        let words = Words {
            title: "函数 <一>",
            zone: Zone::CHINA,
            told: None,
            query: Some("a=\"1\""),
            refused,
            now: moment("08:30:00"),
        };
        let request = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        Waiting::new(reason, &words, &request)
    }

    fn slot(soft: bool) -> Reason {
        Reason::Slot { after: SignedDuration::from_millis(600_001), opens: moment("08:40:00"), soft }
    }

    fn place() -> Reason {
        Reason::Line {
            after: SignedDuration::from_millis(41_000),
            ahead: 12_345,
            ticket: "1.usual.7".to_owned(),
        }
    }

    #[test]
    fn a_page_comes_back_by_itself_with_its_place() {
        let page = answer(&place(), "text/html", false).text;
        assert!(page.contains("content=\"41;url=?a=&quot;1&quot;&amp;ticket=1.usual.7\""), "{page}");
        assert!(page.contains("函数 &lt;一&gt;：大约 08:30:41 轮到您"), "{page}");
        assert!(page.find("您前面还有 12345 人").unwrap() < page.find("12345 are before you").unwrap());
        assert!(!page.contains("continue=1"));
    }

    #[test]
    fn who_may_go_on_is_shown_the_way() {
        let page = |soft, refused| answer(&slot(soft), "text/html", refused).text;
        assert!(page(true, false).contains("<a href=\"?a=&quot;1&quot;&amp;continue=1\">"));
        assert!(page(true, true).contains("现在没有空位") && !page(true, true).contains("continue=1"));
        assert!(!page(false, false).contains("continue=1"));
        assert!(page(false, false).contains("从 9月1日 08:40 起开放"));
    }

    #[test]
    fn a_player_reads_all_of_it() {
        let waiting = answer(&place(), "application/json", false);
        let said: serde_json::Value = serde_json::from_str(&waiting.text).unwrap();
        assert_eq!(
            said,
            json!({
                "error": "waiting", "title": "函数 <一>", "wait_s": 41, "ahead": 12_345, "ticket": "1.usual.7",
                "slot_opens": null, "soft": false, "channel": null, "replay": null,
            })
        );
        assert_eq!(waiting.headers[FIELD], "1.usual.7");
        let waiting = answer(&slot(true), "application/json", false);
        assert_eq!(waiting.headers[header::RETRY_AFTER], "601");
        assert!(!waiting.headers.contains_key(FIELD));
        let said: serde_json::Value = serde_json::from_str(&waiting.text).unwrap();
        assert_eq!((&said["soft"], &said["slot_opens"]), (&json!(true), &json!(moment("08:40:00"))));
        assert!(answer(&place(), "*/*", false).text.starts_with("前面还有 12345 人"));
    }
}
