//! The pages of a few words, and how they say when something is and where television shows it.

use crate::gate::{Airing, Told};
use jiff::Timestamp;
use std::fmt::Write as _;
use timetable::Zone;

/// Where television shows a lesson, a paragraph each.
pub fn airings(told: &Told) -> String {
    let mut list = String::new();
    for Airing { channel, at, again } in &told.airings {
        let what = if *again { "重播" } else { "播出" };
        let (channel, at) = (escaped(channel), chinese(told.zone, *at));
        // Writing to a String does not fail.
        let _ = writeln!(list, "<p>电视频道“{channel}” {at} {what}</p>");
    }
    list
}

/// A page of a few words, as HTML, that ends with the way to all lessons. It asks for nothing: whoever sees it stands at a bell, or before
/// something that is not there.
pub fn brief_page(head: &str, title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n{STYLE}{head}<title>{title}</title>\n\
         {body}<p><a href=\"/\">课程列表 <span lang=\"en\">All lessons</span></a></p>\n</html>\n"
    )
}

/// Of such a page: a line that can be read on a phone and on a wide screen, in letters as large as one has chosen, and a way on that a
/// finger hits (44 pixels).
const STYLE: &str = "<style>body{font:1rem/1.6 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:36em;margin:0 auto;\
    padding:1.5em 1em}h1{font-size:1.4em;line-height:1.35}p[lang=en]{font-size:.875em}a{display:inline-block;padding:.625em 0}</style>\n";

/// 9月1日 08:30
pub fn chinese(zone: Zone, moment: Timestamp) -> String {
    let local = zone.local(moment);
    format!("{}月{}日 {:02}:{:02}", local.month(), local.day(), local.hour(), local.minute())
}

/// 2026-09-01 08:30 (UTC+08:00)
pub fn english(zone: Zone, moment: Timestamp) -> String {
    let minutes = zone.offset_s() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{} (UTC{sign}{hours:02}:{rest:02})", zone.local(moment).strftime("%Y-%m-%d %H:%M"))
}

/// Text as it stands in a page.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
